/*
 * The mock's tokenizer: a token is a word between blanks. "t1234" has the id 1234, so
 * ids become text and come back as themselves; any other word has an id from 1000 to
 * 29999 made from its bytes.
 */
#ifndef TARE_INFERENCE_MOCK_MOCK_TEXT_H
#define TARE_INFERENCE_MOCK_MOCK_TEXT_H

#include "core/base/buf.h"

#include <stddef.h>
#include <stdint.h>

struct token_list {
	uint32_t *ids;
	size_t nr, alloc;
};

void tokens_add(struct token_list *t, uint32_t id);
void tokens_add_text(struct token_list *t, const char *text, size_t len);
void tokens_release(struct token_list *t);

/* "t1 t2 t3", a blank in front of each when 'leads' is true. */
void tokens_to_text(const uint32_t *ids, size_t nr, bool leads, struct buf *to);

/* The id that answer 'serial' has at position 'index': any, but always the same. */
uint32_t token_of_answer(int64_t serial, int64_t index);

#endif
