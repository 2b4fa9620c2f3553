/*
 * Reports of synthetic runs: what they claim, what they let through, what they refuse.
 * "test_report NAME DIR" writes the run and its reports to look at.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/mem.h"
#include "reports/text/html.h"
#include "reports/content/report_text.h"
#include "reports/output/report_print.h"
#include "reports/output/report_write.h"
#include "reports/text/table.h"
#include "tests/support/synthetic.h"

static char *place;

static int make_place(void **state)
{
	(void)state;
	place = dir_make_temporary("test-report", NULL);
	return place ? 0 : -1;
}

static int remove_place(void **state)
{
	(void)state;
	dir_remove(place, NULL);
	free(place);
	return 0;
}

static char *make_run(const char *name)
{
	char *dir = path_join(place, name);

	synthetic_write(dir, synthetic_named(name));
	return dir;
}

static char *read_text(const char *dir, const char *name)
{
	char *path = path_join(dir, name);
	struct err err = ERR_INIT;
	struct buf b;
	char *text;

	if (file_read(path, (size_t)16 << 20, &b, &err))
		fail_msg("%s", err.text);
	text = buf_detach(&b);
	buf_release(&b);
	free(path);
	return text;
}

static char *report_of(const char *name, unsigned formats, struct report *r)
{
	struct err err = ERR_INIT;
	char *dir = make_run(name);

	if (report_load(r, dir, NULL, &err) || report_write(r, dir, formats, &err))
		fail_msg("%s", err.text);
	return dir;
}

static bool has_gnuplot(void)
{
	return file_exists("/usr/bin/gnuplot") || file_exists("/usr/local/bin/gnuplot");
}

static void the_sentence_claims_what_was_shown(void **state)
{
	struct report r;
	char *dir = report_of("demo", REPORT_JSON, &r), *s = report_sentence(&r);

	(void)state;
	assert_int_equal(r.judgement.overall, VERDICT_DEGRADED);
	assert_non_null(
		strstr(s, "Degraded: gemm.flops of gemm on vm is 0.0477 of metal"));
	assert_non_null(strstr(s, "margin 1 %"));
	assert_non_null(strstr(s, "n = 3 paired rounds"));
	assert_non_null(strstr(s, "emulated in software"));
	free(s);
	free(dir);
	report_release(&r);
}

static void a_mock_server_is_always_named(void **state)
{
	struct report r;
	char *dir = report_of("mock", REPORT_HTML | REPORT_MARKDOWN, &r);
	char *s = report_sentence(&r), *page = read_text(dir, "report.html");

	(void)state;
	assert_non_null(strstr(s, "mock server"));
	assert_non_null(strstr(page, "mock server"));
	assert_null(strstr(s, "emulated"));
	free(s);
	free(page);
	free(dir);
	report_release(&r);
}

/* A serving figure without its server's version is worth nothing to who repeats it. */
static void a_model_server_is_named_with_its_version(void **state)
{
	static const char words[] = "model server synthetic 9.8.7, model "
				    "synthetic/model-7b, revision main-3";
	struct report r;
	char *dir = report_of("gpu", REPORT_HTML | REPORT_MARKDOWN, &r);
	char *page = read_text(dir, "report.html"), *md = read_text(dir, "report.md");
	char *first = strstr(page, words);

	(void)state;
	assert_non_null(first);
	assert_null(strstr(first + 1, words));
	assert_non_null(strstr(md, words));
	free(page);
	free(md);
	free(dir);
	report_release(&r);
}

/* No tag, attribute or entity of the page may come out of a name in a file. */
static void names_cannot_become_markup(void **state)
{
	static const char *const bad[] = {"<script",     "<img",    "onload=alert(3)>",
					  "<svg onload", "</text>", "\x1b"};
	struct report r;
	char *dir = report_of("markup", REPORT_HTML | REPORT_MARKDOWN, &r);
	char *page = read_text(dir, "report.html"), *md = read_text(dir, "report.md");

	(void)state;
	assert_non_null(strstr(page, "&lt;script&gt;alert(1)&lt;/script&gt;"));
	assert_non_null(strstr(page, "a&lt;b&gt;&amp;amp;c"));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const char *at = strstr(page, bad[i]);

		/* gnuplot's own drawing has text elements */
		while (at && strcmp(bad[i], "</text>") == 0 && strstr(at, "</svg>"))
			at = strstr(at + 1, bad[i]);
		if (at)
			fail_msg("%.60s", at);
	}
	assert_null(strstr(md, "<script"));
	assert_null(strstr(md, "<img"));
	free(page);
	free(md);
	free(dir);
	report_release(&r);
}

