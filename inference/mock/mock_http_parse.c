#include "inference/mock/mock_http_parse.h"

#include "core/base/mem.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

/* RFC 9110, 5.6.2: what a method and a header's name are made of. */
static bool is_token_char(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(struct http_text t)
{
	for (size_t i = 0; i < t.len; i++)
		if (!is_token_char((unsigned char)t.at[i]))
			return false;
	return t.len > 0;
}

static bool is_visible(struct http_text t)
{
	for (size_t i = 0; i < t.len; i++) {
		unsigned char c = (unsigned char)t.at[i];

		if (c <= ' ' || c == 0x7f)
			return false;
	}
	return t.len > 0;
}

/* Field values: visible bytes, blanks and what lies above ASCII. */
static bool is_value(struct http_text t)
{
	for (size_t i = 0; i < t.len; i++) {
		unsigned char c = (unsigned char)t.at[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

bool http_text_is(const struct http_text *t, const char *s)
{
	return strlen(s) == t->len && memcmp(t->at, s, t->len) == 0;
}

static bool is_nocase(const struct http_text *t, const char *s)
{
	return strlen(s) == t->len && strncasecmp(t->at, s, t->len) == 0;
}

const struct http_text *http_header(const struct http_request *r, const char *name)
{
	for (size_t i = 0; i < r->headers_nr; i++)
		if (is_nocase(&r->headers[i].name, name))
			return &r->headers[i].value;
	return NULL;
}

static struct http_text trim(struct http_text t)
{
	while (t.len && (t.at[0] == ' ' || t.at[0] == '\t')) {
		t.at++;
		t.len--;
	}
	while (t.len && (t.at[t.len - 1] == ' ' || t.at[t.len - 1] == '\t'))
		t.len--;
	return t;
}

/* The line at *at without its end; false when there is none yet. A bare LF ends one too.
 */
static bool next_line(const char **at, const char *end, struct http_text *line)
{
	const char *lf = memchr(*at, '\n', (size_t)(end - *at));

	if (!lf)
		return false;
	*line = (struct http_text){*at, (size_t)(lf - *at)};
	if (line->len && line->at[line->len - 1] == '\r')
		line->len--;
	*at = lf + 1;
	return true;
}

static enum http_verdict parse_version(struct http_text t, struct http_request *r)
{
	if (t.len != 8 || memcmp(t.at, "HTTP/", 5) != 0)
		return HTTP_BAD;
	if (memcmp(t.at, "HTTP/1.", 7) != 0 || (t.at[7] != '0' && t.at[7] != '1'))
		return HTTP_BAD_VERSION;
	r->minor_version = t.at[7] - '0';
	return HTTP_WHOLE;
}

static enum http_verdict parse_request_line(struct http_text line, struct http_request *r)
{
	const char *end = line.at + line.len;
	const char *first = memchr(line.at, ' ', line.len);
	const char *second =
		first ? memchr(first + 1, ' ', (size_t)(end - first - 1)) : NULL;
	const char *mark;

	if (!second)
		return HTTP_BAD;
	r->method = (struct http_text){line.at, (size_t)(first - line.at)};
	r->path = (struct http_text){first + 1, (size_t)(second - first - 1)};
	if (!is_token(r->method) || !is_visible(r->path) ||
	    (r->path.at[0] != '/' && !http_text_is(&r->path, "*")))
		return HTTP_BAD;
	mark = memchr(r->path.at, '?', r->path.len);
	if (mark) {
		r->query.at = mark + 1;
		r->query.len = (size_t)(r->path.at + r->path.len - mark - 1);
		r->path.len = (size_t)(mark - r->path.at);
	}
	return parse_version((struct http_text){second + 1, (size_t)(end - second - 1)},
			     r);
}

static enum http_verdict parse_header(struct http_text line, struct http_request *r)
{
	const char *colon = memchr(line.at, ':', line.len);
	struct http_header *h = &r->headers[r->headers_nr];

	if (!colon)
		return HTTP_BAD;
	if (r->headers_nr == HTTP_HEADERS_MAX)
		return HTTP_BIG_HEAD;
	h->name = (struct http_text){line.at, (size_t)(colon - line.at)};
	h->value = trim((struct http_text){colon + 1, line.len - h->name.len - 1});
	if (!is_token(h->name) || !is_value(h->value))
		return HTTP_BAD;
	r->headers_nr++;
	return HTTP_WHOLE;
}

static bool parse_digits(struct http_text t, int base, size_t *ret)
{
	size_t value = 0;

	for (size_t i = 0; i < t.len; i++) {
		char c = t.at[i];
		size_t digit = c >= '0' && c <= '9'   ? (size_t)(c - '0')
			       : c >= 'a' && c <= 'f' ? (size_t)(c - 'a' + 10)
			       : c >= 'A' && c <= 'F' ? (size_t)(c - 'A' + 10)
						      : 99;

		if (digit >= (size_t)base || value > (SIZE_MAX >> 5))
			return false;
		value = value * (size_t)base + digit;
	}
	*ret = value;
	return t.len > 0;
}

/* How the body is framed: its length, or chunked. */
struct framing {
	bool has_length, is_chunked;
	size_t length;
};

static enum http_verdict add_framing(const struct http_header *h, struct framing *f)
{
	size_t length;

	if (is_nocase(&h->name, "Content-Length")) {
		if (!parse_digits(h->value, 10, &length) ||
		    (f->has_length && length != f->length))
			return HTTP_BAD;
		f->has_length = true;
		f->length = length;
	} else if (is_nocase(&h->name, "Transfer-Encoding")) {
		if (f->is_chunked || !is_nocase(&h->value, "chunked"))
			return HTTP_UNKNOWN_CODING;
		f->is_chunked = true;
	}
	return f->has_length && f->is_chunked ? HTTP_BAD : HTTP_WHOLE;
}

static enum http_verdict parse_headers(const char **at, const char *end,
				       struct http_request *r, struct framing *f)
{
	struct http_text line;
	enum http_verdict v;

	while (next_line(at, end, &line)) {
		if (!line.len)
			return HTTP_WHOLE;
		v = parse_header(line, r);
		if (v == HTTP_WHOLE)
			v = add_framing(&r->headers[r->headers_nr - 1], f);
		if (v != HTTP_WHOLE)
			return v;
	}
	return HTTP_WANT_MORE;
}

static void read_connection(struct http_request *r)
{
	const struct http_text *c = http_header(r, "Connection");
	const struct http_text *expect = http_header(r, "Expect");

	r->keeps_alive = r->minor_version == 1;
	if (c && is_nocase(c, "close"))
		r->keeps_alive = false;
	else if (c && is_nocase(c, "keep-alive"))
		r->keeps_alive = true;
	r->expects_continue = expect && is_nocase(expect, "100-continue");
}

/* Over a chunked body: its joined length; moves the pieces together when 'joins'. */
static enum http_verdict walk_chunks(char *body, size_t len, size_t body_max, bool joins,
				     size_t *ret_joined, size_t *ret_size)
{
	const char *at = body, *end = body + len;
	struct http_text line;
	size_t piece, joined = 0;

	for (;;) {
		if (!next_line(&at, end, &line))
			return end - at > 1024 ? HTTP_BAD : HTTP_WANT_MORE;
		const char *ext = memchr(line.at, ';', line.len);
		if (ext)
			line.len = (size_t)(ext - line.at);
		if (!parse_digits(trim(line), 16, &piece))
			return HTTP_BAD;
		if (!piece)
			break;
		if (piece > body_max - joined)
			return HTTP_TOO_BIG;
		if ((size_t)(end - at) < piece + 2)
			return HTTP_WANT_MORE;
		if (at[piece] != '\r' || at[piece + 1] != '\n')
			return HTTP_BAD;
		if (joins)
			memmove(body + joined, at, piece);
		joined += piece;
		at += piece + 2;
	}
	do { /* trailers are read over */
		if (!next_line(&at, end, &line))
			return end - at > HTTP_HEAD_MAX ? HTTP_BIG_HEAD : HTTP_WANT_MORE;
	} while (line.len);
	*ret_joined = joined;
	*ret_size = (size_t)(at - body);
	return HTTP_WHOLE;
}

static enum http_verdict take_body(char *body, size_t have, size_t body_max,
				   const struct framing *f, struct http_request *r)
{
	size_t joined = f->length, size = f->length;
	enum http_verdict v;

	if (f->is_chunked) {
		v = walk_chunks(body, have, body_max, false, &joined, &size);
		if (v != HTTP_WHOLE)
			return v == HTTP_WANT_MORE ? HTTP_WANT_BODY : v;
		walk_chunks(body, have, body_max, true, &joined, &size);
	} else if (f->length > body_max) {
		return HTTP_TOO_BIG;
	} else if (have < f->length) {
		return HTTP_WANT_BODY;
	}
	r->body = (struct http_text){body, joined};
	r->size += size;
	return HTTP_WHOLE;
}

enum http_verdict http_parse(char *data, size_t len, size_t body_max,
			     struct http_request *r)
{
	const char *at = data, *end = data + (len < HTTP_HEAD_MAX ? len : HTTP_HEAD_MAX);
	struct framing f = {0};
	struct http_text line;
	enum http_verdict v;

	/* Not all of it: the array of headers is large and its count says what is valid.
	 */
	r->headers_nr = 0;
	r->query = r->body = (struct http_text){0};
	r->size = 0;
	if (len && data[0] == '\n')
		at++;
	else if (len > 1 && data[0] == '\r' && data[1] == '\n')
		at += 2;
	if (!next_line(&at, end, &line))
		return len >= HTTP_HEAD_MAX ? HTTP_BIG_HEAD : HTTP_WANT_MORE;
	v = parse_request_line(line, r);
	if (v == HTTP_WHOLE)
		v = parse_headers(&at, end, r, &f);
	if (v == HTTP_WANT_MORE)
		return len >= HTTP_HEAD_MAX ? HTTP_BIG_HEAD : HTTP_WANT_MORE;
	if (v != HTTP_WHOLE)
		return v;
	read_connection(r);
	r->size = (size_t)(at - data);
	return take_body(data + r->size, len - r->size, body_max, &f, r);
}

const char *http_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} table[] = {
		{200, "OK"},
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{408, "Request Timeout"},
		{413, "Content Too Large"},
		{422, "Unprocessable Content"},
		{429, "Too Many Requests"},
		{431, "Request Header Fields Too Large"},
		{500, "Internal Server Error"},
		{501, "Not Implemented"},
		{502, "Bad Gateway"},
		{503, "Service Unavailable"},
		{504, "Gateway Timeout"},
		{505, "HTTP Version Not Supported"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].status == status)
			return table[i].reason;
	return "Error";
}
