#include "inference/http/sse.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"

void sse_init(struct sse *s, size_t reserve)
{
	*s = (struct sse){.has_data = false};
	if (reserve) {
		s->line = (struct sse_text){.bytes = x_malloc(reserve), .alloc = reserve};
		s->data = (struct sse_text){.bytes = x_malloc(reserve), .alloc = reserve};
	}
}

void sse_reset(struct sse *s)
{
	s->line.len = s->data.len = s->view_len = 0;
	s->view = NULL;
	s->has_data = false;
}

void sse_release(struct sse *s)
{
	free(s->line.bytes);
	free(s->data.bytes);
	*s = (struct sse){.has_data = false};
}

static bool append(struct sse_text *t, const char *bytes, size_t len)
{
	if (len > SSE_LINE_MAX - t->len)
		return false;
	if (t->len + len > t->alloc) {
		size_t alloc = t->alloc ? t->alloc : 256;

		while (alloc < t->len + len)
			alloc *= 2;
		t->bytes = x_realloc_array(t->bytes, alloc, 1);
		t->alloc = alloc;
	}
	if (len)
		memcpy(t->bytes + t->len, bytes, len);
	t->len += len;
	return true;
}

/* The view lies in the caller's piece, which ends with this call: copies it. */
static bool keep_view(struct sse *s)
{
	const char *view = s->view;

	s->view = NULL;
	return !view || append(&s->data, view, s->view_len);
}

static bool add_data(struct sse *s, const char *value, size_t len, bool is_stable)
{
	if (s->has_data) {
		if (!keep_view(s) || !append(&s->data, "\n", 1))
			return false;
		return append(&s->data, value, len);
	}
	s->has_data = true;
	s->data.len = 0;
	if (!is_stable)
		return append(&s->data, value, len);
	s->view = value;
	s->view_len = len;
	return true;
}

static bool dispatch(struct sse *s, sse_event *event, void *ctx)
{
	const char *data = s->view ? s->view : s->data.bytes;
	size_t len = s->view ? s->view_len : s->data.len;

	if (!s->has_data)
		return true;
	s->has_data = false;
	s->view = NULL;
	return event(ctx, data ? data : "", len);
}

static bool is_field(const char *name, size_t len)
{
	return (len == 5 && !memcmp(name, "event", 5)) ||
	       (len == 2 && !memcmp(name, "id", 2)) ||
	       (len == 5 && !memcmp(name, "retry", 5));
}

static bool read_line(struct sse *s, const char *line, size_t len, bool is_stable,
		      sse_event *event, void *ctx)
{
	const char *colon;
	size_t name, skip;

	if (len && line[len - 1] == '\r')
		len--;
	if (!len)
		return dispatch(s, event, ctx);
	if (line[0] == ':')
		return true;
	colon = memchr(line, ':', len);
	name = colon ? (size_t)(colon - line) : len;
	if (name != 4 || memcmp(line, "data", 4))
		return is_field(line, name);
	skip = colon ? name + 1 : name;
	if (skip < len && line[skip] == ' ')
		skip++;
	return add_data(s, line + skip, len - skip, is_stable);
}

bool sse_feed(struct sse *s, const char *bytes, size_t len, sse_event *event, void *ctx)
{
	const char *end = bytes + len;

	while (bytes < end) {
		const char *nl = memchr(bytes, '\n', (size_t)(end - bytes));

		if (!nl)
			return keep_view(s) &&
			       append(&s->line, bytes, (size_t)(end - bytes));
		if (s->line.len) {
			size_t total;

			if (!append(&s->line, bytes, (size_t)(nl - bytes)))
				return false;
			total = s->line.len;
			s->line.len = 0;
			if (!read_line(s, s->line.bytes, total, false, event, ctx))
				return false;
		} else if (!read_line(s, bytes, (size_t)(nl - bytes), true, event, ctx)) {
			return false;
		}
		bytes = nl + 1;
	}
	return keep_view(s);
}