/* Nor may one steer the terminal that the verdict is printed on. */
static void names_cannot_steer_a_terminal(void **state)
{
	struct report r;
	char *dir = report_of("markup", REPORT_JSON, &r), *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	(void)state;
	assert_non_null(to);
	report_print(&r, to);
	fclose(to);
	assert_non_null(strstr(text, "vm'|`x` [31m"));
	assert_null(strchr(text, '\x1b'));
	free(text);
	free(dir);
	report_release(&r);
}

static void the_page_stands_alone_and_is_complete(void **state)
{
	static const char *const parts[] = {
		"Results",      "Like for like", "Method",
		"Limits",       "Raw data",      "How to repeat it",
		"tare run",     "SHA-256",       "prefers-color-scheme:dark",
		"@media print", "viewport"};
	struct report r;
	char *dir = report_of("large", REPORT_HTML, &r);
	char *page = read_text(dir, "report.html");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (!strstr(page, parts[i]))
			fail_msg("no '%s'", parts[i]);
	assert_null(strstr(page, "src="));
	assert_null(strstr(page, "<script"));
	assert_null(strstr(page, "<link"));
	assert_true(strlen(page) < (size_t)2 << 20);
	if (has_gnuplot()) {
		assert_non_null(strstr(page, "<svg"));
		assert_non_null(strstr(page, "role=\"img\" aria-label=\"Forest plot"));
		assert_non_null(strstr(page, "var(--band)"));
	}
	free(page);
	free(dir);
	report_release(&r);
}

static void without_gnuplot_a_sentence_stands_for_the_plots(void **state)
{
	char *path = x_strdup(getenv("PATH"));
	struct report r;
	char *dir, *page;

	(void)state;
	setenv("PATH", "/nonexistent", 1);
	dir = report_of("demo", REPORT_HTML, &r);
	setenv("PATH", path, 1);
	page = read_text(dir, "report.html");
	assert_non_null(strstr(page, "The plots could not be drawn"));
	assert_null(strstr(page, "<svg"));
	free(page);
	free(path);
	free(dir);
	report_release(&r);
}

static void formats_are_known_by_name(void **state)
{
	struct err err = ERR_INIT;
	unsigned bits;

	(void)state;
	assert_int_equal(report_formats_parse("html,md", &bits, &err), 0);
	assert_int_equal(bits, REPORT_HTML | REPORT_MARKDOWN);
	assert_int_equal(report_formats_parse("html,jsn", &bits, &err), -1);
	assert_non_null(strstr(err.text, "'json'"));
	assert_int_equal(report_formats_parse("", &bits, &err), -1);
}

static void html_escapes_what_it_must(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, BUF_UNBOUNDED);
	html_text(&b, "a<b>&\"'\x01\n\xc3\xa9\xff\xc0\xaf\xed\xa0\x80z");
	assert_string_equal(b.data, "a&lt;b&gt;&amp;&quot;&#39; \xc3\xa9\xef\xbf\xbd"
				    "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
				    "\xef\xbf\xbdz");
	buf_release(&b);
}

static void tables_align_and_escape(void **state)
{
	static const struct table_column columns[] = {
		{"name", TABLE_LEFT}, {"n", TABLE_RIGHT}, {NULL, TABLE_LEFT}};
	struct table t;
	struct buf b;

	(void)state;
	buf_init(&b, BUF_UNBOUNDED);
	table_init(&t, columns);
	table_add(&t, "\xc3\xa9|x");
	table_addf(&t, "%d", 1);
	table_add(&t, "a,\"b\"\n");
	table_addf(&t, "%d", 1000);
	table_text(&t, &b);
	assert_string_equal(b.data,
			    "name       n\n\xc3\xa9|x        1\na,\"b\"   1000\n");
	buf_clear(&b);
	table_markdown(&t, &b);
	assert_string_equal(b.data, "| name | n |\n|---|---:|\n| \xc3\xa9\\|x | 1 |\n"
				    "| a,\"b\"  | 1000 |\n");
	buf_clear(&b);
	table_csv(&t, &b);
	assert_string_equal(b.data,
			    "name,n\r\n\xc3\xa9|x,1\r\n\"a,\"\"b\"\"\n\",1000\r\n");
	table_release(&t);
	buf_release(&b);
}

