#include "inference/load/load_result.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/document/evidence.h"
#include "core/base/strvec.h"

struct column {
	const char *head, *path, *unit;
};

/* Of a stage in 'details'. */
static const struct column columns[] = {
	{"window", "window/seconds", "s"},
	{"in flight", "mean_concurrency", NULL},
	{"req/s", "requests_per_s", NULL},
	{"token/s", "output_tokens_per_s", NULL},
	{"TTFT p50", "distributions/ttft/p50_s", "s"},
	{"TTFT p99", "distributions/ttft/p99_s", "s"},
	{"ITL p50", "distributions/itl/p50_s", "s"},
	{"ITL p99", "distributions/itl/p99_s", "s"},
	{"latency p95", "distributions/latency/p95_s", "s"},
	{"client err", "client/error_ratio", "%"},
};

/* Of the requests that were sent in the window. */
static const struct column counts[] = {
	{"ok", "requests/ok", NULL},
	{"failed", "requests/failed", NULL},
	{"unfinished", "requests/cancelled", NULL},
};

static void print_cell(struct json_object *stage, const struct column *c, FILE *to)
{
	double x = json_real(json_at(stage, c->path), NAN);
	char text[64];

	if (isnan(x))
		fprintf(to, " %11s", "-");
	else if (!c->unit)
		fprintf(to, " %11.2f", x);
	else if (*c->unit == '%')
		fprintf(to, " %9.3f %%", x * 100);
	else
		fprintf(to, " %11s", unit_human(x, c->unit, text, sizeof(text)));
}

static void print_stages(struct json_object *stages, FILE *to)
{
	size_t nr = json_length(stages);

	fprintf(to, "%-8s", "stage");
	for (size_t c = 0; c < ARRAY_SIZE(columns); c++)
		fprintf(to, " %11s", columns[c].head);
	for (size_t c = 0; c < ARRAY_SIZE(counts); c++)
		fprintf(to, " %10s", counts[c].head);
	fputs("\n", to);
	for (size_t i = 0; i < nr; i++) {
		struct json_object *s = json_object_array_get_idx(stages, i);

		fprintf(to, "%-8s", json_get_text(s, "label", "?"));
		for (size_t c = 0; c < ARRAY_SIZE(columns); c++)
			print_cell(s, &columns[c], to);
		for (size_t c = 0; c < ARRAY_SIZE(counts); c++)
			fprintf(to, " %10lld",
				(long long)json_object_get_int64(
					json_at(s, counts[c].path)));
		fputs("\n", to);
	}
}

static void print_saturation(const struct result *r, FILE *to)
{
	int64_t c = json_get_int(r->details, "saturation_concurrency", 0);

	if (strcmp(json_get_text(r->details, "profile", ""), "saturation") != 0)
		return;
	if (c)
		fprintf(to, "saturation: throughput stops rising at %lld in flight\n",
			(long long)c);
	else
		fputs("saturation: none found: throughput still rose at the highest "
		      "concurrency (--max-concurrency)\n",
		      to);
}

/* The answer of profile slo, with how sure it is. */
static void print_slo(struct json_object *slo, FILE *to)
{
	const char *label = json_get_text(slo, "stage", "");
	struct json_object *points = json_member(slo, "points"), *best = NULL;
	int64_t most = 0;

	if (!slo)
		return;
	for (size_t i = 0; i < json_length(points); i++) {
		struct json_object *p = json_object_array_get_idx(points, i);
		int64_t concurrency = json_get_int(p, "concurrency", 0);

		most = concurrency > most ? concurrency : most;
		if (strcmp(json_get_text(p, "label", "?"), label) == 0)
			best = p;
	}
	if (!best) {
		fputs("slo: no concurrency that was tried keeps the limits\n", to);
		return;
	}
	fprintf(to,
		"slo: %lld in flight keep the limits%s: %lld of %lld requests, 95 %% "
		"interval %.1f to %.1f %%%s\n",
		(long long)json_get_int(best, "concurrency", 0),
		json_get_int(best, "concurrency", 0) == most
			? ", and more was not tried (--max-concurrency)"
			: "",
		(long long)json_get_int(best, "good", 0),
		(long long)json_get_int(best, "judged", 0),
		100 * json_get_real(best, "wilson95_low", 0),
		100 * json_get_real(best, "wilson95_high", 1),
		json_get_bool(best, "resolved", false)
			? ""
			: ": too few to be sure of --slo-share (--seconds)");
}

void load_result_print(const struct result *r, FILE *to)
{
	char *computed = evidence_headline(r->evidence);

	if (computed)
		fprintf(to, "on %s\n", computed);
	free(computed);
	print_stages(json_member(r->details, "stages"), to);
	print_saturation(r, to);
	print_slo(json_member(r->details, "slo"), to);
	if (json_get_bool(r->details, "is_mock", false))
		fputs("the server was the mock: no model ran, and the figures "
		      "describe this client\n",
		      to);
	if (!strncmp(json_get_text(r->details, "target", ""), "https:", 6) &&
	    !json_get_bool(r->details, "tls_verified", false))
		fputs("the server's TLS certificate was not verified (--insecure)\n", to);
	fprintf(to, "status: %s\n", result_status_name(r->status));
	for (size_t i = 0; i < r->reasons.nr; i++)
		fprintf(to, "  %s\n", r->reasons.items[i]);
}
