#include "inference/mock/mock_prefix.h"

#include "core/base/mem.h"

#include <stdlib.h>
#include <string.h>

/* SplitMix64's finalizer: every bit of the input reaches every bit of the output. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

void prefix_init(struct prefix_cache *p, int64_t kv_tokens)
{
	*p = (struct prefix_cache){.nr = (size_t)(kv_tokens / PREFIX_BLOCK) + 1};
	p->keys = x_calloc(p->nr, sizeof(*p->keys));
}

void prefix_release(struct prefix_cache *p)
{
	free(p->keys);
	*p = (struct prefix_cache){0};
}

void prefix_reset(struct prefix_cache *p)
{
	memset(p->keys, 0, p->nr * sizeof(*p->keys));
}

int64_t prefix_look(struct prefix_cache *p, const uint32_t *tokens, size_t nr,
		    const char *salt, size_t salt_len)
{
	uint64_t key = UINT64_C(0x9e3779b97f4a7c15);
	int64_t known = 0;
	int is_behind_known = 1;

	for (size_t i = 0; i < salt_len; i++)
		key = mix(key ^ (unsigned char)salt[i]);
	for (size_t i = 0; i + PREFIX_BLOCK <= nr; i += PREFIX_BLOCK) {
		uint64_t *place;

		for (size_t j = i; j < i + PREFIX_BLOCK; j++)
			key = mix(key + tokens[j] + 1);
		place = &p->keys[key % p->nr];
		is_behind_known = is_behind_known && *place == key;
		if (is_behind_known && i + PREFIX_BLOCK < nr)
			known += PREFIX_BLOCK;
		*place = key;
	}
	p->queries += nr;
	p->hits += (uint64_t)known;
	return known;
}
