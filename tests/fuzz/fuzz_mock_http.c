/*
 * The mock's request parser: any bytes, whole and in two pieces. What it says of a whole
 * request must lie inside the bytes that it was given.
 */
#include "inference/mock/mock_http_parse.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(const struct http_text *t, const char *from, size_t len)
{
	if (t->len && (t->at < from || t->at + t->len > from + len))
		abort();
}

static enum http_verdict parse(const uint8_t *data, size_t size, struct http_request *r)
{
	char *copy = malloc(size ? size : 1);
	enum http_verdict v;

	memcpy(copy, data, size);
	v = http_parse(copy, size, 4096, r);
	if (v == HTTP_WHOLE) {
		if (!r->size || r->size > size || r->headers_nr > HTTP_HEADERS_MAX)
			abort();
		check_inside(&r->method, copy, size);
		check_inside(&r->path, copy, size);
		check_inside(&r->query, copy, size);
		check_inside(&r->body, copy, size);
		for (size_t i = 0; i < r->headers_nr; i++) {
			check_inside(&r->headers[i].name, copy, size);
			check_inside(&r->headers[i].value, copy, size);
		}
	}
	free(copy);
	return v;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_request whole, part;
	enum http_verdict v = parse(data, size, &whole);

	/* The bytes behind a request change nothing, those before its end are too few. */
	if (v == HTTP_WHOLE) {
		if (parse(data, whole.size, &part) != HTTP_WHOLE ||
		    part.size != whole.size)
			abort();
		if (parse(data, whole.size - 1, &part) == HTTP_WHOLE)
			abort();
	}
	return 0;
}
