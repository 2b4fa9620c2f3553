#include "inference/load/engine/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/base/mem.h"

enum { NUMBER_BYTES_MAX = 10 };
enum { BLOCK_BYTES = 256 << 10, BLOCKS = 4, READ_BYTES = 1 << 20 };

/* The head of a record in its order: numbers, lowest byte first, and at last a text. */
static const struct member {
	uint16_t offset, bytes;
} members[] = {
#define MEMBER(m)                                               \
	{                                                       \
		offsetof(struct request_record, m),             \
			sizeof(((struct request_record *)0)->m) \
	}
	MEMBER(chunks_nr),
	MEMBER(index),
	MEMBER(scheduled_ns),
	MEMBER(issued_ns),
	MEMBER(sent_ns),
	MEMBER(first_byte_ns),
	MEMBER(role_ns),
	MEMBER(first_token_ns),
	MEMBER(last_token_ns),
	MEMBER(done_ns),
	MEMBER(end_ns),
	MEMBER(end),
	MEMBER(http_status),
	MEMBER(prompt_wanted),
	MEMBER(output_wanted),
	MEMBER(prompt_tokens),
	MEMBER(output_tokens),
	MEMBER(cached_tokens),
	MEMBER(received_tokens),
	MEMBER(events),
	MEMBER(worker),
	MEMBER(os_error),
	MEMBER(reused_connection),
#undef MEMBER
};

/* From this machine's byte order to the file's (lowest first), or back: the same copy. */
static void copy_number(void *to, const void *from, size_t bytes)
{
	unsigned char *t = to;
	const unsigned char *f = from;

	for (size_t i = 0; i < bytes; i++)
		t[i] = f[__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? i : bytes - 1 - i];
}

static void encode_head(unsigned char to[SPOOL_HEAD_BYTES], uint32_t chunk_bytes,
			const struct request_record *r)
{
	copy_number(to, &chunk_bytes, sizeof(chunk_bytes));
	to += sizeof(chunk_bytes);
	for (size_t i = 0; i < ARRAY_SIZE(members); to += members[i++].bytes)
		copy_number(to, (const char *)r + members[i].offset, members[i].bytes);
	memcpy(to, r->response_id, RESPONSE_ID_SIZE);
}

static void decode_head(const unsigned char *from, uint32_t *ret_chunk_bytes,
			struct request_record *ret)
{
	copy_number(ret_chunk_bytes, from, sizeof(*ret_chunk_bytes));
	from += sizeof(*ret_chunk_bytes);
	for (size_t i = 0; i < ARRAY_SIZE(members); from += members[i++].bytes)
		copy_number((char *)ret + members[i].offset, from, members[i].bytes);
	memcpy(ret->response_id, from, RESPONSE_ID_SIZE);
	ret->chunks = NULL;
}

struct block {
	unsigned char *bytes;
	uint32_t len;
	uint64_t offset;
	atomic_bool is_full; /* true: the writer may touch the block; false: the lane */
};

struct lane {
	struct block blocks[BLOCKS];
	unsigned current;
	uint64_t written; /* where the next block goes */
	int fd;
};

struct spool {
	struct lane *lanes;
	struct spool_part *parts;
	unsigned nr;
	int wake;
	atomic_bool is_ending;
	atomic_int failure; /* errno of the first failed write */
	bool has_thread;
	pthread_t thread;
};

