#include "reports/output/report_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/document/run_directory.h"
#include "reports/content/report_plots.h"
#include "reports/output/ci.h"
#include "reports/output/report_data.h"
#include "reports/output/report_markdown.h"
#include "reports/page/page.h"

enum { documents_max = 16 };

/* Everything that will be written, complete before the first byte is. */
struct documents {
	struct {
		const char *name;
		struct buf text;
	} items[documents_max];
	size_t nr;
	struct plot_list plots;
	char *why_no_plots;
};

static struct json_object *verdict_json(const struct report *r)
{
	return judgement_to_json(&r->judgement);
}

static const struct {
	const char *name;
	unsigned bit;
} formats_known[] = {
	{"html", REPORT_HTML},
	{"md", REPORT_MARKDOWN},
	{"json", REPORT_JSON},
	{"csv", REPORT_CSV},
	{"junit", REPORT_JUNIT},
	{"ctrf", REPORT_CTRF},
	{"github", REPORT_GITHUB},
	{"gitlab", REPORT_GITLAB},
	{"prometheus", REPORT_PROMETHEUS},
};

/* The files of each format; report.html is make_page()'s. */
static const struct document {
	unsigned bit;
	const char *file;
	void (*text)(const struct report *r, struct buf *to);
	struct json_object *(*json)(const struct report *r); /* instead of text */
} documents_known[] = {
	{REPORT_MARKDOWN, "report.md", markdown_write, NULL},
	{REPORT_JSON, RUNDIR_VERDICT, NULL, verdict_json},
	{REPORT_JSON, "report.json", NULL, report_to_json},
	{REPORT_CSV, "report.csv", report_csv, NULL},
	{REPORT_JUNIT, "junit.xml", ci_junit, NULL},
	{REPORT_CTRF, "ctrf.json", NULL, ci_ctrf},
	{REPORT_GITHUB, "github-annotations.txt", ci_github_annotations, NULL},
	{REPORT_GITHUB, "github-summary.md", ci_github_summary, NULL},
	{REPORT_GITLAB, "gl-code-quality.json", NULL, ci_gitlab_quality},
	{REPORT_GITLAB, "gl-metrics.txt", ci_prometheus, NULL},
	{REPORT_PROMETHEUS, "metrics.prom", ci_prometheus, NULL},
};
_Static_assert(ARRAY_SIZE(documents_known) < documents_max, "room for the page too");

static struct buf *start(struct documents *d, const char *name)
{
	struct buf *b = &d->items[d->nr].text;

	d->items[d->nr++].name = name;
	buf_init(b, BUF_UNBOUNDED);
	return b;
}

static int make_page(const struct report *r, struct documents *d, struct err *err)
{
	report_plots(r, &d->plots);
	if (plot_draw(&d->plots, &d->why_no_plots, err))
		return -1;
	page_write(r, &d->plots, d->why_no_plots, start(d, "report.html"));
	return 0;
}

static void make(const struct report *r, const struct document *doc, struct documents *d)
{
	struct buf *b = start(d, doc->file);
	struct json_object *o;

	if (doc->text) {
		doc->text(r, b);
		return;
	}
	o = doc->json(r);
	buf_puts(b, json_text(o));
	buf_puts(b, "\n");
	json_object_put(o);
}

static int parse_one(const char *name, unsigned *ret, struct err *err)
{
	const char *names[ARRAY_SIZE(formats_known)];
	char meant[DID_YOU_MEAN_SIZE], all[200] = "; there are";
	size_t len = strlen(all);

	for (size_t i = 0; i < ARRAY_SIZE(formats_known); i++) {
		names[i] = formats_known[i].name;
		if (strcmp(name, names[i]) == 0) {
			*ret |= formats_known[i].bit;
			return 0;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(names) && len < sizeof(all); i++)
		len += (size_t)snprintf(all + len, sizeof(all) - len, "%s %s",
					i ? "," : "", names[i]);
	return err_set(err, ERR_USAGE, "unknown report format '%.40s'%s", name,
		       did_you_mean(meant, name, names, ARRAY_SIZE(names), all));
}

int report_formats_parse(const char *text, unsigned *ret, struct err *err)
{
	char *copy = x_strdup(text), *save = NULL;
	int rc = 0;

	*ret = 0;
	for (char *name = strtok_r(copy, ",", &save); name && !rc;
	     name = strtok_r(NULL, ",", &save))
		rc = parse_one(name, ret, err);
	free(copy);
	if (!rc && !*ret)
		rc = err_set(err, ERR_USAGE,
			     "no report format given; such as 'html,md,json'");
	return rc;
}

static int save(const struct documents *d, const char *dir, struct err *err)
{
	char *plots = path_join(dir, RUNDIR_PLOTS);
	int rc = dir_make(dir, 0755, err);

	if (!rc && d->plots.nr)
		rc = plot_save(&d->plots, plots, err);
	for (size_t i = 0; i < d->nr && !rc; i++) {
		char *path = path_join(dir, d->items[i].name);

		rc = file_write(path, d->items[i].text.data, d->items[i].text.len, 0644,
				err);
		free(path);
	}
	free(plots);
	return rc;
}

int report_write(const struct report *r, const char *dir, unsigned formats,
		 struct err *err)
{
	struct documents d = {.nr = 0};
	int rc = 0;

	if (formats & REPORT_HTML)
		rc = make_page(r, &d, err);
	for (size_t i = 0; i < ARRAY_SIZE(documents_known) && !rc; i++)
		if (formats & documents_known[i].bit)
			make(r, &documents_known[i], &d);
	if (!rc)
		rc = save(&d, dir, err);
	for (size_t i = 0; i < d.nr; i++)
		buf_release(&d.items[i].text);
	plot_list_release(&d.plots);
	free(d.why_no_plots);
	return rc;
}
