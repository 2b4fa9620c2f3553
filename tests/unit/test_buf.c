#include "core/base/buf.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void an_empty_one_is_an_empty_string(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	assert_string_equal(b.data, "");
	assert_false(buf_puts(&b, "x"));
	assert_string_equal(b.data, "");
	assert_int_equal(b.dropped, 1);
	buf_release(&b);
	assert_null(b.data);
}

static void it_grows_and_stays_terminated(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, BUF_UNBOUNDED);
	for (size_t i = 0; i < 1000; i++) {
		char c = (char)('a' + i % 26);

		assert_true(buf_add(&b, &c, 1));
		assert_int_equal(b.len, i + 1);
		assert_int_equal(b.data[b.len], '\0');
	}
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(b.data[i], 'a' + (int)(i % 26));
	assert_true(buf_add(&b, NULL, 0));
	assert_int_equal(b.len, 1000);
	buf_release(&b);
}

/* Every split of 200 bytes around a maximum of 100. */
static void the_maximum_cuts_and_counts(void **state)
{
	char bytes[200];

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	for (size_t first = 0; first <= 200; first++) {
		struct buf b;

		buf_init(&b, 100);
		assert_int_equal(buf_add(&b, bytes, first), first <= 100);
		assert_int_equal(buf_add(&b, bytes, 200 - first), first == 200);
		assert_int_equal(b.len, 100);
		assert_int_equal(b.dropped, 100);
		assert_int_equal(b.data[100], '\0');
		buf_release(&b);
	}
}

static void printing_obeys_the_maximum(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	assert_true(buf_printf(&b, "%d-%s", 12, "ab"));
	assert_string_equal(b.data, "12-ab");
	assert_true(buf_printf(&b, "%05d", 7));
	assert_string_equal(b.data, "12-ab00007");
	assert_false(buf_printf(&b, "%d", 345));
	assert_string_equal(b.data, "12-ab00007");
	assert_int_equal(b.dropped, 3);
	buf_clear(&b);
	assert_string_equal(b.data, "");
	assert_int_equal(b.dropped, 0);
	assert_false(buf_printf(&b, "%s", "0123456789ab"));
	assert_string_equal(b.data, "0123456789");
	assert_int_equal(b.dropped, 2);
	buf_release(&b);
}

static void printing_more_than_was_allocated_grows(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, BUF_UNBOUNDED);
	assert_true(buf_printf(&b, "%*d", 5000, 1));
	assert_int_equal(b.len, 5000);
	assert_int_equal(b.data[4999], '1');
	buf_release(&b);
}

/* The C library writes the expected text. */
static void integers_are_written_as_printf_writes_them(void **state)
{
	static const int64_t numbers[] = {0,
					  1,
					  -1,
					  9,
					  10,
					  -10,
					  1234567890,
					  INT32_MIN,
					  INT64_MAX,
					  INT64_MIN,
					  1000000000000000000};
	char expected[32];
	struct buf b;

	(void)state;
	buf_init(&b, 20);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		buf_clear(&b);
		snprintf(expected, sizeof(expected), "%" PRId64, numbers[i]);
		assert_true(buf_put_int(&b, numbers[i]));
		assert_string_equal(b.data, expected);
	}
	assert_false(buf_put_int(&b, 12));
	assert_int_equal(b.dropped, 1);
	buf_release(&b);
}

/* Exactly what is free now, one less, one more; and into a buffer that was handed over. */
static void printing_fits_at_every_length(void **state)
{
	struct buf b;

	(void)state;
	for (int len = 60; len < 70; len++) {
		buf_init(&b, BUF_UNBOUNDED);
		assert_true(buf_printf(&b, "%*d", len, 7));
		assert_int_equal(b.len, len);
		assert_int_equal(b.data[len - 1], '7');
		assert_int_equal(strlen(b.data), len);
		free(buf_detach(&b));
		assert_true(buf_printf(&b, "%d", len));
		assert_int_equal(strtol(b.data, NULL, 10), len);
		buf_release(&b);
	}
}

static void bytes_can_be_taken_away(void **state)
{
	struct buf b;
	char *bytes;

	(void)state;
	buf_init(&b, 20);
	buf_puts(&b, "one");
	bytes = buf_detach(&b);
	assert_string_equal(bytes, "one");
	assert_int_equal(b.len, 0);
	assert_int_equal(b.max, 20);
	assert_true(buf_puts(&b, "two"));
	assert_string_equal(b.data, "two");
	free(bytes);
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_one_is_an_empty_string),
		cmocka_unit_test(it_grows_and_stays_terminated),
		cmocka_unit_test(the_maximum_cuts_and_counts),
		cmocka_unit_test(printing_obeys_the_maximum),
		cmocka_unit_test(printing_more_than_was_allocated_grows),
		cmocka_unit_test(integers_are_written_as_printf_writes_them),
		cmocka_unit_test(printing_fits_at_every_length),
		cmocka_unit_test(bytes_can_be_taken_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
