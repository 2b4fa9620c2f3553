#include "core/document/result.h"

#include "core/base/clock.h"
#include "core/base/digest.h"
#include "core/document/json_numbers.h"
#include "core/base/mem.h"
#include "core/document/version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static const char *const status_names[] = {
	[RESULT_OK] = "ok", [RESULT_FAILED] = "failed", [RESULT_INVALID] = "invalid"};

char *result_new_id(void)
{
	char label[CLOCK_LABEL_SIZE], compact[16];
	uint32_t random = 0;
	size_t n = 0;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		random = (uint32_t)clock_mono_ns();
	clock_label(clock_wall_ns(), label);
	for (const char *p = label; *p && *p != '.' && n < sizeof(compact) - 1; p++)
		if (*p != '-' && *p != ':')
			compact[n++] = *p;
	compact[n] = '\0';
	return x_asprintf("%s-%08x", compact, random);
}

void result_init(struct result *r, const char *tool, const char *kind, const char *name)
{
	char label[CLOCK_LABEL_SIZE];

	clock_label(clock_wall_ns(), label);
	*r = (struct result){
		.id = result_new_id(),
		.created = x_strdup(label),
		.kind = x_strdup(kind),
		.name = x_strdup(name),
		.tool = version_to_json(tool),
		.params = json_object_new_object(),
		.machine = json_object_new_object(),
		.checks = json_object_new_array(),
		.telemetry = json_object_new_object(),
		.evidence = json_object_new_object(),
		.details = json_object_new_object(),
	};
	result_set_params(r, json_object_new_object());
}

void result_release(struct result *r)
{
	char *texts[] = {r->id, r->created, r->kind, r->name, r->digest, r->arm};
	struct json_object *objects[] = {r->tool,      r->params,   r->machine, r->checks,
					 r->telemetry, r->evidence, r->details};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		free(texts[i]);
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
		json_object_put(objects[i]);
	for (size_t i = 0; i < r->metrics_nr; i++)
		samples_release(&r->metrics[i]);
	free(r->metrics);
	strvec_release(&r->reasons);
	*r = (struct result){0};
}

static int by_key(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static struct json_object *sorted(struct json_object *o);

static struct json_object *sorted_object(struct json_object *o)
{
	struct json_object *out = json_object_new_object();
	struct strvec keys = {0};

	json_object_object_foreach(o, key, value)
	{
		(void)value;
		strvec_add(&keys, key);
	}
	if (keys.nr)
		qsort(keys.items, keys.nr, sizeof(*keys.items), by_key);
	for (size_t i = 0; i < keys.nr; i++)
		json_put(out, keys.items[i], sorted(json_member(o, keys.items[i])));
	strvec_release(&keys);
	return out;
}

/* Keys in order at every depth: the digest must not depend on who put them in when. */
static struct json_object *sorted(struct json_object *o)
{
	struct json_object *out;

	if (json_object_is_type(o, json_type_object))
		return sorted_object(o);
	if (!json_object_is_type(o, json_type_array))
		return json_object_get(o);
	out = json_object_new_array();
	for (size_t i = 0; i < json_object_array_length(o); i++)
		json_object_array_add(out, sorted(json_object_array_get_idx(o, i)));
	return out;
}

void result_set_params(struct result *r, struct json_object *params)
{
	struct json_object *ordered = sorted(params);
	const char *text = json_line(ordered);
	char hex[DIGEST_SIZE];

	digest_of(text, strlen(text), hex);
	json_object_put(r->params);
	json_object_put(params);
	r->params = ordered;
	free(r->digest);
	r->digest = x_strdup(hex);
}

void result_set_machine(struct result *r, struct json_object *machine)
{
	json_object_put(r->machine);
	r->machine = machine;
}

void result_set_evidence(struct result *r, struct json_object *evidence)
{
	json_object_put(r->evidence);
	r->evidence = evidence;
}

void result_add_metric(struct result *r, struct samples *s)
{
	GROW(r->metrics, r->metrics_nr, r->metrics_alloc);
	r->metrics[r->metrics_nr++] = *s;
	*s = (struct samples){.def = s->def};
}

void result_add_check(struct result *r, const char *name, bool passed, const char *detail)
{
	struct json_object *o = json_object_new_object();
	char *reason;

	json_put_text(o, "name", name);
	json_put_bool(o, "passed", passed);
	json_put_text(o, "detail", detail);
	json_object_array_add(r->checks, o);
	if (passed)
		return;
	reason = x_asprintf("%s: %s", name, detail);
	result_worsen(r, RESULT_INVALID, reason);
	free(reason);
}

void result_worsen(struct result *r, enum result_status status, const char *reason)
{
	/* A failed workload stays failed: whether what it measured is valid is moot. */
	if (r->status != RESULT_FAILED && status != RESULT_OK)
		r->status = status;
	strvec_add(&r->reasons, reason);
}

const struct samples *result_metric(const struct result *r, const char *name)
{
	for (size_t i = 0; i < r->metrics_nr; i++)
		if (strcmp(r->metrics[i].def.name, name) == 0)
			return &r->metrics[i];
	return NULL;
}

const char *result_status_name(enum result_status s)
{
	return status_names[s];
}

int result_exit_status(const struct result *r)
{
	static const int exits[] = {[RESULT_OK] = EXIT_PASS,
				    [RESULT_FAILED] = EXIT_ENVIRONMENT,
				    [RESULT_INVALID] = EXIT_INVALID};

	return exits[r->status];
}

static struct json_object *workload_to_json(const struct result *r)
{
	struct json_object *o = json_object_new_object();

	json_put_text(o, "kind", r->kind);
	json_put_text(o, "name", r->name);
	json_put(o, "params", json_object_get(r->params));
	json_put_text(o, "digest", r->digest);
	return o;
}

struct json_object *result_to_json(const struct result *r)
{
	struct json_object *o = json_object_new_object();
	struct json_object *reasons = json_object_new_array();
	struct json_object *metrics = json_object_new_array();

	for (size_t i = 0; i < r->reasons.nr; i++)
		json_object_array_add(reasons, json_new_text(r->reasons.items[i]));
	for (size_t i = 0; i < r->metrics_nr; i++)
		json_object_array_add(metrics, samples_to_json(&r->metrics[i]));
	json_put_text(o, "schema", RESULT_SCHEMA);
	json_put_text(o, "id", r->id);
	json_put_text(o, "created", r->created);
	json_put(o, "tool", json_object_get(r->tool));
	json_put(o, "workload", workload_to_json(r));
	json_put_text(o, "arm", r->arm);
	json_put(o, "round", r->round ? json_object_new_int64(r->round) : NULL);
	json_put(o, "machine", json_object_get(r->machine));
	json_put_text(o, "status", status_names[r->status]);
	json_put(o, "reasons", reasons);
	json_put(o, "metrics", metrics);
	json_put(o, "checks", json_object_get(r->checks));
	json_put(o, "telemetry", json_object_get(r->telemetry));
	if (json_object_object_length(r->evidence))
		json_put(o, "evidence", json_object_get(r->evidence));
	json_put(o, "details", json_object_get(r->details));
	return o;
}

/* A part that readers rely on: the right type, or an empty one where it is absent. */
static struct json_object *take(struct json_object *o, const char *key,
				enum json_type type)
{
	struct json_object *v = json_member(o, key);

	if (json_object_is_type(v, type))
		return json_object_get(v);
	return type == json_type_array ? json_object_new_array()
				       : json_object_new_object();
}

static int read_status(struct result *r, struct json_object *o, const char *where,
		       struct err *err)
{
	const char *text = json_get_text(o, "status", "");

	for (size_t i = 0; i < ARRAY_SIZE(status_names); i++) {
		if (strcmp(text, status_names[i]) == 0) {
			r->status = (enum result_status)i;
			return 0;
		}
	}
	return err_set(err, ERR_USAGE, "%s: 'status' must be ok, failed or invalid",
		       where);
}

static int read_metrics(struct result *r, struct json_object *o, const char *where,
			struct err *err)
{
	struct json_object *list = json_member(o, "metrics");

	if (!json_object_is_type(list, json_type_array))
		return err_set(err, ERR_USAGE, "%s: 'metrics' must be a list", where);
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct samples s;

		if (samples_from_json(&s, json_object_array_get_idx(list, i), where, err))
			return -1;
		result_add_metric(r, &s);
	}
	return 0;
}

