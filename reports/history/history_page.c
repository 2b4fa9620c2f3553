#include "reports/history/history_page.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "reports/history/history_order.h"
#include "reports/text/html.h"
#include "reports/page/page_frame.h"

static void say_changes(const struct history_series *s, struct buf *b)
{
	char *name = history_series_name(s), label[CLOCK_LABEL_SIZE], before[48],
	     after[48];

	buf_printf(b, "%s: %zu results, %zu change point%s", name, s->nr, s->changes_nr,
		   s->changes_nr == 1 ? "" : "s");
	free(name);
	for (size_t i = 0; i < s->changes_nr; i++) {
		const struct change_point *c = &s->changes[i];

		clock_label(s->points[c->at].at_ms * NS_PER_MS, label);
		buf_printf(b, "%s %.10s from %s to %s", i ? "," : ":", label,
			   unit_human(c->before, s->unit, before, sizeof(before)),
			   unit_human(c->after, s->unit, after, sizeof(after)));
	}
	buf_puts(b, "; a level is the median between two of them.");
}

/* The level of every value's segment, and the change points by themselves. */
struct drawn {
	double *x, *level, *marks_x, *marks_y;
};

static struct drawn draw(const struct history_series *s)
{
	struct drawn d = {.x = x_calloc(s->nr + 1, sizeof(double)),
			  .level = x_calloc(s->nr + 1, sizeof(double)),
			  .marks_x = x_calloc(s->changes_nr + 1, sizeof(double)),
			  .marks_y = x_calloc(s->changes_nr + 1, sizeof(double))};
	int64_t at_ms = s->points[0].at_ms;

	/* In order of adding: what has no sound date stands beside the one before it. */
	for (size_t i = s->nr; i-- > 0;)
		if (history_date_is_sound(s->points[i].at_ms))
			at_ms = s->points[i].at_ms;
	for (size_t k = 0, from = 0; k <= s->changes_nr; k++) {
		size_t to = k < s->changes_nr ? s->changes[k].at : s->nr;
		double middle = 0;

		stats_median(s->values + from, to - from, &middle);
		for (size_t i = from; i < to; i++) {
			if (s->points[i].at_ms > at_ms &&
			    history_date_is_sound(s->points[i].at_ms))
				at_ms = s->points[i].at_ms;
			d.x[i] = (double)at_ms / 1000;
			d.level[i] = middle;
		}
		if (k) {
			d.marks_x[k - 1] = d.x[from];
			d.marks_y[k - 1] = middle;
		}
		from = to;
	}
	return d;
}

static void plot_series(const struct history_series *s, size_t number,
			struct plot_list *l)
{
	struct drawn d = draw(s);
	char *name = x_asprintf("history-%zu", number);
	struct plot_series series[] = {
		{"result", d.x, s->values, s->nr, 0, PLOT_POINTS},
		{"level", d.x, d.level, s->nr, 2, PLOT_STEPS},
		{"change point", d.marks_x, d.marks_y, s->changes_nr, 3, PLOT_POINTS},
	};
	double span = d.x[s->nr - 1] - d.x[0];
	double unit = span < 2 * 3600 ? 60 : span < 2 * 86400 ? 3600 : 86400;
	struct plot_xy plot = {.name = name,
			       .x_label = "created (UTC)",
			       .y_label = s->unit,
			       .x_time = unit < 86400 ? "%m-%d %H:%M" : "%Y-%m-%d",
			       .x_step = unit * ceil((span + 1) / unit / 5),
			       .series = series,
			       .nr = s->changes_nr ? 3 : 2,
			       .section = PLOT_HISTORY,
			       .is_wide = true};
	struct buf text;

	buf_init(&text, BUF_UNBOUNDED);
	say_changes(s, &text);
	plot.caption = plot.alt = text.data;
	plot_xy(l, &plot);
	buf_release(&text);
	free(d.x);
	free(d.level);
	free(d.marks_x);
	free(d.marks_y);
	free(name);
}

static void plot_all(const struct history_list *l, struct plot_list *plots)
{
	for (size_t i = 0; i < l->nr && i < HISTORY_PLOTS_MAX; i++)
		plot_series(&l->items[i], i + 1, plots);
}

int history_plots(const struct history_list *l, const char *dir, struct err *err)
{
	struct plot_list plots = {0};
	char *why = NULL;
	int rc;

	plot_all(l, &plots);
	rc = plot_draw(&plots, &why, err);
	if (!rc)
		rc = plot_save(&plots, dir, err);
	if (!rc && why)
		rc = err_set(err, ERR_ENVIRONMENT, "%s", why);
	plot_list_release(&plots);
	free(why);
	return rc;
}

static void head(const struct history_list *l, const struct history_judged *j,
		 const char *title, struct buf *b)
{
	const char *word = verdict_name(j->overall);
	char label[CLOCK_LABEL_SIZE];

	clock_label(clock_wall_ns(), label);
	page_head(b, title, word);
	html_element(b, "h1", NULL, title);
	buf_puts(b, "<p class=\"sub\">");
	html_textf(b, "%zu series, written %.10s %.5s UTC by tare", l->nr, label,
		   label + 11);
	buf_printf(b, "</p>\n<div class=\"banner %s\"><strong>",
		   j->overall == VERDICT_NONE ? "none" : word);
	html_text(b, word);
	buf_puts(b, "</strong><ul>");
	for (int v = VERDICT_DEGRADED; v > VERDICT_NONE; v--)
		if (j->of[v])
			buf_printf(b, "<li>%zu %s</li>", j->of[v],
				   verdict_name((enum verdict)v));
	buf_puts(b, "</ul></div></header>\n");
}

