#include "tests/support/one_rig.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/mem.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct provisioner *open_with(struct one_rig *w, const char *auth,
				     const char *call_timeout,
				     const char *release_timeout, int retries)
{
	struct json_object *o = json_object_new_object();
	struct provisioner *p;

	json_put_text(o, "endpoint", fake_one_endpoint(w->fake));
	json_put_text(o, "auth_file", auth);
	json_put_text(o, "call_timeout", call_timeout);
	json_put_text(o, "pool_timeout", call_timeout);
	json_put_text(o, "release_timeout", release_timeout);
	json_put_text(o, "poll", "10ms");
	json_put_int(o, "read_retries", retries);
	p = opennebula_provisioner.open(o, &w->err);
	json_object_put(o);
	return p;
}

struct provisioner *one_rig_open(struct one_rig *w, const char *auth, int retries)
{
	return open_with(w, auth, "60", "60", retries);
}

struct provisioner *one_rig_open_within(struct one_rig *w, int64_t call_ns,
					int64_t release_ns)
{
	char *call = x_asprintf("%" PRId64 "ms", call_ns / NS_PER_MS);
	char *release = x_asprintf("%" PRId64 "ms", release_ns / NS_PER_MS);
	struct provisioner *p = open_with(w, w->auth, call, release, 0);

	free(call);
	free(release);
	assert_non_null(p);
	return p;
}

int one_rig_set_up(void **state)
{
	struct one_rig *w = x_calloc(1, sizeof(*w));

	w->fake = fake_one_start(0);
	w->dir = dir_make_temporary("tare-test-one", &w->err);
	if (!w->fake || !w->dir)
		return -1;
	w->auth = path_join(w->dir, "one_auth");
	if (file_write(w->auth, "oneadmin:lab-opennebula\n", 24, 0600, &w->err))
		return -1;
	w->p = one_rig_open(w, w->auth, 0);
	*state = w;
	return w->p ? 0 : -1;
}

int one_rig_tear_down(void **state)
{
	struct one_rig *w = *state;

	provisioner_free(w->p);
	fake_one_stop(w->fake);
	dir_remove(w->dir, NULL);
	free(w->dir);
	free(w->auth);
	free(w);
	return 0;
}

struct json_object *one_rig_parse(const char *text)
{
	struct json_object *o = json_parse(text, strlen(text), "test", NULL);

	assert_non_null(o);
	return o;
}

int one_rig_acquire_within(struct one_rig *w, struct provisioner *p, const char *machine,
			   int64_t timeout_ns, struct lease **ret)
{
	struct json_object *o = one_rig_parse(machine);
	struct lease_request want = {.run_id = ONE_RIG_RUN,
				     .label = "r001-vm",
				     .machine = o,
				     .workdir = w->dir,
				     .ssh_port = fake_one_ssh_port(w->fake),
				     .timeout_ns = timeout_ns};
	int rc;

	err_clear(&w->err);
	*ret = NULL;
	rc = provisioner_acquire(p, &want, ret, &w->err);
	json_object_put(o);
	return rc;
}

int one_rig_acquire(struct one_rig *w, const char *machine, struct lease **ret)
{
	return one_rig_acquire_within(w, w->p, machine, 60 * NS_PER_S, ret);
}

void one_rig_nothing_left(struct one_rig *w)
{
	assert_int_equal(fake_one_living_vms(w->fake), 0);
	assert_int_equal(fake_one_held_devices(w->fake), 0);
}
