/*
 * The boards that the fake NVML can be. Profiles of H200 and A100 are those of NVIDIA's
 * MIG guide; of the GB200's, memory and the multiprocessors of 1g and 2g are known and the
 * larger ones are made up.
 */
#ifndef TARE_TESTS_FAKE_NVML_SHAPES_H
#define TARE_TESTS_FAKE_NVML_SHAPES_H

enum { PROFILES_MAX = 8 };

struct profile {
	unsigned index, id, slices, size, most, multiprocessors, memory_mib;
	const char *name; /* NULL after the last */
};

struct shape {
	const char *key, *name;
	unsigned gpus, multiprocessors, domain_step, major, minor, clock_mhz, power_w,
		c2c_links;
	unsigned long long memory;
	struct profile profiles[PROFILES_MAX];
};

/* The board that TARE_FAKE_NVML_SHAPE names; H200 without it. Asked for at every call. */
const struct shape *fake_nvml_shape(void);

/* That board's profile of a GPU instance by its identifier; NULL: it has none. */
const struct profile *fake_nvml_profile(unsigned id);

/* Bytes of a part, or of a whole, that has so many multiprocessors. */
unsigned long long fake_nvml_memory(unsigned multiprocessors);

#endif
