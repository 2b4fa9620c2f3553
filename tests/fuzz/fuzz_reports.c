/* What result_set_load() takes from outside: results, baselines, peers' reports, judged. */
#include "reports/import/result_files.h"
#include "reports/import/baseline.h"
#include "reports/import/import.h"
#include "reports/content/report_plots.h"
#include "reports/output/report_markdown.h"
#include "reports/page/page.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_any(struct result_set *s, struct json_object *o, struct err *err)
{
	struct result r;

	if (strcmp(json_get_text(o, "schema", ""), BASELINE_SCHEMA) == 0)
		return baseline_from_json(s, o, "fuzz", err);
	if (import_recognise(o))
		return import_json(s, o, "fuzz", err);
	if (result_from_json(&r, o, "fuzz", err))
		return -1;
	result_set_add(s, &r, "fuzz");
	return 0;
}

/* The page of what was judged, as it is before gnuplot; nothing of it is written. */
static void draw(const struct result_set *s, const struct judgement *j)
{
	struct report r = {.sets = {*s},
			   .sets_nr = 1,
			   .judgement = *j,
			   .title = (char[]){"fuzz"},
			   .created = (char[]){"2026-11-22T00:00:00.000Z"}};
	struct plot_list plots = {0};
	struct buf page;

	report_plots(&r, &plots);
	buf_init(&page, BUF_UNBOUNDED);
	page_write(&r, &plots, NULL, &page);
	markdown_write(&r, &page);
	if (strstr(page.data, "<script"))
		abort();
	buf_release(&page);
	plot_list_release(&plots);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct judge_options options = {0};
	struct err err = ERR_INIT;
	struct json_object *o = json_parse((const char *)data, size, "fuzz", &err);
	struct judgement j;
	struct result_set s;

	if (!o)
		return 0;
	result_set_init(&s, "fuzz");
	if (read_any(&s, o, &err)) {
		if (!err.text[0])
			abort();
	} else {
		result_set_sort(&s);
		if (judge_sets(&j, &s, &s, &options, &err) == 0) {
			json_object_put(judgement_to_json(&j));
			draw(&s, &j);
			judgement_release(&j);
		}
	}
	result_set_release(&s);
	json_object_put(o);
	return 0;
}
