/*
 * What a report draws of a synthetic run (tests/support/synthetic.h): each plot with words
 * and figures, saturation marked, throttling shaded, parts of a GPU apart.
 */
#include "reports/content/report_plots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/base/file.h"
#include "core/base/mem.h"
#include "reports/content/publication.h"
#include "reports/content/report_text.h"
#include "reports/page/page.h"
#include "tests/support/synthetic.h"

/* A report with its plots, not yet drawn. */
struct drawn {
	char *dir;
	struct report r;
	struct plot_list plots;
};

static void open_run(struct drawn *d, const char *name)
{
	struct err err = ERR_INIT;

	*d = (struct drawn){.dir = dir_make_temporary("test-report-plots", &err)};
	assert_non_null(d->dir);
	synthetic_write(d->dir, synthetic_named(name));
	if (report_load(&d->r, d->dir, NULL, &err))
		fail_msg("%s", err.text);
	report_plots(&d->r, &d->plots);
}

static void close_run(struct drawn *d)
{
	plot_list_release(&d->plots);
	report_release(&d->r);
	dir_remove(d->dir, NULL);
	free(d->dir);
}

/* The n-th plot of a section, from 0. */
static const struct plot *plot_of(const struct drawn *d, enum plot_section section,
				  size_t n)
{
	for (size_t i = 0; i < d->plots.nr; i++)
		if (d->plots.items[i].section == section && n-- == 0)
			return &d->plots.items[i];
	fail_msg("no such plot in section %d", (int)section);
	return NULL;
}

static bool has_cell(const struct table *t, const char *text)
{
	for (size_t i = 0; i < t->nr; i++)
		if (strcmp(t->cells[i], text) == 0)
			return true;
	return false;
}

static void every_plot_has_words_and_figures(void **state)
{
	static const enum plot_section with_table[] = {PLOT_DISTRIBUTION, PLOT_LOAD,
						       PLOT_TELEMETRY};
	struct drawn d;

	(void)state;
	open_run(&d, "large");
	for (size_t i = 0; i < d.plots.nr; i++) {
		const struct plot *p = &d.plots.items[i];

		assert_true(strlen(p->alt) > 40);
		assert_true(strlen(p->caption) > 20);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(p->name, d.plots.items[k].name);
		for (size_t k = 0; k < ARRAY_SIZE(with_table); k++)
			if (p->section == with_table[k])
				assert_true(p->table.nr >= p->table.width &&
					    p->table.width > 0 &&
					    p->table.nr % p->table.width == 0);
	}
	for (size_t k = 0; k < ARRAY_SIZE(with_table); k++)
		plot_of(&d, with_table[k], 0);
	close_run(&d);
}

static void curves_of_both_arms_lie_over_each_other(void **state)
{
	const struct plot *p;
	struct drawn d;

	(void)state;
	open_run(&d, "gpu");
	p = plot_of(&d, PLOT_DISTRIBUTION, 0);
	assert_non_null(strstr(p->caption, "Time to first token of load"));
	assert_non_null(strstr(p->alt, "metal: p50"));
	assert_non_null(strstr(p->alt, "vm: p50"));
	assert_non_null(strstr(p->script, "title 'metal'"));
	assert_non_null(strstr(p->script, "title 'vm'"));
	/* log odds: 90 % at log10(0.9 / 0.1), 50 % in the middle */
	assert_non_null(strstr(p->script, "'90' 0.9542425"));
	assert_non_null(strstr(p->script, "'50' 0,"));
	/* 1200 requests a round support p99 and not p99.9 */
	assert_string_equal(p->table.columns[8].head, "p99.9");
	assert_string_equal(p->table.cells[8], "-");
	assert_string_not_equal(p->table.cells[7], "-");
	close_run(&d);
}

static void saturation_and_peak_are_marked(void **state)
{
	const struct plot *p, *latency;
	struct drawn d;

	(void)state;
	open_run(&d, "gpu");
	p = plot_of(&d, PLOT_LOAD, 0);
	latency = plot_of(&d, PLOT_LOAD, 1);
	assert_non_null(strstr(p->script, "set arrow from first 32, graph 0"));
	assert_non_null(strstr(p->script, "pt 6 ps 2"));
	assert_non_null(strstr(p->alt, "peak of"));
	assert_non_null(strstr(p->alt, "p95 of latency is"));
	assert_non_null(strstr(p->alt, "saturated from concurrency 32"));
	assert_true(has_cell(&p->table, "saturation") && has_cell(&p->table, "peak"));
	assert_non_null(strstr(latency->script, "set logscale y"));
	assert_null(strstr(p->script, "set logscale y"));
	close_run(&d);
}

