/*
 * Every fault that the mock knows ends in its class, alone, counted once by the records
 * and by the summary, and leaves the requests beside it whole.
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
#include "core/base/mem.h"
#include "inference/mock/mock_fault.h"
#include "inference/load/figures/summary.h"
#include "tests/support/load_rig.h"

struct fault {
	const char *spec;
	enum request_end end;
};

static const struct fault faults[] = {
	{"status=503", REQUEST_HTTP_STATUS},
	{"status=404", REQUEST_HTTP_STATUS},
	{"status=429", REQUEST_HTTP_STATUS},
	{"stream-error,after=3", REQUEST_STREAM_ERROR},
	{"stream-error", REQUEST_STREAM_ERROR},
	{"truncate,after=4", REQUEST_TRUNCATED},
	{"cut,after=4", REQUEST_TRUNCATED},
	{"reset,after=2", REQUEST_RESET},
	{"reset", REQUEST_RESET},
	{"stall=0,after=2", REQUEST_STALL},
	{"stall=0", REQUEST_STALL},
	{"stall=20ms,after=2", REQUEST_OK},
	{"length=7", REQUEST_WRONG_LENGTH},
	{"usage=9", REQUEST_WRONG_LENGTH},
	{"no-usage", REQUEST_OK}, /* continuous usage has said it already */
	{"empty", REQUEST_EMPTY},
	{"bad-json,after=2", REQUEST_PROTOCOL},
	{"bad-sse,after=2", REQUEST_PROTOCOL},
	{"bad-chunk,after=2", REQUEST_PROTOCOL},
	{"split", REQUEST_OK},
	{"coalesce=4", REQUEST_OK},
	{"slow-accept=50ms", REQUEST_OK}, /* late, and nothing else */
};

/* A kind that nobody thought of here would go untried. */
static void test_every_kind_is_here(void **state)
{
	(void)state;
	for (int kind = FAULT_NONE + 1; kind < FAULT_KINDS; kind++) {
		const char *name = mock_fault_name((enum mock_fault_kind)kind);
		bool is_here = false;

		for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
			is_here |= strncmp(faults[i].spec, name, strlen(name)) == 0 &&
				   strchr("=,", faults[i].spec[strlen(name)]);
		if (!is_here)
			fail_msg("the fault '%s' is never tried", name);
	}
}

/* The summary has each request in one class, and the classes are all of them. */
static void check_summary(struct load_rig *r, const uint64_t *ended)
{
	struct service_level none = {CLOCK_NEVER, CLOCK_NEVER, CLOCK_NEVER};
	struct spool_reader *reader = spool_read(r->outcome.spool);
	struct record_source source = spool_reader_source(reader);
	struct stage_summary m;

	assert_int_equal(summary_make(&m, &r->outcome.stage, &source, &none, NULL), 0);
	for (int e = 0; e < REQUEST_ENDS; e++)
		assert_int_equal(m.ended_all[e], ended[e]);
	assert_int_equal(m.sent_before + m.sent_inside + m.sent_after, RIG_REQUESTS);
	summary_release(&m);
	spool_reader_free(reader);
}

/* Nothing came for as long as it takes. */
static void check_stall(const struct request_record *r, int64_t stall_ns)
{
	int64_t last = r->chunks_nr ? r->last_token_ns : r->first_byte_ns;

	assert_true(r->end_ns - (last == RECORD_NONE ? r->sent_ns : last) >= stall_ns);
}

/* Counts how the requests end where every second one is hit; 'stall_ns': 0 for the rig's. */
static void run_fault(const char *spec, int64_t stall_ns, uint64_t *ended)
{
	struct request_record records[RIG_REQUESTS] = {{0}};
	struct load_rig r;

	memset(ended, 0, REQUEST_ENDS * sizeof(*ended));
	load_rig_start(&r, spec, NULL);
	if (stall_ns)
		r.config.stall_ns = stall_ns;
	load_rig_run(&r);
	assert_int_equal(load_rig_collect(&r, records), RIG_REQUESTS);
	for (size_t i = 0; i < RIG_REQUESTS; i++) {
		ended[records[i].end]++;
		if (records[i].end == REQUEST_STALL)
			check_stall(&records[i], stall_ns);
	}
	check_summary(&r, ended);
	load_rig_forget(records);
	load_rig_end(&r);
}

/*
 * Every second request is hit: it alone fails, in its class, and is counted once. Where only
 * time tells, a reply that a busy machine held up looks the same: then with more of it.
 */
static void check_fault(const struct fault *f)
{
	char *spec = x_asprintf("%s,every=2", f->spec);
	uint64_t ended[REQUEST_ENDS], hit = RIG_REQUESTS / 2;
	int64_t stall_ns = f->end == REQUEST_STALL ? 100 * NS_PER_MS : 0;

	do
		run_fault(spec, stall_ns, ended);
	while (ended[REQUEST_STALL] > hit && (stall_ns *= 4) < 10 * NS_PER_S);
	for (int e = 0; e < REQUEST_ENDS; e++) {
		uint64_t want = f->end == REQUEST_OK ? (e == REQUEST_OK) * RIG_REQUESTS
				: e == REQUEST_OK    ? RIG_REQUESTS - hit
						     : (e == (int)f->end) * hit;

		if (ended[e] != want)
			fail_msg("%s: %llu requests ended as %s, not %llu", spec,
				 (unsigned long long)ended[e],
				 request_end_name((enum request_end)e),
				 (unsigned long long)want);
	}
	free(spec);
}

static void test_faults(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
		check_fault(&faults[i]);
}

