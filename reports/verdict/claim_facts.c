#include "reports/verdict/claim_facts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

const char *said(const char *text)
{
	static const char *const nothing[] = {"none", "null",          "unknown",
					      "n/a",  "not specified", "[n/a]"};

	if (!text || !text[strspn(text, " \t\r\n0-")])
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(nothing); i++)
		if (likeness_same_text(text, nothing[i]))
			return NULL;
	return text;
}

const char *side_far_server(const struct claim_side *s)
{
	const char *const own[] = {"127.", "localhost", "[::1]",
				   fact_text(s->facts, "kernel/hostname")};
	const char *kind = side_text(s, "computed/kind");
	const char *url = side_text(s, "computed/device"), *host;

	if (!kind || strcmp(kind, "server") != 0 || !url)
		return NULL;
	host = strstr(url, "://");
	host = host ? host + 3 : url;
	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		size_t len = own[i] ? strlen(own[i]) : 0;

		if (len && strncasecmp(host, own[i], len) == 0 &&
		    (own[i][len - 1] == '.' || strchr(":/", host[len])))
			return NULL;
	}
	return url;
}

const char *side_identity(const struct claim_side *s, const char *key)
{
	const char *text =
		said(json_get_text(json_member(s->facts, "identity"), key, NULL));

	return text ? text : said(json_get_text(side_evidence(s, "identity"), key, NULL));
}

int pair_identity(const struct claim_pair *p, const char *key)
{
	const char *a = side_identity(&p->sides[0], key),
		   *b = side_identity(&p->sides[1], key);

	return a && b ? (likeness_same_text(a, b) ? 1 : 0) : -1;
}

bool is_untold(struct json_object *o, const char *path)
{
	const char *last = strrchr(path, '/');
	char *parent = last ? x_strndup(path, (size_t)(last - path)) : NULL;
	struct json_object *in = parent ? json_at(o, parent) : o, *value = NULL;
	bool is = json_object_is_type(in, json_type_object) &&
		  json_object_object_get_ex(in, last ? last + 1 : path, &value) && !value;

	/* A group that is null says so of its members. */
	if (!in && parent)
		is = is_untold(o, parent);
	free(parent);
	return is;
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

/* What NVML does not answer in a guest. */
static bool may_be_untold(const char *path)
{
	static const char *const paths[] = {"gpus/0/mps", "gpus/0/cc_mode",
					    "gpus/0/nvlink_encryption"};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (strcmp(paths[i], path) == 0)
			return true;
	return false;
}

/* Known of one side alone. */
static void weigh_unknown(struct weighing *w, const struct claim_pair *p,
			  const struct likeness_row *r)
{
	const struct claim_side *silent = &p->sides[r->baseline ? 1 : 0];
	const char *path = r->field->path;

	if (may_be_untold(path) && is_untold(silent->gpu, path + strlen("gpus/0/")))
		weigh_shown(w, "%s is not shown of %s", r->field->label, silent->label);
	else
		weigh_one_sided(w, "%s is not known of %s", r->field->label,
				silent->label);
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
		weigh_unknown(w, p, r);
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
