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

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "reports/history/history_order.h"
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

static size_t add_warned(int from, int to, double value, size_t warnings_max)
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
	assert_in_range(n.warnings.nr, 0, warnings_max);
	history_added_release(&n);
	return n.added;
}

static size_t add(int from, int to, double value)
{
	return add_warned(from, to, value, 0);
}

/* Adds one result with that date; 'facts' (taken over) is its machine. Warnings: free(). */
static char *add_dated(const char *id, const char *created, double value,
		       struct json_object *facts)
{
	struct err err = ERR_INIT;
	struct history *h = history_open(path, HISTORY_WRITE, &err);
	struct history_added n;
	struct result_set s;
	char *said;

	assert_non_null(h);
	result_set_init(&s, "test");
	one_result(&s, id, 0, value);
	free(s.results[0].created);
	s.results[0].created = x_strdup(created);
	if (facts)
		result_set_machine(&s.results[0], facts);
	result_set_sort(&s);
	if (history_add(h, &s, 1, &n, &err))
		fail_msg("%s", err.text);
	said = x_strdup(n.warnings.nr ? n.warnings.items[0] : "");
	assert_in_range(n.warnings.nr, 0, 1);
	history_added_release(&n);
	result_set_release(&s);
	history_close(h);
	return said;
}

/* The last value of each series, and how many there are. */
static size_t last_values(const char *since, double *ret, size_t *ret_values,
			  struct strvec *warnings)
{
	struct history_query q = {0};
	struct err err = ERR_INIT;
	struct history *h = history_open(path, HISTORY_READ, &err);
	struct history_list l;
	int64_t since_ns = 0;
	size_t nr;

	if (since)
		assert_true(clock_from_label(since, &since_ns));
	q.since_ms = since_ns / NS_PER_MS;
	assert_non_null(h);
	assert_int_equal(history_read(h, &q, &l, &err), 0);
	*ret = l.items[0].values[l.items[0].nr - 1];
	*ret_values = l.items[0].nr;
	nr = l.nr;
	if (warnings)
		assert_int_equal(history_warnings(h, &l, warnings, &err), 0);
	history_list_release(&l);
	history_close(h);
	return nr;
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
			/* Whoever comes second is told that its results are older. */
			for (int i = 0; i < 25; i++)
				add_warned(c * 100 + i, c * 100 + i + 1, 100, 1);
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

/* What is newest is what was added last: a clock that was reset or set ahead is named. */
static void clocks_do_not_decide_what_is_newest(void **state)
{
	struct strvec warnings = {0};
	double last;
	size_t values;
	char *said;

	(void)state;
	unlink(path);
	add(0, 10, 100);
	said = add_dated("reset", "1970-01-01T00:03:00.000Z", 80, NULL);
	assert_non_null(strstr(said, "result reset"));
	assert_non_null(strstr(said, "1970-01-01T00:03:00.000Z"));
	free(said);
	last_values(NULL, &last, &values, NULL);
	assert_true(last == 80);
	said = add_dated("ahead", "2099-03-01T00:00:00.000Z", 70, NULL);
	assert_non_null(strstr(said, "2099-03-01"));
	free(said);
	/* After both, a true date is as true as ever, and newer. */
	said = add_dated("true", "2026-02-01T00:00:00.000Z", 101, NULL);
	assert_string_equal(said, "");
	free(said);
	assert_int_equal(last_values(NULL, &last, &values, &warnings), 1);
	assert_true(last == 101);
	assert_int_equal(values, 13);
	assert_int_equal(warnings.nr, 2);
	assert_non_null(strstr(warnings.items[0], "result reset"));
	assert_non_null(strstr(warnings.items[1], "2099-03-01"));
	strvec_release(&warnings);
	/* A clock that is months behind: possible, and named. */
	said = add_dated("behind", "2025-06-01T00:00:00.000Z", 60, NULL);
	assert_non_null(strstr(said, "before what was added before it"));
	free(said);
	last_values(NULL, &last, &values, NULL);
	assert_true(last == 60);
	/* What was added after the first result of that day is part of it. */
	last_values("2026-01-05", &last, &values, NULL);
	assert_int_equal(values, 10);
	assert_true(last == 60);
}

/* Added at once, creation is the order, and a false date stays where it stands. */
static void what_is_added_at_once_is_in_order_of_creation(void **state)
{
	static const char *const created[] = {
		"2026-03-03T00:00:00.000Z", "1970-01-01T00:00:00.000Z",
		"2026-03-01T00:00:00.000Z", "2026-03-02T00:00:00.000Z"};
	static const double want[] = {3, 4, 1, 2};
	struct err err = ERR_INIT;
	struct history_query q = {0};
	struct history_added n;
	struct history_list l;
	struct result_set s[4];
	struct history *h;

	(void)state;
	unlink(path);
	for (int i = 0; i < 4; i++) {
		char id[8];

		snprintf(id, sizeof(id), "m%d", i);
		result_set_init(&s[i], "test");
		one_result(&s[i], id, 0, i + 1);
		free(s[i].results[0].created);
		s[i].results[0].created = x_strdup(created[i]);
		result_set_sort(&s[i]);
	}
	h = history_open(path, HISTORY_WRITE, &err);
	assert_int_equal(history_add(h, s, 4, &n, &err), 0);
	assert_int_equal(n.warnings.nr, 1);
	assert_int_equal(n.unsound, 0);
	assert_true(history_date_is_sound(HISTORY_DATE_LEAST_MS));
	assert_false(history_date_is_sound(HISTORY_DATE_LEAST_MS - 1));
	assert_true(history_date_is_sound(clock_wall_ns() / NS_PER_MS + 3600 * 1000));
	assert_false(history_date_is_sound(clock_wall_ns() / NS_PER_MS +
					   2 * 86400 * INT64_C(1000)));
	history_added_release(&n);
	assert_int_equal(history_read(h, &q, &l, &err), 0);
	/* A set of its own without a date that can be true is of today. */
	assert_int_equal(l.items[0].nr, 4);
	for (int i = 0; i < 4; i++)
		assert_true(l.items[0].values[i] == want[i]);
	history_list_release(&l);
	history_close(h);
	for (int i = 0; i < 4; i++)
		result_set_release(&s[i]);
}

static struct json_object *machine(const char *id, const char *hostname, const char *uuid)
{
	struct json_object *facts = json_object_new_object();
	struct json_object *cpu = json_object_new_object();
	struct json_object *identity = json_object_new_object();
	struct json_object *gpus = json_object_new_array();
	struct json_object *gpu = json_object_new_object();

