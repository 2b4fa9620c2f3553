/* Expected instants follow from the formula in mock_batch.h, worked out by hand. */
#include "inference/mock/mock_batch.h"

#include "core/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { LOG_MAX = 4096 };

struct event {
	struct batch_seq *seq;
	int64_t tokens, due_ns;
};

struct journal {
	struct event events[LOG_MAX];
	size_t nr;
	struct batch_seq *gone; /* its client has left: emit says false */
};

static bool note(void *ctx, struct batch_seq *seq, int64_t tokens, int64_t due_ns)
{
	struct journal *j = ctx;

	assert_true(j->nr < LOG_MAX);
	j->events[j->nr++] = (struct event){seq, tokens, due_ns};
	return seq != j->gone;
}

static const struct batch_config plain = {
	.step_base_ns = 10000,
	.step_per_seq_ns = 1000,
	.step_per_prefill_token_ns = 10,
	.max_num_seqs = 4,
	.max_batched_tokens = 4096,
	.kv_tokens = 100000,
	.queue_max = 3,
	.tokens_per_chunk = 1,
};

static struct batch_seq sequence(int64_t prompt, int64_t output)
{
	return (struct batch_seq){
		.prompt_left = prompt, .output_left = output, .kv_need = prompt + output};
}

static void run_to_idle(struct batch *b, struct journal *j)
{
	while (b->step_end_ns != CLOCK_NEVER)
		batch_step(b, note, j);
}

static void one_sequence_alone(void **state)
{
	/* 100 prompt tokens: 10000 + 100*10; then steps of 10000 + 1*1000. */
	static const int64_t due[] = {5000 + 11000, 27000, 38000, 49000};
	struct batch_seq s = sequence(100, 4);
	struct journal j = {0};
	struct batch b;

	(void)state;
	batch_init(&b, &plain);
	assert_true(batch_add(&b, &s, 5000));
	run_to_idle(&b, &j);
	assert_int_equal(j.nr, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(j.events[i].due_ns, due[i]);
		assert_int_equal(j.events[i].tokens, 1);
	}
	assert_int_equal(s.state, BATCH_OUT);
	assert_int_equal(b.kv_used, 0);
	batch_release(&b);
}

static void a_long_prompt_takes_several_steps(void **state)
{
	struct batch_seq s = sequence(10000, 1);
	struct journal j = {0};
	struct batch b;

	(void)state;
	batch_init(&b, &plain);
	batch_add(&b, &s, 0);
	run_to_idle(&b, &j);
	assert_int_equal(b.steps, 3); /* 4096 + 4096 + 1808 */
	assert_int_equal(j.nr, 1);
	assert_int_equal(j.events[0].due_ns, 3 * 10000 + 10000 * 10);
	batch_release(&b);
}

static void who_arrives_in_a_step_waits_for_its_end(void **state)
{
	struct batch_seq a = sequence(100, 3), c = sequence(200, 1);
	struct journal j = {0};
	struct batch b;

	(void)state;
	batch_init(&b, &plain);
	batch_add(&b, &a, 0);
	batch_add(&b, &c, 1); /* the first step runs until 11000 */
	run_to_idle(&b, &j);
	/* step 2: a decodes, c's 200 tokens: 10000 + 1000 + 2000, ends at 24000 */
	assert_int_equal(j.nr, 4);
	assert_int_equal(j.events[0].due_ns, 11000);
	assert_ptr_equal(j.events[1].seq, &a);
	assert_int_equal(j.events[1].due_ns, 24000);
	assert_ptr_equal(j.events[2].seq, &c);
	assert_int_equal(j.events[2].due_ns, 24000);
	assert_int_equal(j.events[3].due_ns, 35000);
	assert_int_equal(c.admitted_ns, 11000);
	batch_release(&b);
}

static void more_than_may_run_wait(void **state)
{
	struct batch_config two = plain;
	struct batch_seq s[4];
	struct journal j = {0};
	struct batch b;

	(void)state;
	two.max_num_seqs = 2;
	batch_init(&b, &two);
	for (int i = 0; i < 4; i++) {
		s[i] = sequence(1, 2);
		assert_true(batch_add(&b, &s[i], 0));
	}
	/* The first starts a step at once and alone; the others find it running. */
	assert_int_equal(b.running_nr, 1);
	assert_int_equal(b.waiting_nr, 3);
	batch_step(&b, note, &j);
	assert_int_equal(b.running_nr, 2);
	run_to_idle(&b, &j);
	assert_int_equal(j.nr, 8);
	assert_ptr_equal(j.events[7].seq, &s[3]); /* first come, first served */
	batch_release(&b);
}

static void a_full_queue_and_what_never_fits_are_refused(void **state)
{
	struct batch_seq s[5], big = sequence(99999, 2);
	struct batch b;

	(void)state;
	batch_init(&b, &plain);
	assert_false(batch_add(&b, &big, 0)); /* 100001 > 100000 */
	for (int i = 0; i < 4; i++) {
		s[i] = sequence(1, 1);
		assert_true(batch_add(&b, &s[i], 0)); /* one runs, three wait */
	}
	s[4] = sequence(1, 1);
	assert_false(batch_add(&b, &s[4], 0));
	assert_int_equal(s[4].state, BATCH_OUT);
	batch_release(&b);
}

