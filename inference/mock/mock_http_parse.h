/*
 * The server side of HTTP/1.1 as far as the mock needs it (RFC 9112): one request out of
 * the bytes at the front of a buffer. No copy is made; what is returned points into it.
 *
 * Taken: a request line, up to HTTP_HEADERS_MAX headers, a body by Content-Length or by
 * "Transfer-Encoding: chunked" (decoded in place), one empty line before the request.
 * Refused: a bare CR, NUL or control character in the head, a folded header, a space
 * before the colon, both framings at once, two different lengths, a length that is not
 * all digits, any other transfer coding, HTTP/2's preface.
 */
#ifndef TARE_INFERENCE_MOCK_MOCK_HTTP_PARSE_H
#define TARE_INFERENCE_MOCK_MOCK_HTTP_PARSE_H

#include <stdbool.h>
#include <stddef.h>

enum { HTTP_HEADERS_MAX = 64, HTTP_HEAD_MAX = 32768 };

struct http_text {
	const char *at; /* not NUL-terminated */
	size_t len;
};

struct http_header {
	struct http_text name, value;
};

struct http_request {
	struct http_text method, path, query; /* query without '?' */
	int minor_version;                    /* 0 or 1 */
	bool keeps_alive, expects_continue;
	struct http_header headers[HTTP_HEADERS_MAX];
	size_t headers_nr;
	struct http_text body;
	size_t size; /* bytes of the buffer that the request took */
};

enum http_verdict {
	HTTP_WANT_MORE,     /* nothing wrong so far */
	HTTP_WANT_BODY,     /* the head is whole: filled in but for body and size */
	HTTP_WHOLE,         /* all of 'r' is filled in */
	HTTP_BAD = 400,     /* answer with this status and close */
	HTTP_TOO_BIG = 413, /* the body is over body_max */
	HTTP_BIG_HEAD = 431,
	HTTP_UNKNOWN_CODING = 501,
	HTTP_BAD_VERSION = 505
};

/*
 * 'data' may be changed (a chunked body is joined in place, once whole). Call again with
 * the same bytes and more.
 */
enum http_verdict http_parse(char *data, size_t len, size_t body_max,
			     struct http_request *r);

/* The value without blanks around it; NULL when absent. Names compare without case. */
const struct http_text *http_header(const struct http_request *r, const char *name);
bool http_text_is(const struct http_text *t, const char *s); /* exact */

const char *http_reason(int status); /* "Not Found"; "Error" for others */

#endif
