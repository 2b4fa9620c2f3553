/* A stage of five requests whose figures were worked out by hand; spool and back. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/rng.h"
#include "inference/load/engine/spool.h"
#include "inference/load/figures/summary.h"

#define MS INT64_C(1000000)

/* Window 1000..2000 ms. */
static const struct load_stage stage = {
	.label = "c2",
	.concurrency = 2,
	.start_ns = 0,
	.measure_start_ns = 1000 * MS,
	.measure_end_ns = 2000 * MS,
	.end_ns = 2500 * MS,
};

struct list {
	struct request_record *records;
	size_t nr, at, fails_at;
};

static int list_next(void *ctx, struct request_record *ret, struct err *err)
{
	struct list *l = ctx;

	if (l->at == l->fails_at)
		return err_set(err, ERR_ENVIRONMENT, "the disk");
	if (l->at == l->nr)
		return 0;
	*ret = l->records[l->at++];
	return 1;
}

static void list_rewind(void *ctx)
{
	((struct list *)ctx)->at = 0;
}

/* Sent at 'sent' ms, chunks of 'tokens' at 'first' ms and every 'gap' ms after. */
static struct request_record record(int sent, int first, int gap, uint32_t chunks,
				    uint32_t tokens, struct chunk_stamp *space)
{
	struct request_record r = {
		.scheduled_ns = (sent - 5) * MS,
		.issued_ns = sent * MS,
		.sent_ns = sent * MS,
		.first_byte_ns = first * MS,
		.role_ns = RECORD_NONE,
		.first_token_ns = first * MS,
		.http_status = 200,
		.prompt_wanted = 10,
		.prompt_tokens = 10,
		.cached_tokens = -1,
		.output_tokens = (int32_t)(chunks * tokens),
		.output_wanted = (int32_t)(chunks * tokens),
		.chunks = space,
		.chunks_nr = chunks,
	};

	for (uint32_t i = 0; i < chunks; i++)
		space[i] = (struct chunk_stamp){.arrival_ns = (first + (int)i * gap) * MS,
						.tokens = tokens};
	r.received_tokens = r.output_tokens;
	r.last_token_ns = space[chunks - 1].arrival_ns;
	r.done_ns = r.end_ns = r.last_token_ns + 10 * MS;
	return r;
}

static void make(struct list *l, struct request_record *r, struct chunk_stamp space[5][8])
{
	/* Warm-up: sent before, its tokens at 950, 1000, 1050 and its end at 1060. */
	r[0] = record(900, 950, 50, 3, 1, space[0]);
	/* Inside: TTFT 100, gaps 50, tokens at 1200..1350, ends 1360, latency 260. */
	r[1] = record(1100, 1200, 50, 4, 1, space[1]);
	/* Inside: two tokens a chunk, TTFT 200, gaps 100: 1500..1700, ends 1710. */
	r[2] = record(1300, 1500, 100, 3, 2, space[2]);
	/* Sent inside, ends outside: TTFT 50, tokens at 1950, 2050, ends 2060. */
	r[3] = record(1900, 1950, 100, 2, 1, space[3]);
	/* Failed inside after a token at 1450. */
	r[4] = record(1400, 1450, 0, 1, 1, space[4]);
	r[4].end = REQUEST_TRUNCATED;
	*l = (struct list){.records = r, .nr = 5, .fails_at = SIZE_MAX};
}

static bool near(double a, double b)
{
	return fabs(a - b) < 1e-12;
}

static void check(struct record_source *source)
{
	struct service_level level = {150 * MS, CLOCK_NEVER, CLOCK_NEVER};
	struct stage_summary s;

	assert_int_equal(summary_make(&s, &stage, source, &level, NULL), 0);
	assert_int_equal(s.sent_before, 1);
	assert_int_equal(s.sent_inside, 4);
	assert_int_equal(s.sent_after, 0);
	assert_int_equal(s.ended[REQUEST_OK], 3);
	assert_int_equal(s.ended[REQUEST_TRUNCATED], 1);
	assert_int_equal(s.completed_inside, 3); /* 0, 1, 2 */
	assert_int_equal(s.good, 2);             /* 1 and 3 */
	/* 2 of request 0 (1000, 1050), 4, 6, 1, and 1 of the failed one. */
	assert_int_equal(s.output_tokens_inside, 14);
	assert_int_equal(s.prompt_tokens_inside, 40);
	assert_true(near(s.output_tokens_per_s, 14));
	assert_true(near(s.total_tokens_per_s, 54));
	assert_true(near(s.requests_per_s, 3));
	assert_true(near(s.success_ratio, 0.75));
	/* In flight: 60 + 260 + 410 + 100 + 60 ms of one second. */
	assert_true(near(s.concurrency, 0.89));

	assert_int_equal(s.figures[SUMMARY_TTFT].nr, 3);
	assert_true(near(s.figures[SUMMARY_TTFT].mean_s, 0.35 / 3));
	assert_true(near(figures_quantile_s(&s.figures[SUMMARY_TTFT], 0.5), 0.1));
	assert_true(isnan(figures_quantile_s(&s.figures[SUMMARY_TTFT], 0.99)));
	assert_true(near(figures_quantile_s(&s.figures[SUMMARY_TTFT_FROM_SCHEDULE], 0.5),
			 0.105));
	assert_true(near(figures_quantile_s(&s.figures[SUMMARY_LATENCY], 0.5), 0.26));
	assert_true(
		near(figures_quantile_s(&s.figures[SUMMARY_QUEUE_DELAY], 0.5), 0.005));
	/* Gaps inside: 50 50 | 50 50 50 | 100 100; the one to 2050 is outside. */
	assert_int_equal(s.figures[SUMMARY_ITL].nr, 7);
	assert_true(near(s.figures[SUMMARY_ITL].max_s, 0.1));
	assert_true(near(figures_quantile_s(&s.figures[SUMMARY_ITL], 0.5), 0.05));
	/* By token: five of 50 and four of 50 (two chunks of two over 100). */
	assert_int_equal(s.figures[SUMMARY_ITL_TOKEN].nr, 9);
	assert_true(near(s.figures[SUMMARY_ITL_TOKEN].max_s, 0.05));
	/* 150/3, 200/5 and 100/1 ms. */
	assert_int_equal(s.figures[SUMMARY_TPOT].nr, 3);
	assert_true(near(s.figures[SUMMARY_TPOT].min_s, 0.04));
	assert_true(near(figures_quantile_s(&s.figures[SUMMARY_TPOT], 0.5), 0.05));
	assert_true(near(s.figures[SUMMARY_TPOT].max_s, 0.1));
	summary_release(&s);
}

