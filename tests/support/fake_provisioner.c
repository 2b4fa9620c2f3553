#include "tests/support/fake_provisioner.h"

#include "core/base/clock.h"
#include "core/options/field.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "harness/provision/provisioner_impl.h"
#include "harness/provision/ssh_login_fields.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CALLS_FILE ".calls"
#define STATE_MAX ((size_t)4096)

enum fail_how { FAIL_ERROR, FAIL_AFTER, FAIL_KILL, FAIL_KILLED };
enum fail_call { CALL_ACQUIRE, CALL_RELEASE, CALL_SWEEP, CALL_LIST, CALL_ANY };

static const char *const how_names[] = {"error", "after", "kill", "killed", NULL};
static const char *const call_names[] = {"acquire", "release", "sweep",
					 "list",    "any",     NULL};

struct fake {
	struct provisioner base;
	char *state_dir;
	int64_t fail_at;
	int fail_how, fail_call;
};

struct fake_machine {
	char *address, *user, *key_file, *host_key_sha256;
	int64_t port, boot_ns;
	bool wait;
};

struct fake_lease {
	struct lease base;
	struct fake_machine machine;
	char *name, *id;
};

static const struct field fake_fields[] = {
	{.name = "state_dir",
	 .kind = FIELD_TEXT,
	 .offset = offsetof(struct fake, state_dir),
	 .is_required = true,
	 .help = "Folder whose files are the machines."},
	{.name = "fail_at",
	 .kind = FIELD_INT,
	 .offset = offsetof(struct fake, fail_at),
	 .min = 0,
	 .max = 1e6,
	 .help = "The call that fails, counted from 1; 0: none."},
	{.name = "fail_call",
	 .kind = FIELD_CHOICE,
	 .offset = offsetof(struct fake, fail_call),
	 .choices = call_names,
	 .unset = "any",
	 .help = "Which calls count."},
	{.name = "fail_how",
	 .kind = FIELD_CHOICE,
	 .offset = offsetof(struct fake, fail_how),
	 .choices = how_names,
	 .unset = "error",
	 .help = "What the failing call does."},
	{0},
};

static const struct field fake_machine_fields[] = {
	{.name = "address",
	 .kind = FIELD_TEXT,
	 .offset = offsetof(struct fake_machine, address),
	 .unset = "127.0.0.1",
	 .help = "Where the pretended machine answers."},
	ROW_SSH_PORT(offsetof(struct fake_machine, port)),
	ROW_SSH_USER(offsetof(struct fake_machine, user)),
	ROW_SSH_KEY_FILE(offsetof(struct fake_machine, key_file)),
	ROW_SSH_HOST_KEY(offsetof(struct fake_machine, host_key_sha256)),
	{.name = "boot",
	 .kind = FIELD_SECONDS,
	 .offset = offsetof(struct fake_machine, boot_ns),
	 .help = "The boot time that the lease claims; nothing waits for it."},
	{.name = "wait",
	 .kind = FIELD_FLAG,
	 .offset = offsetof(struct fake_machine, wait),
	 .help = "Wait for an SSH greeting as a real kind does."},
	{0},
};

/* The number of this call, kept in the folder so that it survives a crash. */
static int count_call(const struct fake *f, int call, int64_t *ret, struct err *err)
{
	char *path = path_join(f->state_dir, CALLS_FILE);
	struct json_object *counts = file_exists(path)
					     ? json_read_file(path, STATE_MAX, err)
					     : json_object_new_object();
	int64_t any, this;
	int rc = -1;

	if (counts) {
		any = json_get_int(counts, "any", 0) + 1;
		this = json_get_int(counts, call_names[call], 0) + 1;
		json_put_int(counts, "any", any);
		json_put_int(counts, call_names[call], this);
		*ret = f->fail_call == CALL_ANY ? any : this;
		rc = json_write_file(path, counts, 0644, err);
	}
	json_object_put(counts);
	free(path);
	return rc;
}

/* *ret: whether this call is the one that fails after its work. */
static int before(const struct fake *f, int call, bool *ret, struct err *err)
{
	int64_t nr;

	*ret = false;
	if (count_call(f, call, &nr, err))
		return -1;
	if (!f->fail_at || nr != f->fail_at ||
	    (f->fail_call != CALL_ANY && f->fail_call != call))
		return 0;
	if (f->fail_how == FAIL_ERROR)
		return err_set(err, ERR_ENVIRONMENT, "%s: call %lld fails as told",
			       call_names[call], (long long)nr);
	if (f->fail_how == FAIL_KILL)
		raise(SIGKILL);
	*ret = true;
	return 0;
}

static int after(const struct fake *f, int call, bool fails, struct err *err)
{
	if (!fails)
		return 0;
	if (f->fail_how == FAIL_KILLED)
		raise(SIGKILL);
	return err_set(err, ERR_ENVIRONMENT,
		       "%s: the answer got lost as told; the work may be done",
		       call_names[call]);
}

static void lease_free(struct fake_lease *l)
{
	fields_release(fake_machine_fields, &l->machine);
	json_object_put(l->base.info.facts);
	free(l->name);
	free(l->id);
	free(l);
}

static struct fake_lease *lease_new(const struct lease_request *want, struct err *err)
{
	struct fake_lease *l = x_calloc(1, sizeof(*l));

