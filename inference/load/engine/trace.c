#include "inference/load/engine/arrivals.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/document/json.h"
#include "core/base/mem.h"

enum { LINE_MAX_BYTES = 1 << 20 };

static double time_of(struct json_object *o)
{
	double ms = json_get_real(o, "timestamp", NAN);

	return json_get_real(o, "at_s", ms / 1e3);
}

static int64_t count_of(struct json_object *o, const char *ours, const char *theirs)
{
	return json_get_int(o, ours, json_get_int(o, theirs, -1));
}

static int read_entry(struct json_object *o, bool needs_times, int64_t before,
		      struct trace_entry *ret, const char *where, struct err *err)
{
	int64_t prompt = count_of(o, "prompt_tokens", "input_length");
	int64_t output = count_of(o, "output_tokens", "output_length");
	double at_s = needs_times ? time_of(o) : 0;

	if (prompt < 1 || prompt > TOKENS_MAX || output < 1 || output > TOKENS_MAX)
		return err_set(err, ERR_USAGE,
			       "%s: needs prompt_tokens and output_tokens from 1 to %d",
			       where, TOKENS_MAX);
	if (!(at_s >= 0 && at_s < 1e7))
		return err_set(
			err, ERR_USAGE,
			"%s: needs at_s (seconds from the start) or timestamp (ms)",
			where);
	*ret = (struct trace_entry){
		.at_ns = llround(at_s * 1e9),
		.prompt_tokens = (int32_t)prompt,
		.output_tokens = (int32_t)output,
	};
	if (ret->at_ns < before)
		return err_set(err, ERR_USAGE, "%s: its time lies before the line above",
			       where);
	return 0;
}

static int read_line(const char *line, size_t len, const char *where, bool needs_times,
		     struct trace *t, struct err *err)
{
	struct json_object *o = json_parse(line, len, where, err);
	int64_t before = t->nr ? t->entries[t->nr - 1].at_ns : 0;
	int rc;

	if (!o)
		return -1;
	GROW(t->entries, t->nr, t->alloc);
	rc = read_entry(o, needs_times, before, &t->entries[t->nr], where, err);
	json_object_put(o);
	t->nr += !rc;
	return rc;
}

static int read_lines(FILE *f, const char *path, bool needs_times, struct trace *t,
		      struct err *err)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	int rc = 0;

	for (long nr = 1; !rc && (len = getline(&line, &size, f)) >= 0; nr++) {
		char *where = x_asprintf("%s: line %ld", path, nr);

		if (len > LINE_MAX_BYTES || t->nr >= TRACE_LINES_MAX)
			rc = err_set(err, ERR_USAGE, "%s: too long, or too many lines",
				     where);
		else if (len > 1)
			rc = read_line(line, (size_t)len, where, needs_times, t, err);
		free(where);
	}
	if (!rc && ferror(f))
		rc = err_errno(err, "%s", path);
	free(line);
	return rc;
}

int trace_read(const char *path, bool needs_times, struct trace *ret, struct err *err)
{
	FILE *f;
	int rc;

	*ret = (struct trace){.nr = 0};
	if (file_check_given(path,
			     needs_times ? "JSON lines with at_s, prompt_tokens and "
					   "output_tokens"
					 : "JSON lines with prompt_tokens and "
					   "output_tokens",
			     err))
		return -1;
	f = fopen(path, "re");
	if (!f)
		return err_errno(err, "%s", path);
	rc = read_lines(f, path, needs_times, ret, err);
	fclose(f);
	if (!rc && !ret->nr)
		rc = err_set(err, ERR_USAGE, "%s: holds no requests", path);
	if (rc)
		trace_release(ret);
	return rc;
}

void trace_release(struct trace *t)
{
	free(t->entries);
	*t = (struct trace){.nr = 0};
}
