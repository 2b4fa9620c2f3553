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

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
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

/* An aside that is no share stays as long as it is; more than there was leaves nothing. */
static void test_fixed_asides(void **state)
{
	static const int64_t asides_ns[] = {NS_PER_MS, 600 * NS_PER_S};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(asides_ns); i++) {
		struct load_rig r;
		const struct load_stage *s = &r.outcome.stage;

		load_rig_start(&r, NULL, NULL);
		r.config.duration_ns = 3600 * NS_PER_S;
		r.config.warmup_ns = asides_ns[i];
		r.config.cooldown_ns = 2 * NS_PER_MS;
		load_rig_run(&r);
		assert_int_equal(s->measure_start_ns - s->start_ns, asides_ns[i]);
		if (i)
			assert_int_equal(s->measure_end_ns, s->measure_start_ns);
		else
			assert_int_equal(s->end_ns - s->measure_end_ns, 2 * NS_PER_MS);
		load_rig_end(&r);
	}
}

struct looks {
	size_t nr;
	bool saw_some; /* requests on their way */
	double last_s;
};

/* What the mock's pace and the rig's four streams allow, whenever it is looked at. */
static void check_look(void *ctx, const struct stage_live *live)
{
	struct looks *l = ctx;

	l->nr++;
	assert_true(live->elapsed_s > l->last_s && live->elapsed_s < 600);
	l->last_s = live->elapsed_s;
	assert_true(live->duration_s > 599.999 && live->duration_s < 600.001);
	assert_int_equal(live->failed, 0);
	assert_true(live->in_flight <= 4);
	l->saw_some |= live->in_flight > 0;
	assert_true(live->tokens >= 10 * live->ok);
	assert_true(live->tokens <= 10 * live->ok + 4 * 10 + 40);
	assert_true(live->ttft_nr >= live->ok && live->ttft_nr <= live->ok + 8);
	/* The first token comes 4 ms after the request, and in no more than there was. */
	assert_true(live->ttft_sum_s >= 0.0039 * (double)live->ttft_nr);
	assert_true(live->ttft_sum_s <= 4 * live->elapsed_s);
}

static void test_looks(void **state)
{
	struct looks looks = {0};
	struct load_rig r;
	int64_t began = clock_mono_ns();

	(void)state;
	load_rig_start(&r, NULL, NULL);
	r.config.duration_ns = 600 * NS_PER_S;
	r.config.requests_max = 120; /* some 0.7 s of them */
	r.config.watch = check_look;
	r.config.watch_ctx = &looks;
	load_rig_run(&r);
	assert_true(looks.nr >= 1 && looks.saw_some);
	assert_true(looks.last_s <= (double)(clock_mono_ns() - began) * 1e-9);
	load_rig_end(&r);
}

/* What the workers counted is added up, each once. */
static void test_sums(void **state)
{
	struct request_record records[24] = {{0}};
	struct load_rig r;
	const struct stage_outcome *o = &r.outcome;
	uint64_t events = 0, chunks = 0;

	(void)state;
	load_rig_start(&r, NULL, NULL);
	load_rig_run(&r);
	assert_int_equal(load_rig_collect(&r, records), 24);
	for (int i = 0; i < 24; i++) {
		events += records[i].events;
		chunks += records[i].chunks_nr;
	}
	assert_true(events > 240);
	assert_int_equal(o->events, events);
	assert_int_equal(o->chunks, chunks);
	assert_int_equal(o->connections, 4);
	assert_true(o->reads >= 24);
	assert_int_equal(o->lag->nr + o->unstamped, o->reads);
	assert_int_equal(o->turnaround->nr, 24);
	assert_true(o->stamp_error->nr >= chunks && o->stamp_error->nr <= events);
	assert_true(o->cpu_ns > 0);
	assert_true(o->busiest > 0 && o->busiest < 1.1);
	assert_true(llabs(o->clock_step_ns) < NS_PER_S);
	assert_string_equal(o->error_text, "");
	assert_false(o->is_aborted);
	load_rig_forget(records);
	load_rig_end(&r);
}

/* At the common time to the nanosecond; one that has passed is no reason to wait. */
static void test_common_start(void **state)
{
	(void)state;
	for (int is_past = 0; is_past < 2; is_past++) {
		struct load_rig r;
		int64_t at = clock_wall_ns() + (is_past ? -1 : 1) * 300 * NS_PER_MS;
		int64_t before;

		load_rig_start(&r, NULL, NULL);
		r.config.start_at_wall_ns = at;
		before = clock_mono_ns();
		load_rig_run(&r);
		assert_true(r.outcome.stage.start_ns > before);
		if (!is_past &&
		    r.outcome.stage.start_ns + r.outcome.stage.wall_offset_ns < at)
			fail_msg("began before its time");
		if (is_past)
			assert_true(r.outcome.stage.start_ns +
					    r.outcome.stage.wall_offset_ns >
				    at);
		load_rig_end(&r);
	}
}

