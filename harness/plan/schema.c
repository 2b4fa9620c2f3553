/* The JSON Schema of a plan, out of the tables that read it. */
#include "harness/plan/plan_impl.h"

#include "core/base/mem.h"
#include "harness/plan/workload_kind.h"
#include "harness/provision/provisioner.h"
#include "harness/provision/kinds/provisioner_kinds.h"

#include <stdlib.h>
#include <string.h>

static struct json_object *typed(const char *type)
{
	struct json_object *o = json_object_new_object();

	json_put_text(o, "type", type);
	return o;
}

static struct json_object *typed_either(const char *one, const char *other)
{
	struct json_object *o = json_object_new_object();
	struct json_object *types = json_object_new_array();

	json_object_array_add(types, json_object_new_string(one));
	json_object_array_add(types, json_object_new_string(other));
	json_put(o, "type", types);
	return o;
}

/* A list, or one of its elements alone: what FIELD_TEXTS and FIELD_INTS read. */
static struct json_object *list_of(const char *type)
{
	struct json_object *o = typed_either("array", type);

	json_put(o, "items", typed(type));
	return o;
}

/* A number, or a text with a unit: what FIELD_SECONDS and FIELD_BYTES read. */
static struct json_object *number_or_text(void)
{
	return typed_either("number", "string");
}

static struct json_object *choice(const char *const *choices)
{
	struct json_object *o = typed("string");
	struct json_object *list = json_object_new_array();

	for (; *choices; choices++)
		json_object_array_add(list, json_object_new_string(*choices));
	json_put(o, "enum", list);
	return o;
}

static struct json_object *field_schema(const struct field *f)
{
	struct json_object *o = NULL;

	switch (f->kind) {
	case FIELD_FLAG:
		o = typed("boolean");
		break;
	case FIELD_INT:
		o = typed("integer");
		break;
	case FIELD_REAL:
		o = typed("number");
		break;
	case FIELD_SECONDS:
	case FIELD_BYTES:
		o = number_or_text();
		break;
	case FIELD_TEXT:
		o = typed("string");
		break;
	case FIELD_CHOICE:
		o = choice(f->choices);
		break;
	case FIELD_TEXTS:
		o = list_of("string");
		break;
	case FIELD_INTS:
		o = list_of("integer");
		break;
	}
	if ((f->kind == FIELD_INT || f->kind == FIELD_REAL) &&
	    (f->min != 0 || f->max != 0)) {
		json_put_real(o, "minimum", f->min);
		if (f->max < 0x1p62)
			json_put_real(o, "maximum", f->max);
	}
	json_put_text(o, "description", f->help);
	return o;
}

static struct json_object *object_schema(const struct field *const *tables)
{
	struct json_object *o = typed("object");
	struct json_object *properties = json_object_new_object();
	struct json_object *required = json_object_new_array();

	for (; *tables; tables++) {
		for (const struct field *f = *tables; f->name; f++) {
			char *key = x_strdup(f->name);

			for (char *p = key; *p; p++)
				if (*p == '-')
					*p = '_';
			json_put(properties, key, field_schema(f));
			if (f->is_required)
				json_object_array_add(required,
						      json_object_new_string(key));
			free(key);
		}
	}
	json_put(o, "properties", properties);
	json_put(o, "required", required);
	json_put_bool(o, "additionalProperties", false);
	return o;
}

static struct json_object *one_table(const struct field *fields)
{
	return object_schema((const struct field *const[]){fields, NULL});
}

static void add_property(struct json_object *schema, const char *key,
			 struct json_object *value)
{
	json_put(json_member(schema, "properties"), key, value);
}

static struct json_object *map_of(struct json_object *value)
{
	struct json_object *o = typed("object");

	json_put(o, "additionalProperties", value);
	return o;
}

static struct json_object *constant(const char *text)
{
	struct json_object *o = json_object_new_object();

	json_put_text(o, "const", text);
	return o;
}

static struct json_object *provisioner_schema(void)
{
	struct json_object *o = json_object_new_object();
	struct json_object *any = json_object_new_array();

