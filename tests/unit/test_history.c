/*
 * The database of results: adding, asking, two writers, older and newer layouts, and what
 * a history says of levels and losses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/mem.h"
#include "reports/history/history_report.h"

static char *place, *path;

static int make_place(void **state)
{
	(void)state;
	place = dir_make_temporary("test-history", NULL);
	path = path_join(place, "history.db");
	return 0;
}

static int remove_place(void **state)
{
	(void)state;
	dir_remove(place, NULL);
	free(place);
	free(path);
	return 0;
}

static void one_result(struct result_set *s, const char *id, int day, double value)
{
	const struct metric_def def = {"gemm.flops", "FLOP/s", METRIC_HIGHER, true, ""};
	struct samples m;
	struct result r;

	result_init(&r, "test", "gemm", "gemm");
	free(r.id);
	free(r.created);
	r.id = x_strdup(id);
	r.created =
		x_asprintf("2026-%02d-%02dT00:00:00.000Z", 1 + day / 28, 1 + day % 28);
	r.arm = x_strdup("metal");
	samples_init(&m, &def);
	samples_add(&m, value);
	result_add_metric(&r, &m);
	result_set_add(s, &r, id);
}

static size_t add(int from, int to, double value)
{
	struct err err = ERR_INIT;
	struct history *h = history_open(path, HISTORY_WRITE, &err);
	struct history_added n;
	struct result_set s;

	if (!h)
		fail_msg("%s", err.text);
	result_set_init(&s, "test");
	for (int i = from; i < to; i++) {
		char *id = x_asprintf("r%d", i);

		/* A little spread, so that levels are not degenerate. */
		one_result(&s, id, i, value * (1 + 0.001 * (i * 7 % 5)));
		free(id);
	}
	result_set_sort(&s);
	if (history_add(h, &s, 1, &n, &err))
		fail_msg("%s", err.text);
	result_set_release(&s);
	history_close(h);
	assert_int_equal(n.added + n.known, to - from);
	return n.added;
}

static char *check(int *status)
{
	struct history_query q = {0};
	struct err err = ERR_INIT;
	struct history *h = history_open(path, HISTORY_READ, &err);
	struct history_judged j;
	struct history_list l;
	struct margins m;
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	if (!h || history_read(h, &q, &l, &err))
		fail_msg("%s", err.text);
	margins_init(&m);
	history_judge(&j, &l, &m, 0);
	assert_int_equal(history_check(h, &l, &j, to, &err), 0);
	*status = verdict_exit_status(j.overall);
	fclose(to);
	history_judged_release(&j);
	history_list_release(&l);
	margins_release(&m);
	history_close(h);
	return text;
}

static void a_loss_is_found_with_its_day(void **state)
{
	int status;
	char *text;

	(void)state;
	assert_int_equal(add(0, 30, 100), 30);
	assert_int_equal(add(0, 30, 100), 0); /* known already */
	text = check(&status);
	assert_int_equal(status, EXIT_PASS);
	free(text);
	assert_int_equal(add(30, 45, 90), 15);
	text = check(&status);
	assert_int_equal(status, EXIT_DEGRADED);
	assert_non_null(strstr(text, "since 2026-02-03"));
	free(text);
	assert_int_equal(add(45, 60, 100), 15); /* made good */
	text = check(&status);
	assert_int_equal(status, EXIT_PASS);
	free(text);
}

static void two_writers_lose_nothing(void **state)
{
	struct history_query q = {0};
	struct err err = ERR_INIT;
	struct history_list l;
	struct history *h;
	pid_t children[2];

	(void)state;
	unlink(path);
	for (int c = 0; c < 2; c++) {
		children[c] = fork();
		if (children[c] == 0) {
			for (int i = 0; i < 25; i++)
				add(c * 100 + i, c * 100 + i + 1, 100);
			_exit(0);
		}
	}
	for (int c = 0; c < 2; c++) {
		int how;

		waitpid(children[c], &how, 0);
		assert_int_equal(how, 0);
	}
	h = history_open(path, HISTORY_READ, &err);
	assert_non_null(h);
	assert_int_equal(history_read(h, &q, &l, &err), 0);
	assert_int_equal(l.nr, 1);
	assert_int_equal(l.items[0].nr, 50);
	history_list_release(&l);
	history_close(h);
}

/*
 * tests/support/history-v1.db is the first layout with one result in it, as Python's
 * sqlite3 wrote it from the first migration. Bytes 60 to 63 of an SQLite file are its
 * user_version, big-endian (the file format's documentation, 1.3).
 */
static void layout_one(int version)
{
	struct err err = ERR_INIT;
	struct buf b;

	unlink(path);
	if (file_read("tests/support/history-v1.db", 1 << 20, &b, &err))
		fail_msg("%s", err.text);
	b.data[63] = (char)version;
	assert_int_equal(file_write(path, b.data, b.len, 0644, &err), 0);
	buf_release(&b);
}

static void an_older_layout_is_brought_up(void **state)
{
	struct err err = ERR_INIT;
	struct history *h;
	int status;
	char *text;

	(void)state;
	layout_one(1);
	h = history_open(path, HISTORY_READ, &err);
	if (!h)
		fail_msg("%s", err.text);
	history_close(h);
	text = check(&status);
	assert_non_null(strstr(text, "1 gating series"));
	assert_int_equal(status, EXIT_INCONCLUSIVE); /* one value is no level */
	free(text);
}

static void a_newer_layout_is_refused(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	layout_one(99);
	assert_null(history_open(path, HISTORY_WRITE, &err));
	assert_non_null(strstr(err.text, "newer tare"));
	assert_int_equal(err_exit_status(&err), EXIT_USAGE);
}

static void what_is_no_database_is_refused(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(file_write(path,
				    "hello, this is a text and no database at all\n", 45,
				    0644, NULL),
			 0);
	assert_null(history_open(path, HISTORY_WRITE, &err));
	assert_non_null(strstr(err.text, path));
	unlink(path);
	assert_null(history_open(path, HISTORY_READ, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_loss_is_found_with_its_day),
		cmocka_unit_test(two_writers_lose_nothing),
		cmocka_unit_test(an_older_layout_is_brought_up),
		cmocka_unit_test(a_newer_layout_is_refused),
		cmocka_unit_test(what_is_no_database_is_refused),
	};

	return cmocka_run_group_tests(tests, make_place, remove_place);
}