static const struct table_column series_columns[] = {
	{"metric", TABLE_LEFT},      {"workload", TABLE_LEFT}, {"arm", TABLE_LEFT},
	{"machine", TABLE_LEFT},     {"values", TABLE_LEFT},   {"last", TABLE_LEFT},
	{"level since", TABLE_LEFT}, {"verdict", TABLE_LEFT},  {NULL, TABLE_LEFT},
};
static const struct table_column change_columns[] = {
	{"first result", TABLE_LEFT},
	{"series", TABLE_LEFT},
	{"level", TABLE_LEFT},
	{"change", TABLE_LEFT},
	{"p", TABLE_LEFT},
	{"changed with it", TABLE_LEFT},
	{NULL, TABLE_LEFT},
};

static void row(const struct history_series *s, const struct trend *t, struct buf *b)
{
	const char *word = verdict_name(t->verdict);
	char label[CLOCK_LABEL_SIZE], text[48], values[24];
	const char *const cells[] = {
		s->workload,
		s->arm,
		s->machine,
		values,
		unit_human(s->values[s->nr - 1], s->unit, text, sizeof(text)),
		history_day(s->points[t->level_at].at_ms, label)};

	snprintf(values, sizeof(values), "%zu", s->nr);
	html_within(b, "<tr><th scope=\"row\">", s->metric, "</th>");
	for (size_t i = 0; i < ARRAY_SIZE(cells); i++)
		html_cell(b, &series_columns[i + 1], cells[i]);
	buf_printf(
		b,
		"<td data-label=\"verdict\"><span class=\"v %s\">%s</span></td></tr>\n",
		t->verdict == VERDICT_NONE ? "none" : word, word);
}

static void series_table(const struct history_list *l, const struct history_judged *j,
			 struct buf *b)
{
	buf_puts(b, "<section><h2>Series</h2>\n");
	html_table_head(b, series_columns, "cards");
	for (size_t i = 0; i < l->nr; i++)
		row(&l->items[i], &j->items[i], b);
	buf_puts(b, "</tbody></table></div></section>\n");
}

static int changes_row(struct history *h, const struct history_series *s,
		       const struct change_point *c, struct buf *b, struct err *err)
{
	struct strvec differences = {0};
	char label[CLOCK_LABEL_SIZE], before[48], after[48], text[128];
	char *name = history_series_name(s);
	int rc = history_differences(h, s->points[c->at - 1].result,
				     s->points[c->at].result, &differences, err);

	clock_label(s->points[c->at].at_ms * NS_PER_MS, label);
	buf_puts(b, "<tr><th scope=\"row\">");
	html_textf(b, "%.10s %.5s", label, label + 11);
	buf_puts(b, "</th>");
	html_cell(b, &change_columns[1], name);
	snprintf(text, sizeof(text), "%s to %s",
		 unit_human(c->before, s->unit, before, sizeof(before)),
		 unit_human(c->after, s->unit, after, sizeof(after)));
	html_cell(b, &change_columns[2], text);
	snprintf(text, sizeof(text), "%+.2f %%",
		 c->before != 0 ? 100 * (c->after / c->before - 1) : 0);
	html_cell(b, &change_columns[3], text);
	snprintf(text, sizeof(text), "%.3f", c->p);
	html_cell(b, &change_columns[4], text);
	buf_puts(b, "<td data-label=\"changed with it\"><span>");
	for (size_t i = 0; i < differences.nr; i++)
		html_textf(b, "%s%s", i ? "; " : "", differences.items[i]);
	buf_puts(b, "</span></td></tr>\n");
	strvec_release(&differences);
	free(name);
	return rc;
}

static int changes_table(struct history *h, const struct history_list *l, struct buf *b,
			 struct err *err)
{
	buf_puts(b, "<section><h2>Change points</h2>\n<p>E-divisive (Matteson and James, "
		    "2014): the split whose sides differ most in energy distance, kept "
		    "where at most 1 % of the permutations of its segment do as well, "
		    "in orders that remember as much as the series does. "
		    "What changed on the machine or in tare between the results on both "
		    "sides stands beside it.</p>\n");
	html_table_head(b, change_columns, "cards");
	for (size_t i = 0; i < l->nr; i++)
		for (size_t k = 0; k < l->items[i].changes_nr; k++)
			if (changes_row(h, &l->items[i], &l->items[i].changes[k], b, err))
				return -1;
	buf_puts(b, "</tbody></table></div></section>\n");
	return 0;
}

int history_page(struct history *h, const struct history_list *l,
		 const struct history_judged *j, const char *title, const char *path,
		 struct err *err)
{
	struct plot_list plots = {0};
	struct buf b;
	char *why = NULL;
	int rc;

	plot_all(l, &plots);
	rc = plot_draw(&plots, &why, err);
	buf_init(&b, BUF_UNBOUNDED);
	if (!rc) {
		head(l, j, title, &b);
		series_table(l, j, &b);
		page_figures(&plots, why, &b);
		if (l->nr > HISTORY_PLOTS_MAX)
			buf_printf(&b, "<p>The first %d of %zu series are drawn.</p>\n",
				   HISTORY_PLOTS_MAX, l->nr);
		rc = changes_table(h, l, &b, err);
	}
	if (!rc) {
		buf_puts(&b, "</main></body></html>\n");
		rc = file_write(path, b.data, b.len, 0644, err);
	}
	plot_list_release(&plots);
	buf_release(&b);
	free(why);
	return rc;
}
