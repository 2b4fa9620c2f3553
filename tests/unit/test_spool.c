/*
 * Records through the spool, byte for byte: the expected bytes were written down by hand from
 * the table in spool.h, so that what another machine or a later build reads is the same.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/base/rng.h"
#include "inference/load/engine/spool.h"
#include "inference/load/load_records.h"

/* The writer's thread waits in front of each write while it is told to. */
static pthread_mutex_t writer_may_go = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool holds_writer;
static pthread_t main_thread;
static int own_writes; /* of the lane's own thread meanwhile */

/* What the disk does from the call at which 'trouble' is set on. */
static const struct trouble {
	bool is_interrupted; /* every second call is, and the others take three bytes */
	int error;           /* or this, or -1: nothing is taken and no error said */
} no_trouble;

static _Atomic(const struct trouble *) trouble = &no_trouble;
static atomic_uint disk_calls;

/* How much of 'len' the disk takes now; -1 with errno. */
static ssize_t trouble_with(size_t len)
{
	const struct trouble *t = atomic_load(&trouble);

	if (t->error) {
		errno = t->error > 0 ? t->error : 0;
		return t->error > 0 ? -1 : 0;
	}
	if (t->is_interrupted && atomic_fetch_add(&disk_calls, 1) % 2 == 0) {
		errno = EINTR;
		return -1;
	}
	return (ssize_t)(t->is_interrupted && len > 3 ? 3 : len);
}

ssize_t pread(int fd, void *bytes, size_t len, off_t offset)
{
	ssize_t n = trouble_with(len);

	return n > 0 ? syscall(SYS_pread64, fd, bytes, n, offset) : n;
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
	ssize_t n = trouble_with(len);

	if (n <= 0)
		return n;
	len = (size_t)n;
	if (atomic_load(&holds_writer)) {
		if (pthread_equal(pthread_self(), main_thread)) {
			own_writes++;
		} else {
			pthread_mutex_lock(&writer_may_go);
			pthread_mutex_unlock(&writer_may_go);
		}
	}
	return syscall(SYS_pwrite64, fd, bytes, len, offset);
}

static const struct chunk_stamp known_chunks[] = {
	{.arrival_ns = 0x700, .tokens = 1},
	{.arrival_ns = 0x700 + 300, .tokens = 64, .coalesced = true},
};

static const struct request_record known = {
	.index = 0x0102030405060708,
	.scheduled_ns = 0x100,
	.issued_ns = 0x200,
	.sent_ns = 0x300,
	.first_byte_ns = 0x400,
	.role_ns = RECORD_NONE,
	.first_token_ns = 0x700,
	.last_token_ns = 0x700 + 300,
	.done_ns = RECORD_NONE,
	.end_ns = 0x900,
	.end = REQUEST_TRUNCATED, /* 8 */
	.http_status = 200,
	.prompt_wanted = 1000000,
	.output_wanted = 128,
	.prompt_tokens = -1,
	.output_tokens = -1,
	.cached_tokens = -1,
	.received_tokens = 65,
	.events = 3,
	.worker = 2,
	.os_error = 104,
	.reused_connection = true,
	.response_id = "cmpl-1",
	.chunks = known_chunks,
	.chunks_nr = 2,
};

#define NEVER 0, 0, 0, 0, 0, 0, 0, 0x80
#define MINUS_1 0xff, 0xff, 0xff, 0xff

