#include "core/base/buf.h"

#include "core/base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){.max = max};
	b->alloc = 64;
	b->data = x_malloc(b->alloc);
	b->data[0] = '\0';
}

void buf_release(struct buf *b)
{
	free(b->data);
	*b = (struct buf){0};
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->dropped = 0;
	if (b->data)
		b->data[0] = '\0';
}

static void reserve(struct buf *b, size_t more)
{
	size_t want = b->alloc ? b->alloc : 64;

	while (want - b->len <= more)
		want *= 2;
	if (want != b->alloc) {
		b->data = x_realloc_array(b->data, want, 1);
		b->alloc = want;
	}
}

bool buf_add(struct buf *b, const void *data, size_t len)
{
	size_t room = b->max - b->len;
	size_t take = len < room ? len : room;

	if (take) {
		reserve(b, take);
		memcpy(b->data + b->len, data, take);
		b->len += take;
		b->data[b->len] = '\0';
	}
	b->dropped += len - take;
	return take == len;
}

bool buf_puts(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}

bool buf_put_int(struct buf *b, int64_t n)
{
	char digits[20], *at = digits + sizeof(digits);
	uint64_t left = n < 0 ? -(uint64_t)n : (uint64_t)n;

	do
		*--at = (char)('0' + left % 10);
	while (left /= 10);
	if (n < 0)
		*--at = '-';
	return buf_add(b, at, (size_t)(digits + sizeof(digits) - at));
}

/* Too long for what is free now: 'len' is what it takes. */
static bool ERR_PRINTF(3, 0)
	print_long(struct buf *b, size_t len, const char *fmt, va_list ap)
{
	char *text;
	bool fits;

	if (len <= b->max - b->len) {
		reserve(b, len);
		vsnprintf(b->data + b->len, len + 1, fmt, ap);
		b->len += len;
		return true;
	}
	text = x_malloc(len + 1);
	vsnprintf(text, len + 1, fmt, ap);
	fits = buf_add(b, text, len);
	free(text);
	return fits;
}

bool buf_printf(struct buf *b, const char *fmt, ...)
{
	size_t room = b->max - b->len, space = b->alloc - b->len;
	va_list ap, again;
	bool fits = true;
	int len;

	va_start(ap, fmt);
	va_copy(again, ap);
	len = vsnprintf(space ? b->data + b->len : NULL, space, fmt, ap);
	va_end(ap);
	if (len < 0) {
		fits = false;
	} else if ((size_t)len < space && (size_t)len <= room) {
		b->len += (size_t)len;
	} else {
		if (space)
			b->data[b->len] = '\0';
		fits = print_long(b, (size_t)len, fmt, again);
	}
	va_end(again);
	return fits;
}

char *buf_detach(struct buf *b)
{
	char *data = b->data;

	*b = (struct buf){.max = b->max};
	return data;
}