static void put(const char *dir, const char *name, const char *text)
{
	char *path = path_join(dir, name);

	assert_int_equal(file_write(path, text, strlen(text), 0644, NULL), 0);
	free(path);
}

#define RESULT_WITH(schema, values)                                                      \
	"{\"schema\":\"" schema "\",\"workload\":{\"kind\":\"gemm\"},\"status\":\"ok\"," \
	"\"metrics\":[{\"name\":\"m\",\"unit\":\"s\",\"better\":\"lower\",\"gate\":"     \
	"true,"                                                                          \
	"\"values\":" values "}]}"

static void bad_input_is_a_sentence(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"{\"schema\": \"tare.result/1\", \"metr", "not valid JSON"},
		{RESULT_WITH("tare.result/1", "[1, NaN]"), "NaN"},
		{RESULT_WITH("tare.result/1", "[1, \"NaN\"]"), ""},
		{RESULT_WITH("tare.result/9", "[1]"), "tare.result/9"},
		{"[]", ""},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *dir = x_asprintf("%s/bad-%zu", place, i);
		struct err err = ERR_INIT;
		struct report r;

		assert_int_equal(dir_make(dir, 0755, NULL), 0);
		put(dir, "r.json", cases[i].text);
		assert_int_equal(report_load_pair(&r, dir, dir, NULL, &err), -1);
		assert_int_equal(err_exit_status(&err), EXIT_USAGE);
		assert_non_null(strstr(err.text, "r.json"));
		assert_non_null(strstr(err.text, cases[i].words));
		free(dir);
	}
}

static void empty_and_missing_folders_are_named(void **state)
{
	char *dir = path_join(place, "empty");
	struct err err = ERR_INIT;
	struct report r;

	(void)state;
	assert_int_equal(dir_make(dir, 0755, NULL), 0);
	assert_int_equal(report_load(&r, dir, NULL, &err), -1);
	assert_non_null(strstr(err.text, "no results there"));
	assert_int_equal(report_load(&r, "/nonexistent/x", NULL, &err), -1);
	assert_non_null(strstr(err.text, "/nonexistent/x"));
	free(dir);
}

static void a_pair_of_single_results_compares(void **state)
{
	char *dir = make_run("gpu");
	char *a = x_asprintf("%s/results/r001-metal-gemm.json", dir);
	char *b = x_asprintf("%s/results/r001-vm-gemm.json", dir);
	struct err err = ERR_INIT;
	struct report r;

	(void)state;
	if (report_load_pair(&r, a, b, NULL, &err))
		fail_msg("%s", err.text);
	assert_int_equal(r.judgement.overall, VERDICT_INCONCLUSIVE);
	assert_string_equal(r.judgement.items[0].candidate, "vm");
	report_release(&r);
	free(a);
	free(b);
	free(dir);
}

/* Multiplies the samples of the first metric of a result file. */
static void scale_result(const char *dir, int round, const char *arm, double factor)
{
	char *path = x_asprintf("%s/results/r%03d-%s-gemm.json", dir, round, arm);
	struct err err = ERR_INIT;
	struct result r;

	if (result_read(&r, path, &err))
		fail_msg("%s", err.text);
	for (size_t i = 0; i < r.metrics[0].nr; i++)
		r.metrics[0].values[i] *= factor;
	if (result_write(&r, path, &err))
		fail_msg("%s", err.text);
	result_release(&r);
	free(path);
}

static char *printed(const struct report *r)
{
	size_t size;
	char *text = NULL;
	FILE *f = open_memstream(&text, &size);

	report_print(r, f);
	fclose(f);
	return text;
}

/*
 * Six rounds on both sides: round 5 of the VM is 3 % slow, both sides drift by 1 % a round.
 * The round stays in (its ratio moves the mean), and the report says so.
 */