	for (const struct provisioner_kind *const *k = provisioner_kinds(); *k; k++) {
		struct json_object *one = one_table((*k)->fields);

		add_property(one, "kind", constant((*k)->name));
		json_object_array_add(json_member(one, "required"),
				      json_object_new_string("kind"));
		if ((*k)->check_config) /* it reads objects of its own, which no table shows */
			json_put_bool(one, "additionalProperties", true);
		json_put_text(one, "description", (*k)->summary);
		json_object_array_add(any, one);
	}
	json_put(o, "anyOf", any);
	return o;
}

static struct json_object *mig_schema(void)
{
	struct json_object *o = json_object_new_object();
	struct json_object *any = json_object_new_array();

	json_object_array_add(any, constant("all"));
	json_object_array_add(any, one_table(arm_mig_fields));
	json_put(o, "anyOf", any);
	json_put_text(
		o, "description",
		"Measure on MIG instances of the GPU, made in the arm's turn and taken "
		"away again: \"all\", {\"slices\": 1} or {\"profile\": NAME}.");
	return o;
}

/* Local, SSH, and one form for each kind that lends machines. */
static struct json_object *arm_schema(void)
{
	struct json_object *o = json_object_new_object();
	struct json_object *any = json_object_new_array();

	json_object_array_add(any, object_schema((const struct field *const[]){
					   arm_fields, arm_fixed_fields, NULL}));
	json_object_array_add(
		any, object_schema((const struct field *const[]){
			     arm_fields, arm_fixed_fields, arm_ssh_fields, NULL}));
	for (const struct provisioner_kind *const *k = provisioner_kinds(); *k; k++) {
		struct json_object *one = object_schema((const struct field *const[]){
			arm_fields, (*k)->machine_fields, NULL});

		add_property(one, "ssh", one_table(arm_ssh_fields));
		for (const struct machine_object *m = (*k)->machine_objects; m && m->name;
		     m++)
			add_property(one, m->name, one_table(m->fields));
		json_object_array_add(any, one);
	}
	for (size_t i = 0; i < json_length(any); i++)
		add_property(json_object_array_get_idx(any, i), "mig", mig_schema());
	json_put(o, "anyOf", any);
	return o;
}

/* The parameters themselves are the programs' own: 'tare gemm --describe json'. */
static struct json_object *workload_schema(void)
{
	struct json_object *o = typed("object"), *gate;
	struct json_object *properties = json_object_new_object();

	for (const struct workload_kind *const *k = workload_kinds(); *k; k++) {
		struct json_object *params = typed("object");

		json_put_text(params, "description", (*k)->summary);
		json_put(properties, (*k)->name, params);
	}
	json_put(properties, "name", typed("string"));
	json_put(properties, "timeout", number_or_text());
	gate = typed("boolean");
	json_put_text(gate, "description",
		      "false: the metrics are shown and are no part of the verdict.");
	json_put(properties, "gate", gate);
	json_put(o, "properties", properties);
	json_put_bool(o, "additionalProperties", false);
	return o;
}

/* Failures alone may have none at all ("failures": 0, which is what holds unless given). */
static struct json_object *margin_schema(const char *minimum)
{
	struct json_object *o = typed("number");

	json_put_int(o, minimum, 0);
	json_put_int(o, "exclusiveMaximum", 1);
	return o;
}

struct json_object *plan_schema(void)
{
	struct json_object *o = one_table(plan_fields);
	struct json_object *schedule = one_table(schedule_fields);
	struct json_object *workloads = typed("array");
	struct json_object *margins = map_of(margin_schema("exclusiveMinimum"));
	struct json_object *failures = json_object_new_object();
	struct json_object *required = json_member(o, "required");

	json_put_text(o, "$schema", "https://json-schema.org/draft/2020-12/schema");
	json_put_text(o, "title", "A plan of tare");
	add_property(schedule, "rounds", one_table(rounds_fields));
	json_put(workloads, "items", workload_schema());
	add_property(o, "$schema", typed("string"));
	add_property(o, "provisioners", map_of(provisioner_schema()));
	add_property(o, "arms", map_of(arm_schema()));
	add_property(o, "workloads", workloads);
	add_property(o, "schedule", schedule);
	json_put(failures, "failures", margin_schema("minimum"));
	json_put(margins, "properties", failures);
	add_property(o, "margins", margins);
	json_object_array_add(required, json_object_new_string("arms"));
	json_object_array_add(required, json_object_new_string("workloads"));
	return o;
}
