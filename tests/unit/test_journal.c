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

/* A write of which nothing was taken leaves no line to end; one that was cut does. */
static void what_was_cut_is_ended_once(void **state)
{
	struct rlimit was, little = {0};
	struct journal_entries e;
	struct journal *j;
	struct buf text;
	char *path = path_join(*state, "journal.jsonl");

	getrlimit(RLIMIT_FSIZE, &was);
	signal(SIGXFSZ, SIG_IGN);
	for (rlim_t room = 0; room <= 20; room += 20) {
		unlink(path);
		j = journal_open(*state, NULL);
		assert_non_null(j);
		little = (struct rlimit){.rlim_cur = room, .rlim_max = was.rlim_max};
		setrlimit(RLIMIT_FSIZE, &little);
		assert_int_equal(
			journal_write(j, JOURNAL_BEGIN, STEP_RUN, NULL, NULL, NULL), -1);
		setrlimit(RLIMIT_FSIZE, &was);
		for (int i = 0; i < 2; i++)
			assert_int_equal(journal_write(j, JOURNAL_NOTE, STEP_RUN, NULL,
						       NULL, NULL),
					 0);
		journal_close(j);
		assert_int_equal(file_read(path, 4096, &text, NULL), 0);
		/* Two whole lines, and in front of them what was cut and its end. */
		assert_int_equal(text.data[room], room ? ' ' : '{');
		assert_memory_equal(text.data + room, room ? " \n{\"seq\"" : "{\"seq\"",
				    room ? 8 : 6);
		assert_memory_equal(text.data + text.len - 2, "}\n", 2);
		assert_non_null(strstr(text.data, "}\n{"));
		buf_release(&text);
		assert_int_equal(journal_read(&e, *state, NULL), 0);
		assert_int_equal(e.nr, 2);
		journal_entries_release(&e);
	}
	free(path);
}

/* Each step and event is read as what it was written as; what does not apply is null. */
static void every_name_is_read(void **state)
{
	struct journal *j = journal_open(*state, NULL);
	struct journal_entries e;
	int nr = 0;

	assert_non_null(j);
	for (int step = 0; step < STEP_NR; step++)
		for (int event = JOURNAL_BEGIN; event <= JOURNAL_NOTE; event++)
			assert_int_equal(journal_write(j, (enum journal_event)event,
						       (enum step)step, NULL, NULL, NULL),
					 0);
	journal_close(j);
	assert_int_equal(journal_read(&e, *state, NULL), 0);
	assert_int_equal(e.nr, STEP_NR * (JOURNAL_NOTE + 1));
	for (int step = 0; step < STEP_NR; step++)
		for (int event = JOURNAL_BEGIN; event <= JOURNAL_NOTE; event++, nr++) {
			const struct journal_entry *i = &e.items[nr];

			assert_int_equal(i->seq, nr + 1);
			assert_int_equal(i->step, step);
			assert_int_equal(i->event, event);
			assert_int_equal(i->round, 0);
			assert_string_equal(i->arm, "");
			assert_string_equal(i->workload, "");
			assert_null(i->data);
			assert_true(json_object_object_get_ex(i->json, "round", NULL));
			assert_null(json_member(i->json, "round"));
			assert_int_equal(strlen(json_get_text(i->json, "time", "")),
					 strlen("2026-11-22T19:17:25.123Z"));
		}
	journal_entries_release(&e);
}

