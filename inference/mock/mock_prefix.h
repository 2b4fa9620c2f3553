/*
 * Which leading blocks of a prompt are known from before, as in a server with prefix
 * caching. A block is PREFIX_BLOCK tokens; its key is a hash over all tokens up to its
 * end and the salt, so a block is found only behind the same beginning. The table has a
 * fixed number of places; a newer block takes the place of an older one with the same
 * remainder, which stands in for a server's eviction.
 */
#ifndef TARE_INFERENCE_MOCK_MOCK_PREFIX_H
#define TARE_INFERENCE_MOCK_MOCK_PREFIX_H

#include <stddef.h>
#include <stdint.h>

enum { PREFIX_BLOCK = 16 };

struct prefix_cache {
	uint64_t *keys; /* 0: empty */
	size_t nr;
	uint64_t queries, hits; /* in tokens, as vllm:prefix_cache_queries counts */
};

void prefix_init(struct prefix_cache *p, int64_t kv_tokens);
void prefix_release(struct prefix_cache *p);
void prefix_reset(struct prefix_cache *p); /* forgets the blocks, not the counts */

/*
 * Tokens at the front that were known; a multiple of PREFIX_BLOCK and less than 'nr', as
 * a server must compute the last token. All blocks are known afterwards.
 */
int64_t prefix_look(struct prefix_cache *p, const uint32_t *tokens, size_t nr,
		    const char *salt, size_t salt_len);

#endif