static void what_stands_out_is_named_and_kept(void **state)
{
	static const struct synthetic_run run = {
		.name = "wild",
		.arms = {"metal", "vm"},
		.rounds = 6,
		.rounds_max = 12,
		.seed = 8,
		.workloads = {{.name = "gemm",
			       .kind = "gemm",
			       .metrics = {{"gemm.flops", "FLOP/s", "higher", true, 1e13,
					    1, 0.0005, 0.001, 5},
					   {0}}}}};
	static const char *const words[] = {
		"round 5 stands out: its ratio is -3.0 %", "(kept: the mean counts it)",
		"metal drifts by +", "rounds a side would decide"};
	char *dir = path_join(place, "wild"), *texts[3];
	struct err err = ERR_INIT;
	struct report r;

	(void)state;
	synthetic_write(dir, &run);
	for (int round = 1; round <= 6; round++) {
		scale_result(dir, round, "metal", pow(1.01, round));
		scale_result(dir, round, "vm",
			     pow(1.01, round) * (round == 5 ? 0.97 : 1));
	}
	if (report_load(&r, dir, NULL, &err) ||
	    report_write(&r, dir, REPORT_HTML | REPORT_MARKDOWN, &err))
		fail_msg("%s", err.text);
	assert_int_equal(r.judgement.overall, VERDICT_INCONCLUSIVE);
	assert_int_equal(r.judgement.items[0].n_candidate, 6);
	assert_true(r.judgement.items[0].ratio < 0.996); /* a sixth of 3 % */
	assert_true(r.judgement.items[0].needed_n > 6);
	texts[0] = read_text(dir, "report.html");
	texts[1] = read_text(dir, "report.md");
	texts[2] = printed(&r);
	for (size_t t = 0; t < ARRAY_SIZE(texts); t++) {
		for (size_t w = 0; w < ARRAY_SIZE(words); w++)
			if (!strstr(texts[t], words[w]) && !(t == 1 && *words[w] == '('))
				fail_msg("text %zu lacks '%s'", t, words[w]);
		free(texts[t]);
	}
	free(dir);
	report_release(&r);
}

/* Who is judged does not say by what. */
static void the_margins_of_the_baseline_count(void **state)
{
	static const struct {
		const char *baseline, *candidate;
		double margin;
		bool is_told;
	} cases[] = {
		{"{\"margins\": {\"gemm.flops\": 0.03}}",
		 "{\"margins\": {\"gemm.flops\": 0.9, \"gemm/gemm.flops\": 0.9}}", 0.03,
		 false},
		{"{}", "{\"margins\": {\"gemm.flops\": 0.9}}", 0.9, true},
	};
	char *a = make_run("gpu"), *b = make_run("demo");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = ERR_INIT;
		struct report r;
		bool is_told = false;

		put(a, "plan.json", cases[i].baseline);
		put(b, "plan.json", cases[i].candidate);
		if (report_load_pair(&r, a, b, NULL, &err))
			fail_msg("%s", err.text);
		assert_true(margins_get(&r.margins, "gemm", "gemm.flops", "mean", NULL) ==
			    cases[i].margin);
		for (size_t k = 0; k < r.judgement.notes.nr; k++)
			is_told = is_told || strstr(r.judgement.notes.items[k],
						    "candidate's own plan");
		assert_true(is_told == cases[i].is_told);
		report_release(&r);
	}
	free(a);
	free(b);
}

static int show(const char *name, const char *dir)
{
	struct err err = ERR_INIT;
	struct report r;

	synthetic_write(dir, synthetic_named(name));
	if (report_load(&r, dir, NULL, &err) || report_write(&r, dir, ~0u, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return 2;
	}
	report_print(&r, stdout);
	report_release(&r);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_sentence_claims_what_was_shown),
		cmocka_unit_test(a_mock_server_is_always_named),
		cmocka_unit_test(a_model_server_is_named_with_its_version),
		cmocka_unit_test(names_cannot_become_markup),
		cmocka_unit_test(names_cannot_steer_a_terminal),
		cmocka_unit_test(the_page_stands_alone_and_is_complete),
		cmocka_unit_test(without_gnuplot_a_sentence_stands_for_the_plots),
		cmocka_unit_test(formats_are_known_by_name),
		cmocka_unit_test(html_escapes_what_it_must),
		cmocka_unit_test(tables_align_and_escape),
		cmocka_unit_test(bad_input_is_a_sentence),
		cmocka_unit_test(empty_and_missing_folders_are_named),
		cmocka_unit_test(a_pair_of_single_results_compares),
		cmocka_unit_test(the_margins_of_the_baseline_count),
		cmocka_unit_test(what_stands_out_is_named_and_kept),
	};

	if (argc == 3 && synthetic_named(argv[1]))
		return show(argv[1], argv[2]);
	return cmocka_run_group_tests(tests, make_place, remove_place);
}
