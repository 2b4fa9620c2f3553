#include "harness/provision/list/list.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/base/stop.h"
#include "core/options/field.h"
#include "harness/provision/check_row.h"
#include "harness/provision/host_key.h"
#include "harness/provision/provisioner_impl.h"
#include "harness/provision/ssh_login_fields.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define HOLDER_MAX ((size_t)16384)

static const int64_t lock_time_ns = 30 * NS_PER_S;

enum { MACHINES_MAX = 1000 };

struct machine {
	char *address, *user, *key_file, *host_key_sha256;
	int64_t port;
};

struct list {
	struct provisioner base;
	char *lock_dir;
	struct machine *machines;
	size_t nr;
};

struct list_machine {
	char *host;
};

struct list_lease {
	struct lease base;
	char *name, *lock_path, *key_file;
};

static const struct field list_fields[] = {
	{"lock_dir", FIELD_TEXT, offsetof(struct list, lock_dir), .arg = "DIR",
	 .help = "Folder in which a machine on loan is a file; without it "
		 "~/.local/state/tare/machines. Computers that share machines share it."},
	{0},
};

static const struct field list_machine_fields[] = {
	{"host", FIELD_TEXT, offsetof(struct list_machine, host),
	 .help = "Takes only the machine with this address; without it the first free "
		 "one."},
	{0},
};

static const struct field entry_fields[] = {
	{"address", FIELD_TEXT, offsetof(struct machine, address), .is_required = true,
	 .help = "Name or address of the machine."},
	ROW_SSH_PORT(offsetof(struct machine, port)),
	ROW_SSH_USER(offsetof(struct machine, user)),
	ROW_SSH_KEY_FILE(offsetof(struct machine, key_file)),
	ROW_SSH_HOST_KEY(offsetof(struct machine, host_key_sha256)),
	{0},
};

/* The address becomes part of a file's name. */
static int check_address(const struct machine *m, const char *file, const char *where,
			 struct err *err)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz0123456789.:_%-";

	if (*m->address && m->address[0] != '.' && m->address[0] != '-' &&
	    strlen(m->address) <= 200 && !m->address[strspn(m->address, allowed)])
		return 0;
	return err_set(err, ERR_USAGE,
		       "%s: %s/address: '%.80s' is neither a host name nor an address",
		       file, where, m->address);
}

static int read_machine(struct machine *m, struct json_object *o, const char *file,
			const char *pointer, size_t i, struct err *err)
{
	char *where = x_asprintf("%s/machines/%zu", pointer, i);
	int rc;

	fields_init(entry_fields, m);
	rc = fields_bind_json(entry_fields, m, o, file, where, NULL, err);
	if (!rc)
		rc = check_address(m, file, where, err);
	if (!rc)
		rc = host_key_check(m->host_key_sha256, file, where, err);
	free(where);
	return rc;
}

static void list_free(struct provisioner *p)
{
	struct list *l = (struct list *)p;

	for (size_t i = 0; i < l->nr; i++)
		fields_release(entry_fields, &l->machines[i]);
	free(l->machines);
	fields_release(list_fields, l);
	free(l);
}

/* One machine twice: both entries would have the same holder's file. */
static int check_new(const struct list *l, size_t i, const char *file,
		     const char *pointer, struct err *err)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(l->machines[k].address, l->machines[i].address) == 0 &&
		    l->machines[k].port == l->machines[i].port)
			return err_set(err, ERR_USAGE,
				       "%s: %s/machines/%zu: '%s' port %lld is "
				       "machines/%zu already",
				       file, pointer, i, l->machines[i].address,
				       (long long)l->machines[i].port, k);
	return 0;
}

static int read_config(struct list *l, struct json_object *config, const char *file,
		       const char *pointer, struct err *err)
{
	static const char *const others[] = {"kind", "machines", NULL};
	struct json_object *machines;
	size_t nr;

	if (fields_bind_json(list_fields, l, config, file, pointer, others, err))
		return -1;
	machines = json_member(config, "machines");
	nr = json_length(machines);
	if (nr == 0 || nr > MACHINES_MAX)
		return err_set(err, ERR_USAGE,
			       "%s: %s/machines: expected a list of 1 to %d objects "
			       "{address, port, user, key_file, host_key_sha256}",
			       file, pointer, MACHINES_MAX);
	l->machines = x_calloc(nr, sizeof(*l->machines));
	for (size_t i = 0; i < nr; i++) {
		struct json_object *o = json_object_array_get_idx(machines, i);

		l->nr++;
		if (read_machine(&l->machines[i], o, file, pointer, i, err) ||
		    check_new(l, i, file, pointer, err))
			return -1;
	}
	return 0;
}