static const unsigned char known_bytes[] = {
	6,       0,       0,       0,                   /* bytes of chunks */
	2,       0,       0,       0,                   /* chunks_nr */
	8,       7,       6,       5,   4,   3,   2, 1, /* index */
	0,       1,       0,       0,   0,   0,   0, 0, /* scheduled_ns */
	0,       2,       0,       0,   0,   0,   0, 0, /* issued_ns */
	0,       3,       0,       0,   0,   0,   0, 0, /* sent_ns */
	0,       4,       0,       0,   0,   0,   0, 0, /* first_byte_ns */
	NEVER,                                          /* role_ns */
	0,       7,       0,       0,   0,   0,   0, 0, /* first_token_ns */
	0x2c,    8,       0,       0,   0,   0,   0, 0, /* last_token_ns */
	NEVER,                                          /* done_ns */
	0,       9,       0,       0,   0,   0,   0, 0, /* end_ns */
	8,       0,       0,       0,                   /* end */
	200,     0,       0,       0,                   /* http_status */
	0x40,    0x42,    0x0f,    0,                   /* prompt_wanted */
	128,     0,       0,       0,                   /* output_wanted */
	MINUS_1, MINUS_1, MINUS_1,    /* prompt, output, cached_tokens */
	65,      0,       0,       0, /* received_tokens */
	3,       0,       0,       0, /* events */
	2,       0,       0,       0, /* worker */
	104,     0,       0,       0, /* os_error */
	1,                            /* reused_connection */
	'c',     'm',     'p',     'l', '-', '1', 0, 0, /* response_id, 64 bytes */
	0,       0,       0,       0,   0,   0,   0, 0, 0, 0, 0, 0, 0, 0, 0,
	0,       0,       0,       0,   0,   0,   0, 0, 0, 0, 0, 0, 0, 0, 0,
	0,       0,       0,       0,   0,   0,   0, 0, 0, 0, 0, 0, 0, 0, 0,
	0,       0,       0,       0,   0,   0,   0, 0, 0, 0, 0, 0, 2, /* 0 ns on, 1 token */
	0xac,    2,       0x81,    1, /* 300 ns on, 64 tokens, coalesced */
};

static void check_known(const struct request_record *r)
{
	struct request_record head = *r, want = known;

	assert_int_equal(r->chunks_nr, 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(r->chunks[i].arrival_ns, known_chunks[i].arrival_ns);
		assert_int_equal(r->chunks[i].tokens, known_chunks[i].tokens);
		assert_int_equal(r->chunks[i].coalesced, known_chunks[i].coalesced);
	}
	head.chunks = want.chunks = NULL;
	assert_memory_equal(&head, &want,
			    offsetof(struct request_record, response_id) +
				    RESPONSE_ID_SIZE);
}

static void test_bytes_as_described(void **state)
{
	unsigned char got[2 * sizeof(known_bytes)];
	struct spool *spool = spool_new(1, NULL);
	struct spool_reader *reader;
	struct request_record r = {.index = 0};
	struct spool_part part;
	unsigned nr;

	(void)state;
	spool_put(spool, 0, &known);
	assert_int_equal(spool_finish(spool, NULL), 0);
	part = spool_parts(spool, &nr)[0];
	assert_int_equal(nr, 1);
	assert_int_equal(part.len, sizeof(known_bytes));
	assert_int_equal(pread(part.fd, got, sizeof(got), 0), sizeof(known_bytes));
	assert_memory_equal(got, known_bytes, sizeof(known_bytes));
	reader = spool_read(spool);
	assert_int_equal(spool_reader_next(reader, &r, NULL), 1);
	check_known(&r);
	assert_int_equal(spool_reader_next(reader, &r, NULL), 0);
	spool_reader_free(reader);
	spool_free(spool);
}

