/*
 * Stages of load against the mock server, whose truth file and own send times say what
 * should have been seen. Of the clock only order is asserted: a busy machine may be late,
 * but a stamp cannot lie before the sending that caused it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/document/json.h"
#include "core/base/mem.h"
#include "tests/support/kernel.h"
#include "tests/support/load_rig.h"

/* The clocks of both are the same one, read to the microsecond or better. */
#define SLACK_NS 2000

static struct request_record *find(struct request_record *records, size_t nr,
				   const char *id)
{
	for (size_t i = 0; i < nr; i++)
		if (!strcmp(records[i].response_id, id))
			return &records[i];
	return NULL;
}

static int64_t item(struct json_object *o, const char *key, size_t i)
{
	return json_object_get_int64(json_object_array_get_idx(json_member(o, key), i));
}

/* One line of the truth file against the record of the same reply. */
static void compare(struct request_record *records, size_t nr, struct json_object *truth,
		    int64_t offset)
{
	struct request_record *r =
		find(records, nr, json_get_text(truth, "response_id", "-"));
	int64_t arrival;

	assert_non_null(r);
	assert_int_equal(json_get_int(truth, "prompt_tokens", 0), r->prompt_tokens);
	assert_int_equal(json_get_int(truth, "output_tokens", 0), r->output_tokens);
	assert_int_equal(json_object_array_length(json_member(truth, "sent_ns")),
			 r->chunks_nr);
	/* Its own reading is never before the kernel's stamp, which may be missing. */
	arrival = json_get_int(truth, "arrival_kernel_ns", 0);
	if (!arrival)
		arrival = json_get_int(truth, "arrival_ns", 0);
	assert_true(r->sent_ns + offset <= arrival + SLACK_NS);
	for (size_t i = 0; i < r->chunks_nr; i++) {
		assert_true(r->chunks[i].arrival_ns + offset >=
			    item(truth, "sent_ns", i) - SLACK_NS);
		assert_int_equal(r->chunks[i].tokens, item(truth, "tokens", i));
	}
}

static size_t compare_all(const char *path, struct request_record *records, size_t nr,
			  int64_t offset)
{
	struct buf text;
	size_t lines = 0;
	char *at, *nl;

	assert_int_equal(file_read(path, 8 << 20, &text, NULL), 0);
	for (at = text.data; (nl = strchr(at, '\n')); at = nl + 1, lines++) {
		struct json_object *o = json_parse(at, (size_t)(nl - at), "truth", NULL);

		assert_non_null(o);
		compare(records, nr, o, offset);
		json_object_put(o);
	}
	buf_release(&text);
	return lines;
}

/* Whatever kind of load, each request is seen as the mock says that it was. */
static void check_truth(enum stage_kind kind)
{
	char path[] = "/tmp/tare-truth-XXXXXX";
	struct request_record records[24] = {{0}};
	struct load_rig r;
	int64_t last = 0;
	int fd = mkstemp(path);
	bool stamps;

	assert_true(fd >= 0);
	close(fd);
	load_rig_start(&r, NULL, path);
	stamps = kernel_stamps_arrivals(); /* on, as long as the mock wants them */
	r.config.stage.kind = kind;
	r.config.stage.rate_per_s = 400;
	load_rig_run(&r);
	assert_int_equal(load_rig_collect(&r, records), 24);
	for (int i = 0; i < 24; i++) {
		const struct request_record *q = &records[i];

		assert_int_equal(q->end, REQUEST_OK);
		assert_int_equal(q->http_status, 200);
		assert_int_equal(q->chunks_nr, 10);
		assert_int_equal(q->received_tokens, 10);
		assert_true(q->scheduled_ns <= q->issued_ns &&
			    q->issued_ns <= q->sent_ns);
		assert_true(q->sent_ns <= q->first_byte_ns);
		assert_true(q->first_byte_ns <= q->first_token_ns);
		assert_true(q->first_token_ns <= q->last_token_ns);
		assert_true(q->last_token_ns <= q->done_ns && q->done_ns <= q->end_ns);
		if (kind == STAGE_CONSTANT)
			assert_int_equal(q->scheduled_ns - r.outcome.stage.start_ns,
					 i * NS_PER_S / 400);
	}
	/* Nothing sets its end but its last request. */
	for (int i = 0; i < 24; i++)
		last = records[i].end_ns > last ? records[i].end_ns : last;
	assert_int_equal(r.outcome.stage.measure_end_ns, last + 1);
	assert_int_equal(r.outcome.stage.end_ns, last + 1);
	assert_int_equal(r.outcome.unsent, 0);
	assert_int_equal(r.outcome.unstamped == 0, stamps);
	assert_int_equal(r.outcome.chunks, 240);
	assert_int_equal(r.outcome.stamp_error->negative, 0);
	/* The truth file is whole once the mock has stopped. */
	mock_stop(r.mock);
	r.mock = NULL;
	assert_int_equal(compare_all(path, records, 24, r.outcome.stage.wall_offset_ns),
			 24);
	load_rig_forget(records);
	load_rig_end(&r);
	unlink(path);
}

