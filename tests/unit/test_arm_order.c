/* The order of arms: A B, then B A, so that a linear drift falls on both alike. */
#include "harness/run/arm_order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/file.h"
#include "harness/plan/workload_kind.h"

static void abba_turns_round_every_other_round(void **state)
{
	struct plan p = {.arms_nr = 3, .schedule = {.order = ORDER_ABBA}};
	static const size_t expected[4][3] = {{0, 1, 2}, {2, 1, 0}, {0, 1, 2}, {2, 1, 0}};

	(void)state;
	for (int round = 1; round <= 4; round++)
		for (size_t turn = 0; turn < 3; turn++)
			assert_int_equal(rounds_arm(&p, round, turn),
					 expected[round - 1][turn]);
}

static void abab_does_not(void **state)
{
	struct plan p = {.arms_nr = 2, .schedule = {.order = ORDER_ABAB}};

	(void)state;
	for (int round = 1; round <= 4; round++)
		for (size_t turn = 0; turn < 2; turn++)
			assert_int_equal(rounds_arm(&p, round, turn), turn);
}

/* A drift of one unit a turn adds the same to both arms over two rounds of abba. */
static void a_linear_drift_cancels(void **state)
{
	struct plan p = {.arms_nr = 2, .schedule = {.order = ORDER_ABBA}};
	int drift = 0, sum[2] = {0, 0};

	(void)state;
	for (int round = 1; round <= 2; round++)
		for (size_t turn = 0; turn < 2; turn++)
			sum[rounds_arm(&p, round, turn)] += drift++;
	assert_int_equal(sum[0], sum[1]);
}

static struct plan two_arms(struct arm arms[2], struct workload *w)
{
	arms[0] = (struct arm){.name = (char *)"metal", .target = ARM_LOCAL};
	arms[1] = (struct arm){
		.name = (char *)"vm", .target = ARM_VM, .provisioner = (char *)"here"};
	*w = (struct workload){
		.name = (char *)"gemm",
		.kind = workload_kind_find("gemm"),
		.params = json_object_new_object(),
	};
	return (struct plan){
		.arms = arms,
		.arms_nr = 2,
		.workloads = w,
		.workloads_nr = 1,
		.schedule = {.rounds_min = 2, .rounds_max = 4},
	};
}

static char *printed(const struct plan *p, const char *past)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	assert_int_equal(rounds_print(p, past, to, NULL), 0);
	fclose(to);
	return text;
}

static void a_guess_is_called_one(void **state)
{
	struct arm arms[2];
	struct workload w;
	struct plan p = two_arms(arms, &w);
	char *text = printed(&p, NULL);

	(void)state;
	assert_non_null(strstr(text, "guessed"));
	assert_non_null(strstr(text, "lease"));
	assert_non_null(strstr(text, "2 to 4 rounds"));
	free(text);
	json_object_put(w.params);
}

static void an_earlier_run_tells_better(void **state)
{
	static const char journal[] = "{\"event\":\"end\",\"step\":\"lease\",\"arm\":"
				      "\"vm\",\"data\":{\"took_s\":30}}\n"
				      "{\"event\":\"end\",\"step\":\"lease\",\"arm\":"
				      "\"vm\",\"data\":{\"took_s\":40}}\n";
	struct arm arms[2];
	struct workload w;
	struct plan p = two_arms(arms, &w);
	char *dir = dir_make_temporary("tare-test-rounds", NULL);
	char *path = path_join(dir, "journal.jsonl"), *text;

	(void)state;
	assert_int_equal(file_write(path, journal, strlen(journal), 0644, NULL), 0);
	text = printed(&p, dir);
	assert_non_null(strstr(text, "35.0 s"));
	assert_null(strstr(text, "guessed"));
	free(text);
	free(path);
	dir_remove(dir, NULL);
	free(dir);
	json_object_put(w.params);
}

/* Every two rounds are a block: an order of all arms, and the same backwards. */
static void random_blocks_are_drawn_by_the_seed(void **state)
{
	struct plan p = {.arms_nr = 3, .schedule = {.order = ORDER_RANDOM_BLOCKS}};
	size_t first[3] = {0, 0, 0}, differ = 0;

	(void)state;
	for (int64_t seed = 1; seed <= 2; seed++) {
		p.schedule.seed = seed;
		for (int round = 1; round < 600; round += 2) {
			bool seen[3] = {false, false, false};
			size_t began;

			for (size_t turn = 0; turn < 3; turn++) {
				size_t arm = rounds_arm(&p, round, turn);

				assert_in_range(arm, 0, 2);
				assert_false(seen[arm]);
				seen[arm] = true;
				assert_int_equal(rounds_arm(&p, round + 1, 2 - turn),
						 arm);
			}
			began = rounds_arm(&p, round, 0);
			first[began]++;
			p.schedule.seed = 3 - seed;
			differ += rounds_arm(&p, round, 0) != began;
			p.schedule.seed = seed;
		}
	}
	/* 600 draws of 3: five deviations are 58. */
	for (size_t i = 0; i < 3; i++)
		assert_in_range(first[i], 142, 258);
	assert_in_range(differ, 300, 500); /* two in three of 600 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(abba_turns_round_every_other_round),
		cmocka_unit_test(abab_does_not),
		cmocka_unit_test(a_linear_drift_cancels),
		cmocka_unit_test(a_guess_is_called_one),
		cmocka_unit_test(an_earlier_run_tells_better),
		cmocka_unit_test(random_blocks_are_drawn_by_the_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
