/* The journal: what was written is read back, whatever a crash cut short. */
#include "harness/run/journal.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/file.h"

static int make_dir(void **state)
{
	*state = dir_make_temporary("tare-test-journal", NULL);
	return *state ? 0 : -1;
}

static int drop_dir(void **state)
{
	int rc = dir_remove(*state, NULL);

	free(*state);
	return rc;
}

static void append_bytes(const char *dir, const char *bytes, size_t len)
{
	char *path = path_join(dir, "journal.jsonl");
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
	free(path);
}

static void append_raw(const char *dir, const char *text)
{
	append_bytes(dir, text, strlen(text));
}

static void write_one(const char *dir, enum journal_event event, enum step step)
{
	struct err err = ERR_INIT;
	struct journal *j = journal_open(dir, &err);
	struct step_at at = {.round = 2, .arm = "vm", .workload = "gemm"};
	struct json_object *data = json_object_new_object();

	assert_non_null(j);
	json_put_text(data, "note", "a \"quoted\" text\nof two lines");
	assert_int_equal(journal_write(j, event, step, &at, data, &err), 0);
	journal_close(j);
}

static void what_was_written_is_read(void **state)
{
	struct journal_entries e;

	write_one(*state, JOURNAL_BEGIN, STEP_MEASURE);
	write_one(*state, JOURNAL_END, STEP_MEASURE);
	assert_int_equal(journal_read(&e, *state, NULL), 0);
	assert_int_equal(e.nr, 2);
	assert_int_equal(e.items[1].seq, 2);
	assert_int_equal(e.items[1].event, JOURNAL_END);
	assert_int_equal(e.items[1].step, STEP_MEASURE);
	assert_int_equal(e.items[1].round, 2);
	assert_string_equal(e.items[1].arm, "vm");
	assert_string_equal(e.items[1].workload, "gemm");
	assert_string_equal(json_get_text(e.items[1].data, "note", ""),
			    "a \"quoted\" text\nof two lines");
	assert_false(e.was_cut);
	journal_entries_release(&e);
}

static void a_missing_journal_is_empty(void **state)
{
	struct journal_entries e;

	assert_int_equal(journal_read(&e, *state, NULL), 0);
	assert_int_equal(e.nr, 0);
}

static void a_line_cut_short_never_happened(void **state)
{
	struct journal_entries e;

	write_one(*state, JOURNAL_BEGIN, STEP_LEASE);
	append_raw(*state, "{\"seq\": 2, \"event\": \"end\", \"st");
	assert_int_equal(journal_read(&e, *state, NULL), 0);
	assert_int_equal(e.nr, 1);
	assert_true(e.was_cut);
	journal_entries_release(&e);

	/* The next process writes behind it and both ends can still be read. */
	write_one(*state, JOURNAL_END, STEP_LEASE);
	assert_int_equal(journal_read(&e, *state, NULL), 0);
	assert_int_equal(e.nr, 2);
	assert_int_equal(e.items[1].event, JOURNAL_END);
	assert_int_equal(e.items[1].seq, 2);
	assert_false(e.was_cut);
	journal_entries_release(&e);
}

/* Cut behind a brace, it looks whole. */
static void a_line_cut_at_a_brace_never_happened(void **state)
{
	struct journal_entries e;

	append_raw(*state, "{\"seq\": 1, \"event\": \"end\", \"data\": {}");
	write_one(*state, JOURNAL_BEGIN, STEP_LEASE);
	assert_int_equal(journal_read(&e, *state, NULL), 0);
	assert_int_equal(e.nr, 1);
	assert_int_equal(e.items[0].event, JOURNAL_BEGIN);
	journal_entries_release(&e);
}

/* The size of the file was on disk before what is in it: at its end, or under a later line. */
static void a_page_never_written_never_happened(void **state)
{
	static const char page[4096], line[] = "{\"seq\": 9, \"event\": \"end\"}\n";
	struct journal_entries e;
	struct err err = ERR_INIT;

	write_one(*state, JOURNAL_BEGIN, STEP_LEASE);
	append_bytes(*state, page, sizeof(page));
	assert_int_equal(journal_read(&e, *state, &err), 0);
	assert_int_equal(e.nr, 1);
	assert_true(e.was_cut);
	journal_entries_release(&e);

	write_one(*state, JOURNAL_END, STEP_LEASE);
	append_bytes(*state, page, sizeof(page));
	append_raw(*state, line);
	write_one(*state, JOURNAL_BEGIN, STEP_RELEASE);
	if (journal_read(&e, *state, &err))
		fail_msg("%s", err.text);
	assert_int_equal(e.nr, 3);
	assert_int_equal(e.items[1].event, JOURNAL_END);
	assert_int_equal(e.items[2].step, STEP_RELEASE);
	journal_entries_release(&e);
}