static void test_closed_truth(void **state)
{
	(void)state;
	check_truth(STAGE_CONCURRENT);
}

static void test_constant_truth(void **state)
{
	(void)state;
	check_truth(STAGE_CONSTANT);
}

static void test_poisson_truth(void **state)
{
	(void)state;
	check_truth(STAGE_POISSON);
}

/* What lies past the end of a schedule's time leaves a quiet that belongs to the window. */
static void test_quiet_end(void **state)
{
	struct load_rig r;
	struct trace_entry entries[] = {{0, 16, 10}, {600 * NS_PER_S, 16, 10}};
	struct trace t = {.entries = entries, .nr = 2};

	(void)state;
	load_rig_start(&r, NULL, NULL);
	r.config.stage.kind = STAGE_TRACE;
	r.config.trace = r.prompt.lengths = &t;
	r.config.requests_max = 0;
	r.config.duration_ns = NS_PER_S / 2;
	load_rig_run(&r);
	assert_int_equal(r.outcome.stage.measure_end_ns - r.outcome.stage.start_ns,
			 NS_PER_S / 2);
	load_rig_end(&r);
}

/* A tenth aside at both ends of ten minutes, of a stage that has ended in some 150 ms. */
static void test_shares_shrink(void **state)
{
	struct load_rig r;
	const struct load_stage *s = &r.outcome.stage;
	int64_t span;

	(void)state;
	load_rig_start(&r, NULL, NULL);
	r.config.duration_ns = 600 * NS_PER_S;
	r.config.warmup_ns = r.config.cooldown_ns = 60 * NS_PER_S;
	r.config.warmup_is_share = r.config.cooldown_is_share = true;
	load_rig_run(&r);
	span = s->end_ns - s->start_ns;
	assert_true(llabs(s->measure_start_ns - s->start_ns - span / 10) <= 1);
	assert_true(llabs(s->end_ns - s->measure_end_ns - span / 10) <= 1);
	load_rig_end(&r);
}

/* Two parts and two threads send every index once. */
static void test_parts(void **state)
{
	static const enum stage_kind kinds[] = {STAGE_CONCURRENT, STAGE_POISSON};

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		struct request_record records[24] = {{0}};

		for (unsigned part = 0; part < 2; part++) {
			struct load_rig r;

			load_rig_start(&r, NULL, NULL);
			r.config.stage.kind = kinds[k];
			r.config.stage.rate_per_s = 400;
			r.config.stage.concurrency = 5;
			r.config.part = part;
			r.config.parts = 2;
			load_rig_collect((load_rig_run(&r), &r), records);
			load_rig_end(&r);
		}
		for (int i = 0; i < 24; i++)
			assert_int_equal(records[i].end, REQUEST_OK);
		for (int i = 0; i < 24; i++)
			assert_int_equal(records[i].http_status, 200);
		load_rig_forget(records);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_closed_truth),
		cmocka_unit_test(test_constant_truth),
		cmocka_unit_test(test_poisson_truth),
		cmocka_unit_test(test_quiet_end),
		cmocka_unit_test(test_shares_shrink),
		cmocka_unit_test(test_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
