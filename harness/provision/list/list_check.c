#include "harness/provision/list/list_impl.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/stop.h"
#include "harness/provision/check_row.h"

#include <stdlib.h>

/* What a machine that is up needs to answer in a check, many times over. */
static const int64_t check_time_ns = 5 * NS_PER_S;

/* Whether it is free, and answers; nothing is taken. */
static void check_machine(const struct list *l, const struct machine *m,
			  struct json_object *checks)
{
	char *path = list_lock_path(l, m);
	struct json_object *holder = NULL;
	struct err err = ERR_INIT;

	if (list_read_holder(path, &holder, &err))
		check_row_add(checks, "machine", "failed", NULL, "%s: %s", m->address,
			      err.text);
	else if (file_exists(path))
		check_row_add(checks, "machine", "warning",
			      "wait for that run, or give it back: 'tare clean' and the "
			      "run's folder",
			      "%s is held by run %s since %s (%s)", m->address,
			      json_get_text(holder, "run_id", "?"),
			      json_get_text(holder, "since", "?"), path);
	else
		check_row_add(checks, "machine", "ok", NULL, "%s is free", m->address);
	err_clear(&err);
	if (lease_wait_ssh(m->address, (uint16_t)m->port,
			   clock_deadline_ns(check_time_ns), &err))
		check_row_add(checks, "ssh", "failed",
			      "start the machine and its SSH server, or correct address "
			      "and port in the plan",
			      "%s", err.text);
	else
		check_row_add(checks, "ssh", "ok", NULL, "%s port %lld answers",
			      m->address, (long long)m->port);
	json_object_put(holder);
	free(path);
}

int list_check(struct provisioner *p, struct json_object *machine,
	       struct json_object **ret, struct err *err)
{
	struct list *l = (struct list *)p;
	struct json_object *checks = json_object_new_array();
	struct list_machine which = {0};
	int rc = 0;

	fields_init(list_machine_fields, &which);
	if (machine)
		rc = fields_bind_json(list_machine_fields, &which, machine, "plan", "",
				      NULL, err);
	for (size_t i = 0; i < l->nr && !rc; i++) {
		if (list_is_wanted(&which, &l->machines[i]))
			check_machine(l, &l->machines[i], checks);
		rc = stop_check(err);
	}
	if (!rc && !json_object_array_length(checks))
		check_row_add(checks, "machine", "failed",
			      "name one of its machines, or leave 'host' out",
			      "the list has no machine '%.80s' ('host' of the arm)",
			      which.host);
	if (!rc) {
		*ret = json_object_new_object();
		json_put_text(*ret, "summary", "machines that exist already");
		json_put(*ret, "checks", json_object_get(checks));
	}
	json_object_put(checks);
	fields_release(list_machine_fields, &which);
	return rc;
}
