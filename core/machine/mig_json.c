#include "core/machine/mig.h"

#include <stdio.h>
#include <string.h>

struct json_object *mig_layout_json(const struct mig_layout *l)
{
	struct json_object *o = json_object_new_object();
	struct json_object *list = json_object_new_array();

	json_put_text(o, "gpu", l->gpu_uuid);
	json_put_bool(o, "enabled", l->is_enabled);
	json_put_bool(o, "pending", l->is_pending);
	for (size_t i = 0; i < l->nr; i++) {
		const struct mig_instance *from = &l->instances[i];
		struct json_object *to = json_object_new_object();

		json_put_int(to, "id", from->id);
		json_put_text(to, "profile", from->profile);
		json_put_int(to, "profile_id", from->profile_id);
		json_put_int(to, "start", from->start);
		json_put_int(to, "size", from->size);
		json_put_text(to, "uuid", from->uuid[0] ? from->uuid : NULL);
		json_object_array_add(list, to);
	}
	json_put(o, "instances", list);
	return o;
}

static int instance_from_json(struct mig_instance *ret, struct json_object *o,
			      struct err *err)
{
	int64_t id = json_get_int(o, "id", -1),
		profile = json_get_int(o, "profile_id", -1);
	int64_t start = json_get_int(o, "start", -1), size = json_get_int(o, "size", -1);

	if (id < 0 || profile < 0 || start < 0 || size < 1 || id > UINT32_MAX ||
	    profile > UINT32_MAX || start > 64 || size > 64)
		return err_set(err, ERR_USAGE,
			       "a MIG instance without id, profile or place");
	*ret = (struct mig_instance){.id = (unsigned)id,
				     .profile_id = (unsigned)profile,
				     .start = (unsigned)start,
				     .size = (unsigned)size};
	snprintf(ret->profile, sizeof(ret->profile), "%s",
		 json_get_text(o, "profile", ""));
	snprintf(ret->uuid, sizeof(ret->uuid), "%s", json_get_text(o, "uuid", ""));
	return 0;
}

int mig_layout_from_json(struct mig_layout *ret, struct json_object *o, struct err *err)
{
	struct json_object *list = json_member(o, "instances");
	struct mig_layout l = {.is_enabled = json_get_bool(o, "enabled", false),
			       .is_pending = json_get_bool(o, "pending", false)};

	snprintf(l.gpu_uuid, sizeof(l.gpu_uuid), "%s", json_get_text(o, "gpu", ""));
	if (!l.gpu_uuid[0] || !json_object_is_type(list, json_type_array) ||
	    json_object_array_length(list) > MIG_MAX)
		return err_set(err, ERR_USAGE,
			       "a MIG layout needs 'gpu' and 'instances'");
	for (size_t i = 0; i < json_object_array_length(list); i++)
		if (instance_from_json(&l.instances[l.nr++],
				       json_object_array_get_idx(list, i), err) != 0)
			return -1;
	*ret = l;
	return 0;
}

struct json_object *mig_profiles_json(const struct mig_profile *profiles, size_t nr)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < nr; i++) {
		struct json_object *o = json_object_new_object();

		json_put_text(o, "name", profiles[i].name);
		json_put_int(o, "id", profiles[i].id);
		json_put_int(o, "slices", profiles[i].slices);
		json_put_int(o, "instances", profiles[i].instances);
		json_put_int(o, "multiprocessors", profiles[i].multiprocessors);
		json_put_int(o, "memory_bytes", profiles[i].memory_bytes);
		json_put_int(o, "copy_engines", profiles[i].copy_engines);
		json_put_int(o, "remaining", profiles[i].remaining);
		json_object_array_add(list, o);
	}
	return list;
}
