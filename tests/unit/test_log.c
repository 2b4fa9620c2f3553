/* What a message may do to a terminal: nothing. Escape sequences as ECMA-48 has them. */
#include "core/base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Starts with standard error as it is afterwards; gives it back. */
struct heard {
	int ends[2], kept;
};

static void listen_in(struct heard *h)
{
	h->kept = dup(STDERR_FILENO);
	assert_int_equal(pipe(h->ends), 0);
	dup2(h->ends[1], STDERR_FILENO);
}

static void listen_out(struct heard *h, char *said, size_t size)
{
	ssize_t len;

	dup2(h->kept, STDERR_FILENO);
	close(h->kept);
	close(h->ends[1]);
	len = read(h->ends[0], said, size - 1);
	close(h->ends[0]);
	assert_true(len > 0);
	said[len] = 0;
}

static void words_of_others_are_only_words(void **state)
{
	static const char words[] = "a\033]0;title\007b\033[2Jc\r\177d\tline\n"
				    "\xc2\x9b"
				    "2Je \xc3\xa9";
	char said[256];
	struct heard h;

	(void)state;
	listen_in(&h);
	log_error("%s", words);
	listen_out(&h, said, sizeof(said));
	assert_string_equal(said, "tare: error: a ]0;title b [2Jc  d\tline\n  2Je "
				  "\xc3\xa9\n");
}

static void progress_too(void **state)
{
	struct progress p;
	struct heard h;
	char said[256];

	(void)state;
	listen_in(&h);
	progress_start(&p, "lease", 0);
	p.last_ns = p.started_ns - 3600000000000LL; /* long ago: a line is due */
	progress_update(&p, 0, "no \033[31mhost");
	progress_end(&p);
	listen_out(&h, said, sizeof(said));
	assert_non_null(strstr(said, "tare: lease: no  [31mhost, "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_of_others_are_only_words),
		cmocka_unit_test(progress_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