/* Events of one segment share a stamp and say so; nothing else does. */
static void test_coalesced(void **state)
{
	struct load_rig r;

	(void)state;
	load_rig_start(&r, "coalesce=2", NULL);
	load_rig_run(&r);
	assert_int_equal(r.outcome.chunks, 240);
	assert_true(r.outcome.coalesced > 0);
	load_rig_end(&r);
}

static void test_refused(void **state)
{
	struct request_record records[RIG_REQUESTS] = {{0}};
	struct load_rig r;

	(void)state;
	load_rig_start(&r, NULL, NULL);
	r.transport.url = "http://127.0.0.1:1";
	r.config.requests_max = 8;
	load_rig_run(&r);
	assert_int_equal(load_rig_collect(&r, records), 8);
	for (int i = 0; i < 8; i++) {
		assert_int_equal(records[i].end, REQUEST_REFUSED);
		assert_true(records[i].sent_ns == RECORD_NONE);
	}
	load_rig_forget(records);
	load_rig_end(&r);
}

static void test_timeout(void **state)
{
	struct request_record records[RIG_REQUESTS] = {{0}};
	struct load_rig r;

	(void)state;
	load_rig_start(&r, "stall=0", NULL);
	r.config.timeout_ns = 60 * NS_PER_MS;
	r.config.requests_max = 8;
	load_rig_run(&r);
	assert_int_equal(load_rig_collect(&r, records), 8);
	for (int i = 0; i < 8; i++)
		assert_int_equal(records[i].end, REQUEST_TIMEOUT);
	load_rig_forget(records);
	load_rig_end(&r);
}

/*
 * Connections are there, since the kernel makes them, and the request has left, but nobody
 * reads it: that ends by whichever limit is shorter, and never as a failed connection.
 */
static size_t run_slow_accept(int64_t timeout_ns, int64_t stall_ns, enum request_end end)
{
	struct request_record records[RIG_REQUESTS] = {{0}};
	uint64_t ended[REQUEST_ENDS] = {[REQUEST_OK] = 0};
	struct load_rig r;
	size_t sent = 0;

	load_rig_start(&r, "slow-accept=600", NULL);
	r.config.timeout_ns = timeout_ns;
	r.config.stall_ns = stall_ns;
	load_rig_run(&r);
	assert_int_equal(load_rig_collect(&r, records), RIG_REQUESTS);
	ended[end] = RIG_REQUESTS;
	for (int i = 0; i < RIG_REQUESTS; i++) {
		assert_int_equal(records[i].end, end);
		assert_true(records[i].first_byte_ns == RECORD_NONE);
		assert_int_equal(records[i].http_status, -1);
		sent += records[i].sent_ns != RECORD_NONE;
	}
	check_summary(&r, ended);
	load_rig_forget(records);
	load_rig_end(&r);
	return sent;
}

/* A busy machine may not even come to send within the limit: then with a longer one. */
static void test_slow_accept(void **state)
{
	int64_t ns = 60 * NS_PER_MS;

	(void)state;
	while (run_slow_accept(ns, 600 * NS_PER_S, REQUEST_TIMEOUT) < RIG_REQUESTS)
		assert_true((ns *= 4) < 10 * NS_PER_S);
	assert_int_equal(run_slow_accept(600 * NS_PER_S, 60 * NS_PER_MS, REQUEST_STALL),
			 RIG_REQUESTS);
}

static void test_gives_up(void **state)
{
	struct load_rig r;

	(void)state;
	load_rig_start(&r, "status=500", NULL);
	r.config.requests_max = 0;
	r.config.duration_ns = 60 * NS_PER_S;
	r.config.error_rate_max = 0.5;
	load_rig_run(&r);
	assert_true(r.outcome.is_aborted);
	assert_non_null(strstr(r.outcome.error_text, "error"));
	load_rig_end(&r);
}

static void count_look(void *ctx, const struct stage_live *live)
{
	*(uint64_t *)ctx = live->ok + live->failed;
}

/* Every second request fails: that is half of all, not as many as the others. */
static void test_error_rate(void **state)
{
	static const struct {
		double allowed;
		bool gives_up;
	} rates[] = {{0.3, true}, {0.7, false}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		struct load_rig r;
		uint64_t seen = 0;

		load_rig_start(&r, "status=500,every=2", NULL);
		r.config.requests_max = rates[i].gives_up ? 0 : 400;
		r.config.duration_ns = 60 * NS_PER_S;
		r.config.error_rate_max = rates[i].allowed;
		r.config.watch = count_look;
		r.config.watch_ctx = &seen;
		load_rig_run(&r);
		assert_true(seen >= 30); /* enough of them were looked at while it ran */
		assert_int_equal(r.outcome.is_aborted, rates[i].gives_up);
		load_rig_end(&r);
	}
}

/* Requests that were never due, since the load was given up, are not missing. */
static void test_gives_up_a_schedule(void **state)
{
	struct load_rig r;
	double seconds;

	(void)state;
	load_rig_start(&r, "status=500", NULL);
	r.config.stage.kind = STAGE_CONSTANT;
	r.config.stage.rate_per_s = 1000;
	r.config.requests_max = 0;
	r.config.duration_ns = 600 * NS_PER_S;
	r.config.errors_max = 1;
	load_rig_run(&r);
	assert_true(r.outcome.is_aborted);
	seconds = (double)(r.outcome.stage.end_ns - r.outcome.stage.start_ns) * 1e-9;
	assert_true((double)r.outcome.unsent <= seconds * 1000 + 1);
	load_rig_end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_kind_is_here),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_slow_accept),
		cmocka_unit_test(test_coalesced),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_gives_up),
		cmocka_unit_test(test_error_rate),
		cmocka_unit_test(test_gives_up_a_schedule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
