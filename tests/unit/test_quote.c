/*
 * Quoting for the remote shell. The expected value is the argument itself: a real sh is
 * given the quoted text and prints its arguments back, each behind its length.
 */
#include "harness/target/quote.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/proc.h"
#include "core/base/rng.h"

#include <stdlib.h>
#include <string.h>

/* What sh makes of the words: each one with a newline behind it. */
static void check_words(const char *const *words)
{
	struct buf script, want;
	struct proc_outcome o;
	struct err err = ERR_INIT;

	buf_init(&script, BUF_UNBOUNDED);
	buf_init(&want, BUF_UNBOUNDED);
	buf_puts(&script, "printf '%s\\n'");
	quote_add_all(&script, words);
	for (size_t i = 0; words[i]; i++)
		buf_printf(&want, "%s\n", words[i]);
	const char *argv[] = {"sh", "-c", script.data, NULL};

	assert_int_equal(proc_run_ok(&(struct proc_spec){.argv = argv,
							 .timeout_ns = 20 * NS_PER_S,
							 .output_max = 1 << 20},
				     &o, &err),
			 0);
	assert_int_equal(o.out.len, want.len);
	assert_memory_equal(o.out.data, want.data, want.len);
	proc_outcome_release(&o);
	buf_release(&script);
	buf_release(&want);
}

static void test_awkward_words(void **state)
{
	static const char *const words[] = {
		"",         "plain",    "two words", "'",    "''",    "a'b'c", "$HOME",
		"`id`",     "$(id)",    "\\",        "\\'",  "\"",    "*",     "~",
		"!",        "#x",       ";&|<>()",   "a\nb", "\t",    "-n",    "--",
		"\x01\x7f", "\xff\xfe", "\xc3\xa9",  "a=b",  "{a,b}", "[!x]",  NULL,
	};

	(void)state;
	check_words(words);
}

/* All bytes but NUL, which no argument can hold, in random order and length. */
static void test_random_bytes(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 20261122);
	for (int round = 0; round < 40; round++) {
		char *words[9] = {0};

		for (int i = 0; i < 8; i++) {
			size_t len = (size_t)rng_below(&rng, 300);

			words[i] = x_calloc(1, len + 1);
			for (size_t k = 0; k < len; k++)
				words[i][k] = (char)(1 + rng_below(&rng, 255));
		}
		check_words((const char *const *)words);
		for (int i = 0; i < 8; i++)
			free(words[i]);
	}
}

/* POSIX.1-2017 2.2.2: the text itself, written by hand. */
static void test_text(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, BUF_UNBOUNDED);
	quote_add(&b, "it's");
	assert_string_equal(b.data, "'it'\\''s'");
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_awkward_words),
		cmocka_unit_test(test_random_bytes),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
