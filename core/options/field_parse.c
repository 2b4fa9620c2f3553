#include "core/options/field.h"

#include "core/base/clock.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct suffix {
	const char *text;
	double factor;
};

static const struct suffix count_suffixes[] = {
	{"", 1},        {"k", 1e3},     {"K", 1e3},     {"M", 1e6},
	{"G", 1e9},     {"T", 1e12},    {"Ki", 0x1p10}, {"Mi", 0x1p20},
	{"Gi", 0x1p30}, {"Ti", 0x1p40}, {NULL, 0},
};

static const struct suffix time_suffixes[] = {
	{"", 1e9}, {"s", 1e9},  {"ms", 1e6},   {"us", 1e3},   {"µs", 1e3},
	{"ns", 1}, {"m", 60e9}, {"min", 60e9}, {"h", 3600e9}, {NULL, 0},
};

static int parse_suffixed(const char *text, const struct suffix *suffixes, bool whole,
			  const char *example, int64_t *ret, struct err *err)
{
	char *end;
	double number, value;

	errno = 0;
	number = isspace((unsigned char)*text) ? NAN : strtod(text, &end);
	if (isnan(number) || end == text || errno)
		return err_set(err, ERR_USAGE, "'%s' is not a number such as %s", text,
			       example);
	while (suffixes->text && strcmp(suffixes->text, end) != 0)
		suffixes++;
	if (!suffixes->text)
		return err_set(err, ERR_USAGE,
			       "'%s': unknown unit '%s'; write it such as %s", text, end,
			       example);
	value = number * suffixes->factor;
	if (!(fabs(value) < 0x1p63))
		return err_set(err, ERR_USAGE, "'%s' is too large", text);
	if (whole && value != floor(value))
		return err_set(err, ERR_USAGE, "'%s' is not a whole number", text);
	*ret = (int64_t)round(value);
	return 0;
}

int parse_count(const char *text, int64_t *ret, struct err *err)
{
	char *end;
	long long whole;

	/* Exact up to 2^63, which a double is not. */
	errno = 0;
	whole = strtoll(text, &end, 10);
	if (end != text && !*end && !errno && !isspace((unsigned char)*text)) {
		*ret = whole;
		return 0;
	}
	return parse_suffixed(text, count_suffixes, true, "42, 16Ki or 3M", ret, err);
}

int parse_duration_ns(const char *text, int64_t *ret, struct err *err)
{
	return parse_suffixed(text, time_suffixes, false, "1.5, 250ms or 2min", ret, err);
}
