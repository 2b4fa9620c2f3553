#include "reports/verdict/claim_facts.h"

#include <math.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/document/likeness.h"

bool pair_is_of(const struct claim_pair *p, unsigned kinds)
{
	return kinds & 1u << p->kind;
}

struct json_object *side_evidence(const struct claim_side *s, const char *path)
{
	return s->result ? json_at(s->result->evidence, path) : NULL;
}

const char *side_text(const struct claim_side *s, const char *path)
{
	struct json_object *o = side_evidence(s, path);

	return json_object_is_type(o, json_type_string) ? json_object_get_string(o)
							: NULL;
}

double side_number(const struct claim_side *s, const char *path)
{
	return json_real(side_evidence(s, path), NAN);
}

const char *fact_text(struct json_object *facts, const char *path)
{
	struct json_object *o = json_at(facts, path);

	return json_object_is_type(o, json_type_string) ? json_object_get_string(o)
							: NULL;
}

struct json_object *side_part(const struct result *r)
{
	return r ? json_member(r->details, "mig") : NULL;
}

const char *side_profile(const struct result *r)
{
	return json_get_text(side_part(r), "profile", NULL);
}

double apart(double a, double b)
{
	double larger = fmax(fabs(a), fabs(b));

	return larger > 0 ? fabs(a - b) / larger : 0;
}

bool weigh_known(struct weighing *w, const struct claim_pair *p, const char *what,
		 bool baseline, bool candidate)
{
	if (baseline && candidate)
		return true;
	if (baseline || candidate)
		weigh_one_sided(w, "%s is not known of %s", what,
				p->sides[baseline ? 1 : 0].label);
	else
		weigh_missing(w, "%s is not known", what);
	return false;
}

const char *side_identity(const struct claim_side *s, const char *key)
{
	const char *text = json_get_text(json_member(s->facts, "identity"), key, NULL);

	return text ? text : json_get_text(side_evidence(s, "identity"), key, NULL);
}

int pair_identity(const struct claim_pair *p, const char *key)
{
	const char *a = side_identity(&p->sides[0], key),
		   *b = side_identity(&p->sides[1], key);

	return a && b ? (strcmp(a, b) == 0 ? 1 : 0) : -1;
}

/* ---- facts of machines that must agree: the rows of core/document/likeness.h ---- */

/* What must be known, or the claim is not shown. */
static const struct {
	const char *path;
	unsigned kinds;
} must_know[] = {
	{"gpus/0/uuid", OF_GPU},
	{"gpus/0/driver_version", OF_GPU},
	{"gpus/0/power_limit_w", OF_GPU},
	{"gpus/0/memory_bytes", OF_GPU},
	{"cpu/architecture", OF_GPU | OF_CPU | OF_SERVER},
};

static bool must_be_known(const struct claim_pair *p, const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(must_know); i++)
		if (strcmp(must_know[i].path, path) == 0)
			return pair_is_of(p, must_know[i].kinds);
	return false;
}

/* A processor's work does not rest on a GPU that one of the machines has besides. */
static bool is_beside(const struct claim_pair *p, const char *path)
{
	return pair_is_of(p, OF_CPU) && strncmp(path, "gpus/", 5) == 0;
}

/* Of libraries the one that computed says itself what it is. */
static bool is_said_elsewhere(const char *path)
{
	return strncmp(path, "libraries/", 10) == 0;
}

static void weigh_row(struct weighing *w, const struct claim_pair *p,
		      const struct likeness_row *r)
{
	const char *label = r->field->label, *path = r->field->path;

	if (r->baseline || r->candidate) {
		weigh_values(w, label, r->baseline, r->candidate);
		weigh_source(w, strncmp(path, "gpus/", 5) == 0 ? "NVML" : "tare-probe");
	}
	if (r->state == LIKENESS_BREAKS)
		weigh_against(w, "not like for like: %s (%s, %s)", label, r->baseline,
			      r->candidate);
	else if (r->state == LIKENESS_UNKNOWN && !is_beside(p, path) &&
		 !is_said_elsewhere(path))
		weigh_one_sided(w, "%s is not known of %s", label,
				p->sides[r->baseline ? 1 : 0].label);
	else if (r->state == LIKENESS_ABSENT && must_be_known(p, path))
		weigh_missing(w, "%s is not known", label);
}

void weigh_likeness(struct weighing *w, const struct claim_pair *p, enum claim_id claim)
{
	struct likeness l;

	likeness_compare(&l, p->sides[0].facts, p->sides[1].facts);
	for (size_t i = 0; i < l.nr; i++)
		if (l.rows[i].field->claim == claim)
			weigh_row(w, p, &l.rows[i]);
	likeness_release(&l);
}
