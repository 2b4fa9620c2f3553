#include "reports/results/provenance.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/document/evidence.h"

char *provenance_machine(struct json_object *facts)
{
	struct json_object *gpu = json_at(facts, "gpus/0");
	const char *name = json_get_text(gpu, "name", NULL);
	const char *uuid = json_get_text(gpu, "uuid", NULL);
	const char *cpu = json_get_text(json_member(facts, "cpu"), "model", NULL);

	if (name && uuid)
		return x_asprintf("%s (%s)", name, uuid);
	return x_strdup(name ? name : cpu ? cpu : "unknown machine");
}

static void add_headline(struct strvec *v, const struct result *r)
{
	const char *kind =
		json_get_text(json_at(r->evidence, "computed"), "kind", "server");
	char *headline = evidence_headline(r->evidence);

	if (headline && strcmp(kind, "server") != 0 && !strvec_has(v, headline))
		strvec_add(v, headline);
	free(headline);
}

char *provenance_computed(const struct result_set *s, const char *arm)
{
	struct strvec v = {0};
	char *ret = NULL;

	for (size_t i = 0; i < s->nr; i++)
		if (strcmp(s->results[i].arm, arm) == 0)
			add_headline(&v, &s->results[i]);
	for (size_t i = 0; i < v.nr; i++) {
		char *before = ret;

		ret = x_asprintf("%s%s%s", before ? before : "", before ? " and " : "",
				 v.items[i]);
		free(before);
	}
	strvec_release(&v);
	return ret;
}

static bool says(struct json_object *o, const char *word)
{
	switch (json_object_get_type(o)) {
	case json_type_string:
		return strcasestr(json_object_get_string(o), word) != NULL;
	case json_type_object: {
		json_object_object_foreach(o, key, value)
		{
			(void)key;
			if (says(value, word))
				return true;
		}
		return false;
	}
	default:
		return false;
	}
}

bool provenance_is_emulated(struct json_object *facts)
{
	struct json_object *h = json_member(facts, "hypervisor");

	/* CPUID says KVM where KVM runs; plain QEMU means that it emulates. */
	return strcmp(json_get_text(h, "kind", ""), "qemu") == 0 || says(h, "tcg");
}

static bool result_is_mock(const struct result *r)
{
	return json_get_bool(r->details, "is_mock", false) ||
	       json_get_bool(json_member(r->details, "server"), "is_mock", false);
}

bool provenance_has_mock(const struct result_set *s, const char *arm)
{
	for (size_t i = 0; i < s->nr; i++)
		if (strcmp(s->results[i].arm, arm) == 0 && result_is_mock(&s->results[i]))
			return true;
	return false;
}
