#include "link/verify.h"

#include "link/pattern.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

void pattern_fill(void *to, int64_t bytes, uint64_t seed)
{
	uint64_t *words = to;

	for (int64_t i = 0; i < bytes / 8; i++)
		words[i] = pattern_word(seed, (uint64_t)i);
}

int64_t pattern_wrong(const void *from, int64_t bytes, uint64_t seed)
{
	const uint64_t *words = from;
	int64_t wrong = 0;

	for (int64_t i = 0; i < bytes / 8; i++)
		wrong += words[i] != pattern_word(seed, (uint64_t)i);
	return wrong;
}

void truth_note(struct truth *t, int64_t wrong_words, int64_t bytes, const char *fmt, ...)
{
	char what[120];
	va_list args;

	t->buffers++;
	if (wrong_words == 0)
		return;
	if (t->wrong_buffers++ > 0)
		return;
	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	snprintf(t->first, sizeof(t->first),
		 "; first %s: %" PRId64 " of %" PRId64 " bytes", what, 8 * wrong_words,
		 bytes);
}

void truth_report(const struct truth *t, const char *check, struct result *r)
{
	char text[320];

	if (!t->buffers)
		return;
	snprintf(text, sizeof(text),
		 "%" PRId64 " of %" PRId64 " buffers did not hold what was copied%s",
		 t->wrong_buffers, t->buffers, t->first);
	result_add_check(r, check, t->wrong_buffers == 0, text);
}