static void read_texts(struct result *r, struct json_object *o)
{
	struct json_object *workload = json_member(o, "workload");
	struct json_object *reasons = json_member(o, "reasons");

	r->id = x_strdup(json_get_text(o, "id", ""));
	r->created = x_strdup(json_get_text(o, "created", ""));
	r->kind = x_strdup(json_get_text(workload, "kind", ""));
	r->name = x_strdup(json_get_text(workload, "name", r->kind));
	r->digest = x_strdup(json_get_text(workload, "digest", ""));
	r->arm = x_strdup(json_get_text(o, "arm", NULL));
	r->round = json_get_int(o, "round", 0);
	for (size_t i = 0; i < json_length(reasons); i++) {
		struct json_object *v = json_object_array_get_idx(reasons, i);

		if (json_object_is_type(v, json_type_string))
			strvec_add(&r->reasons, json_object_get_string(v));
	}
}

int result_from_json(struct result *ret, struct json_object *o, const char *where,
		     struct err *err)
{
	const char *schema = json_get_text(o, "schema", NULL);

	*ret = (struct result){0};
	if (!schema || strcmp(schema, RESULT_SCHEMA) != 0)
		return err_set(
			err, ERR_USAGE,
			"%s: not a result this tare reads: schema '%.60s', expected "
			"'%s'%s",
			where, schema ? schema : "(none)", RESULT_SCHEMA,
			schema && strncmp(schema, RESULT_FAMILY, strlen(RESULT_FAMILY)) ==
						0
				? "; another version of tare wrote it"
				: ", as 'tare gemm -o' and 'tare load -o' write it, and "
				  "a run into its results/");
	if (!*json_get_text(json_member(o, "workload"), "kind", ""))
		return err_set(err, ERR_USAGE, "%s: 'workload' has no 'kind'", where);
	read_texts(ret, o);
	ret->tool = take(o, "tool", json_type_object);
	ret->params = take(json_member(o, "workload"), "params", json_type_object);
	ret->machine = take(o, "machine", json_type_object);
	ret->checks = take(o, "checks", json_type_array);
	ret->telemetry = take(o, "telemetry", json_type_object);
	ret->evidence = take(o, "evidence", json_type_object);
	ret->details = take(o, "details", json_type_object);
	if (read_status(ret, o, where, err) || read_metrics(ret, o, where, err)) {
		result_release(ret);
		return -1;
	}
	return 0;
}

int result_read(struct result *ret, const char *path, struct err *err)
{
	struct json_object *o = json_read_numbers(path, JSON_FILE_MAX, err);
	int rc;

	if (!o)
		return -1;
	rc = result_from_json(ret, o, path, err);
	json_object_put(o);
	return rc;
}

int result_write(const struct result *r, const char *path, struct err *err)
{
	struct json_object *o = result_to_json(r);
	int rc = json_write_file(path, o, 0644, err);

	json_object_put(o);
	return rc;
}
