#include "core/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

/* Every test works in a folder of its own, and leaves nothing beside what it says. */
static int enter(void **state)
{
	struct err err = ERR_INIT;
	char *dir = dir_make_temporary("tare-test", &err);

	*state = dir;
	return dir ? chdir(dir) : -1;
}

static int leave(void **state)
{
	struct err err = ERR_INIT;
	int rc = chdir("/") | dir_remove(*state, &err);

	free(*state);
	return rc;
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

static void what_is_written_is_read_back(void **state)
{
	static const char bytes[] = "a\0b\n\xff";
	struct err err = ERR_INIT;
	struct buf b;

	(void)state;
	assert_int_equal(file_write("f", bytes, sizeof(bytes), 0600, &err), 0);
	assert_int_equal(mode_of("f"), 0600);
	assert_int_equal(file_read("f", sizeof(bytes), &b, &err), 0);
	assert_int_equal(b.len, sizeof(bytes));
	assert_memory_equal(b.data, bytes, sizeof(bytes));
	buf_release(&b);
	assert_int_equal(file_write("f", "", 0, 0644, &err), 0);
	assert_int_equal(mode_of("f"), 0644);
	assert_int_equal(file_read("f", 0, &b, &err), 0);
	assert_string_equal(b.data, "");
	buf_release(&b);
}

static void reading_is_bounded(void **state)
{
	struct err err = ERR_INIT;
	struct buf b;

	(void)state;
	file_write("f", "123456", 6, 0600, &err);
	assert_int_equal(file_read("f", 5, &b, &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_string_equal(err.text, "f: larger than the 5 bytes accepted here");
	assert_int_equal(file_read("missing", 5, &b, &err), -1);
	assert_int_equal(err.kind, ERR_ENVIRONMENT);
	assert_string_equal(err.text, "missing: No such file or directory");
	assert_int_equal(file_read(".", 5, &b, &err), -1);
	assert_string_equal(err.text, ".: Is a directory");
}

/* A write that cannot finish leaves the old file as it was and nothing else. */
static void a_failed_write_changes_nothing(void **state)
{
	struct err err = ERR_INIT;
	struct buf b;

	(void)state;
	assert_int_equal(mkdir("d", 0700), 0);
	assert_int_equal(mkdir("d/taken", 0700), 0);
	assert_int_equal(file_write("d/taken", "x", 1, 0600, &err), -1);
	assert_non_null(strstr(err.text, "d/taken: is a folder"));
	assert_int_equal(rmdir("d/taken"), 0);
	assert_int_equal(rmdir("d"), 0); /* would fail if a temporary file were left */
	assert_int_equal(file_write("no/such/f", "x", 1, 0600, &err), -1);
	assert_non_null(strstr(err.text, "no/such/f"));

	file_write("f", "old", 3, 0600, &err);
	assert_int_equal(file_copy("missing", "f", 0600, &err), -1);
	assert_int_equal(file_copy(".", "f", 0600, &err), -1); /* opens, cannot be read */
	assert_int_equal(file_read("f", 10, &b, &err), 0);
	assert_string_equal(b.data, "old");
	buf_release(&b);
}

static void read_pipe(int fd, char *ret, size_t size)
{
	ssize_t got = read(fd, ret, size - 1);

	assert_true(got >= 0);
	ret[got] = '\0';
}

/* "/dev/stdout" and its like are links to what must be written to and never replaced. */
static void a_pipe_is_written_to_and_stays(void **state)
{
	struct err err = ERR_INIT;
	struct stat st;
	char text[16];
	int fd;

	(void)state;
	assert_int_equal(mkfifo("pipe", 0600), 0);
	assert_int_equal(symlink("pipe", "link"), 0);
	assert_int_equal(file_write("link", "x", 1, 0600, &err), -1);
	assert_non_null(strstr(err.text, "nobody reads from that pipe"));
	fd = open("pipe", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(file_can_write("link", "--output", &err), 0);
	assert_int_equal(file_write("link", "words", 5, 0600, &err), 0);
	read_pipe(fd, text, sizeof(text));
	assert_string_equal(text, "words");
	close(fd);
	assert_int_equal(lstat("pipe", &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	assert_int_equal(lstat("link", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
}

static void the_file_behind_a_link_is_replaced(void **state)
{
	struct err err = ERR_INIT;
	struct stat st;
	struct buf b;

	(void)state;
	assert_int_equal(mkdir("real", 0700), 0);
	assert_int_equal(file_write("real/f", "old", 3, 0600, &err), 0);
	assert_int_equal(symlink("real/f", "latest"), 0);
	assert_int_equal(file_write("latest", "new", 3, 0600, &err), 0);
	assert_int_equal(lstat("latest", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(file_read("real/f", 10, &b, &err), 0);
	assert_string_equal(b.data, "new");
	buf_release(&b);
}

/* What is going to be measured for an hour learns first that it has nowhere to go. */
static void a_place_is_tried_and_left_as_it_was(void **state)
{
	struct err err = ERR_INIT;
	struct buf b;

	(void)state;
	file_write("kept", "old", 3, 0600, &err);
	assert_int_equal(file_can_write("kept", "-o", &err), 0);
	assert_int_equal(file_read("kept", 10, &b, &err), 0);
	assert_string_equal(b.data, "old");
	buf_release(&b);
	assert_int_equal(file_can_write("fresh", "-o", &err), 0);
	assert_false(file_exists("fresh"));
	assert_int_equal(file_can_write("no/such", "-o", &err), -1);
	assert_int_equal(err.kind, ERR_ENVIRONMENT);
	assert_string_equal(err.text,
			    "-o: no/such: cannot be written: No such file or directory; "
			    "make its folder first (mkdir -p)");
	assert_int_equal(file_can_write(".", "-o", &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_int_equal(file_can_write("-", "-o", &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_int_equal(file_can_write("", "-o", &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
}

static void copies_have_bytes_and_mode(void **state)
{
	struct err err = ERR_INIT;
	size_t len = 200000;
	char *bytes = malloc(len);
	struct buf b;

	(void)state;
	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)(i * 7);
	file_write("from", bytes, len, 0600, &err);
	assert_int_equal(file_copy("from", "to", 0755, &err), 0);
	assert_int_equal(mode_of("to"), 0755);
	assert_int_equal(file_read("to", len, &b, &err), 0);
	assert_int_equal(b.len, len);
	assert_memory_equal(b.data, bytes, len);
	buf_release(&b);
	free(bytes);
	assert_int_equal(file_copy("missing", "to2", 0600, &err), -1);
	assert_false(file_exists("to2"));
	assert_int_equal(file_copy("from", "no/such", 0600, &err), -1);
	assert_non_null(strstr(err.text, "no/such"));
}

static void folders_are_made_with_their_parents(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(dir_make("a/b/c", 0700, &err), 0);
	assert_int_equal(dir_make("a/b/c/", 0700, &err), 0);
	assert_int_equal(mode_of("a/b/c"), 0700);
	file_write("file", "", 0, 0600, &err);
	assert_int_equal(dir_make("file", 0700, &err), -1);
	assert_string_equal(err.text, "file: exists and is not a folder");
	assert_int_equal(dir_make("file/x", 0700, &err), -1);
	assert_int_equal(dir_make("", 0700, &err), -1);
}

static void removing_does_not_follow_links(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(dir_make("keep", 0700, &err), 0);
	file_write("keep/f", "x", 1, 0600, &err);
	assert_int_equal(dir_make("gone/deep/er", 0700, &err), 0);
	file_write("gone/deep/f", "x", 1, 0400, &err);
	assert_int_equal(symlink("../keep", "gone/link"), 0);
	assert_int_equal(symlink("nowhere", "gone/dangling"), 0);
	assert_int_equal(dir_remove("gone", &err), 0);
	assert_false(file_exists("gone"));
	assert_true(file_exists("keep/f"));
	assert_int_equal(dir_remove("gone", &err), 0);
}

static void paths_are_put_together(void **state)
{
	static const struct {
		const char *dir, *name, *want;
	} cases[] = {
		{"a", "b", "a/b"},
		{"a/", "b", "a/b"},
		{"/", "b", "/b"},
		{"", "b", "b"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *got = path_join(cases[i].dir, cases[i].name);

		assert_string_equal(got, cases[i].want);
		free(got);
	}
	assert_string_equal(path_base("a/b"), "b");
	assert_string_equal(path_base("b"), "b");
	assert_string_equal(path_base("a/"), "");
}

static void check_expanded(const char *path, const char *want)
{
	char *got = path_expand(path);

	assert_string_equal(got, want);
	free(got);
}

static void a_tilde_is_the_home_folder(void **state)
{
	char *before = getenv("HOME") ? strdup(getenv("HOME")) : NULL;

	(void)state;
	setenv("HOME", "/home/me", 1);
	check_expanded("~", "/home/me");
	check_expanded("~/x", "/home/me/x");
	check_expanded("~other/x", "~other/x");
	check_expanded("/a/~", "/a/~");
	check_expanded("", "");
	unsetenv("HOME");
	check_expanded("~/x", "~/x");
	if (before)
		setenv("HOME", before, 1);
	free(before);
}

static void the_program_knows_where_it_lies(void **state)
{
	struct err err = ERR_INIT;
	char *dir = path_program_dir(&err);

	(void)state;
	assert_non_null(dir);
	assert_int_equal(dir[0], '/');
	assert_string_equal(path_base(dir), "tests");
	free(dir);
}

int main(void)
{
#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter, leave)
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(what_is_written_is_read_back),
		IN_A_FOLDER(reading_is_bounded),
		IN_A_FOLDER(a_failed_write_changes_nothing),
		IN_A_FOLDER(a_pipe_is_written_to_and_stays),
		IN_A_FOLDER(the_file_behind_a_link_is_replaced),
		IN_A_FOLDER(a_place_is_tried_and_left_as_it_was),
		IN_A_FOLDER(copies_have_bytes_and_mode),
		IN_A_FOLDER(folders_are_made_with_their_parents),
		IN_A_FOLDER(removing_does_not_follow_links),
		cmocka_unit_test(paths_are_put_together),
		cmocka_unit_test(a_tilde_is_the_home_folder),
		cmocka_unit_test(the_program_knows_where_it_lies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
