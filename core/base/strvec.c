#include "core/base/strvec.h"

#include "core/base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_owned(struct strvec *v, char *s)
{
	size_t need = v->nr + 2;

	if (need > v->alloc) {
		v->alloc = need * 2;
		v->items = x_realloc_array(v->items, v->alloc, sizeof(*v->items));
	}
	v->items[v->nr++] = s;
	v->items[v->nr] = NULL;
}

void strvec_add(struct strvec *v, const char *s)
{
	add_owned(v, x_strdup(s));
}

void strvec_addf(struct strvec *v, const char *fmt, ...)
{
	va_list ap;
	char *text;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	text = x_malloc((size_t)len + 1);
	va_start(ap, fmt);
	vsnprintf(text, (size_t)len + 1, fmt, ap);
	va_end(ap);
	add_owned(v, text);
}

void strvec_add_all(struct strvec *v, const char *const *items)
{
	for (; *items; items++)
		strvec_add(v, *items);
}

bool strvec_has(const struct strvec *v, const char *s)
{
	for (size_t i = 0; i < v->nr; i++)
		if (strcmp(v->items[i], s) == 0)
			return true;
	return false;
}

const char *const *strvec_argv(const struct strvec *v)
{
	static const char *const none[] = {NULL};

	return v->nr ? (const char *const *)v->items : none;
}

void strvec_release(struct strvec *v)
{
	for (size_t i = 0; i < v->nr; i++)
		free(v->items[i]);
	free(v->items);
	*v = (struct strvec){0};
}

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Levenshtein's distance by rows; names longer than the row are not compared. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t row[65], la = strlen(a), lb = strlen(b);

	if (la > 64 || lb > 64)
		return SIZE_MAX;
	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t up = row[j];
			size_t change = diagonal + (a[i - 1] != b[j - 1]);

			row[j] = min3(up + 1, row[j - 1] + 1, change);
			diagonal = up;
		}
	}
	return row[lb];
}

const char *did_you_mean(char text[DID_YOU_MEAN_SIZE], const char *name,
			 const char *const *known, size_t nr, const char *otherwise)
{
	size_t nearest = strlen(name + strspn(name, "-")) / 3 + 2;
	const char *meant = NULL;

	for (size_t i = 0; i < nr; i++) {
		size_t distance = edit_distance(name, known[i]);

		if (distance < nearest) {
			nearest = distance;
			meant = known[i];
		}
	}
	if (!meant)
		return otherwise;
	snprintf(text, DID_YOU_MEAN_SIZE, "; did you mean '%s'?", meant);
	return text;
}