/* The last one of a kind, of an arm or of any. */
static void the_last_is_found(void **state)
{
	static const char *const arms[] = {"metal", "vm", "metal"};
	struct journal *j = journal_open(*state, NULL);
	struct journal_entries e;

	assert_non_null(j);
	assert_int_equal(journal_write(j, JOURNAL_NOTE, STEP_SWEEP, NULL, NULL, NULL), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(journal_write(j, JOURNAL_BEGIN, STEP_LEASE,
					       &(struct step_at){.arm = arms[i]}, NULL,
					       NULL),
				 0);
	assert_int_equal(journal_write(j, JOURNAL_END, STEP_LEASE,
				       &(struct step_at){.arm = "vm"}, NULL, NULL),
			 0);
	journal_close(j);
	assert_int_equal(journal_read(&e, *state, NULL), 0);
	assert_ptr_equal(journal_last(&e, JOURNAL_NOTE, STEP_SWEEP, NULL), &e.items[0]);
	assert_ptr_equal(journal_last(&e, JOURNAL_BEGIN, STEP_LEASE, NULL), &e.items[3]);
	assert_ptr_equal(journal_last(&e, JOURNAL_BEGIN, STEP_LEASE, "vm"), &e.items[2]);
	assert_null(journal_last(&e, JOURNAL_END, STEP_LEASE, "metal"));
	assert_null(journal_last(&e, JOURNAL_BEGIN, STEP_SWEEP, NULL));
	journal_entries_release(&e);
}

/* A step's end says how long it took, and a failed one's why; its own status comes back. */
static void steps_begin_and_end(void **state)
{
	struct step_at at = {.round = 3, .arm = "vm", .workload = "gemm"};
	struct json_object *facts = json_object_new_object();
	struct journal *j = journal_open(*state, NULL);
	struct journal_entries e;
	struct journal_step st;
	struct err err = ERR_INIT;

	assert_non_null(j);
	json_put_text(facts, "name", "one");
	assert_int_equal(journal_step_begin(&st, j, STEP_LEASE, &at, facts, &err), 0);
	assert_int_equal(journal_step_end(&st, 0, NULL, &err), 0);
	assert_int_equal(journal_step_begin(&st, j, STEP_SWEEP, NULL, NULL, &err), 0);
	err_set(&err, ERR_ENVIRONMENT, "no room");
	facts = json_object_new_object();
	json_put_text(facts, "name", "two");
	assert_int_equal(journal_step_end(&st, -7, facts, &err), -7);
	assert_string_equal(err.text, "no room");
	assert_int_equal(journal_step_begin(&st, j, STEP_SWEEP, NULL, NULL, NULL), 0);
	assert_int_equal(journal_step_end(&st, -1, NULL, NULL), -1);
	journal_close(j);

	assert_int_equal(journal_read(&e, *state, NULL), 0);
	assert_int_equal(e.nr, 6);
	assert_int_equal(e.items[0].event, JOURNAL_BEGIN);
	assert_string_equal(json_get_text(e.items[0].data, "name", ""), "one");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(e.items[i].step, STEP_LEASE);
		assert_int_equal(e.items[i].round, 3);
		assert_string_equal(e.items[i].arm, "vm");
		assert_string_equal(e.items[i].workload, "gemm");
	}
	assert_int_equal(e.items[1].event, JOURNAL_END);
	/* Seconds, and fewer than this test may take. */
	assert_true(json_get_real(e.items[1].data, "took_s", -1) > 0);
	assert_true(json_get_real(e.items[1].data, "took_s", -1) < 600);
	assert_null(json_member(e.items[1].data, "error"));
	assert_int_equal(e.items[3].event, JOURNAL_FAIL);
	assert_string_equal(json_get_text(e.items[3].data, "error", ""), "no room");
	assert_string_equal(json_get_text(e.items[3].data, "name", ""), "two");
	assert_int_equal(e.items[5].event, JOURNAL_FAIL);
	assert_null(json_member(e.items[5].data, "error"));
	journal_entries_release(&e);
}

/* A step whose end is not on disk has failed, unless it had failed anyway. */
static void an_end_that_is_not_kept_is_a_failure(void **state)
{
	struct rlimit was, none = {0};
	struct journal *j = journal_open(*state, NULL);
	struct journal_step st;
	struct err err = ERR_INIT;
	int rc[3];

	assert_non_null(j);
	assert_int_equal(journal_step_begin(&st, j, STEP_RUN, NULL, NULL, &err), 0);
	getrlimit(RLIMIT_FSIZE, &was);
	none.rlim_max = was.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &none);
	rc[0] = journal_step_end(&st, 0, NULL, NULL);
	rc[1] = journal_step_end(&st, 0, NULL, &err);
	setrlimit(RLIMIT_FSIZE, &was);
	assert_int_equal(rc[0], -1);
	assert_int_equal(rc[1], -1);
	assert_non_null(strstr(err.text, "journal cannot be written"));

	err = (struct err)ERR_INIT;
	err_set(&err, ERR_INVALID, "its own");
	setrlimit(RLIMIT_FSIZE, &none);
	rc[2] = journal_step_end(&st, -2, NULL, &err);
	setrlimit(RLIMIT_FSIZE, &was);
	assert_true(rc[2] < 0);
	assert_string_equal(err.text, "its own");
	journal_close(j);
}

static void a_run_has_an_id(void **state)
{
	struct json_object *data = json_object_new_object();
	struct err err = ERR_INIT;
	struct journal *j;
	char *id;

	assert_null(journal_run_id(*state, &err));
	assert_int_equal(err.kind, ERR_USAGE);
	assert_non_null(strstr(err.text, "not the folder of a run"));
	j = journal_open(*state, NULL);
	json_put_text(data, "run_id", "r-1");
	assert_int_equal(journal_write(j, JOURNAL_BEGIN, STEP_RUN, NULL, data, NULL), 0);
	journal_close(j);
	id = journal_run_id(*state, NULL);
	assert_string_equal(id, "r-1");
	free(id);
	append_raw(*state, "{]}\n");
	err = (struct err)ERR_INIT;
	assert_null(journal_run_id(*state, &err));
	assert_non_null(strstr(err.text, "line 2"));
}

/* No folder, no journal; and what is there that is none says so by name. */
static void a_journal_needs_its_folder(void **state)
{
	char *path = path_join(*state, "nowhere");
	struct err err = ERR_INIT;

	assert_null(journal_open(path, &err));
	assert_non_null(strstr(err.text, "nowhere/journal.jsonl"));
	free(path);
	append_raw(*state, "{]}\n");
	err = (struct err)ERR_INIT;
	assert_null(journal_open(*state, &err));
	assert_non_null(strstr(err.text, "line 1"));
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
		IN_DIR(what_was_cut_is_ended_once),
		IN_DIR(every_name_is_read),
		IN_DIR(the_last_is_found),
		IN_DIR(steps_begin_and_end),
		IN_DIR(an_end_that_is_not_kept_is_a_failure),
		IN_DIR(a_run_has_an_id),
		IN_DIR(a_journal_needs_its_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
