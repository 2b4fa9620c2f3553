#include "harness/run/gpu_driver.h"

#include "core/base/log.h"
#include "harness/run/gpu_seat.h"
#include "harness/run/gpu_taken.h"

#include <stdlib.h>
#include <string.h>

static struct json_object *wanted_devices(const struct gpu_host *h)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < h->gpus.nr; i++) {
		struct json_object *o = json_object_new_object();

		json_put_text(o, "address", h->gpus.items[i]);
		json_object_array_add(list, o);
	}
	return list;
}

static int reserve(struct gpu_seat *b, struct err *err)
{
	struct json_object *data = gpu_change_json("reserve", b->host);
	struct provisioner *p;
	struct stage st;
	char *was = NULL;
	int rc;

	json_put_text(data, "host", b->host->name);
	if (stage_begin(&st, b->s, STEP_BIND, &b->at, data, err))
		return -1;
	p = gpu_seat_platform(b, err);
	rc = p ? provisioner_host_reserve(p, b->host->name, &was, err) : -1;
	free(was);
	return stage_end(&st, rc, gpu_change_json("reserve", b->host), err);
}

static int enable(struct gpu_seat *b, const char *was, struct err *err)
{
	struct json_object *data = gpu_change_json("enable", b->host);
	struct provisioner *p;
	struct stage st;
	int rc;

	json_put_text(data, "host", b->host->name);
	if (stage_begin(&st, b->s, STEP_BIND, &b->at, data, err))
		return -1;
	p = gpu_seat_platform(b, err);
	rc = p ? provisioner_host_restore(p, b->host->name, was, err) : -1;
	return stage_end(&st, rc, gpu_change_json("enable", b->host), err);
}

static struct json_object *scheduling_json(struct gpu_seat *b, struct err *err)
{
	struct provisioner *p = gpu_seat_platform(b, err);
	struct json_object *o;
	char *was = NULL;

	if (!p || provisioner_host_state(p, b->host->name, &was, err))
		return NULL;
	o = json_object_new_object();
	json_put_text(o, "provisioner", b->host->provisioner);
	json_put_text(o, "host", b->host->name);
	json_put_text(o, "was", was);
	free(was);
	return o;
}

/* On disk before anything is changed. 'now' is borrowed; the note is the session's. */
static int take(struct gpu_seat *b, struct json_object *now, struct err *err)
{
	struct json_object *o = gpu_change_json("take", b->host), *scheduling = NULL;
	int rc;

	if (b->host->name && !(scheduling = scheduling_json(b, err))) {
		json_object_put(o);
		return -1;
	}
	json_put(o, "scheduling", scheduling);
	json_put(o, "devices", json_object_get(now));
	rc = journal_write(b->s->journal, JOURNAL_NOTE, STEP_BIND, &b->at,
			   json_object_get(o), err);
	if (!rc)
		gpu_taken_add(b->s, o);
	json_object_put(o);
	return rc;
}

static bool has_driver(struct json_object *now, int driver)
{
	for (size_t i = 0; i < json_object_array_length(now); i++) {
		const char *is =
			json_get_text(json_object_array_get_idx(now, i), "driver", "");

		if (driver == ARM_DRIVER_VFIO ? !strstr(is, "vfio")
					      : strcmp(is, "nvidia") != 0)
			return false;
	}
	return true;
}

static int bind_stage(struct gpu_seat *b, const char *driver, struct json_object *devices,
		      struct err *err)
{
	const char *options[] = {"--bind", driver, NULL};
	struct json_object *data = gpu_change_json("bind", b->host), *document = NULL;
	struct stage st;
	int rc;

	json_put_text(data, "driver", driver);
	if (stage_begin(&st, b->s, STEP_BIND, &b->at, data, err))
		return -1;
	rc = gpu_seat_probe(b, options, devices, &document, err);
	data = gpu_change_json("bind", b->host);
	json_put_text(data, "driver", driver);
	if (document)
		json_put(data, "binding", document);
	return stage_end(&st, rc, data, err);
}

static int prepare(struct gpu_seat *b, const struct arm *arm, struct json_object *devices,
		   struct err *err)
{
	const char *driver = arm->driver == ARM_DRIVER_VFIO ? "vfio" : "nvidia";
	struct json_object *now = gpu_seat_look(b, devices, err), *taken;
	bool has;

	if (!now)
		return -1;
	has = has_driver(now, arm->driver);
	if (!gpu_taken_find(b->s, b->host->arm->name) && take(b, now, err)) {
		json_object_put(now);
		return -1;
	}
	json_object_put(now);
	if (b->host->name && (arm->target != ARM_VM || !has) && reserve(b, err))
		return -1;
	if (bind_stage(b, driver, devices, err))
		return -1;
	taken = json_member(gpu_taken_find(b->s, b->host->arm->name), "scheduling");
	if (arm->target != ARM_VM || !taken)
		return 0;
	return enable(b, json_get_text(taken, "was", "enabled"), err);
}

int gpu_driver_prepare(struct session *s, int round, const struct arm *arm,
		       struct err *err)
{
	struct gpu_seat b = {
		.s = s, .host = arm->gpu_host, .at = {.round = round, .arm = arm->name}};
	struct json_object *devices;
	int rc;

	if (!b.host)
		return 0;
	log_info("round %d, %s: its GPU goes to %s on the machine of '%s'", round,
		 arm->name, arm->driver == ARM_DRIVER_VFIO ? "vfio" : "the host's driver",
		 b.host->arm->name);
	devices = wanted_devices(b.host);
	rc = gpu_seat_open(&b, err) || prepare(&b, arm, devices, err);
	json_object_put(devices);
	gpu_seat_close(&b);
	return rc ? err_wrap(err, "binding") : 0;
}