	json_put_text(facts, "hostname", hostname);
	json_put_text(cpu, "model", "Test CPU");
	json_put(facts, "cpu", cpu);
	if (id)
		json_put_text(identity, "machine", id);
	json_put(facts, "identity", identity);
	if (uuid) {
		json_put_text(gpu, "name", "Test GPU");
		json_put_text(gpu, "uuid", uuid);
		json_object_array_add(gpus, gpu);
	} else {
		json_object_put(gpu);
	}
	json_put(facts, "gpus", gpus);
	return facts;
}

static void machines_are_told_by_what_they_are(void **state)
{
	const struct {
		struct json_object *facts;
		size_t series;
	} rows[] = {
		{machine("0123456789abcdef", "one", NULL), 1},
		{machine("fedcba9876543210", "one", NULL),
		 2}, /* another, by the same name */
		{machine("0123456789abcdef", "two", NULL), 2}, /* renamed: the same */
		{machine(NULL, "three", NULL), 3}, /* from before there was one */
		{machine("0123456789abcdef", "one", "GPU-1"), 4},
		{machine("fedcba9876543210", "vm", "GPU-1"), 4}, /* the GPU in a VM */
	};
	double last;
	size_t values;

	(void)state;
	unlink(path);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char id[8];

		snprintf(id, sizeof(id), "w%zu", i);
		free(add_dated(id, "2026-05-01T00:00:00.000Z", 100, rows[i].facts));
		assert_int_equal(last_values(NULL, &last, &values, NULL), rows[i].series);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_loss_is_found_with_its_day),
		cmocka_unit_test(two_writers_lose_nothing),
		cmocka_unit_test(clocks_do_not_decide_what_is_newest),
		cmocka_unit_test(what_is_added_at_once_is_in_order_of_creation),
		cmocka_unit_test(machines_are_told_by_what_they_are),
		cmocka_unit_test(an_older_layout_is_brought_up),
		cmocka_unit_test(a_newer_layout_is_refused),
		cmocka_unit_test(what_is_no_database_is_refused),
	};

	return cmocka_run_group_tests(tests, make_place, remove_place);
}
