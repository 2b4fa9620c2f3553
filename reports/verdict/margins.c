#include "reports/verdict/margins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/mem.h"

const struct margin_default margin_defaults[MARGIN_DEFAULTS] = {
	{"gemm.flops", 0.01},
	{"load.output_tokens_per_s", 0.03},
	{"load.requests_per_s", 0.03},
	{"load.total_tokens_per_s", 0.03},
	{"load.peak_output_tokens_per_s", 0.03},
	{"load.ttft_p50_s", 0.05},
	{"load.ttft_p95_s", 0.1},
	{"load.ttft_p99_s", 0.1},
	{"load.itl_p50_s", 0.05},
	{"load.itl_p95_s", 0.1},
	{"load.itl_p99_s", 0.1},
	{"load.latency_p95_s", 0.05},
	{"load.latency_p99_s", 0.1},
	{"link.h2d", 0.03},
	{"link.d2h", 0.03},
	{"link.both", 0.03},
	{"link.launch_p50_s", 0.05},
	{"link.launch_p99_s", 0.1},
	{"failures", 0},
};

void margins_init(struct margins *m)
{
	*m = (struct margins){0};
}

void margins_release(struct margins *m)
{
	for (size_t i = 0; i < m->nr; i++)
		free(m->items[i].name);
	free(m->items);
	*m = (struct margins){0};
}

static void put(struct margins *m, const char *name, double value)
{
	for (size_t i = 0; i < m->nr; i++) {
		if (strcmp(m->items[i].name, name) == 0) {
			m->items[i].value = value;
			return;
		}
	}
	GROW(m->items, m->nr, m->alloc);
	m->items[m->nr++] = (struct margin){.name = x_strdup(name), .value = value};
}

/* "failures", "failures.rounds", "big/failures": the one kind whose margin may be 0. */
static bool is_of_failures(const char *name)
{
	const char *slash = strchr(name, '/'), *from = slash ? slash + 1 : name;

	return strncmp(from, "failures", strlen("failures")) == 0;
}

int margins_add_json(struct margins *m, struct json_object *o, const char *where,
		     struct err *err)
{
	if (!json_object_is_type(o, json_type_object))
		return err_set(err, ERR_USAGE,
			       "%s: margins must be an object such as "
			       "{\"gemm.flops\": 0.01}, not %s",
			       where, json_type_words(o));
	json_object_object_foreach(o, name, value)
	{
		double v = json_get_real(o, name, -1);

		if (strcmp(name, "$schema") == 0)
			continue;
		if (!(v > 0 && v < 1) && !(v == 0 && is_of_failures(name)))
			return err_set(
				err, ERR_USAGE,
				"%s: /%s: a margin is a relative difference above 0 "
				"and below 1, such as 0.01; found %.40s",
				where, name, json_line(value));
		put(m, name, v);
	}
	return 0;
}

int margins_read(struct margins *m, const char *path, struct err *err)
{
	struct json_object *o;
	int rc;

	if (file_check_given(path, "margins such as {\"gemm.flops\": 0.01}", err))
		return -1;
	o = json_read_commented(path, JSON_FILE_MAX, err);
	if (!o)
		return -1;
	rc = margins_add_json(m, o, path, err);
	json_object_put(o);
	return rc;
}

static const struct margin *own(const struct margins *m, const char *name)
{
	for (size_t i = 0; i < m->nr; i++)
		if (strcmp(m->items[i].name, name) == 0)
			return &m->items[i];
	return NULL;
}

static const struct margin_default *built_in(const char *name)
{
	for (size_t i = 0; i < MARGIN_DEFAULTS; i++)
		if (strcmp(margin_defaults[i].name, name) == 0)
			return &margin_defaults[i];
	return NULL;
}

/*
 * What a metric without a margin has that of: "load.ttft_p50_s@c8" that of
 * "load.ttft_p50_s", and the cell "link.h2d.gpu0" that of "link.h2d". Its length; 0: of none.
 */
static size_t wider(const char *metric)
{
	const char *stage = strchr(metric, '@'), *dot = strchr(metric, '.');
	const char *cell = dot ? strchr(dot + 1, '.') : NULL;

	return stage ? (size_t)(stage - metric) : cell ? (size_t)(cell - metric) : 0;
}

/* 'metric' or what it has its margin of; "workload/metric" is compared with itself alone. */
static bool names_metric(const char *wanted, const char *metric)
{
	size_t len = wider(metric);
	bool is_named = strcmp(wanted, metric) == 0;
	char *plain;

	if (is_named || !len)
		return is_named;
	plain = x_strndup(metric, len);
	is_named = names_metric(wanted, plain);
	free(plain);
	return is_named;
}

/* "gemm.flpos" was meant for what gemm measured, and "big/load.x" for what load did. */
static bool is_of_kind(const char *wanted, const char *metric)
{
	const char *slash = strchr(wanted, '/'), *from = slash ? slash + 1 : wanted;

	return strncmp(from, metric, strcspn(from, ".") + 1) == 0;
}

void margins_unused(const struct margins *m, const struct strvec *metrics,
		    struct strvec *ret)
{
	for (size_t i = 0; m && i < m->nr; i++) {
		const char *name = m->items[i].name;
		char *wanted = x_strndup(name, strcspn(name, ":"));
		char text[DID_YOU_MEAN_SIZE];
		const char *meant =
			did_you_mean(text, wanted, strvec_argv(metrics), metrics->nr, "");
		bool is_used = built_in(wanted) != NULL, is_meant = *meant;

		for (size_t k = 0; k < metrics->nr; k++) {
			is_used = is_used || names_metric(wanted, metrics->items[k]);
			is_meant = is_meant || is_of_kind(wanted, metrics->items[k]);
		}
		if (!is_used && is_meant)
			strvec_addf(ret,
				    "The margin of '%s' belongs to nothing that was "
				    "judged%s. 'tare report --margins FILE' judges "
				    "again.",
				    name, meant);
		free(wanted);
	}
}

double margins_get(const struct margins *m, const char *workload, const char *metric,
		   const char *statistic, const char **ret_name)
{
	/* A mean has no suffix, so its two special names fall together with the plain
	 * ones. */
	const char *mark = strcmp(statistic, "mean") == 0 ? "" : ":";
	const char *suffix = *mark ? statistic : "";
	char *names[4] = {x_asprintf("%s/%s%s%s", workload, metric, mark, suffix),
			  x_asprintf("%s/%s", workload, metric),
			  x_asprintf("%s%s%s", metric, mark, suffix), x_strdup(metric)};
	const char *name = NULL;
	double value = MARGIN_FALLBACK;

	for (size_t i = 0; m && i < ARRAY_SIZE(names) && !name; i++) {
		const struct margin *f = own(m, names[i]);

		if (f) {
			name = f->name;
			value = f->value;
		}
	}
	for (size_t i = 2; i < ARRAY_SIZE(names) && !name; i++) {
		const struct margin_default *d = built_in(names[i]);

		if (d) {
			name = d->name;
			value = d->value;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		free(names[i]);
	if (!name && wider(metric)) {
		char *plain = x_strndup(metric, wider(metric));

		value = margins_get(m, workload, plain, statistic, &name);
		free(plain);
	}
	if (ret_name)
		*ret_name = name;
	return value;
}
