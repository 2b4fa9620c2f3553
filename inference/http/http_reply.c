#include "inference/http/http_reply.h"

#include <string.h>
#include <strings.h>

void http_reply_init(struct http_reply *r)
{
	/* Not 'line', which is large: it is written before anything reads it. */
	r->state = HTTP_STATUS_LINE;
	r->status = 0;
	r->keeps_alive = true;
	r->says_close = false;
	r->is_event_stream = r->is_chunked = r->has_length = false;
	r->left = 0;
	r->head_len = r->line_len = 0;
}

/* "HTTP/1.1 200 OK" */
static bool read_status(struct http_reply *r)
{
	const char *l = r->line;

	if (strncmp(l, "HTTP/1.", 7) != 0 || (l[7] != '0' && l[7] != '1') || l[8] != ' ')
		return false;
	r->keeps_alive = l[7] == '1';
	r->status = 0;
	for (int i = 9; i < 12; i++) {
		if (l[i] < '0' || l[i] > '9')
			return false;
		r->status = r->status * 10 + (l[i] - '0');
	}
	return r->status >= 100 && (l[12] == ' ' || l[12] == '\0');
}

static bool read_length(struct http_reply *r, const char *value)
{
	uint64_t n = 0;

	if (!*value || r->has_length)
		return false;
	for (; *value; value++) {
		if (*value < '0' || *value > '9' || n > UINT64_MAX / 20)
			return false;
		n = n * 10 + (uint64_t)(*value - '0');
	}
	r->left = n;
	r->has_length = true;
	return true;
}

/* Connection is a list of options (RFC 9110, section 7.6.1). */
static bool has_option(const char *list, const char *option)
{
	size_t len = strlen(option);

	while (*list) {
		size_t n = strcspn(list, ", \t");

		if (n == len && !strncasecmp(list, option, len))
			return true;
		list += n + strspn(list + n, ", \t");
	}
	return false;
}

static bool read_header(struct http_reply *r)
{
	char *colon = strchr(r->line, ':');
	char *value, *end;

	if (!colon || colon == r->line)
		return false;
	value = colon + 1 + strspn(colon + 1, " \t");
	for (end = value + strlen(value);
	     end > value && (end[-1] == ' ' || end[-1] == '\t');)
		*--end = '\0';
	*colon = '\0';
	if (!strcasecmp(r->line, "content-length"))
		return read_length(r, value);
	if (!strcasecmp(r->line, "transfer-encoding")) {
		r->is_chunked = !strcasecmp(value, "chunked");
		return r->is_chunked;
	}
	if (!strcasecmp(r->line, "content-type"))
		r->is_event_stream = !strncasecmp(value, "text/event-stream", 17);
	if (!strcasecmp(r->line, "connection")) {
		r->says_close = r->says_close || has_option(value, "close");
		r->keeps_alive = !r->says_close &&
				 (r->keeps_alive || has_option(value, "keep-alive"));
	}
	return true;
}

static void begin_body(struct http_reply *r)
{
	if (r->status < 200)
		http_reply_init(r);
	else if (r->status == 204 || r->status == 304)
		r->state = HTTP_DONE;
	else if (r->is_chunked)
		r->state = HTTP_CHUNK_SIZE;
	else if (!r->has_length)
		r->state = HTTP_BODY_TO_CLOSE;
	else
		r->state = r->left ? HTTP_BODY_LENGTH : HTTP_DONE;
	if (r->state == HTTP_BODY_TO_CLOSE)
		r->keeps_alive = false;
}

static bool read_chunk_size(struct http_reply *r)
{
	uint64_t n = 0;
	int i = 0;

	for (;; i++) {
		char c = r->line[i];
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;

		if (digit < 0)
			break;
		if (i == 15)
			return false;
		n = n * 16 + (uint64_t)digit;
	}
	if (!i || (r->line[i] && r->line[i] != ';' && r->line[i] != ' '))
		return false;
	r->left = n;
	r->state = n ? HTTP_CHUNK_DATA : HTTP_TRAILER;
	return true;
}

/* A whole line is in r->line, NUL-terminated, its line break gone. */
static bool read_line(struct http_reply *r)
{
	switch (r->state) {
	case HTTP_STATUS_LINE:
		r->state = HTTP_HEADER;
		return read_status(r);
	case HTTP_HEADER:
		if (r->line[0])
			return read_header(r);
		begin_body(r);
		return true;
	case HTTP_CHUNK_SIZE:
		return read_chunk_size(r);
	case HTTP_CHUNK_END:
		r->state = HTTP_CHUNK_SIZE;
		return !r->line[0];
	case HTTP_TRAILER:
		if (!r->line[0])
			r->state = HTTP_DONE;
		return true;
	default:
		return false;
	}
}

/* Takes bytes of a line; returns how many, or 0 when the head grows without bound. */
static size_t take_line(struct http_reply *r, const char *bytes, size_t len,
			bool *is_whole)
{
	const char *nl = memchr(bytes, '\n', len);
	size_t n = nl ? (size_t)(nl - bytes) : len;
	size_t room = HTTP_LINE_KEPT - 1 - r->line_len;

	*is_whole = nl != NULL;
	if (r->head_len + n > HTTP_HEAD_MAX)
		return 0;
	if (r->state == HTTP_STATUS_LINE || r->state == HTTP_HEADER ||
	    r->state == HTTP_TRAILER)
		r->head_len += (uint32_t)n;
	if (n > room && r->state == HTTP_CHUNK_SIZE)
		return 0;
	memcpy(r->line + r->line_len, bytes, n < room ? n : room);
	r->line_len += (uint32_t)(n < room ? n : room);
	if (nl) {
		if (r->line_len && r->line[r->line_len - 1] == '\r')
			r->line_len--;
		r->line[r->line_len] = '\0';
		r->line_len = 0;
	}
	return nl ? n + 1 : n;
}

/* Body bytes of the present state; returns how many were taken, 0 when 'body' stops. */
static size_t take_body(struct http_reply *r, const char *bytes, size_t len,
			http_body *body, void *ctx)
{
	size_t n = len;

	if (r->state != HTTP_BODY_TO_CLOSE && n > r->left)
		n = (size_t)r->left;
	if (!body(ctx, bytes, n))
		return 0;
	if (r->state == HTTP_BODY_TO_CLOSE)
		return n;
	r->left -= n;
	if (!r->left)
		r->state = r->state == HTTP_CHUNK_DATA ? HTTP_CHUNK_END : HTTP_DONE;
	return n;
}

bool http_reply_feed(struct http_reply *r, const char *bytes, size_t len, http_body *body,
		     void *ctx)
{
	while (len && r->state != HTTP_BAD) {
		bool is_whole = false;
		size_t n;

		if (r->state == HTTP_BODY_LENGTH || r->state == HTTP_BODY_TO_CLOSE ||
		    r->state == HTTP_CHUNK_DATA)
			n = take_body(r, bytes, len, body, ctx);
		else if (r->state == HTTP_DONE)
			n = 0;
		else
			n = take_line(r, bytes, len, &is_whole);
		if (!n || (is_whole && !read_line(r))) {
			r->state = HTTP_BAD;
			break;
		}
		bytes += n;
		len -= n;
	}
	return r->state != HTTP_BAD;
}

bool http_reply_end(struct http_reply *r)
{
	if (r->state == HTTP_BODY_TO_CLOSE)
		r->state = HTTP_DONE;
	return r->state == HTTP_DONE;
}
