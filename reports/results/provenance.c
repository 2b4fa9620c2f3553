#include "reports/results/provenance.h"

#include <string.h>

#include "core/base/mem.h"

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