/* A record of which one byte holds what no writer writes is refused, and says where. */
static void test_impossible(void **state)
{
	static const struct {
		size_t at;
		unsigned char byte;
	} wrong[] = {
		{88, REQUEST_ENDS},              /* end */
		{132, 2},                        /* reused_connection */
		{0, 7},                          /* more bytes than the chunks have */
		{4, 3},                          /* more chunks than the bytes hold */
		{sizeof(known_bytes) - 1, 0x81}, /* a number without an end */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		char path[] = "/tmp/tare-records-XXXXXX";
		unsigned char bytes[sizeof(known_bytes) + 1] = {0};
		struct spool_part part = {
			.fd = mkstemp(path),
			.len = sizeof(known_bytes) + (wrong[i].at == 0),
		};
		struct spool_reader *reader = spool_reader_new(&part, 1);
		struct request_record r;
		struct err err = ERR_INIT;

		unlink(path);
		memcpy(bytes, known_bytes, sizeof(known_bytes));
		bytes[wrong[i].at] = wrong[i].byte;
		assert_int_equal(write(part.fd, bytes, sizeof(bytes)), sizeof(bytes));
		assert_int_equal(spool_reader_next(reader, &r, &err), -1);
		assert_non_null(strstr(err.text, "records, part 1 at byte "));
		spool_reader_free(reader);
		close(part.fd);
	}
}

/* Many records of odd sizes over many blocks come back as they were. */
static void test_spool_keeps_all(void **state)
{
	enum { NR = 3000, MOST = 900 };
	struct chunk_stamp *space = x_calloc(MOST, sizeof(*space));
	struct spool *spool = spool_new(1, NULL);
	struct spool_reader *reader;
	struct request_record r;
	struct rng rng, again;

	(void)state;
	rng_init(&rng, 1);
	again = rng;
	for (int i = 0; i < NR; i++) {
		r = (struct request_record){.index = (uint64_t)i, .chunks = space};
		r.chunks_nr = (uint32_t)rng_below(&rng, MOST);
		r.first_token_ns = 1000000;
		for (uint32_t c = 0; c < r.chunks_nr; c++) {
			uint64_t x = rng_u64(&rng);

			space[c] = (struct chunk_stamp){
				.arrival_ns = (c ? space[c - 1].arrival_ns : 1000000) +
					      (int64_t)(x >> (24 + x % 39)),
				.tokens = (uint32_t)(x & 0xfff),
				.coalesced = x >> 63,
			};
		}
		spool_put(spool, 0, &r);
	}
	assert_int_equal(spool_finish(spool, NULL), 0);
	reader = spool_read(spool);
	for (int i = 0; i < NR; i++) {
		int64_t at = 1000000;

		assert_int_equal(spool_reader_next(reader, &r, NULL), 1);
		assert_int_equal(r.index, i);
		assert_int_equal(r.chunks_nr, rng_below(&again, MOST));
		for (uint32_t c = 0; c < r.chunks_nr; c++) {
			uint64_t x = rng_u64(&again);

			at += (int64_t)(x >> (24 + x % 39));
			assert_int_equal(r.chunks[c].arrival_ns, at);
			assert_int_equal(r.chunks[c].tokens, x & 0xfff);
			assert_int_equal(r.chunks[c].coalesced, x >> 63);
		}
	}
	assert_int_equal(spool_reader_next(reader, &r, NULL), 0);
	spool_reader_free(reader);
	spool_free(spool);
	free(space);
}

/*
 * While the thread that writes is held up in its first block, a lane fills all of its own
 * and then writes itself; every record is read back, in its order.
 */
static void test_slow_disk(void **state)
{
	enum { NR = 6 * 1024 };
	struct spool *spool = spool_new(1, NULL);
	struct spool_reader *reader;
	struct request_record r;

	(void)state;
	pthread_mutex_lock(&writer_may_go);
	main_thread = pthread_self();
	atomic_store(&holds_writer, true);
	for (int i = 0; i < 4 * NR; i++) {
		struct request_record put = known;

		put.index = (uint64_t)i;
		spool_put(spool, 0, &put);
	}
	assert_true(own_writes > 0);
	atomic_store(&holds_writer, false);
	pthread_mutex_unlock(&writer_may_go);
	assert_int_equal(spool_finish(spool, NULL), 0);
	reader = spool_read(spool);
	for (int i = 0; i < 4 * NR; i++) {
		assert_int_equal(spool_reader_next(reader, &r, NULL), 1);
		assert_int_equal(r.index, i);
		assert_int_equal(r.chunks[1].arrival_ns, known_chunks[1].arrival_ns);
	}
	assert_int_equal(spool_reader_next(reader, &r, NULL), 0);
	spool_reader_free(reader);
	spool_free(spool);
}

