/* tare history: results over months, and since when each metric is at its level. */
#include "harness/cmd/cmd.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "harness/cmd/command.h"
#include "reports/history/history_page.h"
#include "reports/import/result_files.h"

#include <stdio.h>
#include <stdlib.h>

struct history_options {
	char *database, *machine, *workload, *metric, *arm, *since, *margins, *html,
		*plots;
	int64_t last, newest;
	bool all, json;
};

#define AT(member) offsetof(struct history_options, member)

static const struct field fields[] = {
	{"database", FIELD_TEXT, AT(database), .unset = "tare-history.db", .arg = "FILE",
	 .letter = 'd',
	 .help = "The SQLite file that holds the history; 'add' makes it."},
	{"metric", FIELD_TEXT, AT(metric), .arg = "NAME",
	 .help = "Only this metric, whether it gates or not; a pattern such as 'load.*' "
		 "will do."},
	{"workload", FIELD_TEXT, AT(workload), .arg = "NAME",
	 .help = "Only this workload, or pattern."},
	{"machine", FIELD_TEXT, AT(machine), .arg = "NAME",
	 .help = "Only this machine, or pattern: 'show' prints the names."},
	{"arm", FIELD_TEXT, AT(arm), .arg = "NAME", .help = "Only this arm, or pattern."},
	{"all", FIELD_FLAG, AT(all), .letter = 'a',
	 .help = "Metrics that do not gate too; they never decide the exit status."},
	{"since", FIELD_TEXT, AT(since), .arg = "DATE",
	 .help = "Only results made from then on (2026-11-22, or with a time as in the "
		 "results), and those added after them: how a change that is accepted is "
		 "left behind."},
	{"last", FIELD_INT, AT(last), .max = CHANGE_SERIES_MAX, .arg = "N",
	 .help = "Only the last so many values of each series; 0: all, up to 5000."},
	{"newest", FIELD_INT, AT(newest), .unset = "1", .min = 1, .max = 1000, .arg = "N",
	 .help = "So many values at the end are held against those before them: the "
		 "rounds of one run."},
	{"margins", FIELD_TEXT, AT(margins), .arg = "FILE",
	 .help = "What counts as no difference, by metric: the form of a plan's "
		 "'margins'."},
	{"json", FIELD_FLAG, AT(json),
	 .help = "Print every series with its change points as JSON (tare.history/1)."},
	{"html", FIELD_TEXT, AT(html), .arg = "FILE",
	 .help = "Write a page with trend plots and change points too."},
	{"plots", FIELD_TEXT, AT(plots), .arg = "DIR",
	 .help = "Write the trend plots into this folder too, each with script and data."},
	{0},
};

static const struct opt_text examples[] = {
	{"tare history add runs/today", "Every sound result of a run, with its machine."},
	{"tare history check --newest 6",
	 "Do today's six rounds fit what stands, and since when does it stand?"},
	{"tare history show --metric 'load.*' --html trend.html",
	 "Levels and change points of some metrics, drawn."},
	{0},
};

static const struct opt_command command = {
	.name = "tare history",
	.summary = "results over months: levels, change points, since when",
	.usage = "add RESULTS... | show | check [OPTION]...",
	.about =
		"'add' puts every sound result of runs, folders or files into a "
		"database, once each: all of them or, where one cannot be read, none. "
		"'show' prints a line for each series (a metric of the same work on the "
		"same machine and arm) with the date since when it has been at its "
		"level. 'check' judges: the newest values against the level that stood "
		"before them, and the present level against the best one before it. A "
		"series is equivalent when no loss beyond the margin can hide in either, "
		"nor at its end; where one might, it is inconclusive. A loss stands until "
		"it is made good, or until --since leaves it behind. What changed on the "
		"machine or in tare at that point is printed beside it. The newest are "
		"those that were added last, whatever their machines' clocks said.\n\n"
		"The exit status of 'check' is 0 when every gating series is equivalent "
		"or improved, 1 with a loss, 3 when there are too few values, or too "
		"noisy ones, to tell.",
	.fields = fields,
	.examples = examples,
	.positional_min = 1,
	.positional_max = -1,
	.positional_kind = "file",
};

/* The first few by name: a machine whose clock is wrong has many such results. */
static void say_warnings(const struct strvec *warnings)
{
	for (size_t i = 0; i < warnings->nr && i < HISTORY_WARNINGS_MAX; i++)
		log_warn("%s", warnings->items[i]);
	if (warnings->nr > HISTORY_WARNINGS_MAX)
		log_warn("and %zu more", warnings->nr - HISTORY_WARNINGS_MAX);
}

static int store(const char *path, const struct result_set *sets, size_t nr,
		 struct err *err)
{
	struct history *h = history_open(path, HISTORY_WRITE, err);
	struct history_added n;
	int rc = h ? history_add(h, sets, nr, &n, err) : -1;

	history_close(h);
	if (h)
		say_warnings(&n.warnings);
	if (h)
		history_added_release(&n);
	if (rc)
		return -1;
	printf("%s: %zu result%s added", path, n.added, n.added == 1 ? "" : "s");
	if (n.known)
		printf(", %zu there already", n.known);
	if (n.unsound)
		printf(", %zu left out that %s not sound", n.unsound,
		       n.unsound == 1 ? "is" : "are");
	putchar('\n');
	return EXIT_PASS;
}