/* Its window is what was asked for where it runs for its whole time. */
static void test_window(void **state)
{
	struct load_rig r;
	const struct load_stage *s = &r.outcome.stage;

	(void)state;
	load_rig_start(&r, NULL, NULL);
	r.config.requests_max = 0;
	r.config.duration_ns = 300 * NS_PER_MS;
	r.config.warmup_ns = 100 * NS_PER_MS;
	r.config.cooldown_ns = 50 * NS_PER_MS;
	load_rig_run(&r);
	assert_int_equal(s->end_ns - s->start_ns, 300 * NS_PER_MS);
	assert_int_equal(s->measure_start_ns - s->start_ns, 100 * NS_PER_MS);
	assert_int_equal(s->end_ns - s->measure_end_ns, 50 * NS_PER_MS);
	load_rig_end(&r);
}

/* Replies that never end are waited for until the grace is over, and then cancelled. */
static void test_grace(void **state)
{
	struct request_record records[24] = {{0}};
	struct load_rig r;

	(void)state;
	load_rig_start(&r, "stall=0,after=2", NULL);
	r.config.requests_max = 0;
	r.config.duration_ns = 50 * NS_PER_MS;
	r.config.grace_ns = 150 * NS_PER_MS;
	load_rig_run(&r);
	assert_int_equal(load_rig_collect(&r, records), 4);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(records[i].end, REQUEST_CANCELLED);
		assert_true(records[i].end_ns >=
			    r.outcome.stage.end_ns + 150 * NS_PER_MS);
	}
	assert_int_equal(r.outcome.stage.end_ns - r.outcome.stage.start_ns,
			 50 * NS_PER_MS);
	load_rig_forget(records);
	load_rig_end(&r);
}

/* Twenty are due in 200 ms, and two connections carry one each, which never ends. */
static void test_unsent(void **state)
{
	struct load_rig r;

	(void)state;
	load_rig_start(&r, "stall=0,after=2", NULL);
	r.config.stage.kind = STAGE_CONSTANT;
	r.config.stage.rate_per_s = 100;
	r.config.connections_max = 2;
	r.config.requests_max = 0;
	r.config.duration_ns = 200 * NS_PER_MS;
	r.config.grace_ns = 0;
	load_rig_run(&r);
	assert_int_equal(r.outcome.unsent, 18);
	load_rig_end(&r);
}

/* How many more threads may be made; below 0: any number. */
static int threads_left = -1;

int pthread_create(pthread_t *ret, const pthread_attr_t *attr, void *(*start)(void *),
		   void *ctx)
{
	int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

	*(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
	if (threads_left == 0)
		return EAGAIN;
	threads_left -= threads_left > 0;
	return real(ret, attr, start, ctx);
}

/* The thread that writes, the first of load, the second: nothing runs, and what is there ends. */
static void test_no_more_threads(void **state)
{
	static const char *const said[] = {"thread that writes records", "thread of load",
					   "thread of load"};

	(void)state;
	for (int nr = 0; nr < 3; nr++) {
		struct err err = ERR_INIT;
		struct load_rig r;
		int rc;

		load_rig_start(&r, NULL, NULL);
		threads_left = nr;
		rc = stage_run(&r.config, &r.outcome, &err);
		threads_left = -1;
		assert_int_equal(rc, -1);
		if (!strstr(err.text, said[nr]))
			fail_msg("'%s' does not say '%s'", err.text, said[nr]);
		load_rig_end(&r);
	}
}

/* Where records cannot be kept nothing runs, and the reason is said. */
static void test_no_room_for_records(void **state)
{
	const char *was = getenv("TMPDIR");
	char *kept = x_strdup(was);
	struct err err = ERR_INIT;
	struct load_rig r;

	(void)state;
	load_rig_start(&r, NULL, NULL);
	setenv("TMPDIR", "/proc/nowhere", 1);
	assert_int_equal(stage_run(&r.config, &r.outcome, &err), -1);
	assert_non_null(strstr(err.text, "/proc/nowhere"));
	if (kept)
		setenv("TMPDIR", kept, 1);
	else
		unsetenv("TMPDIR");
	free(kept);
	load_rig_end(&r);
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
		cmocka_unit_test(test_fixed_asides),
		cmocka_unit_test(test_looks),
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_common_start),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_grace),
		cmocka_unit_test(test_no_room_for_records),
		cmocka_unit_test(test_unsent),
		cmocka_unit_test(test_no_more_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
