#include "inference/mock/mock_text.h"

#include "core/base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { ID_FIRST = 1000, ID_RANGE = 29000 };

void tokens_add(struct token_list *t, uint32_t id)
{
	GROW(t->ids, t->nr, t->alloc);
	t->ids[t->nr++] = id;
}

void tokens_release(struct token_list *t)
{
	free(t->ids);
	*t = (struct token_list){0};
}

/* FNV-1a (Fowler, Noll and Vo). */
static uint32_t hash(const char *word, size_t len)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)word[i]) * 16777619u;
	return h;
}

static uint32_t id_of_word(const char *word, size_t len)
{
	uint64_t id = 0;

	if (len < 2 || len > 11 || word[0] != 't')
		return ID_FIRST + hash(word, len) % ID_RANGE;
	for (size_t i = 1; i < len; i++) {
		if (word[i] < '0' || word[i] > '9')
			return ID_FIRST + hash(word, len) % ID_RANGE;
		id = id * 10 + (uint64_t)(word[i] - '0');
	}
	return id <= INT32_MAX ? (uint32_t)id : ID_FIRST + hash(word, len) % ID_RANGE;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

void tokens_add_text(struct token_list *t, const char *text, size_t len)
{
	const char *end = text + len;

	while (text < end) {
		const char *word;

		while (text < end && is_blank(*text))
			text++;
		word = text;
		while (text < end && !is_blank(*text))
			text++;
		if (text > word)
			tokens_add(t, id_of_word(word, (size_t)(text - word)));
	}
}

void tokens_to_text(const uint32_t *ids, size_t nr, bool leads, struct buf *to)
{
	for (size_t i = 0; i < nr; i++)
		buf_printf(to, "%st%u", leads || i ? " " : "", ids[i]);
}

uint32_t token_of_answer(int64_t serial, int64_t index)
{
	return ID_FIRST + (uint32_t)((uint64_t)(serial * 31 + index) % ID_RANGE);
}
