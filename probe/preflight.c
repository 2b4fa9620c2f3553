#include "probe/preflight.h"

#include "core/base/mem.h"
#include "probe/preflight_check.h"

#include <stdlib.h>
#include <string.h>

/* Each ends with {0}. */
extern const struct preflight_check preflight_device_checks[], preflight_system_checks[],
	preflight_gpu_checks[], preflight_grace_checks[];

static const struct preflight_check *const tables[] = {
	preflight_device_checks, preflight_system_checks, preflight_gpu_checks,
	preflight_grace_checks};

static void run_check(struct preflight *p, const struct preflight_check *c,
		      struct preflight_look *l)
{
	struct preflight_row *row = &p->rows[p->nr++];

	buf_init(&l->evidence, 4096);
	*row = (struct preflight_row){
		.id = c->id, .title = c->title, .why = c->why, .mend = c->mend};
	row->state = preflight_look(c, l);
	row->evidence = buf_detach(&l->evidence);
	buf_release(&l->evidence);
	p->failed += row->state == PREFLIGHT_FAIL;
	p->warned += row->state == PREFLIGHT_WARN;
	p->unknown += row->state == PREFLIGHT_UNKNOWN;
}

void preflight_run(struct preflight *ret, const char *root, struct json_object *machine)
{
	const char *arch = json_get_text(json_member(machine, "cpu"), "architecture", "");
	struct preflight_look l = {
		.root = root,
		.machine = machine,
		.is_guest = json_get_bool(json_member(machine, "hypervisor"), "is_guest",
					  false),
		.is_arm = strcmp(arch, "aarch64") == 0,
	};
	size_t nr = 0;

	l.has_grace_gpu = preflight_grace_gpus(&l) > 0;
	for (size_t t = 0; t < ARRAY_SIZE(tables); t++) {
		for (const struct preflight_check *c = tables[t]; c->id; c++)
			nr++;
	}
	*ret = (struct preflight){.rows = x_calloc(nr, sizeof(*ret->rows))};
	for (size_t t = 0; t < ARRAY_SIZE(tables); t++) {
		for (const struct preflight_check *c = tables[t]; c->id; c++)
			run_check(ret, c, &l);
	}
}

void preflight_release(struct preflight *p)
{
	for (size_t i = 0; i < p->nr; i++)
		free(p->rows[i].evidence);
	free(p->rows);
	*p = (struct preflight){0};
}

static const char *state_name(enum preflight_state state)
{
	static const char *const names[] = {
		[PREFLIGHT_OK] = "ok",
		[PREFLIGHT_WARN] = "warn",
		[PREFLIGHT_FAIL] = "fail",
		[PREFLIGHT_UNKNOWN] = "unknown",
		[PREFLIGHT_NOT_APPLICABLE] = "not applicable",
	};

	return names[state];
}

struct json_object *preflight_to_json(const struct preflight *p)
{
	struct json_object *o = json_object_new_object();
	struct json_object *list = json_object_new_array();

	json_put_text(o, "schema", "tare.preflight/1");
	json_put_int(o, "failed", (int64_t)p->failed);
	json_put_int(o, "warned", (int64_t)p->warned);
	json_put_int(o, "unknown", (int64_t)p->unknown);
	for (size_t i = 0; i < p->nr; i++) {
		const struct preflight_row *r = &p->rows[i];
		struct json_object *row = json_object_new_object();

		json_put_text(row, "id", r->id);
		json_put_text(row, "title", r->title);
		json_put_text(row, "state", state_name(r->state));
		json_put_text(row, "evidence", *r->evidence ? r->evidence : NULL);
		json_put_text(row, "why", r->why);
		json_put_text(row, "mend", r->mend);
		json_object_array_add(list, row);
	}
	json_put(o, "checks", list);
	return o;
}

void preflight_show(const struct preflight *p, FILE *to)
{
	for (size_t i = 0; i < p->nr; i++) {
		const struct preflight_row *r = &p->rows[i];

		if (r->state == PREFLIGHT_NOT_APPLICABLE)
			continue;
		fprintf(to, "%-8s%-32s%s\n", state_name(r->state), r->title, r->evidence);
		if (r->state == PREFLIGHT_WARN || r->state == PREFLIGHT_FAIL)
			fprintf(to, "        why:  %s\n        mend: %s\n", r->why,
				r->mend);
	}
	fprintf(to, "%zu failed, %zu to look at, %zu unknown\n", p->failed, p->warned,
		p->unknown);
}