	fields_init(fake_machine_fields, &l->machine);
	if (want->machine && fields_bind_json(fake_machine_fields, &l->machine,
					      want->machine, "plan", "", NULL, err)) {
		lease_free(l);
		return NULL;
	}
	l->name = lease_name(want->run_id, want->label);
	l->id = x_asprintf("fake:%s", l->name);
	l->base.info = (struct lease_info){
		.id = l->id,
		.name = l->name,
		.address = l->machine.address,
		.port = (uint16_t)l->machine.port,
		.user = l->machine.user,
		.key_file = l->machine.key_file,
		.host_key_sha256 = l->machine.host_key_sha256,
		.boot_ns = l->machine.boot_ns,
		.facts = json_object_new_object(),
	};
	json_put_text(l->base.info.facts, "type", "fake");
	return l;
}

static int write_machine(const struct fake *f, const struct lease_request *want,
			 const char *name, struct err *err)
{
	char *path = path_join(f->state_dir, name);
	struct json_object *o = json_object_new_object();
	int rc;

	json_put_text(o, "run_id", want->run_id);
	json_put_text(o, "label", want->label);
	rc = json_write_file(path, o, 0644, err);
	json_object_put(o);
	free(path);
	return rc;
}

static int remove_machine(const struct fake *f, const char *name, struct err *err)
{
	char *path = path_join(f->state_dir, name);
	int rc = 0;

	if (unlink(path) && errno != ENOENT)
		rc = err_errno(err, "remove %s", path);
	free(path);
	return rc;
}

static int fake_acquire(struct provisioner *p, const struct lease_request *want,
			struct lease **ret, struct err *err)
{
	struct fake *f = (struct fake *)p;
	struct fake_lease *l;
	bool fails;

	if (before(f, CALL_ACQUIRE, &fails, err))
		return -1;
	l = lease_new(want, err);
	if (!l)
		return -1;
	lease_note(want, "pretending to start a machine");
	if (write_machine(f, want, l->name, err) || after(f, CALL_ACQUIRE, fails, err)) {
		lease_free(l);
		return -1;
	}
	if (l->machine.wait &&
	    lease_wait_ssh(l->machine.address, (uint16_t)l->machine.port,
			   clock_deadline_ns(want->timeout_ns), err)) {
		remove_machine(f, l->name, NULL);
		lease_free(l);
		return -1;
	}
	*ret = &l->base;
	return 0;
}

static void fake_keep(struct lease *l)
{
	lease_free((struct fake_lease *)l);
}

static int fake_release(struct provisioner *p, struct lease *lease, struct err *err)
{
	struct fake *f = (struct fake *)p;
	struct fake_lease *l = (struct fake_lease *)lease;
	bool fails = false;
	int rc = before(f, CALL_RELEASE, &fails, err);

	if (!rc)
		rc = remove_machine(f, l->name, err);
	if (!rc)
		rc = after(f, CALL_RELEASE, fails, err);
	if (rc)
		err_wrap(err, "release of %s", l->name);
	lease_free(l);
	return rc;
}

static int read_names(const struct fake *f, const char *run_id, struct strvec *ret,
		      struct err *err)
{
	DIR *dir = opendir(f->state_dir);
	struct dirent *e;
	int rc = 0;

	if (!dir)
		return err_errno(err, "open folder %s", f->state_dir);
	while (!rc && (e = readdir(dir))) {
		struct json_object *o;
		char *path;

		if (strncmp(e->d_name, "tare-", 5) != 0)
			continue;
		path = path_join(f->state_dir, e->d_name);
		o = json_read_file(path, STATE_MAX, err);
		if (!o)
			rc = -1;
		else if (!*run_id || strcmp(json_get_text(o, "run_id", ""), run_id) == 0)
			strvec_add(ret, e->d_name);
		json_object_put(o);
		free(path);
	}
	closedir(dir);
	return rc;
}

static int fake_sweep(struct provisioner *p, const char *run_id, size_t *ret_nr,
		      struct err *err)
{
	struct fake *f = (struct fake *)p;
	struct strvec names = {0};
	bool fails;
	int rc;

	if (before(f, CALL_SWEEP, &fails, err))
		return -1;
	rc = read_names(f, run_id, &names, err);
	for (size_t i = 0; !rc && i < names.nr; i++)
		rc = remove_machine(f, names.items[i], err);
	*ret_nr = names.nr;
	strvec_release(&names);
	return rc ? rc : after(f, CALL_SWEEP, fails, err);
}

static int fake_list(struct provisioner *p, const char *run_id, struct strvec *ret,
		     struct err *err)
{
	struct fake *f = (struct fake *)p;
	bool fails;

	if (before(f, CALL_LIST, &fails, err))
		return -1;
	if (read_names(f, run_id, ret, err))
		return -1;
	return after(f, CALL_LIST, fails, err);
}

static void fake_free(struct provisioner *p)
{
	fields_release(fake_fields, p);
	free(p);
}

static const struct provisioner_ops fake_ops = {
	.kind = "fake",
	.acquire = fake_acquire,
	.release = fake_release,
	.keep = fake_keep,
	.sweep = fake_sweep,
	.list = fake_list,
	.free = fake_free,
};

static struct provisioner *fake_open(struct json_object *config, struct err *err)
{
	static const char *const others[] = {"kind", NULL};
	struct fake *f = x_calloc(1, sizeof(*f));

	fields_init(fake_fields, f);
	f->base.ops = &fake_ops;
	if (fields_bind_json(fake_fields, f, config, "provisioner fake", "", others,
			     err) ||
	    dir_make(f->state_dir, 0755, err)) {
		fake_free(&f->base);
		return NULL;
	}
	return &f->base;
}

const struct provisioner_kind fake_provisioner = {
	.name = "fake",
	.summary = "TESTS ONLY: lends nothing real",
	.fields = fake_fields,
	.machine_fields = fake_machine_fields,
	.open = fake_open,
};
