#include "reports/output/ci.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/digest.h"
#include "core/base/mem.h"
#include "core/document/version.h"
#include "reports/text/html.h"
#include "reports/content/report_text.h"

/* "gemm.flops p99 on vm": what every form calls a comparison. */
static char *name_of(const struct comparison *c)
{
	char *metric = comparison_metric(c);
	char *name = x_asprintf("%s on %s", metric, c->candidate);

	free(metric);
	return name;
}

enum outcome { OUTCOME_PASS, OUTCOME_FAIL, OUTCOME_ERROR, OUTCOME_SKIP };

static enum outcome outcome_of(const struct comparison *c)
{
	if (c->verdict == VERDICT_NONE)
		return OUTCOME_SKIP;
	if (!c->gate)
		return OUTCOME_PASS;
	if (c->verdict == VERDICT_INVALID)
		return OUTCOME_ERROR;
	return c->verdict >= VERDICT_INCONCLUSIVE ? OUTCOME_FAIL : OUTCOME_PASS;
}

static size_t count(const struct judgement *j, enum outcome o)
{
	size_t nr = 0;

	for (size_t i = 0; i < j->nr; i++)
		nr += outcome_of(&j->items[i]) == o;
	return nr;
}

static void attribute(struct buf *b, const char *name, const char *value)
{
	buf_printf(b, " %s=\"", name);
	html_text(b, value);
	buf_puts(b, "\"");
}

static void junit_case(const struct comparison *c, struct buf *b)
{
	static const char *const tags[] = {[OUTCOME_FAIL] = "failure",
					   [OUTCOME_ERROR] = "error",
					   [OUTCOME_SKIP] = "skipped"};
	enum outcome o = outcome_of(c);
	char *name = name_of(c);

	buf_puts(b, "    <testcase");
	attribute(b, "classname", c->workload);
	attribute(b, "name", name);
	buf_puts(b, " time=\"0\">\n");
	if (o != OUTCOME_PASS) {
		buf_printf(b, "      <%s", tags[o]);
		attribute(b, "message", c->reason);
		if (o != OUTCOME_SKIP)
			attribute(b, "type", verdict_name(c->verdict));
		buf_puts(b, "/>\n");
	}
	buf_puts(b, "      <system-out>");
	html_textf(b, "%s: ", verdict_name(c->verdict));
	html_text(b, c->reason);
	buf_puts(b, "</system-out>\n    </testcase>\n");
	free(name);
}

