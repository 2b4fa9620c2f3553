/* What a guest writes on its console: quoting it stays in bounds and is printable text. */
#include "harness/provision/libvirt/vm_files.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t room = size ? 1 + data[0] * 4u : 1;
	char *text = malloc(room), path[64];
	int fd = memfd_create("console", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	vm_console_tail(path, text, room);
	if (strlen(text) >= room)
		abort();
	for (const char *c = text; *c; c++)
		if (*c < 0x20 || *c > 0x7e)
			abort();
	close(fd);
	free(text);
	return 0;
}
