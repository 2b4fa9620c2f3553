#include "inference/load_result.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/strvec.h"

struct column {
	const char *head, *path, *unit;
};

/* Of a stage in 'details'. */
static const struct column columns[] = {
	{"in flight", "mean_concurrency", NULL},
	{"req/s", "requests_per_s", NULL},
	{"token/s", "output_tokens_per_s", NULL},
	{"TTFT p50", "distributions/ttft/p50_s", "s"},
	{"TTFT p99", "distributions/ttft/p99_s", "s"},
	{"ITL p50", "distributions/itl/p50_s", "s"},
	{"ITL p99", "distributions/itl/p99_s", "s"},
	{"latency p95", "distributions/latency/p95_s", "s"},
	{"client error", "client/error_ratio", "%"},
};

static void print_cell(struct json_object *stage, const struct column *c, FILE *to)
{
	struct json_object *v = json_at(stage, c->path);
	double x = v ? json_object_get_double(v) : NAN;
	char text[64];

	if (isnan(x))
		fprintf(to, "  %12s", "-");
	else if (!c->unit)
		fprintf(to, "  %12.2f", x);
	else if (*c->unit == '%')
		fprintf(to, "  %10.3f %%", x * 100);
	else
		fprintf(to, "  %12s", unit_human(x, c->unit, text, sizeof(text)));
}

void load_result_print(const struct result *r, FILE *to)
{
	struct json_object *stages = json_member(r->details, "stages");
	size_t nr = stages ? json_object_array_length(stages) : 0;

	fprintf(to, "%-10s", "stage");
	for (size_t c = 0; c < sizeof(columns) / sizeof(columns[0]); c++)
		fprintf(to, "  %12s", columns[c].head);
	fprintf(to, "  %8s\n", "failed");
	for (size_t i = 0; i < nr; i++) {
		struct json_object *s = json_object_array_get_idx(stages, i);
		struct json_object *failed = json_at(s, "requests/failed");

		fprintf(to, "%-10s", json_get_text(s, "label", "?"));
		for (size_t c = 0; c < sizeof(columns) / sizeof(columns[0]); c++)
			print_cell(s, &columns[c], to);
		fprintf(to, "  %8lld\n",
			(long long)(failed ? json_object_get_int64(failed) : 0));
	}
	if (json_get_bool(r->details, "is_mock", false))
		fputs("the server was the mock: no model ran, and the figures describe "
		      "this "
		      "client\n",
		      to);
	if (!strncmp(json_get_text(r->details, "target", ""), "https:", 6) &&
	    !json_get_bool(r->details, "tls_verified", false))
		fputs("the server's TLS certificate was not verified (--insecure)\n", to);
	fprintf(to, "status: %s\n", result_status_name(r->status));
	for (size_t i = 0; i < r->reasons.nr; i++)
		fprintf(to, "  %s\n", r->reasons.items[i]);
}
