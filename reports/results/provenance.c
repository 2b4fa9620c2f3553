#include "reports/results/provenance.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
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

static bool gates(const struct result *r)
{
	for (size_t i = 0; i < r->metrics_nr; i++)
		if (r->metrics[i].def.gate)
			return true;
	return false;
}

/* NULL: it does not say. */
static char *computed_text(const struct result *r, struct json_object *facts)
{
	struct json_object *c = json_member(r->evidence, "computed");
	const char *kind = json_get_text(c, "kind", "");
	const char *device = json_get_text(c, "device", "unknown");
	const char *uuid = json_get_text(c, "uuid", NULL);

	if (strcmp(kind, "gpu") == 0)
		return x_asprintf("%s (%s)", device, uuid ? uuid : "no UUID");
	if (strcmp(kind, "cpu") == 0)
		return x_asprintf("%s by %s", device,
				  json_get_text(c, "library", "an unknown library"));
	return strcmp(kind, "server") == 0 ? provenance_machine(facts) : NULL;
}

char *provenance_computed(const struct result_set *s, const char *arm)
{
	struct json_object *facts = result_set_facts(s, arm);
	struct strvec seen = {0};
	struct buf b;

	buf_init(&b, BUF_UNBOUNDED);
	for (size_t i = 0; i < s->nr; i++) {
		const struct result *r = &s->results[i];
		char *text = strcmp(r->arm, arm) == 0 && gates(r)
				     ? computed_text(r, facts)
				     : NULL;

		if (text && !strvec_has(&seen, text)) {
			strvec_add(&seen, text);
			buf_printf(&b, "%s%s", b.len ? " and " : "", text);
		}
		free(text);
	}
	if (!b.len) {
		char *machine = provenance_machine(facts);

		buf_printf(&b, "%s, what computed is not shown", machine);
		free(machine);
	}
	strvec_release(&seen);
	return buf_detach(&b);
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

bool provenance_is_mock(const struct result *r)
{
	struct json_object *server = json_member(r->details, "server");
	const char *kind = json_get_text(json_member(server, "tare_serve"), "kind", "");

	return json_get_bool(r->details, "is_mock", false) ||
	       json_get_bool(server, "is_mock", false) || strcmp(kind, "mock") == 0 ||
	       strcmp(kind, "tare-mock") == 0;
}

bool provenance_has_mock(const struct result_set *s, const char *arm)
{
	for (size_t i = 0; i < s->nr; i++)
		if (strcmp(s->results[i].arm, arm) == 0 &&
		    provenance_is_mock(&s->results[i]))
			return true;
	return false;
}
