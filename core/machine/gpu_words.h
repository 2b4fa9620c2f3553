/*
 * The words in which a GPU's settings stand in tare.machine/1. Who writes them
 * (nvml_facts.c) and who judges them (probe/preflight_gpu.c) take them from here, so that
 * neither has words of its own. The order is NVML's.
 */
#ifndef TARE_CORE_MACHINE_GPU_WORDS_H
#define TARE_CORE_MACHINE_GPU_WORDS_H

/* Each list ends with NULL. */
enum { GPU_OFF, GPU_ON };
extern const char *const gpu_switch_words[]; /* persistence, cc_mode */

enum {
	GPU_COMPUTE_DEFAULT,
	GPU_COMPUTE_THREAD,
	GPU_COMPUTE_PROHIBITED,
	GPU_COMPUTE_PROCESS
};
extern const char *const gpu_compute_words[];

enum {
	GPU_VIRTUAL_NONE,
	GPU_VIRTUAL_PASSTHROUGH,
	GPU_VIRTUAL_VGPU,
	GPU_VIRTUAL_HOST_VGPU,
	GPU_VIRTUAL_HOST_VSGA
};
extern const char *const gpu_virtual_words[];

enum {
	GPU_FABRIC_NOT_SUPPORTED,
	GPU_FABRIC_NOT_STARTED,
	GPU_FABRIC_IN_PROGRESS,
	GPU_FABRIC_COMPLETED
};
extern const char *const gpu_fabric_words[]; /* fabric.state, as nvidia-smi has it */

/* Which of the words it is; -1: none, or NULL. */
int gpu_word(const char *const words[], const char *text);

#endif