static void test_by_hand(void **state)
{
	struct chunk_stamp space[5][8];
	struct request_record r[5];
	struct list l;
	struct record_source source = {&l, list_next, list_rewind};

	(void)state;
	make(&l, r, space);
	check(&source);
}

/*
 * A request that was cancelled takes longer than those that were not: the others' latencies
 * are not the load's. What it had not kept by then counts as judged.
 */
static void test_cancelled(void **state)
{
	struct service_level level = {CLOCK_NEVER, CLOCK_NEVER, 300 * MS};
	struct chunk_stamp space[5][8];
	struct request_record r[5];
	struct list l;
	struct record_source source = {&l, list_next, list_rewind};
	struct stage_summary s;

	(void)state;
	make(&l, r, space);
	r[4].end = REQUEST_CANCELLED; /* sent at 1400, its only token at 1450 */
	r[4].end_ns = 1500 * MS;
	assert_int_equal(summary_make(&s, &stage, &source, &level, NULL), 0);
	assert_int_equal(s.ended[REQUEST_CANCELLED], 1);
	assert_int_equal(s.late, 0); /* after 100 ms it might still have been good */
	assert_true(s.is_censored);
	assert_int_equal(s.figures[SUMMARY_LATENCY].nr, 3);
	assert_true(isnan(s.figures[SUMMARY_LATENCY].mean_s));
	assert_true(isnan(figures_quantile_s(&s.figures[SUMMARY_LATENCY], 0.5)));
	assert_true(isnan(figures_quantile_s(&s.figures[SUMMARY_TTFT], 0.5)));
	assert_true(isnan(figures_quantile_s(&s.figures[SUMMARY_TPOT], 0.5)));
	/* Gaps are of the chunks that came. */
	assert_true(near(figures_quantile_s(&s.figures[SUMMARY_ITL], 0.5), 0.05));
	assert_true(near(s.output_tokens_per_s, 14));
	summary_release(&s);

	r[4].end_ns = 1701 * MS;
	list_rewind(&l);
	assert_int_equal(summary_make(&s, &stage, &source, &level, NULL), 0);
	assert_int_equal(s.late, 1);
	summary_release(&s);
}

/* In no time nothing can be said of rates or of load: absent, not 0. */
static void test_no_window(void **state)
{
	struct load_stage none = {.measure_start_ns = 1000 * MS,
				  .measure_end_ns = 1000 * MS};
	struct service_level level = {CLOCK_NEVER, CLOCK_NEVER, CLOCK_NEVER};
	struct chunk_stamp space[5][8];
	struct request_record r[5];
	struct list l;
	struct record_source source = {&l, list_next, list_rewind};
	struct stage_summary s;

	(void)state;
	make(&l, r, space);
	assert_int_equal(summary_make(&s, &none, &source, &level, NULL), 0);
	assert_true(isnan(s.concurrency) && isnan(s.requests_per_s));
	assert_true(isnan(s.output_tokens_per_s) && isnan(s.success_ratio));
	summary_release(&s);
}

static void test_through_spool(void **state)
{
	struct chunk_stamp space[5][8];
	struct request_record r[5];
	struct list l;
	struct spool *spool = spool_new(2, NULL);
	struct spool_reader *reader;
	struct record_source source;

	(void)state;
	make(&l, r, space);
	for (unsigned i = 0; i < 5; i++)
		spool_put(spool, i % 2, &r[i]);
	assert_int_equal(spool_finish(spool, NULL), 0);
	reader = spool_read(spool);
	source = spool_reader_source(reader);
	check(&source);
	spool_reader_free(reader);
	spool_free(spool);
}

/* What cannot be read leaves no figures, wherever in the source it is. */
static void test_unreadable(void **state)
{
	struct service_level level = {CLOCK_NEVER, CLOCK_NEVER, CLOCK_NEVER};
	struct chunk_stamp space[5][8];
	struct request_record r[5];
	struct list l;
	struct record_source source = {&l, list_next, list_rewind};

	(void)state;
	make(&l, r, space);
	for (l.fails_at = 0; l.fails_at <= 5; l.fails_at++) {
		struct err err = ERR_INIT;
		struct stage_summary s;

		assert_int_equal(summary_make(&s, &stage, &source, &level, &err), -1);
		assert_string_equal(err.text, "the disk");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_hand),    cmocka_unit_test(test_cancelled),
		cmocka_unit_test(test_no_window),  cmocka_unit_test(test_through_spool),
		cmocka_unit_test(test_unreadable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