static void throttling_is_shaded_where_it_was(void **state)
{
	const struct plot *metal, *vm;
	struct drawn d;

	(void)state;
	open_run(&d, "gpu");
	metal = plot_of(&d, PLOT_TELEMETRY, 0);
	vm = plot_of(&d, PLOT_TELEMETRY, 1);
	assert_null(strstr(metal->script, "set object rectangle"));
	assert_non_null(strstr(metal->caption, "never ran slower"));
	/* rounds of 6 s; in the third and the sixth the cap holds from 2 s to 4 s */
	assert_non_null(strstr(vm->script, "rectangle from 14, graph 0 to 16, graph 1"));
	assert_non_null(strstr(vm->script, "rectangle from 32, graph 0 to 34, graph 1"));
	assert_non_null(strstr(vm->caption, "Shaded"));
	assert_non_null(strstr(vm->alt, "slowed down for 4.00 s of 42.0 s"));
	assert_true(has_cell(&vm->table, "2.00 s by sw power cap"));
	assert_true(has_cell(&metal->table, "never"));
	assert_false(has_cell(&metal->table, "2.00 s by sw power cap"));
	close_run(&d);
}

/* 250 stretches of two readings in one round, more than are kept. */
static void slow_down_often(struct json_object *telemetry)
{
	struct json_object *times = json_object_new_array(),
			   *reasons = json_object_new_array();

	for (int i = 0; i < 1000; i++) {
		json_object_array_add(times, json_new_real(i * 0.1));
		json_object_array_add(reasons, json_object_new_int64(i % 4 < 2 ? 4 : 0));
	}
	json_put(json_member(telemetry, "series"), "t_s", times);
	json_put(json_member(telemetry, "series"), "reasons", reasons);
}

static void more_stretches_than_are_kept_shade_nothing_else(void **state)
{
	struct plot_list plots = {0};
	const struct result *first;
	const char *at;
	size_t nr, found = 0;
	struct drawn d;

	(void)state;
	open_run(&d, "gpu");
	first = result_set_range(&d.r.sets[0], "vm", d.r.sets[0].workloads.items[0], &nr);
	assert_non_null(first);
	slow_down_often(first->telemetry);
	report_plots(&d.r, &plots);
	plot_list_release(&d.plots);
	d.plots = plots;
	at = plot_of(&d, PLOT_TELEMETRY, 1)->script;
	while ((at = strstr(at, "rectangle from "))) {
		double from = strtod(at + strlen("rectangle from "), NULL);
		double to =
			strtod(strstr(at, "graph 0 to ") + strlen("graph 0 to "), NULL);

		assert_in_range((int)((to - from) * 10 + 0.5), 2, 2);
		found++;
		at++;
	}
	assert_true(found >= 200);
	close_run(&d);
}

static void a_row_for_each_part_of_the_gpu(void **state)
{
	static const char *const rows[][3] = {
		{"gemm", "full GPU (132 SMs)", "throughput"},
		{"gemm", "1g.18gb (16 SMs)", "throughput"},
		{"synthetic/model-7b", "full GPU (132 SMs)", "peak throughput"},
		{"synthetic/model-7b", "full GPU (132 SMs)", "p95 latency there"},
	};
	struct drawn d;
	struct table t;

	(void)state;
	open_run(&d, "gpu");
	publication_table(&d.r, &t);
	assert_int_equal(t.nr, ARRAY_SIZE(rows) * t.width);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (size_t k = 0; k < 3; k++)
			assert_string_equal(t.cells[i * t.width + k], rows[i][k]);
	table_release(&t);
	close_run(&d);
}

static void stages_do_not_bury_the_rest(void **state)
{
	struct drawn d;
	struct table t;
	struct buf page;

	(void)state;
	open_run(&d, "gpu");
	report_rows(&d.r, REPORT_OTHERS, &t);
	for (size_t i = 0; i < t.nr; i += t.width)
		assert_null(strchr(t.cells[i], '@'));
	table_release(&t);
	report_rows(&d.r, REPORT_STAGES, &t);
	assert_true(t.nr >= t.width);
	table_release(&t);
	for (size_t i = 0; i < d.plots.nr; i++)
		if (d.plots.items[i].section == PLOT_ROUNDS)
			assert_null(strstr(d.plots.items[i].caption, "_s@"));
	buf_init(&page, BUF_UNBOUNDED);
	page_write(&d.r, &d.plots, NULL, &page);
	assert_null(strstr(strstr(page.data, "id=\"raw\""), "_s@c"));
	assert_non_null(strstr(page.data, "single stages of load (10)"));
	buf_release(&page);
	close_run(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_plot_has_words_and_figures),
		cmocka_unit_test(curves_of_both_arms_lie_over_each_other),
		cmocka_unit_test(saturation_and_peak_are_marked),
		cmocka_unit_test(throttling_is_shaded_where_it_was),
		cmocka_unit_test(more_stretches_than_are_kept_shade_nothing_else),
		cmocka_unit_test(a_row_for_each_part_of_the_gpu),
		cmocka_unit_test(stages_do_not_bury_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
