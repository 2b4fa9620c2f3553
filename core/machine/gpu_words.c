#include "core/machine/gpu_words.h"

#include <stddef.h>
#include <string.h>

const char *const gpu_switch_words[] = {"off", "on", NULL};
const char *const gpu_compute_words[] = {"default", "exclusive-thread", "prohibited",
					 "exclusive-process", NULL};
const char *const gpu_virtual_words[] = {"none",      "passthrough", "vgpu",
					 "host-vgpu", "host-vsga",   NULL};
const char *const gpu_fabric_words[] = {"Not Supported", "Not Started", "In Progress",
					"Completed", NULL};

int gpu_word(const char *const words[], const char *text)
{
	for (int i = 0; text && words[i]; i++)
		if (strcmp(words[i], text) == 0)
			return i;
	return -1;
}