static char *default_lock_dir(void)
{
	const char *state = getenv("XDG_STATE_HOME");

	if (state && *state == '/')
		return x_asprintf("%s/tare/machines", state);
	return path_expand("~/.local/state/tare/machines");
}

/* The file whose being there says that somebody has the machine; free(). */
static char *lock_path_of(const struct list *l, const struct machine *m)
{
	return x_asprintf("%s/%s-%lld.json", l->lock_dir, m->address, (long long)m->port);
}

/*
 * Whoever holds it does so for a moment only. Not getting it in time means a stopped
 * process or a dead file server.
 */
static int take_lock(int fd, const char *path, struct err *err)
{
	int64_t deadline = clock_deadline_ns(lock_time_ns);

	while (flock(fd, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK)
			return err_errno(err, "lock %s", path);
		if (clock_passed(deadline))
			return err_set(err, ERR_ENVIRONMENT,
				       "%s: another process holds this lock for longer "
				       "than a moment; fuser -v tells which, end it",
				       path);
		if (lease_pause(20 * NS_PER_MS, err))
			return -1;
	}
	return 0;
}

/* Holders change only under this lock, which the kernel drops when a process dies. */
static int lock_folder(const struct list *l, struct err *err)
{
	char *path;
	int fd;

	if (dir_make(l->lock_dir, 0755, err))
		return -1;
	path = path_join(l->lock_dir, ".lock");
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0) {
		err_errno(err, "%s", path);
	} else if (take_lock(fd, path, err)) {
		close(fd);
		fd = -1;
	}
	free(path);
	return fd;
}

static bool is_errno(const struct err *e, int code)
{
	return e->origin && strcmp(e->origin, "errno") == 0 && e->code == code;
}

/*
 * Who has the machine; NULL in *ret: nobody, or somebody whose file we may not read, who
 * is not us. -1: the file is damaged, and it may be ours.
 */
static int read_holder(const char *path, struct json_object **ret, struct err *err)
{
	struct err why = ERR_INIT;

	*ret = json_read_file(path, HOLDER_MAX, &why);
	if (*ret || is_errno(&why, ENOENT) || is_errno(&why, EACCES))
		return 0;
	return err_set(err, ERR_ENVIRONMENT,
		       "whose machine it is cannot be read: %.600s; remove the file when "
		       "nobody has the machine",
		       why.text);
}

static int write_holder(const char *path, const struct lease_request *want,
			const char *name, struct err *err)
{
	struct json_object *o = json_object_new_object();
	char since[CLOCK_LABEL_SIZE];
	int rc;

	clock_label(clock_wall_ns(), since);
	json_put_text(o, "name", name);
	json_put_text(o, "run_id", want->run_id);
	json_put_text(o, "since", since);
	json_put_int(o, "pid", getpid());
	rc = json_write_file(path, o, 0644, err);
	json_object_put(o);
	return rc;
}

static bool is_wanted(const struct list_machine *which, const struct machine *m)
{
	return !which->host || strcmp(which->host, m->address) == 0;
}

/* The first free machine is ours from here on; NULL without an error: none is free. */
static const struct machine *take_free(struct list *l, const struct list_machine *which,
				       const struct lease_request *want,
				       struct list_lease *lease, struct err *err)
{
	const struct machine *found = NULL;
	int lock = lock_folder(l, err);

	if (lock < 0)
		return NULL;
	for (size_t i = 0; i < l->nr && !found; i++) {
		char *path = lock_path_of(l, &l->machines[i]);

		if (!is_wanted(which, &l->machines[i]) || file_exists(path)) {
			free(path);
			continue;
		}
		lease->lock_path = path;
		if (write_holder(path, want, lease->name, err))
			break;
		found = &l->machines[i];
	}
	close(lock);
	return found;
}

/* The first machine that will do, free or not; NULL with an error: the list has none. */
static const struct machine *first_wanted(const struct list *l,
					  const struct list_machine *which,
					  struct err *err)
{
	for (size_t i = 0; i < l->nr; i++)
		if (is_wanted(which, &l->machines[i]))
			return &l->machines[i];
	err_set(err, ERR_USAGE, "the list has no machine '%.80s' ('host' of the arm)",
		which->host);
	return NULL;
}

