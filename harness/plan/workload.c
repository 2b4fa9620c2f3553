/* The plan's workloads: [{"gemm": {...}}, {"load": {...}, "name": "chat"}]. */
#include "harness/plan/plan_impl.h"

#include "core/base/mem.h"
#include "harness/plan/workload_kind.h"

#include <stdlib.h>
#include <string.h>

const struct field workload_fields[] = {
	{"timeout", FIELD_SECONDS, offsetof(struct workload, timeout_ns), .unset = "3600",
	 .min = 1, .max = 604800},
	{"gate", FIELD_FLAG, offsetof(struct workload, is_gating), .unset = "true"},
	{0},
};

static int unknown_kind(const struct plan *p, const char *pointer, const char *kind,
			struct err *err)
{
	struct strvec names = {0};

	for (const struct workload_kind *const *k = workload_kinds(); *k; k++)
		strvec_add(&names, (*k)->name);
	name_unknown(&names, kind, "unknown workload", err);
	strvec_release(&names);
	return err_wrap(err, "%s: %s", p->path, pointer);
}

static bool is_own_key(const char *key)
{
	return strcmp(key, "name") == 0 || field_find(workload_fields, key);
}

/* The one key that is not our own names the kind. */
static int find_kind(const struct plan *p, struct workload *w, struct json_object *o,
		     const char *pointer, struct json_object **ret_params,
		     struct err *err)
{
	const char *found = NULL;

	if (!json_object_is_type(o, json_type_object))
		return err_set(err, ERR_USAGE, "%s: %s: expected an object, found %s",
			       p->path, pointer, json_type_words(o));
	json_object_object_foreach(o, key, value)
	{
		if (is_own_key(key))
			continue;
		if (found)
			return err_set(
				err, ERR_USAGE,
				"%s: %s: one workload each; '%.60s' and '%.60s' are two",
				p->path, pointer, found, key);
		found = key;
		*ret_params = value;
	}
	if (!found)
		return err_set(err, ERR_USAGE,
			       "%s: %s: expected a workload such as {\"gemm\": {}}",
			       p->path, pointer);
	w->kind = workload_kind_find(found);
	return w->kind ? 0 : unknown_kind(p, pointer, found, err);
}

/* Asks each program once, however many workloads it has. */
static const struct field *options_of(struct plan *p, const char *program,
				      struct err *err)
{
	struct field *options;

	for (size_t i = 0; i < p->programs_nr; i++)
		if (strcmp(p->programs[i].name, program) == 0)
			return p->programs[i].options;
	options = program_options(program, err);
	if (options) {
		GROW(p->programs, p->programs_nr, p->programs_alloc);
		p->programs[p->programs_nr++] = (struct plan_program){program, options};
	}
	return options;
}

static int check_params(const struct plan *p, const struct field *options,
			const char *const *hidden, struct json_object *params,
			const char *pointer, const char *const *others, struct err *err)
{
	struct field *shown = program_options_shown(options, hidden);
	int rc = fields_check_json(shown, params, p->path, pointer, others, err);

	free(shown);
	return rc;
}

static int take_params(struct plan *p, struct workload *w, struct json_object *params,
		       const char *pointer, struct err *err)
{
	static const char *const with_server[] = {"server", NULL};
	struct json_object *server = json_member(params, "server");
	char *at;
	int rc;

	w->options = options_of(p, w->kind->program, err);
	if (!w->options || check_params(p, w->options, w->kind->hidden, params, pointer,
					w->kind->server ? with_server : NULL, err))
		return -1;
	json_object_deep_copy(params, &w->params, NULL);
	if (!w->kind->server)
		return 0;
	json_object_object_del(w->params, "server");
	if (!server)
		return err_set(err, ERR_USAGE,
			       "%s: %s: the key 'server' is missing; {\"kind\": "
			       "\"mock\"} is the built-in reference server",
			       p->path, pointer);
	w->server_options = options_of(p, w->kind->server, err);
	if (!w->server_options)
		return -1;
	at = x_asprintf("%s/server", pointer);
	rc = check_params(p, w->server_options, NULL, server, at, NULL, err);
	free(at);
	if (!rc)
		json_object_deep_copy(server, &w->server, NULL);
	return rc;
}

static int check_unique(const struct plan *p, const char *pointer, struct err *err)
{
	const struct workload *last = &p->workloads[p->workloads_nr - 1];

	for (const struct workload *w = p->workloads; w < last; w++)
		if (strcmp(w->name, last->name) == 0)
			return err_set(err, ERR_USAGE,
				       "%s: %s: a second workload called '%s'; give it a "
				       "\"name\"",
				       p->path, pointer, w->name);
	return 0;
}

static int read_workload(struct plan *p, struct json_object *o, const char *pointer,
			 struct err *err)
{
	struct workload *w = &p->workloads[p->workloads_nr++];
	struct json_object *params = NULL;
	char *at;
	int rc;

	*w = (struct workload){0};
	fields_init(workload_fields, w);
	if (find_kind(p, w, o, pointer, &params, err))
		return -1;
	w->name = x_strdup(json_get_text(o, "name", w->kind->name));
	at = x_asprintf("%s/%s", pointer, w->kind->name);
	rc = take_params(p, w, params, at, err);
	free(at);
	if (rc ||
	    fields_bind_json(workload_fields, w, o, p->path, pointer,
			     (const char *const[]){"name", w->kind->name, NULL}, err) ||
	    plan_check_name(w->name, p->path, pointer, err))
		return -1;
	return check_unique(p, pointer, err);
}

int plan_read_workloads(struct plan *p, struct json_object *list, struct err *err)
{
	size_t nr;

	if (!json_length(list))
		return err_set(err, ERR_USAGE,
			       "%s: /workloads: expected a list of workloads", p->path);
	nr = json_length(list);
	p->workloads = x_calloc(nr, sizeof(*p->workloads));
	for (size_t i = 0; i < nr; i++) {
		char *pointer = x_asprintf("/workloads/%zu", i);
		int rc = read_workload(p, json_object_array_get_idx(list, i), pointer,
				       err);

		free(pointer);
		if (rc)
			return -1;
	}
	return 0;
}

void workload_release(struct workload *w)
{
	json_object_put(w->params);
	json_object_put(w->server);
	free(w->name);
}

struct json_object *workload_to_json(const struct workload *w)
{
	struct json_object *o = json_object_new_object();
	struct json_object *params = NULL, *own;

	json_object_deep_copy(w->params, &params, NULL);
	if (w->server)
		json_put(params, "server", json_object_get(w->server));
	json_put(o, w->kind->name, params);
	json_put_text(o, "name", w->name);
	own = fields_to_json(workload_fields, w);
	json_object_object_foreach(own, key, value)
	{
		json_put(o, key, json_object_get(value));
	}
	json_object_put(own);
	return o;
}
