#include "core/document/decimal.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

__extension__ typedef unsigned __int128 wide; /* gcc and clang have it on both targets */

enum { digits_max = 19, power_max = 27 };

static const uint64_t powers_of_5[power_max + 1] = {
	1ull,
	5ull,
	25ull,
	125ull,
	625ull,
	3125ull,
	15625ull,
	78125ull,
	390625ull,
	1953125ull,
	9765625ull,
	48828125ull,
	244140625ull,
	1220703125ull,
	6103515625ull,
	30517578125ull,
	152587890625ull,
	762939453125ull,
	3814697265625ull,
	19073486328125ull,
	95367431640625ull,
	476837158203125ull,
	2384185791015625ull,
	11920928955078125ull,
	59604644775390625ull,
	298023223876953125ull,
	1490116119384765625ull,
	7450580596923828125ull,
};

/* What stands before any rounding: +-digits * 10^power. */
struct decimal {
	uint64_t digits;
	int nr; /* digits from the first that is not 0 */
	int64_t power;
	bool is_negative, is_whole;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *take_digits(struct decimal *d, const char *s)
{
	for (; is_digit(*s); s++) {
		if (d->nr < digits_max)
			d->digits = d->digits * 10 + (uint64_t)(*s - '0');
		d->nr += d->nr || *s != '0';
	}
	return s;
}

static const char *take_exponent(struct decimal *d, const char *s)
{
	bool is_negative = *s == '-';
	int64_t e = 0;

	if (*s == '-' || *s == '+')
		s++;
	if (!is_digit(*s))
		return NULL;
	for (; is_digit(*s); s++)
		if (e < 100000)
			e = e * 10 + (*s - '0');
	d->power += is_negative ? -e : e;
	return s;
}

/* The end of the number, or NULL where there is none. */
static const char *take(struct decimal *d, const char *s)
{
	const char *point;

	*d = (struct decimal){.is_negative = *s == '-', .is_whole = true};
	s += d->is_negative;
	if (!is_digit(*s) || (*s == '0' && is_digit(s[1])))
		return NULL;
	s = take_digits(d, s);
	if (*s == '.') {
		point = ++s;
		if (!is_digit(*s))
			return NULL;
		s = take_digits(d, s);
		d->power -= s - point;
		d->is_whole = false;
	}
	if (*s == 'e' || *s == 'E') {
		s = take_exponent(d, s + 1);
		d->is_whole = false;
	}
	return s;
}

/* The upper 64 bits of 'w' as 2^63 .. 2^64 - 1, a lost bit kept in the lowest. */
static double round_wide(wide w, int *ret_shift)
{
	uint64_t high = (uint64_t)(w >> 64), low = (uint64_t)w;
	int lead;

	if (!high) {
		*ret_shift = 0;
		return (double)low;
	}
	lead = __builtin_clzll(high);
	if (lead) {
		high = high << lead | low >> (64 - lead);
		low <<= lead;
	}
	*ret_shift = 64 - lead;
	return (double)(high | (low != 0));
}

/* digits * 5^power * 2^power: the product is exact. */
static double scaled_up(uint64_t digits, int power)
{
	int shift;
	double x = round_wide((wide)digits * powers_of_5[power], &shift);

	return ldexp(x, shift + power);
}

/*
 * digits / 5^power / 2^power. Both are shifted so that their top bits are set, the upper one
 * back by one so that the quotient, 62 bits or more of it, fits into 64; the rest of the
 * division is kept in the lowest bit, far below where a double is rounded.
 */
static double scaled_down(uint64_t digits, int power)
{
	int lead = __builtin_clzll(digits), lead_5 = __builtin_clzll(powers_of_5[power]);
	uint64_t by = powers_of_5[power] << lead_5;
	wide over = (wide)(digits << lead) << 63;
	uint64_t quotient = (uint64_t)(over / by);
	bool has_rest = (wide)quotient * by != over;

	return ldexp((double)(quotient | has_rest), lead_5 - lead - 63 - power);
}

bool decimal_read(const char *s, const char **ret_end, double *ret)
{
	struct decimal d;
	const char *end = take(&d, s);
	double x;

	if (!end || (d.is_whole && d.nr >= digits_max))
		return false;
	if (d.nr > digits_max || d.power > power_max || d.power < -power_max) {
		x = strtod(s, NULL);
		if (!isfinite(x))
			return false;
	} else {
		if (!d.digits)
			x = 0;
		else if (d.power >= 0)
			x = scaled_up(d.digits, (int)d.power);
		else
			x = scaled_down(d.digits, (int)-d.power);
		/* JSON readers take -0 as a whole number, which has no sign. */
		x = d.is_negative && (d.digits || !d.is_whole) ? -x : x;
	}
	*ret_end = end;
	*ret = x;
	return true;
}
