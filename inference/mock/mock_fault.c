#include "inference/mock/mock_fault.h"

#include "core/options/field.h"
#include "core/base/mem.h"
#include "core/base/rng.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum value_kind { VALUE_NONE, VALUE_NUMBER, VALUE_SECONDS };

static const struct {
	const char *name;
	enum value_kind value;
	int64_t min, max;
} kinds[FAULT_KINDS] = {
	[FAULT_NONE] = {"none", VALUE_NONE, 0, 0},
	[FAULT_STATUS] = {"status", VALUE_NUMBER, 400, 599},
	[FAULT_STREAM_ERROR] = {"stream-error", VALUE_NONE, 0, 0},
	[FAULT_TRUNCATE] = {"truncate", VALUE_NONE, 0, 0},
	[FAULT_CUT] = {"cut", VALUE_NONE, 0, 0},
	[FAULT_RESET] = {"reset", VALUE_NONE, 0, 0},
	[FAULT_STALL] = {"stall", VALUE_SECONDS, 0, 0},
	[FAULT_LENGTH] = {"length", VALUE_NUMBER, 1, 1 << 20},
	[FAULT_USAGE] = {"usage", VALUE_NUMBER, 0, 1 << 20},
	[FAULT_NO_USAGE] = {"no-usage", VALUE_NONE, 0, 0},
	[FAULT_EMPTY] = {"empty", VALUE_NONE, 0, 0},
	[FAULT_BAD_JSON] = {"bad-json", VALUE_NONE, 0, 0},
	[FAULT_BAD_SSE] = {"bad-sse", VALUE_NONE, 0, 0},
	[FAULT_BAD_CHUNK] = {"bad-chunk", VALUE_NONE, 0, 0},
	[FAULT_SPLIT] = {"split", VALUE_NONE, 0, 0},
	[FAULT_COALESCE] = {"coalesce", VALUE_NUMBER, 1, 64},
	[FAULT_SLOW_ACCEPT] = {"slow-accept", VALUE_SECONDS, 0, 0},
};

const char *mock_fault_name(enum mock_fault_kind kind)
{
	return kind == FAULT_NONE ? NULL : kinds[kind].name;
}

static int parse_number(const char *text, int64_t min, int64_t max, const char *what,
			int64_t *ret, struct err *err)
{
	char *end;
	long long value;

	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno || end == text || *end || value < min || value > max)
		return err_set(err, ERR_USAGE,
			       "fault: %s is '%s'; give a whole number from %lld to %lld",
			       what, text, (long long)min, (long long)max);
	*ret = value;
	return 0;
}

static int parse_rate(const char *text, double *ret, struct err *err)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !isfinite(value) || value < 0 || value > 1)
		return err_set(err, ERR_USAGE,
			       "fault: rate is '%s'; give a number from 0 to 1", text);
	*ret = value;
	return 0;
}

static int unknown_kind(const char *name, struct err *err)
{
	const char *names[FAULT_KINDS];
	char meant[DID_YOU_MEAN_SIZE];

	for (int i = 0; i < FAULT_KINDS; i++)
		names[i] = kinds[i].name;
	return err_set(err, ERR_USAGE, "fault: no kind '%s'%s; see 'tare-mock --help'",
		       name, did_you_mean(meant, name, names, FAULT_KINDS, ""));
}

static int parse_kind(const char *name, const char *value, struct mock_fault *f,
		      struct err *err)
{
	int kind = 0;

	while (kind < FAULT_KINDS && strcmp(kinds[kind].name, name) != 0)
		kind++;
	if (kind == FAULT_KINDS)
		return unknown_kind(name, err);
	f->kind = (enum mock_fault_kind)kind;
	if ((kinds[kind].value != VALUE_NONE) != (value != NULL))
		return err_set(err, ERR_USAGE, "fault: '%s' %s", name,
			       value ? "takes no value"
				     : "needs a value: write KIND=VALUE");
	if (kinds[kind].value == VALUE_SECONDS)
		return parse_duration_ns(value, &f->value, err)
			       ? err_wrap(err, "fault %s", name)
			       : 0;
	if (kinds[kind].value == VALUE_NUMBER)
		return parse_number(value, kinds[kind].min, kinds[kind].max, name,
				    &f->value, err);
	return 0;
}

static int parse_option(const char *name, const char *value, struct mock_fault *f,
			struct err *err)
{
	const char *text = value ? value : "";

	if (strcmp(name, "after") != 0 && f->when != FAULT_ALWAYS)
		return err_set(err, ERR_USAGE,
			       "fault: '%s' behind another of rate, every and nth; give "
			       "one of them",
			       name);
	if (strcmp(name, "after") == 0)
		return parse_number(text, 0, 1 << 20, name, &f->after, err);
	if (strcmp(name, "rate") == 0) {
		f->when = FAULT_RATE;
		return parse_rate(text, &f->rate, err);
	}
	if (strcmp(name, "every") == 0 || strcmp(name, "nth") == 0) {
		f->when = name[0] == 'e' ? FAULT_EVERY : FAULT_NTH;
		return parse_number(text, 1, INT64_C(1) << 40, name, &f->nth, err);
	}
	return err_set(err, ERR_USAGE,
		       "fault: no option '%s'; known are after, rate, every and nth",
		       name);
}

int mock_fault_parse(const char *text, struct mock_fault *ret, struct err *err)
{
	char *copy = x_strdup(text), *at = copy, *part;
	struct mock_fault f = {0};
	bool is_first = true;
	int rc = 0;

	while (!rc && (part = strsep(&at, ","))) {
		char *value = strchr(part, '=');

		if (value)
			*value++ = '\0';
		rc = is_first ? parse_kind(part, value, &f, err)
			      : parse_option(part, value, &f, err);
		is_first = false;
	}
	free(copy);
	if (!rc)
		*ret = f;
	return rc;
}

static bool hits(const struct mock_fault *f, int64_t seed, int64_t serial)
{
	switch (f->when) {
	case FAULT_RATE:
		/* 53 bits as a number in [0, 1). */
		return (double)(rng_at((uint64_t)seed ^ (uint64_t)f->kind << 56,
				       (uint64_t)serial) >>
				11) *
			       0x1p-53 <
		       f->rate;
	case FAULT_EVERY:
		return serial % f->nth == 0;
	case FAULT_NTH:
		return serial == f->nth;
	case FAULT_ALWAYS:
		break;
	}
	return true;
}

int mock_faults_read(const struct strvec *specs, int64_t seed, struct mock_faults *ret,
		     struct err *err)
{
	*ret = (struct mock_faults){.nr = specs->nr, .seed = seed};
	ret->items = x_calloc(specs->nr + 1, sizeof(*ret->items));
	for (size_t i = 0; i < specs->nr; i++)
		if (mock_fault_parse(specs->items[i], &ret->items[i], err)) {
			mock_faults_release(ret);
			return err_wrap(err, "--fault '%s'", specs->items[i]);
		}
	return 0;
}

void mock_faults_release(struct mock_faults *f)
{
	free(f->items);
	*f = (struct mock_faults){0};
}

const struct mock_fault *mock_fault_pick(const struct mock_faults *f, bool of_connections,
					 int64_t serial)
{
	static const struct mock_fault none;

	for (size_t i = 0; i < f->nr; i++)
		if ((f->items[i].kind == FAULT_SLOW_ACCEPT) == of_connections &&
		    hits(&f->items[i], f->seed, serial))
			return &f->items[i];
	return &none;
}