/* Cut at any byte, a file of records is refused or read in part, and never misread. */
static void test_damage(void **state)
{
	struct request_record r[5], got;
	struct spool *spool = spool_new(1, NULL);
	struct spool_part part;
	unsigned nr, n_whole = 0;

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		r[i] = known;
		r[i].sent_ns += i;
		spool_put(spool, 0, &r[i]);
	}
	assert_int_equal(spool_finish(spool, NULL), 0);
	part = spool_parts(spool, &nr)[0];
	for (uint64_t len = 0; len < part.len; len++) {
		struct spool_part cut = {.fd = part.fd, .len = len};
		struct spool_reader *reader = spool_reader_new(&cut, 1);
		int whole = 0, rc;

		for (; (rc = spool_reader_next(reader, &got, NULL)) > 0; whole++)
			assert_int_equal(got.sent_ns, r[whole].sent_ns);
		assert_true(whole < 5);
		n_whole += rc == 0;
		spool_reader_free(reader);
	}
	assert_int_equal(n_whole, 5); /* cut in front of a record, of each one */
	spool_free(spool);
}

/* A disk that takes and gives three bytes at a time, between interruptions, loses none. */
static void test_interrupted_disk(void **state)
{
	static const struct trouble interrupted = {.is_interrupted = true};
	struct spool *spool = spool_new(1, NULL);
	struct spool_reader *reader;
	struct request_record r;

	(void)state;
	atomic_store(&trouble, &interrupted);
	for (int i = 0; i < 3; i++)
		spool_put(spool, 0, &known);
	assert_int_equal(spool_finish(spool, NULL), 0);
	reader = spool_read(spool);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(spool_reader_next(reader, &r, NULL), 1);
		check_known(&r);
	}
	assert_int_equal(spool_reader_next(reader, &r, NULL), 0);
	atomic_store(&trouble, &no_trouble);
	spool_reader_free(reader);
	spool_free(spool);
}

/* A write that failed is said at the end, and a read at once; so is one that gives nothing. */
static void test_failing_disk(void **state)
{
	static const struct {
		struct trouble trouble;
		const char *writing, *reading;
	} fails[] = {
		{{.error = EIO}, "Input/output error", "Input/output error"},
		{{.error = -1}, "No space left", "the file ends inside a record"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fails); i++) {
		struct spool *bad = spool_new(2, NULL), *good = spool_new(2, NULL);
		struct spool_reader *reader;
		struct request_record r;
		struct err err = ERR_INIT;

		spool_put(bad, 1, &known);
		spool_put(good, 1, &known);
		assert_int_equal(spool_finish(good, NULL), 0);
		reader = spool_read(good);
		atomic_store(&trouble, &fails[i].trouble);
		assert_int_equal(spool_finish(bad, &err), -1);
		assert_non_null(strstr(err.text, "TMPDIR"));
		assert_non_null(strstr(err.text, fails[i].writing));
		assert_int_equal(spool_reader_next(reader, &r, &err), -1);
		atomic_store(&trouble, &no_trouble);
		if (!strstr(err.text, fails[i].reading))
			fail_msg("'%s' does not say '%s'", err.text, fails[i].reading);
		spool_reader_free(reader);
		spool_free(good);
		spool_free(bad);
	}
}

