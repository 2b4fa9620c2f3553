/*
 * Server-sent events out of a byte stream that arrives in any pieces (WHATWG HTML,
 * section 9.2.6 "Interpreting an event stream").
 *
 * Only what model servers send is understood: 'data' lines, which are joined by a newline
 * when there are several, and the fields event, id and retry, which are skipped, as are
 * comments. A line ends with LF or CR LF. Stricter than a browser on purpose, since this
 * reads a server under test: a field of any other name, or a line beyond SSE_LINE_MAX, is
 * an error. A lone CR, which the standard also takes as a line's end, is not one here: no
 * JSON text holds it raw, and no server is known to send it.
 *
 * An event that lies whole in one piece is handed out in place; nothing is copied or
 * allocated. Unfinished lines are kept in buffers that grow to the longest one seen.
 *
 * Hand-written because it is the measured path: an event costs some tens of nanoseconds.
 */
#ifndef TARE_INFERENCE_HTTP_SSE_H
#define TARE_INFERENCE_HTTP_SSE_H

#include <stdbool.h>
#include <stddef.h>

#define SSE_LINE_MAX ((size_t)1 << 20)

struct sse_text {
	char *bytes;
	size_t len, alloc;
};

struct sse {
	struct sse_text line; /* an unfinished line */
	struct sse_text data; /* an event's data so far, when it had to be copied */
	const char *view;     /* the same, when it lies in the piece being read */
	size_t view_len;
	bool has_data;
};

/* One event's data, valid during the call. False stops reading: sse_feed() fails. */
typedef bool sse_event(void *ctx, const char *data, size_t len);

void sse_init(struct sse *s, size_t reserve); /* buffers of so many bytes at once */
void sse_reset(struct sse *s);                /* for the next stream; memory stays */
void sse_release(struct sse *s);

/* False: not an event stream, or 'event' said so. Call sse_reset() before going on. */
bool sse_feed(struct sse *s, const char *bytes, size_t len, sse_event *event, void *ctx);

#endif