static void admission_waits_for_memory(void **state)
{
	struct batch_config small = plain;
	struct batch_seq a = sequence(10, 2), c = sequence(5, 5);
	struct journal j = {0};
	struct batch b;

	(void)state;
	small.kv_tokens = 20; /* a needs 12, c needs 10 */
	batch_init(&b, &small);
	batch_add(&b, &a, 0);
	batch_add(&b, &c, 0);
	batch_step(&b, note, &j);
	assert_int_equal(c.state, BATCH_WAITING);
	batch_step(&b, note, &j); /* a's second and last token */
	assert_int_equal(a.state, BATCH_OUT);
	assert_int_equal(c.state, BATCH_RUNNING);
	assert_int_equal(b.kv_used, 10);
	batch_release(&b);
}

static void chunks_of_several_tokens_end_with_the_rest(void **state)
{
	static const int64_t tokens[] = {4, 4, 2};
	struct batch_config four = plain;
	struct batch_seq s = sequence(1, 10);
	struct journal j = {0};
	struct batch b;

	(void)state;
	four.tokens_per_chunk = 4;
	batch_init(&b, &four);
	batch_add(&b, &s, 0);
	run_to_idle(&b, &j);
	assert_int_equal(j.nr, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(j.events[i].tokens, tokens[i]);
	batch_release(&b);
}

static void who_leaves_gives_back_its_place(void **state)
{
	struct batch_seq s[3];
	struct journal j = {0};
	struct batch b;

	(void)state;
	batch_init(&b, &plain);
	for (int i = 0; i < 3; i++) {
		s[i] = sequence(1, 100);
		batch_add(&b, &s[i], 0);
	}
	batch_remove(&b, &s[1]); /* waits still */
	assert_int_equal(b.waiting_nr, 1);
	batch_step(&b, note, &j);
	assert_int_equal(b.running_nr, 2);
	j.gone = &s[0]; /* leaves when it is told of its next token */
	batch_step(&b, note, &j);
	assert_int_equal(b.running_nr, 1);
	assert_int_equal(s[0].state, BATCH_OUT);
	batch_remove(&b, &s[2]);
	batch_remove(&b, &s[2]); /* twice is once */
	assert_int_equal(b.running_nr, 0);
	assert_int_equal(b.kv_used, 0);
	batch_step(&b, note, &j);
	assert_int_equal(b.step_end_ns, CLOCK_NEVER);
	batch_release(&b);
}

/* Tokens in a long time with n sequences that always decode. */
static double tokens_per_s(int64_t n, int64_t max)
{
	struct batch_config c = plain;
	struct batch_seq *s = calloc((size_t)n, sizeof(*s));
	struct journal *j = calloc(1, sizeof(*j));
	int64_t from, tokens = 0;
	struct batch b;

	c.max_num_seqs = max;
	c.queue_max = n;
	batch_init(&b, &c);
	for (int64_t i = 0; i < n; i++) {
		s[i] = sequence(1, 100000 / n - 1);
		batch_add(&b, &s[i], 0);
	}
	for (int i = 0; i < 3; i++)
		batch_step(&b, note, j);
	from = b.step_end_ns;
	for (int i = 0; i < 20; i++) {
		j->nr = 0;
		batch_step(&b, note, j);
		tokens += (int64_t)j->nr;
	}
	from = b.step_end_ns - from;
	batch_release(&b);
	free(s);
	free(j);
	return (double)tokens / ((double)from * 1e-9);
}

static void throughput_rises_to_a_knee(void **state)
{
	(void)state;
	/* n / (10 us + n * 1 us) */
	assert_float_equal(tokens_per_s(1, 32), 1 / 11e-6, 1e-3);
	assert_float_equal(tokens_per_s(10, 32), 10 / 20e-6, 1e-3);
	assert_float_equal(tokens_per_s(32, 32), 32 / 42e-6, 1e-3);
	/* Past the knee the rest waits and nothing is gained. */
	assert_float_equal(tokens_per_s(64, 32), 32 / 42e-6, 1e-3);
	assert_float_equal(tokens_per_s(200, 32), 32 / 42e-6, 1e-3);
}

static void jitter_is_bounded_and_repeats(void **state)
{
	struct batch_config c = plain;
	int64_t first[50];

	(void)state;
	c.jitter = 0.25;
	c.seed = 7;
	for (int turn = 0; turn < 2; turn++) {
		struct batch_seq s = sequence(1, 51);
		struct journal j = {0};
		double mean = 0;
		struct batch b;

		batch_init(&b, &c);
		batch_add(&b, &s, 0);
		run_to_idle(&b, &j);
		for (int i = 0; i < 50; i++) {
			int64_t gap = j.events[i + 1].due_ns - j.events[i].due_ns;

			assert_in_range(gap, 8249, 13751); /* 11000 * (1 +- 0.25) */
			mean += (double)gap / 50;
			if (turn)
				assert_int_equal(gap, first[i]);
			first[i] = gap;
		}
		/* Uniform: deviation of the mean 2750/sqrt(3*50) = 225; four of them. */
		assert_true(mean > 10100 && mean < 11900);
		assert_int_not_equal(first[0], first[1]);
		batch_release(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_sequence_alone),
		cmocka_unit_test(a_long_prompt_takes_several_steps),
		cmocka_unit_test(who_arrives_in_a_step_waits_for_its_end),
		cmocka_unit_test(more_than_may_run_wait),
		cmocka_unit_test(a_full_queue_and_what_never_fits_are_refused),
		cmocka_unit_test(admission_waits_for_memory),
		cmocka_unit_test(chunks_of_several_tokens_end_with_the_rest),
		cmocka_unit_test(who_leaves_gives_back_its_place),
		cmocka_unit_test(throughput_rises_to_a_knee),
		cmocka_unit_test(jitter_is_bounded_and_repeats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
