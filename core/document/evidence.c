#include "core/document/evidence.h"

#include "core/base/buf.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HEADLINE_MAX = 1024 };

static const char *const kinds[] = {
	[EVIDENCE_GPU] = "gpu", [EVIDENCE_CPU] = "cpu", [EVIDENCE_SERVER] = "server"};

void evidence_init(struct evidence *e)
{
	*e = (struct evidence){
		.span = {.seconds = NAN, .wall_step_s = NAN},
		.cpu = {.steal_s = NAN,
			.throttled_s = NAN,
			.throttled_periods = -1,
			.periods = -1},
	};
}

void evidence_release(struct evidence *e)
{
	free(e->cpu.affinity);
	json_object_put(e->identity);
	evidence_init(e);
}

/* Null below the least that can be counted. */
static void put_count(struct json_object *o, const char *key, int64_t value,
		      int64_t least)
{
	json_put(o, key, value >= least ? json_object_new_int64(value) : NULL);
}

static struct json_object *computed_json(const struct evidence_computed *c)
{
	struct json_object *o = json_object_new_object();

	json_put_text(o, "kind", kinds[c->kind]);
	json_put_text(o, "device", c->device);
	json_put_text(o, "uuid", c->uuid);
	json_put_text(o, "backend", c->backend);
	json_put_text(o, "library", c->library);
	json_put_text(o, "kernels", c->kernels);
	put_count(o, "multiprocessors", c->multiprocessors, 1);
	put_count(o, "multiprocessors_whole", c->multiprocessors_whole, 1);
	put_count(o, "memory_bytes", c->memory_bytes, 1);
	return o;
}

static struct json_object *span_json(const struct evidence *e)
{
	struct json_object *o = json_object_new_object();

	json_put_text(o, "started", *e->span.started ? e->span.started : NULL);
	json_put_text(o, "ended", *e->span.ended ? e->span.ended : NULL);
	json_put_real(o, "seconds", e->span.seconds);
	json_put_real(o, "wall_step_s", e->span.wall_step_s);
	return o;
}

static struct json_object *cpu_json(const struct evidence *e)
{
	struct json_object *o = json_object_new_object();

	json_put_text(o, "affinity", e->cpu.affinity);
	json_put_real(o, "steal_s", e->cpu.steal_s);
	json_put_real(o, "throttled_s", e->cpu.throttled_s);
	put_count(o, "throttled_periods", e->cpu.throttled_periods, 0);
	put_count(o, "periods", e->cpu.periods, 0);
	return o;
}

static struct json_object *others_json(const struct evidence *e)
{
	struct json_object *o = json_object_new_object();

	json_put_bool(o, "known", e->others.known);
	put_count(o, "processes", e->others.known ? e->others.processes : -1, 0);
	return o;
}

struct json_object *evidence_to_json(const struct evidence *e)
{
	struct json_object *o = json_object_new_object();

	json_put(o, "computed", computed_json(&e->computed));
	json_put(o, "span", span_json(e));
	json_put(o, "cpu", cpu_json(e));
	json_put(o, "others", others_json(e));
	json_put(o, "identity", json_object_get(e->identity));
	json_put_text(o, "digest_c", e->digest_c);
	return o;
}

char *evidence_headline(struct json_object *evidence)
{
	static const char *const articles[] = {[EVIDENCE_GPU] = "",
					       [EVIDENCE_CPU] = "the processor, ",
					       [EVIDENCE_SERVER] = "the server "};
	struct json_object *c = json_member(evidence, "computed");
	const char *kind = json_get_text(c, "kind", NULL);
	const char *uuid = json_get_text(c, "uuid", NULL);
	const char *library = json_get_text(c, "library", NULL);
	const char *kernels = json_get_text(c, "kernels", NULL);
	int64_t had = json_get_int(c, "multiprocessors", 0);
	int64_t whole = json_get_int(c, "multiprocessors_whole", 0);
	struct buf b;

	if (!kind)
		return NULL;
	buf_init(&b, HEADLINE_MAX);
	for (size_t i = EVIDENCE_GPU; i <= EVIDENCE_SERVER; i++)
		if (strcmp(kinds[i], kind) == 0)
			buf_puts(&b, articles[i]);
	buf_puts(&b, json_get_text(c, "device", "not named"));
	if (uuid)
		buf_printf(&b, " (%s)", uuid);
	if (library)
		buf_printf(&b, ", %s", library);
	if (library && kernels)
		buf_printf(&b, " for %s", kernels);
	if (had && whole)
		buf_printf(&b, ", %" PRId64 " of %" PRId64 " multiprocessors", had,
			   whole);
	return buf_detach(&b);
}
