#include "inference/load/engine/spool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/mem.h"
#include "inference/load/engine/spool_impl.h"

enum { READ_BYTES = 1 << 20 };

struct spool_reader {
	struct spool_part *parts;
	unsigned nr, part;
	uint64_t offset; /* in the part, of the first byte not yet in 'bytes' */
	unsigned char *bytes;
	size_t at, len, alloc;
	struct chunk_stamp *chunks;
	size_t chunks_alloc;
	const char *error;
};

struct spool_reader *spool_reader_new(const struct spool_part *parts, unsigned nr)
{
	struct spool_reader *r = x_calloc(1, sizeof(*r));

	r->parts = x_calloc(nr ? nr : 1, sizeof(*parts));
	if (nr)
		memcpy(r->parts, parts, nr * sizeof(*parts));
	r->nr = nr;
	r->bytes = x_malloc(READ_BYTES);
	r->alloc = READ_BYTES;
	return r;
}

void spool_reader_rewind(struct spool_reader *r)
{
	r->part = 0;
	r->offset = r->at = r->len = 0;
	r->error = NULL;
}

const char *spool_reader_error(const struct spool_reader *r)
{
	return r->error;
}

void spool_reader_free(struct spool_reader *r)
{
	if (!r)
		return;
	free(r->parts);
	free(r->bytes);
	free(r->chunks);
	free(r);
}

static bool damaged(struct spool_reader *r, const char *how)
{
	r->error = how;
	return false;
}

/* At least 'need' bytes of this part from r->at on. */
static bool have(struct spool_reader *r, size_t need)
{
	const struct spool_part *p = &r->parts[r->part];

	if (r->len - r->at >= need)
		return true;
	if (need - (r->len - r->at) > p->len - r->offset)
		return false;
	memmove(r->bytes, r->bytes + r->at, r->len - r->at);
	r->len -= r->at;
	r->at = 0;
	if (need > r->alloc) {
		r->bytes = x_realloc_array(r->bytes, need, 1);
		r->alloc = need;
	}
	while (r->len < need) {
		size_t room = r->alloc - r->len;
		uint64_t left = p->len - r->offset;
		ssize_t n = pread(p->fd, r->bytes + r->len, room < left ? room : left,
				  (off_t)(p->offset + r->offset));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		r->len += (size_t)n;
		r->offset += (uint64_t)n;
	}
	return true;
}

static bool get_number(const unsigned char **p, const unsigned char *end, uint64_t *ret)
{
	uint64_t n = 0;

	for (unsigned shift = 0; *p < end && shift < 64; shift += 7) {
		unsigned char b = *(*p)++;

		n |= (uint64_t)(b & 0x7f) << shift;
		if (b < 0x80) {
			*ret = n;
			return true;
		}
	}
	return false;
}

static bool read_chunks(struct spool_reader *r, struct request_record *rec,
			uint32_t bytes)
{
	const unsigned char *p = r->bytes + r->at, *end = p + bytes;
	int64_t at = rec->first_token_ns;

	if (rec->chunks_nr > r->chunks_alloc) {
		r->chunks_alloc = rec->chunks_nr;
		r->chunks =
			x_realloc_array(r->chunks, r->chunks_alloc, sizeof(*r->chunks));
	}
	for (uint32_t i = 0; i < rec->chunks_nr; i++) {
		uint64_t gap, tokens;

		if (!get_number(&p, end, &gap) || !get_number(&p, end, &tokens) ||
		    gap > INT64_MAX / 4)
			return false;
		if (__builtin_add_overflow(at, (int64_t)gap, &at))
			return false;
		r->chunks[i] = (struct chunk_stamp){
			.arrival_ns = at,
			.tokens = (uint32_t)(tokens / 2),
			.coalesced = tokens & 1,
		};
	}
	rec->chunks = r->chunks;
	return p == end;
}

static bool is_sane(const struct request_record *rec, uint32_t bytes)
{
	return (unsigned)rec->end < REQUEST_ENDS && rec->chunks_nr <= SPOOL_CHUNKS_MAX &&
	       bytes <= SPOOL_RECORD_MAX && bytes >= 2 * (uint64_t)rec->chunks_nr &&
	       memchr(rec->response_id, '\0', sizeof(rec->response_id));
}

bool spool_reader_next(struct spool_reader *r, struct request_record *ret)
{
	uint32_t bytes;

	if (r->error)
		return false;
	while (r->part < r->nr && r->at == r->len && r->offset == r->parts[r->part].len) {
		r->part++;
		r->offset = r->at = r->len = 0;
	}
	if (r->part == r->nr)
		return false;
	if (!have(r, sizeof(bytes) + sizeof(*ret)))
		return damaged(r, "a record is cut short");
	memcpy(&bytes, r->bytes + r->at, sizeof(bytes));
	/* A bool that is neither 0 nor 1 must not even be loaded. */
	if (r->bytes[r->at + sizeof(bytes) +
		     offsetof(struct request_record, reused_connection)] > 1)
		return damaged(r, "a record holds impossible numbers");
	memcpy(ret, r->bytes + r->at + sizeof(bytes), sizeof(*ret));
	r->at += sizeof(bytes) + sizeof(*ret);
	if (!is_sane(ret, bytes))
		return damaged(r, "a record holds impossible numbers");
	if (!have(r, bytes) || !read_chunks(r, ret, bytes))
		return damaged(r, "a record's chunks are damaged");
	r->at += bytes;
	return true;
}

static bool source_next(void *ctx, struct request_record *ret)
{
	return spool_reader_next(ctx, ret);
}

static void source_rewind(void *ctx)
{
	spool_reader_rewind(ctx);
}

struct record_source spool_reader_source(struct spool_reader *r)
{
	return (struct record_source){
		.ctx = r, .next = source_next, .rewind = source_rewind};
}

uint32_t spool_record_bytes(void)
{
	return (uint32_t)sizeof(struct request_record);
}