static void write_block(struct spool *s, int fd, const struct block *b)
{
	size_t done = 0;

	while (done < b->len) {
		ssize_t n = pwrite(fd, b->bytes + done, b->len - done,
				   (off_t)(b->offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			int none = 0;

			atomic_compare_exchange_strong(&s->failure, &none,
						       n ? errno : ENOSPC);
			return;
		}
		done += (size_t)n;
	}
}

static void *write_blocks(void *ctx)
{
	struct spool *s = ctx;
	bool is_last = false;

	while (!is_last) {
		struct pollfd p = {.fd = s->wake, .events = POLLIN};
		uint64_t n;

		poll(&p, 1, 1000);
		if (p.revents && read(s->wake, &n, sizeof(n)) < 0)
			continue;
		is_last = atomic_load(&s->is_ending);
		for (unsigned l = 0; l < s->nr; l++)
			for (unsigned b = 0; b < BLOCKS; b++) {
				struct block *block = &s->lanes[l].blocks[b];

				if (!atomic_load_explicit(&block->is_full,
							  memory_order_acquire))
					continue;
				write_block(s, s->lanes[l].fd, block);
				atomic_store_explicit(&block->is_full, false,
						      memory_order_release);
			}
	}
	return NULL;
}

static void wake_writer(struct spool *s)
{
	uint64_t one = 1;

	while (write(s->wake, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static int open_unnamed(struct err *err)
{
	const char *dir = getenv("TMPDIR");
	int fd;

	dir = dir && *dir ? dir : "/var/tmp";
	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		err_errno(err,
			  "no temporary file in %s (set TMPDIR to a folder on a disk)",
			  dir);
	return fd;
}

struct spool *spool_new(unsigned lanes, struct err *err)
{
	struct spool *s = x_calloc(1, sizeof(*s));

	s->lanes = x_calloc(lanes, sizeof(*s->lanes));
	s->parts = x_calloc(lanes, sizeof(*s->parts));
	s->nr = lanes;
	s->wake = eventfd(0, EFD_CLOEXEC);
	for (unsigned l = 0; l < lanes; l++)
		s->lanes[l].fd = -1;
	if (s->wake < 0) {
		err_errno(err, "eventfd");
		goto fail;
	}
	for (unsigned l = 0; l < lanes; l++) {
		s->lanes[l].fd = open_unnamed(err);
		if (s->lanes[l].fd < 0)
			goto fail;
		/* Touched here, so that no page is faulted in while load runs. */
		for (unsigned b = 0; b < BLOCKS; b++) {
			s->lanes[l].blocks[b].bytes = x_malloc(BLOCK_BYTES);
			memset(s->lanes[l].blocks[b].bytes, 0, BLOCK_BYTES);
		}
	}
	errno = pthread_create(&s->thread, NULL, write_blocks, s);
	if (errno) {
		err_errno(err, "thread that writes records");
		goto fail;
	}
	s->has_thread = true;
	return s;
fail:
	spool_free(s);
	return NULL;
}

/* The current block goes to the writer, and the next free one is current. */
static void turn_block(struct spool *s, struct lane *l)
{
	struct block *b = &l->blocks[l->current];
	unsigned next = (l->current + 1) % BLOCKS;

	b->offset = l->written;
	l->written += b->len;
	if (atomic_load_explicit(&l->blocks[next].is_full, memory_order_acquire)) {
		write_block(s, l->fd, b);
		b->len = 0;
		return;
	}
	atomic_store_explicit(&b->is_full, true, memory_order_release);
	wake_writer(s);
	l->current = next;
	l->blocks[next].len = 0;
}

static void put_bytes(struct spool *s, struct lane *l, const void *bytes, size_t len)
{
	const unsigned char *from = bytes;

	while (len) {
		struct block *b = &l->blocks[l->current];
		size_t room = BLOCK_BYTES - b->len;
		size_t n = len < room ? len : room;

		memcpy(b->bytes + b->len, from, n);
		b->len += (uint32_t)n;
		from += n;
		len -= n;
		if (b->len == BLOCK_BYTES)
			turn_block(s, l);
	}
}

static unsigned put_number(unsigned char *to, uint64_t n)
{
	unsigned len = 0;

	for (; n >= 0x80; n >>= 7)
		to[len++] = (unsigned char)(n | 0x80);
	to[len++] = (unsigned char)n;
	return len;
}

static unsigned encode_chunk(unsigned char *to, const struct chunk_stamp *c,
			     int64_t before)
{
	uint64_t gap = c->arrival_ns > before ? (uint64_t)(c->arrival_ns - before) : 0;
	unsigned len = put_number(to, gap);

	return len + put_number(to + len, (uint64_t)c->tokens * 2 + c->coalesced);
}

void spool_put(struct spool *s, unsigned lane, const struct request_record *r)
{
	struct lane *l = &s->lanes[lane];
	unsigned char head[SPOOL_HEAD_BYTES], some[64 * 2 * NUMBER_BYTES_MAX];
	int64_t before = r->first_token_ns;
	uint32_t bytes = 0;

	for (uint32_t i = 0; i < r->chunks_nr; i++) {
		bytes += encode_chunk(some, &r->chunks[i], before);
		before = r->chunks[i].arrival_ns;
	}
	encode_head(head, bytes, r);
	put_bytes(s, l, head, sizeof(head));
	before = r->first_token_ns;
	for (uint32_t i = 0; i < r->chunks_nr;) {
		unsigned len = 0;

		for (unsigned k = 0; k < 64 && i < r->chunks_nr; k++, i++) {
			len += encode_chunk(some + len, &r->chunks[i], before);
			before = r->chunks[i].arrival_ns;
		}
		put_bytes(s, l, some, len);
	}
}

static void stop_writer(struct spool *s)
{
	if (!s->has_thread)
		return;
	atomic_store(&s->is_ending, true);
	wake_writer(s);
	pthread_join(s->thread, NULL);
	s->has_thread = false;
}

int spool_finish(struct spool *s, struct err *err)
{
	stop_writer(s);
	for (unsigned i = 0; i < s->nr; i++) {
		struct lane *l = &s->lanes[i];
		struct block *b = &l->blocks[l->current];

		b->offset = l->written;
		write_block(s, l->fd, b);
		l->written += b->len;
		/* A run keeps the spools of all its stages, which need only their files. */
		for (unsigned k = 0; k < BLOCKS; k++) {
			free(l->blocks[k].bytes);
			l->blocks[k].bytes = NULL;
		}
		s->parts[i] = (struct spool_part){.fd = l->fd, .len = l->written};
	}
	errno = atomic_load(&s->failure);
	return errno ? err_errno(err, "records of the run (TMPDIR)") : 0;
}

const struct spool_part *spool_parts(const struct spool *s, unsigned *ret_nr)
{
	*ret_nr = s->nr;
	return s->parts;
}

void spool_free(struct spool *s)
{
	if (!s)
		return;
	stop_writer(s);
	for (unsigned l = 0; l < s->nr; l++) {
		for (unsigned b = 0; b < BLOCKS; b++)
			free(s->lanes[l].blocks[b].bytes);
		if (s->lanes[l].fd >= 0)
			close(s->lanes[l].fd);
	}
	if (s->wake >= 0)
		close(s->wake);
	free(s->lanes);
	free(s->parts);
	free(s);
}

struct spool_reader {
	struct spool_part *parts;
	unsigned nr, part;
	uint64_t offset; /* in the part, of the first byte not yet in 'bytes' */
	unsigned char *bytes;
	size_t at, len, alloc;
	struct chunk_stamp *chunks;
	size_t chunks_alloc;
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

struct spool_reader *spool_read(const struct spool *s)
{
	return spool_reader_new(s->parts, s->nr);
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

static int damaged(const struct spool_reader *r, const char *how, struct err *err)
{
	return err_set(err, ERR_USAGE, "records, part %u at byte %llu: %s", r->part + 1,
		       (unsigned long long)(r->offset - (r->len - r->at)), how);
}

/* At least 'need' bytes of this part from r->at on, of a record that must be whole. */
static int have(struct spool_reader *r, size_t need, struct err *err)
{
	const struct spool_part *p = &r->parts[r->part];

	if (r->len - r->at >= need)
		return 0;
	if (need - (r->len - r->at) > p->len - r->offset)
		return damaged(r, "a record is cut short", err);
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
		if (n < 0)
			return err_errno(err, "records: reading them back");
		if (!n)
			return damaged(r, "the file ends inside a record", err);
		r->len += (size_t)n;
		r->offset += (uint64_t)n;
	}
	return 0;
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
	/* Read as a byte: loading a bool that is neither 0 nor 1 is undefined. */
	return *(const unsigned char *)&rec->reused_connection <= 1 &&
	       (unsigned)rec->end < REQUEST_ENDS && rec->chunks_nr <= SPOOL_CHUNKS_MAX &&
	       bytes <= SPOOL_RECORD_MAX && bytes >= 2 * (uint64_t)rec->chunks_nr &&
	       memchr(rec->response_id, '\0', sizeof(rec->response_id));
}

int spool_reader_next(struct spool_reader *r, struct request_record *ret, struct err *err)
{
	uint32_t bytes;

	while (r->part < r->nr && r->at == r->len && r->offset == r->parts[r->part].len) {
		r->part++;
		r->offset = r->at = r->len = 0;
	}
	if (r->part == r->nr)
		return 0;
	if (have(r, SPOOL_HEAD_BYTES, err))
		return -1;
	decode_head(r->bytes + r->at, &bytes, ret);
	if (!is_sane(ret, bytes))
		return damaged(r, "a record holds impossible numbers", err);
	r->at += SPOOL_HEAD_BYTES;
	if (have(r, bytes, err))
		return -1;
	if (!read_chunks(r, ret, bytes))
		return damaged(r, "a record's chunks are damaged", err);
	r->at += bytes;
	return 1;
}

static int source_next(void *ctx, struct request_record *ret, struct err *err)
{
	return spool_reader_next(ctx, ret, err);
}

static void source_rewind(void *ctx)
{
	struct spool_reader *r = ctx;

	r->part = 0;
	r->offset = r->at = r->len = 0;
}

struct record_source spool_reader_source(struct spool_reader *r)
{
	return (struct record_source){
		.ctx = r, .next = source_next, .rewind = source_rewind};
}
