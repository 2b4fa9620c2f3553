/*
 * One HTTP/1.1 reply out of a byte stream that arrives in any pieces (RFC 9112): the
 * head, then a body framed by chunked coding, by its length or by the connection's end.
 * Interim (1xx) replies are stepped over.
 *
 * Connections are opened, and secured, by libcurl (inference/http/transport.h). Replies are
 * read here, because libcurl reads when its own timers want to, hides which bytes a read
 * brought and so which kernel stamp belongs to which event, and costs four times as much
 * for a request. Nothing is allocated: of a header line only the first bytes are kept.
 */
#ifndef TARE_INFERENCE_HTTP_HTTP_REPLY_H
#define TARE_INFERENCE_HTTP_HTTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HTTP_LINE_KEPT = 192, HTTP_HEAD_MAX = 64 << 10 };

enum http_state {
	HTTP_STATUS_LINE,
	HTTP_HEADER,
	HTTP_BODY_LENGTH,   /* 'left' bytes to come */
	HTTP_BODY_TO_CLOSE, /* until the connection ends */
	HTTP_CHUNK_SIZE,
	HTTP_CHUNK_DATA,
	HTTP_CHUNK_END, /* the line break behind a chunk's data */
	HTTP_TRAILER,
	HTTP_DONE,
	HTTP_BAD
};

struct http_reply {
	enum http_state state;
	int status;
	bool keeps_alive; /* the connection may carry another request */
	bool says_close;  /* "Connection: close", whatever else it says */
	bool is_event_stream;
	bool is_chunked, has_length;
	uint64_t left;
	uint32_t head_len, line_len;
	char line[HTTP_LINE_KEPT];
};

/* A piece of the body, in place. False stops reading. */
typedef bool http_body(void *ctx, const char *bytes, size_t len);

void http_reply_init(struct http_reply *r);

/*
 * False: not HTTP, bytes behind the reply's end, or 'body' said so. The state tells the
 * rest: past HTTP_HEADER the head is known, at HTTP_DONE the reply is whole.
 */
bool http_reply_feed(struct http_reply *r, const char *bytes, size_t len, http_body *body,
		     void *ctx);

/* The connection ended. True when that is a proper end of the reply. */
bool http_reply_end(struct http_reply *r);

#endif
