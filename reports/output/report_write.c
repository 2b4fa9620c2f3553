#include "reports/content/report_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/document/run_directory.h"
#include "reports/output/ci.h"

struct document {
	const char *name;
	struct buf text;
};

/* Everything that will be written, complete before the first byte is. */
struct documents {
	struct document items[16];
	size_t nr;
	struct plot_list plots;
	char *why_no_plots;
};

static struct buf *start(struct documents *d, const char *name)
{
	struct document *doc = &d->items[d->nr++];

	doc->name = name;
	buf_init(&doc->text, BUF_UNBOUNDED);
	return &doc->text;
}

static void put_json(struct documents *d, const char *name, struct json_object *o)
{
	struct buf *b = start(d, name);

	buf_puts(b, json_text(o));
	buf_puts(b, "\n");
	json_object_put(o);
}

static int make_page(const struct report *r, struct documents *d, struct err *err)
{
	report_plots(r, &d->plots);
	if (plot_draw(&d->plots, &d->why_no_plots, err))
		return -1;
	page_write(r, &d->plots, d->why_no_plots, start(d, "report.html"));
	return 0;
}

static int make_markdown(const struct report *r, struct documents *d, struct err *err)
{
	(void)err;
	markdown_write(r, start(d, "report.md"));
	return 0;
}

static int make_json(const struct report *r, struct documents *d, struct err *err)
{
	(void)err;
	put_json(d, RUNDIR_VERDICT, judgement_to_json(&r->judgement));
	put_json(d, "report.json", report_to_json(r));
	return 0;
}

static int make_csv(const struct report *r, struct documents *d, struct err *err)
{
	(void)err;
	report_csv(r, start(d, "report.csv"));
	return 0;
}

static int make_junit(const struct report *r, struct documents *d, struct err *err)
{
	(void)err;
	ci_junit(r, start(d, "junit.xml"));
	return 0;
}

static int make_ctrf(const struct report *r, struct documents *d, struct err *err)
{
	(void)err;
	put_json(d, "ctrf.json", ci_ctrf(r));
	return 0;
}

static int make_github(const struct report *r, struct documents *d, struct err *err)
{
	(void)err;
	ci_github_annotations(r, start(d, "github-annotations.txt"));
	ci_github_summary(r, start(d, "github-summary.md"));
	return 0;
}

static int make_gitlab(const struct report *r, struct documents *d, struct err *err)
{
	(void)err;
	put_json(d, "gl-code-quality.json", ci_gitlab_quality(r));
	ci_prometheus(r, start(d, "gl-metrics.txt"));
	return 0;
}

static int make_prometheus(const struct report *r, struct documents *d, struct err *err)
{
	(void)err;
	ci_prometheus(r, start(d, "metrics.prom"));
	return 0;
}

static const struct {
	const char *name;
	unsigned bit;
	int (*make)(const struct report *r, struct documents *d, struct err *err);
} formats_known[] = {
	{"html", REPORT_HTML, make_page},
	{"md", REPORT_MARKDOWN, make_markdown},
	{"json", REPORT_JSON, make_json},
	{"csv", REPORT_CSV, make_csv},
	{"junit", REPORT_JUNIT, make_junit},
	{"ctrf", REPORT_CTRF, make_ctrf},
	{"github", REPORT_GITHUB, make_github},
	{"gitlab", REPORT_GITLAB, make_gitlab},
	{"prometheus", REPORT_PROMETHEUS, make_prometheus},
};

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

	for (size_t i = 0; i < ARRAY_SIZE(formats_known) && !rc; i++)
		if (formats & formats_known[i].bit)
			rc = formats_known[i].make(r, &d, err);
	if (!rc)
		rc = save(&d, dir, err);
	for (size_t i = 0; i < d.nr; i++)
		buf_release(&d.items[i].text);
	plot_list_release(&d.plots);
	free(d.why_no_plots);
	return rc;
}
