#include "tests/support/fakes/nvml_shapes.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const struct shape shapes[] = {
	{"h200",
	 "NVIDIA H200 (FAKE)",
	 1,
	 132,
	 0,
	 9,
	 0,
	 1980,
	 700,
	 0,
	 150754820096ULL,
	 {{0, 19, 1, 1, 7, 16, 16384, "MIG 1g.18gb"},
	  {7, 20, 1, 1, 1, 16, 16384, "MIG 1g.18gb+me"},
	  {9, 15, 1, 2, 4, 26, 33024, "MIG 1g.35gb"},
	  {1, 14, 2, 2, 3, 32, 33024, "MIG 2g.35gb"},
	  {2, 9, 3, 4, 2, 60, 71168, "MIG 3g.71gb"},
	  {3, 5, 4, 4, 1, 64, 71168, "MIG 4g.71gb"},
	  {4, 0, 7, 8, 1, 132, 144384, "MIG 7g.141gb"}}},
	{"h200x2",
	 "NVIDIA H200 (FAKE)",
	 2,
	 132,
	 0,
	 9,
	 0,
	 1980,
	 700,
	 0,
	 150754820096ULL,
	 {{0}}},
	{"a100",
	 "NVIDIA A100-SXM4-40GB (FAKE)",
	 1,
	 108,
	 0,
	 8,
	 0,
	 1410,
	 400,
	 0,
	 42949672960ULL,
	 {{0, 19, 1, 1, 7, 14, 4864, "MIG 1g.5gb"},
	  {7, 20, 1, 1, 1, 14, 4864, "MIG 1g.5gb+me"},
	  {1, 14, 2, 2, 3, 28, 9856, "MIG 2g.10gb"},
	  {2, 9, 3, 4, 2, 42, 19968, "MIG 3g.20gb"},
	  {3, 5, 4, 4, 1, 56, 19968, "MIG 4g.20gb"},
	  {4, 0, 7, 8, 1, 98, 40192, "MIG 7g.40gb"}}},
	{"gb200",
	 "NVIDIA GB200 (FAKE)",
	 4,
	 152,
	 1,
	 10,
	 0,
	 2062,
	 1200,
	 10,
	 198642237440ULL,
	 {{0, 19, 1, 1, 7, 18, 22528, "MIG 1g.23gb"},
	  {9, 15, 1, 2, 4, 32, 46592, "MIG 1g.47gb"},
	  {1, 14, 2, 2, 3, 38, 46592, "MIG 2g.47gb"},
	  {2, 9, 3, 4, 2, 70, 93184, "MIG 3g.93gb"},
	  {3, 5, 4, 4, 1, 76, 93184, "MIG 4g.93gb"},
	  {4, 0, 7, 8, 1, 152, 190464, "MIG 7g.186gb"}}},
};

const struct shape *fake_nvml_shape(void)
{
	const char *key = getenv("TARE_FAKE_NVML_SHAPE");

	for (size_t i = 0; key && i < sizeof(shapes) / sizeof(shapes[0]); i++)
		if (strcmp(shapes[i].key, key) == 0)
			return &shapes[i];
	return &shapes[0];
}

const struct profile *fake_nvml_profile(unsigned id)
{
	const struct shape *s = fake_nvml_shape();

	for (int i = 0; i < PROFILES_MAX && s->profiles[i].name; i++)
		if (s->profiles[i].id == id)
			return &s->profiles[i];
	return NULL;
}

unsigned long long fake_nvml_memory(unsigned multiprocessors)
{
	const struct shape *s = fake_nvml_shape();

	for (int i = 0; i < PROFILES_MAX && s->profiles[i].name; i++)
		if (s->profiles[i].multiprocessors == multiprocessors &&
		    multiprocessors != s->multiprocessors)
			return (unsigned long long)s->profiles[i].memory_mib << 20;
	return s->memory;
}