/* Everything is read before anything is written. */
static int add(void *options, const struct strvec *rest, struct err *err)
{
	const struct history_options *o = options;
	struct result_set *sets = x_calloc(rest->nr, sizeof(*sets));
	size_t nr = 0;
	int rc = 0;

	if (o->json || o->html || o->plots || o->metric || o->margins)
		rc = err_set(err, ERR_USAGE,
			     "'history add' takes --database alone; the other options "
			     "are for 'show' and 'check'");
	while (nr < rest->nr && !rc) {
		rc = result_set_load(&sets[nr], rest->items[nr], err);
		nr += !rc;
	}
	for (size_t i = 0; i < nr && !rc; i++)
		rc = result_set_check_units(&sets[i], err);
	if (!rc)
		rc = store(o->database, sets, nr, err);
	while (nr)
		result_set_release(&sets[--nr]);
	free(sets);
	return rc;
}

static int read_query(const struct history_options *o, struct history_query *ret,
		      struct err *err)
{
	int64_t since_ns = 0;

	*ret = (struct history_query){.machine = o->machine,
				      .workload = o->workload,
				      .metric = o->metric,
				      .arm = o->arm,
				      .last = (size_t)o->last,
				      .informational = o->all};
	if (o->since && !clock_from_label(o->since, &since_ns))
		return err_set(err, ERR_USAGE,
			       "--since: '%.40s' is no date such as 2026-11-22 or "
			       "2026-11-22T19:17:25.123Z",
			       o->since);
	ret->since_ms = since_ns / NS_PER_MS;
	return 0;
}

/* A history as it was asked for, judged. */
struct view {
	struct history *h;
	struct history_list list;
	struct history_judged judged;
};

static void view_close(struct view *v)
{
	history_judged_release(&v->judged);
	history_list_release(&v->list);
	history_close(v->h);
}

static int view_open(struct view *v, const struct history_options *o, struct err *err)
{
	struct history_query q;
	struct margins m;
	int rc = read_query(o, &q, err);

	*v = (struct view){0};
	margins_init(&m);
	if (!rc && o->margins)
		rc = margins_read(&m, o->margins, err);
	if (!rc) {
		v->h = history_open(o->database, HISTORY_READ, err);
		rc = v->h ? history_read(v->h, &q, &v->list, err) : -1;
	}
	if (!rc)
		history_judge(&v->judged, &v->list, &m, (size_t)o->newest);
	margins_release(&m);
	if (rc)
		view_close(v);
	return rc;
}

static int warn_of_dates(const struct view *v, struct err *err)
{
	struct strvec warnings = {0};
	int rc = history_warnings(v->h, &v->list, &warnings, err);

	for (size_t i = 0; i < warnings.nr && !rc; i++)
		log_warn("%s", warnings.items[i]);
	strvec_release(&warnings);
	return rc;
}

static int print_json(const struct view *v, struct err *err)
{
	struct json_object *o = history_to_json(v->h, &v->list, &v->judged, err);

	if (!o)
		return -1;
	fputs(json_text(o), stdout);
	putchar('\n');
	json_object_put(o);
	return 0;
}

static int write_files(const struct view *v, const struct history_options *o,
		       struct err *err)
{
	char *title = x_asprintf("History in %s", path_base(o->database));
	int rc = 0;

	if (o->html)
		rc = history_page(v->h, &v->list, &v->judged, title, o->html, err);
	if (!rc && o->plots)
		rc = history_plots(&v->list, o->plots, err);
	free(title);
	return rc;
}

static int look(const struct history_options *o, bool is_check, struct err *err)
{
	struct view v;
	int rc, status = EXIT_PASS;

	if (view_open(&v, o, err))
		return -1;
	rc = warn_of_dates(&v, err);
	if (!rc)
		rc = write_files(&v, o, err);
	if (!rc && o->json)
		rc = print_json(&v, err);
	else if (!rc && is_check)
		rc = history_check(v.h, &v.list, &v.judged, stdout, err);
	else if (!rc)
		history_show(&v.list, stdout);
	if (is_check)
		status = verdict_exit_status(v.judged.overall);
	fflush(stdout);
	if (!rc && o->html)
		log_info("page: %s", o->html);
	if (!rc && o->plots)
		log_info("plots: %s", o->plots);
	view_close(&v);
	return rc ? -1 : status;
}

static int show(void *options, const struct strvec *rest, struct err *err)
{
	(void)rest;
	return look(options, false, err);
}

static int check(void *options, const struct strvec *rest, struct err *err)
{
	(void)rest;
	return look(options, true, err);
}

static int history(void *options, const struct strvec *rest, struct err *err)
{
	static const struct command_action actions[] = {
		{"add", add, 1, (size_t)-1, "RESULTS..."},
		{"show", show, 0, 0, ""},
		{"check", check, 0, 0, ""},
		{0},
	};

	return command_act(&command, actions, options, rest, err);
}

const struct subcommand cmd_history = {&command, history, sizeof(struct history_options)};