static void none_free(const struct list *l, const struct machine *m, struct err *err)
{
	char *path = lock_path_of(l, m);
	struct json_object *holder;

	(void)read_holder(path, &holder, NULL);
	err_set(err, ERR_ENVIRONMENT,
		"no machine became free in time; %s is held by run %s since %s (%s): "
		"wait for it, or give it back with 'tare clean' and that run's folder",
		m->address, json_get_text(holder, "run_id", "?"),
		json_get_text(holder, "since", "?"), path);
	json_object_put(holder);
	free(path);
}

static const struct machine *wait_for_one(struct list *l,
					  const struct list_machine *which,
					  const struct lease_request *want,
					  struct list_lease *lease, int64_t deadline_ns,
					  struct err *err)
{
	const struct machine *m, *first = first_wanted(l, which, err);
	struct err trouble = ERR_INIT;
	bool told = false;

	if (!first)
		return NULL;
	while (!(m = take_free(l, which, want, lease, &trouble))) {
		if (trouble.kind) {
			if (err)
				*err = trouble;
			return NULL;
		}
		if (clock_passed(deadline_ns)) {
			none_free(l, first, err);
			return NULL;
		}
		if (!told)
			lease_note(want, "waiting for a machine to become free");
		told = true;
		if (lease_pause(200 * NS_PER_MS, err))
			return NULL;
	}
	return m;
}

static void lease_free(struct list_lease *lease)
{
	json_object_put(lease->base.info.facts);
	free(lease->key_file);
	free(lease->lock_path);
	free(lease->name);
	free(lease);
}

/* Only while the holder is still that lease: it may have been swept and lent again. */
static int give_back(const struct list *l, const char *path, const char *name,
		     struct err *err)
{
	int lock = lock_folder(l, err), rc = 0;
	struct json_object *holder;

	if (lock < 0)
		return -1;
	rc = read_holder(path, &holder, err);
	if (holder && strcmp(json_get_text(holder, "name", ""), name) == 0 &&
	    unlink(path) && errno != ENOENT)
		rc = err_errno(err, "remove %s", path);
	json_object_put(holder);
	close(lock);
	return rc;
}

static void fill_info(struct list_lease *lease, const struct machine *m)
{
	lease->key_file = m->key_file ? path_expand(m->key_file) : NULL;
	lease->base.info = (struct lease_info){
		.id = m->address,
		.name = lease->name,
		.address = m->address,
		.port = (uint16_t)m->port,
		.user = m->user,
		.key_file = lease->key_file,
		.host_key_sha256 = m->host_key_sha256,
		.facts = json_object_new_object(),
	};
	json_put_text(lease->base.info.facts, "type", "list");
	json_put_text(lease->base.info.facts, "host", m->address);
}

static int list_acquire(struct provisioner *p, const struct lease_request *want,
			struct lease **ret, struct err *err)
{
	struct list *l = (struct list *)p;
	int64_t deadline = clock_deadline_ns(want->timeout_ns);
	struct list_machine which = {0};
	struct list_lease *lease = x_calloc(1, sizeof(*lease));
	const struct machine *m = NULL;
	int rc = -1;

	fields_init(list_machine_fields, &which);
	lease->name = lease_name(want->run_id, want->label);
	if (!want->machine || !fields_bind_json(list_machine_fields, &which,
						want->machine, "plan", "", NULL, err))
		m = wait_for_one(l, &which, want, lease, deadline, err);
	if (m) {
		fill_info(lease, m);
		*ret = &lease->base;
		lease_note(want, "waiting for SSH");
		rc = lease_wait_ssh(m->address, (uint16_t)m->port, deadline, err);
	} else {
		lease_free(lease);
	}
	fields_release(list_machine_fields, &which);
	return rc;
}

static void list_keep(struct lease *l)
{
	lease_free((struct list_lease *)l);
}

static int list_release(struct provisioner *p, struct lease *base, struct err *err)
{
	struct list_lease *lease = (struct list_lease *)base;
	int rc = give_back((struct list *)p, lease->lock_path, lease->name, err);

	lease_free(lease);
	return rc;
}

