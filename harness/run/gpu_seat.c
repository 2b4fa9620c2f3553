#include "harness/run/gpu_seat.h"

#include "core/base/log.h"
#include "harness/run/arm_target.h"
#include "harness/run/probe_call.h"

int gpu_seat_open(struct gpu_seat *b, struct err *err)
{
	b->target = arm_target_open(b->host->arm, NULL, err);
	return b->target ? 0 : err_wrap(err, "arm '%s'", b->host->arm->name);
}

void gpu_seat_close(struct gpu_seat *b)
{
	struct err err = ERR_INIT;

	if (target_close(b->target, &err))
		log_warn("%s", err.text);
}

int gpu_seat_probe(struct gpu_seat *b, const char *const *options,
		   struct json_object *devices, struct json_object **ret, struct err *err)
{
	struct strvec args = {0};
	int rc;

	strvec_add_all(&args, options);
	for (size_t i = 0; i < json_object_array_length(devices); i++)
		strvec_addf(&args, "--device=%s",
			    json_get_text(json_object_array_get_idx(devices, i),
					  "address", ""));
	rc = probe_call(b->s, b->target, strvec_argv(&args), EXIT_PASS, ret, err);
	strvec_release(&args);
	return rc;
}

struct json_object *gpu_seat_look(struct gpu_seat *b, struct json_object *devices,
				  struct err *err)
{
	static const char *const options[] = {"--binding", NULL};
	struct json_object *document, *list;

	if (gpu_seat_probe(b, options, devices, &document, err))
		return NULL;
	list = json_object_get(json_member(document, "devices"));
	json_object_put(document);
	if (list && json_object_is_type(list, json_type_array) &&
	    json_object_array_length(list) == json_object_array_length(devices))
		return list;
	json_object_put(list);
	err_set(err, ERR_INTERNAL, "tare-probe did not tell every device's driver");
	return NULL;
}

struct provisioner *gpu_seat_platform(struct gpu_seat *b, struct err *err)
{
	return session_provisioner(b->s, b->host->provisioner, err);
}

struct json_object *gpu_change_json(const char *action, const struct gpu_host *h)
{
	struct json_object *o = json_object_new_object();

	json_put_text(o, "action", action);
	json_put_text(o, "host_arm", h->arm->name);
	return o;
}