void ci_junit(const struct report *r, struct buf *b)
{
	const struct judgement *j = &r->judgement;

	buf_puts(
		b,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite");
	attribute(b, "name", r->title);
	buf_printf(b, " timestamp=\"%.19s\"", r->created);
	buf_printf(b,
		   " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\" "
		   "time=\"0\">\n",
		   j->nr, count(j, OUTCOME_FAIL), count(j, OUTCOME_ERROR),
		   count(j, OUTCOME_SKIP));
	for (size_t i = 0; i < j->nr; i++)
		junit_case(&j->items[i], b);
	buf_puts(b, "  </testsuite>\n</testsuites>\n");
}

static struct json_object *ctrf_test(const struct comparison *c)
{
	static const char *const status[] = {[OUTCOME_PASS] = "passed",
					     [OUTCOME_FAIL] = "failed",
					     [OUTCOME_ERROR] = "other",
					     [OUTCOME_SKIP] = "skipped"};
	struct json_object *o = json_object_new_object(),
			   *extra = json_object_new_object();
	struct json_object *suite = json_object_new_array();
	char *name = name_of(c);

	json_object_array_add(suite, json_new_text(c->workload));
	json_put_text(o, "name", name);
	json_put_text(o, "status", status[outcome_of(c)]);
	json_put_int(o, "duration", 0);
	json_put_text(o, "rawStatus", verdict_name(c->verdict));
	json_put_text(o, "message", c->reason);
	json_put(o, "suite", suite);
	json_put(extra, "ratio", c->has_ratio ? json_new_real(c->ratio) : NULL);
	json_put_real(extra, "margin", c->margin);
	json_put_bool(extra, "gate", c->gate);
	json_put(o, "extra", extra);
	free(name);
	return o;
}

struct json_object *ci_ctrf(const struct report *r)
{
	const struct judgement *j = &r->judgement;
	struct json_object *o = json_object_new_object(),
			   *results = json_object_new_object();
	struct json_object *tool = json_object_new_object();
	struct json_object *summary = json_object_new_object();
	struct json_object *tests = json_object_new_array();
	int64_t now_ms = clock_wall_ns() / NS_PER_MS;

	for (size_t i = 0; i < j->nr; i++)
		json_object_array_add(tests, ctrf_test(&j->items[i]));
	json_put_text(tool, "name", "tare");
	json_put_text(tool, "version", TARE_VERSION);
	json_put_int(summary, "tests", (int64_t)j->nr);
	json_put_int(summary, "passed", (int64_t)count(j, OUTCOME_PASS));
	json_put_int(summary, "failed", (int64_t)count(j, OUTCOME_FAIL));
	json_put_int(summary, "skipped", (int64_t)count(j, OUTCOME_SKIP));
	json_put_int(summary, "pending", 0);
	json_put_int(summary, "other", (int64_t)count(j, OUTCOME_ERROR));
	json_put_int(summary, "start", now_ms);
	json_put_int(summary, "stop", now_ms);
	json_put(results, "tool", tool);
	json_put(results, "summary", summary);
	json_put(results, "tests", tests);
	json_put_text(o, "reportFormat", "CTRF");
	json_put_text(o, "specVersion", "0.0.0");
	json_put_text(o, "generatedBy", "tare");
	json_put(o, "results", results);
	return o;
}

/* What GitHub's runner decodes: % first, then line ends; in properties also : and , */
static void command_text(struct buf *b, const char *s, const char *also)
{
	for (; *s; s++) {
		if (*s == '%' || *s == '\r' || *s == '\n' || strchr(also, *s))
			buf_printf(b, "%%%02X", (unsigned char)*s);
		else
			buf_add(b, s, 1);
	}
}

void ci_github_annotations(const struct report *r, struct buf *b)
{
	for (size_t i = 0; i < r->judgement.nr; i++) {
		const struct comparison *c = &r->judgement.items[i];
		const char *level = c->verdict >= VERDICT_DEGRADED       ? "error"
				    : c->verdict == VERDICT_INCONCLUSIVE ? "warning"
									 : "notice";
		char *name;

		if (!c->gate || c->verdict == VERDICT_EQUIVALENT ||
		    c->verdict == VERDICT_NONE)
			continue;
		name = name_of(c);
		buf_printf(b, "::%s title=%s%%3A ", level, verdict_name(c->verdict));
		command_text(b, name, ":,");
		buf_puts(b, "::");
		command_text(b, c->reason, "");
		buf_puts(b, "\n");
		free(name);
	}
}

void ci_github_summary(const struct report *r, struct buf *b)
{
	char *sentence = report_sentence(r);
	struct table t;

	buf_puts(b, "## ");
	markdown_escape(b, r->title);
	buf_printf(b, ": %s\n\n", verdict_name(r->judgement.overall));
	markdown_escape(b, sentence);
	buf_puts(b, "\n\n");
	report_rows(r, REPORT_GATING, &t);
	table_markdown(&t, b);
	table_release(&t);
	free(sentence);
}

struct json_object *ci_gitlab_quality(const struct report *r)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < r->judgement.nr; i++) {
		const struct comparison *c = &r->judgement.items[i];
		struct json_object *o, *location, *lines;
		char hex[DIGEST_SIZE], *text, *name;

