/* An arm's "mig": "all", {"slices": 1}, {"profile": "1g.18gb"}, with the GPU it is about. */
#include "harness/plan/plan_impl.h"

#include "core/base/mem.h"

#include <stdlib.h>
#include <string.h>

static const char all[] = "all";

const struct field arm_mig_fields[] = {
	{.name = "slices",
	 .kind = FIELD_INT,
	 .offset = offsetof(struct arm_mig, slices),
	 .min = 0,
	 .max = 16,
	 .help = "The plainest profile of that many compute slices."},
	{.name = "profile",
	 .kind = FIELD_TEXT,
	 .offset = offsetof(struct arm_mig, profile),
	 .help = "A profile as the driver calls it ('tare mig list'), or \"all\": the "
		 "whole GPU and then each profile that it has, each workload once on "
		 "each."},
	{.name = "gpu",
	 .kind = FIELD_TEXT,
	 .offset = offsetof(struct arm_mig, gpu),
	 .help = "UUID or PCI address of the GPU; needed where the machine has several."},
	{0},
};

/* The machine's own "gpu" object asks for a slice: what is inside cannot be cut again. */
static bool is_slice_already(const struct arm *a)
{
	return json_get_text(json_member(a->machine, "gpu"), "profile", NULL);
}

static int check(const struct plan *p, const struct arm *a, const char *pointer,
		 struct err *err)
{
	const struct arm_mig *m = &a->mig;

	if ((m->slices > 0) == (m->profile != NULL))
		return err_set(err, ERR_USAGE,
			       "%s: %s: either \"all\", or one of 'slices' and 'profile'",
			       p->path, pointer);
	if (is_slice_already(a))
		return err_set(err, ERR_USAGE,
			       "%s: %s: the machine gets a MIG-backed slice "
			       "(gpu.profile) already, which cannot be cut again",
			       p->path, pointer);
	return 0;
}

int plan_read_arm_mig(const struct plan *p, struct arm *a, struct json_object *o,
		      const char *arm_pointer, struct err *err)
{
	char *pointer;
	int rc = 0;

	if (!o)
		return 0;
	a->mig.is_wanted = true;
	pointer = x_asprintf("%s/mig", arm_pointer);
	if (json_object_is_type(o, json_type_string) &&
	    strcmp(json_object_get_string(o), all) == 0)
		a->mig.profile = x_strdup(all);
	else
		rc = fields_bind_json(arm_mig_fields, &a->mig, o, p->path, pointer, NULL,
				      err);
	if (!rc)
		rc = check(p, a, pointer, err);
	a->mig.is_all = a->mig.profile && strcmp(a->mig.profile, all) == 0;
	free(pointer);
	return rc;
}

struct json_object *arm_mig_to_json(const struct arm *a)
{
	struct json_object *o = json_object_new_object();

	if (a->mig.slices)
		json_put_int(o, "slices", a->mig.slices);
	if (a->mig.profile)
		json_put_text(o, "profile", a->mig.profile);
	if (a->mig.gpu)
		json_put_text(o, "gpu", a->mig.gpu);
	return o;
}