static void a_damaged_line_is_an_error(void **state)
{
	struct journal_entries e;
	struct err err = ERR_INIT;

	append_raw(*state, "{\"seq\": 1 \"event\": }\n");
	assert_int_equal(journal_read(&e, *state, &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_non_null(strstr(err.text, "journal.jsonl"));
}

/* As an editor counts: what is passed over is a line too. */
static void a_damaged_line_is_named_by_its_place(void **state)
{
	struct journal_entries e;
	struct err err = ERR_INIT;

	append_raw(*state,
		   "{\"seq\": 1, \"event\": \"begin\", \"step\": \"unheard-of\"}\n"
		   "\n"
		   "{\"seq\": 2, \"event\": \"e \n"
		   "{\"seq\": 3, \"event\": \"begin\", \"step\": \"run\"}\n"
		   "{\"seq\": 4 \"event\": }\n");
	assert_int_equal(journal_read(&e, *state, &err), -1);
	assert_non_null(strstr(err.text, "line 5"));
	assert_int_equal(journal_read(&e, *state, NULL), -1);
}

static void unknown_steps_are_passed_over(void **state)
{
	struct journal_entries e;

	append_raw(*state,
		   "{\"seq\": 1, \"event\": \"begin\", \"step\": \"from-the-future\"}\n");
	write_one(*state, JOURNAL_BEGIN, STEP_RUN);
	assert_int_equal(journal_read(&e, *state, NULL), 0);
	assert_int_equal(e.nr, 1);
	assert_int_equal(e.items[0].step, STEP_RUN);
	journal_entries_release(&e);
}

static void one_process_writes_a_run(void **state)
{
	struct err err = ERR_INIT;
	struct journal *first = journal_open(*state, &err);

	assert_non_null(first);
	assert_null(journal_open(*state, &err));
	assert_int_equal(err.kind, ERR_USAGE);
	journal_close(first);
	first = journal_open(*state, &err);
	assert_non_null(first);
	journal_close(first);
}

static void a_full_disk_is_said(void **state)
{
	struct rlimit was, none = {0};
	struct err err = ERR_INIT;
	struct journal *j = journal_open(*state, &err);
	int rc;

	assert_non_null(j);
	getrlimit(RLIMIT_FSIZE, &was);
	none.rlim_max = was.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &none);
	rc = journal_write(j, JOURNAL_BEGIN, STEP_RUN, NULL, NULL, &err);
	setrlimit(RLIMIT_FSIZE, &was);
	journal_close(j);
	assert_int_equal(rc, -1);
	assert_int_equal(err.kind, ERR_ENVIRONMENT);
	assert_non_null(strstr(err.text, "journal cannot be written"));
}

/* The disk takes a part of a line, and then has room again: giving back a machine frees it. */
static void a_disk_full_in_a_line_spoils_no_other(void **state)
{
	struct journal_entries e;
	struct rlimit was, little = {0};
	struct err err = ERR_INIT;
	struct journal *j = journal_open(*state, &err);
	int rc[2];

	assert_non_null(j);
	getrlimit(RLIMIT_FSIZE, &was);
	little = (struct rlimit){.rlim_cur = 20, .rlim_max = was.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &little);
	rc[0] = journal_write(j, JOURNAL_BEGIN, STEP_RUN, NULL, NULL, &err);
	rc[1] = journal_write(j, JOURNAL_BEGIN, STEP_RUN, NULL, NULL, NULL);
	setrlimit(RLIMIT_FSIZE, &was);
	assert_int_equal(rc[0], -1);
	assert_int_equal(rc[1], -1);
	assert_non_null(strstr(err.text, "No space left"));
	assert_int_equal(journal_write(j, JOURNAL_END, STEP_RELEASE, NULL, NULL, &err),
			 0);
	journal_close(j);
	assert_int_equal(journal_read(&e, *state, &err), 0);
	assert_int_equal(e.nr, 1);
	assert_int_equal(e.items[0].step, STEP_RELEASE);
	journal_entries_release(&e);
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, make_dir, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(what_was_written_is_read),
		IN_DIR(a_missing_journal_is_empty),
		IN_DIR(a_line_cut_short_never_happened),
		IN_DIR(a_line_cut_at_a_brace_never_happened),
		IN_DIR(a_page_never_written_never_happened),
		IN_DIR(a_damaged_line_is_an_error),
		IN_DIR(a_damaged_line_is_named_by_its_place),
		IN_DIR(unknown_steps_are_passed_over),
		IN_DIR(one_process_writes_a_run),
		IN_DIR(a_full_disk_is_said),
		IN_DIR(a_disk_full_in_a_line_spoils_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