/* More than a block and more than a read: one record of a million chunks beside others. */
static void test_a_long_record(void **state)
{
	enum { NR = 1000000 };
	struct chunk_stamp *chunks = x_calloc(NR, sizeof(*chunks));
	struct spool *spool = spool_new(3, NULL);
	struct request_record r = {.chunks = chunks, .chunks_nr = NR};
	struct spool_reader *reader;
	struct record_source source;

	(void)state;
	for (int i = 0; i < NR; i++)
		chunks[i] = (struct chunk_stamp){.arrival_ns = 1000 * i, .tokens = 1};
	spool_put(spool, 0, &known);
	spool_put(spool, 2, &r);
	spool_put(spool, 2, &known);
	assert_int_equal(spool_finish(spool, NULL), 0);
	reader = spool_read(spool);
	source = spool_reader_source(reader);
	for (int pass = 0; pass < 2; pass++) {
		assert_int_equal(record_source_next(&source, &r, NULL), 1);
		check_known(&r);
		assert_int_equal(record_source_next(&source, &r, NULL), 1);
		assert_int_equal(r.chunks_nr, NR);
		for (int i = 0; i < NR; i++)
			if (r.chunks[i].arrival_ns != 1000 * i || r.chunks[i].tokens != 1)
				fail_msg("chunk %d is another", i);
		assert_int_equal(record_source_next(&source, &r, NULL), 1);
		check_known(&r);
		assert_int_equal(record_source_next(&source, &r, NULL), 0);
		assert_int_equal(record_source_next(&source, &r, NULL), 0);
		source.rewind(source.ctx);
	}
	spool_reader_free(reader);
	spool_free(spool);
	free(chunks);
}

/* A part that lies somewhere in a file; its damage is told by part and byte of the part. */
static void test_a_part_of_a_file(void **state)
{
	enum { BEFORE = 1000 };
	char path[] = "/tmp/tare-records-XXXXXX";
	struct spool_part parts[2];
	struct spool_reader *reader;
	struct request_record r;
	struct err err = ERR_INIT;
	int fd = mkstemp(path);

	(void)state;
	unlink(path);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pwrite(fd, known_bytes, sizeof(known_bytes),
					BEFORE + i * (int)sizeof(known_bytes)),
				 sizeof(known_bytes));
	parts[0] = (struct spool_part){
		.fd = fd, .offset = BEFORE, .len = sizeof(known_bytes)};
	parts[1] = (struct spool_part){
		.fd = fd, .offset = BEFORE, .len = 2 * sizeof(known_bytes) - 1};
	reader = spool_reader_new(parts, 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(spool_reader_next(reader, &r, &err), 1);
		check_known(&r);
	}
	assert_int_equal(spool_reader_next(reader, &r, &err), -1);
	/* Where its chunks begin: one record and one head on. */
	assert_non_null(strstr(err.text, "part 2 at byte 400: a record is cut short"));
	spool_reader_free(reader);
	reader = spool_reader_new(NULL, 0);
	assert_int_equal(spool_reader_next(reader, &r, &err), 0);
	spool_reader_free(reader);
	close(fd);
}

/* What an earlier tare wrote depends on its build: refused, with what to do. */
static void test_old_files(void **state)
{
	static const char old[] =
		"{\"schema\": \"tare.records/1\", \"record_bytes\": 224, "
		"\"byte_order\": \"little\", \"part\": 0, \"parts\": 1}\n";
	char path[] = "/tmp/tare-records-XXXXXX";
	struct records_file f;
	struct err err = ERR_INIT;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(file_write(path, old, sizeof(old) - 1, 0600, &err), 0);
	assert_int_equal(records_open(path, &f, &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_non_null(strstr(err.text, "an earlier tare wrote it"));
	assert_non_null(strstr(err.text, "measure again"));
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_as_described),
		cmocka_unit_test(test_impossible),
		cmocka_unit_test(test_spool_keeps_all),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_slow_disk),
		cmocka_unit_test(test_old_files),
		cmocka_unit_test(test_interrupted_disk),
		cmocka_unit_test(test_failing_disk),
		cmocka_unit_test(test_a_long_record),
		cmocka_unit_test(test_a_part_of_a_file),
	};

	alarm(120); /* a lane that never finds room */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
