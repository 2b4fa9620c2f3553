/*
 * A server's reply as the load generator reads it: HTTP, event stream, JSON. The first
 * byte says how the rest is cut into pieces; the pieces must come to what the whole does,
 * and a chunk that our scanner takes must be an object for json-c as well.
 */
#include "core/document/json.h"
#include "inference/load/engine/chunk_json.h"
#include "inference/http/http_reply.h"
#include "inference/http/sse.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct reader {
	struct http_reply reply;
	struct sse sse;
	size_t events, bytes, chunks;
};

static bool on_event(void *ctx, const char *data, size_t len)
{
	struct reader *r = ctx;
	struct chunk_info c;
	struct json_object *o;

	r->events++;
	r->bytes += len;
	if (!chunk_scan(data, len, &c))
		return true;
	r->chunks++;
	if (c.id && (c.id < data || c.id + c.id_len > data + len))
		abort();
	if (c.error && (c.error < data || c.error + c.error_len > data + len))
		abort();
	o = json_parse(data, len, "chunk", NULL);
	/* json_parse() also refuses texts that are not UTF-8, which ours does not look at. */
	if (o && !json_object_is_type(o, json_type_object))
		abort();
	json_object_put(o);
	return true;
}

static bool on_body(void *ctx, const char *bytes, size_t len)
{
	struct reader *r = ctx;

	return sse_feed(&r->sse, bytes, len, on_event, r);
}

static bool run(struct reader *r, const char *bytes, size_t size, size_t piece)
{
	bool ok = true;

	*r = (struct reader){.events = 0};
	http_reply_init(&r->reply);
	sse_init(&r->sse, 0);
	for (size_t at = 0; ok && at < size; at += piece) {
		size_t len = size - at < piece ? size - at : piece;
		char *copy = malloc(len);

		memcpy(copy, bytes + at, len);
		ok = http_reply_feed(&r->reply, copy, len, on_body, r);
		free(copy);
	}
	sse_release(&r->sse);
	return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader whole, cut;
	bool whole_ok, cut_ok;

	if (size < 2)
		return 0;
	whole_ok = run(&whole, (const char *)data + 1, size - 1, size);
	cut_ok = run(&cut, (const char *)data + 1, size - 1, (size_t)data[0] % 37 + 1);
	if (whole_ok != cut_ok || whole.events != cut.events ||
	    whole.bytes != cut.bytes || whole.chunks != cut.chunks)
		abort();
	return 0;
}