		if (!c->gate || c->verdict < VERDICT_INCONCLUSIVE)
			continue;
		o = json_object_new_object();
		location = json_object_new_object();
		lines = json_object_new_object();
		name = name_of(c);
		text = x_asprintf("%s of %s is %s: %s", name, c->workload,
				  verdict_name(c->verdict), c->reason);
		json_put_text(o, "description", text);
		free(text);
		/* The same finding tomorrow has the same fingerprint: no figures in it. */
		text = x_asprintf("%s/%s/%s", c->workload, name,
				  verdict_name(c->verdict));
		digest_of(text, strlen(text), hex);
		json_put_text(o, "check_name", verdict_name(c->verdict));
		json_put_text(o, "fingerprint", hex);
		json_put_text(o, "severity",
			      c->verdict == VERDICT_INCONCLUSIVE ? "minor" : "major");
		json_put_int(lines, "begin", 1);
		json_put_text(location, "path", r->sets[r->sets_nr - 1].source);
		json_put(location, "lines", lines);
		json_put(o, "location", location);
		json_object_array_add(list, o);
		free(text);
		free(name);
	}
	return list;
}

static void label(struct buf *b, const char *name, const char *value, bool is_last)
{
	buf_printf(b, "%s=\"", name);
	for (; *value; value++) {
		if (*value == '\\' || *value == '"')
			buf_printf(b, "\\%c", *value);
		else if (*value == '\n')
			buf_puts(b, "\\n");
		else
			buf_add(b, value, 1);
	}
	buf_puts(b, is_last ? "\"" : "\",");
}

static void series(struct buf *b, const char *name, const struct comparison *c,
		   const char *verdict, double value)
{
	buf_printf(b, "%s{", name);
	label(b, "metric", c->metric, false);
	label(b, "statistic", c->statistic, false);
	label(b, "workload", c->workload, false);
	label(b, "baseline", c->baseline, false);
	label(b, "candidate", c->candidate, false);
	label(b, "gate", c->gate ? "true" : "false", !verdict);
	if (verdict)
		label(b, "verdict", verdict, true);
	buf_printf(b, "} %.17g\n", value);
}

static double value_of(const struct comparison *c, int which)
{
	const double values[] = {
		c->ratio,     c->ci90.low, c->ci90.high,          c->ci95.low,
		c->ci95.high, c->margin,   (double)c->n_candidate};

	return values[which];
}

void ci_prometheus(const struct report *r, struct buf *b)
{
	static const struct {
		const char *name, *help;
		bool needs_ratio, needs_interval;
	} families[] = {
		{"tare_ratio", "Candidate over baseline.", true, false},
		{"tare_ratio_ci90_low", "Lower end of the 90 % interval.", true, true},
		{"tare_ratio_ci90_high", "Upper end of the 90 % interval.", true, true},
		{"tare_ratio_ci95_low", "Lower end of the 95 % interval.", true, true},
		{"tare_ratio_ci95_high", "Upper end of the 95 % interval.", true, true},
		{"tare_margin", "Relative difference that counts as none.", false, false},
		{"tare_rounds", "Rounds of the candidate that gave a value.", false,
		 false},
	};
	const struct judgement *j = &r->judgement;

	for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
		buf_printf(b, "# HELP %s %s\n# TYPE %s gauge\n", families[f].name,
			   families[f].help, families[f].name);
		for (size_t i = 0; i < j->nr; i++) {
			const struct comparison *c = &j->items[i];

			if ((c->has_ratio || !families[f].needs_ratio) &&
			    (c->has_interval || !families[f].needs_interval))
				series(b, families[f].name, c, NULL, value_of(c, (int)f));
		}
	}
	buf_puts(b, "# HELP tare_verdict 1 for the verdict that holds.\n"
		    "# TYPE tare_verdict gauge\n");
	for (size_t i = 0; i < j->nr; i++)
		series(b, "tare_verdict", &j->items[i], verdict_name(j->items[i].verdict),
		       1);
	buf_printf(
		b,
		"# HELP tare_exit_status Exit status of the verdict: 0 pass, 1 degraded, "
		"3 inconclusive, 4 invalid.\n# TYPE tare_exit_status gauge\n"
		"tare_exit_status %d\n",
		verdict_exit_status(j->overall));
}