/* Names and files of the machines on loan to that run ("": to any), of all that can be read. */
static int each_holder(struct list *l, const char *run_id, struct strvec *names,
		       struct strvec *paths, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < l->nr; i++) {
		char *path = lock_path_of(l, &l->machines[i]);
		struct json_object *holder;

		if (read_holder(path, &holder, rc ? NULL : err))
			rc = -1;
		if (holder && (!*run_id || strcmp(json_get_text(holder, "run_id", ""),
						  run_id) == 0)) {
			strvec_add(names, json_get_text(holder, "name", ""));
			strvec_add(paths, path);
		}
		json_object_put(holder);
		free(path);
	}
	return rc;
}

static int list_sweep(struct provisioner *p, const char *run_id, size_t *ret_nr,
		      struct err *err)
{
	struct list *l = (struct list *)p;
	struct strvec names = {0}, paths = {0};
	int rc = each_holder(l, run_id, &names, &paths, err);

	for (size_t i = 0; i < names.nr; i++)
		if (give_back(l, paths.items[i], names.items[i], rc ? NULL : err))
			rc = -1;
	*ret_nr = names.nr;
	strvec_release(&names);
	strvec_release(&paths);
	return rc;
}

static int list_list(struct provisioner *p, const char *run_id, struct strvec *ret,
		     struct err *err)
{
	struct strvec paths = {0};
	int rc = each_holder((struct list *)p, run_id, ret, &paths, err);

	strvec_release(&paths);
	return rc;
}

/* Far longer than a machine that is up needs to answer. */
static const int64_t check_time_ns = 5 * NS_PER_S;

/* Whether it is free, and answers; nothing is taken. */
static void check_machine(const struct list *l, const struct machine *m,
			  struct json_object *checks)
{
	char *path = lock_path_of(l, m);
	struct json_object *holder = NULL;
	struct err err = ERR_INIT;

	if (read_holder(path, &holder, &err))
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

static int list_check(struct provisioner *p, struct json_object *machine,
		      struct json_object **ret, struct err *err)
{
	struct list *l = (struct list *)p;
	struct json_object *checks = json_object_new_array();
	struct list_machine which = {0};
	struct err why = ERR_INIT;
	int rc = 0;

	fields_init(list_machine_fields, &which);
	if (machine)
		rc = fields_bind_json(list_machine_fields, &which, machine, "plan", "",
				      NULL, err);
	for (size_t i = 0; i < l->nr && !rc; i++) {
		if (is_wanted(&which, &l->machines[i]))
			check_machine(l, &l->machines[i], checks);
		rc = stop_check(err);
	}
	if (!rc && !first_wanted(l, &which, &why))
		check_row_add(checks, "machine", "failed",
			      "name one of its machines, or leave 'host' out", "%s",
			      why.text);
	if (!rc) {
		*ret = json_object_new_object();
		json_put_text(*ret, "summary", "machines that exist already");
		json_put(*ret, "checks", json_object_get(checks));
	}
	json_object_put(checks);
	fields_release(list_machine_fields, &which);
	return rc;
}

static const struct provisioner_ops list_ops = {
	.kind = "list",
	.check = list_check,
	.acquire = list_acquire,
	.release = list_release,
	.keep = list_keep,
	.sweep = list_sweep,
	.list = list_list,
	.free = list_free,
};

static struct list *read_list(struct json_object *config, const char *file,
			      const char *pointer, struct err *err)
{
	struct list *l = x_calloc(1, sizeof(*l));

	fields_init(list_fields, l);
	l->base.ops = &list_ops;
	if (!read_config(l, config, file, pointer, err))
		return l;
	list_free(&l->base);
	return NULL;
}

static struct provisioner *list_open(struct json_object *config, struct err *err)
{
	struct list *l = read_list(config, "provisioner list", "", err);
	char *dir;

	if (!l)
		return NULL;
	dir = l->lock_dir ? path_expand(l->lock_dir) : default_lock_dir();
	free(l->lock_dir);
	l->lock_dir = dir;
	return &l->base;
}

static int list_check_config(struct json_object *config, const char *file,
			     const char *pointer, struct err *err)
{
	struct list *l = read_list(config, file, pointer, err);

	if (l)
		list_free(&l->base);
	return l ? 0 : -1;
}

const struct provisioner_kind list_provisioner = {
	.name = "list",
	.summary = "machines that exist already, taken one at a time",
	.fields = list_fields,
	.machine_fields = list_machine_fields,
	.check_config = list_check_config,
	.open = list_open,
};
