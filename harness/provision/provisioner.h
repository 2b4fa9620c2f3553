/*
 * A provisioner lends machines; it knows nothing of SSH sessions or of workloads.
 *
 * A lease is identified before it exists: its name "tare-<run id>-<label>" and the run's
 * id travel inside the very request that creates the machine, so that after a crash at
 * any point provisioner_sweep() finds what is left by the run's id alone.
 */
#ifndef TARE_HARNESS_PROVISION_PROVISIONER_H
#define TARE_HARNESS_PROVISION_PROVISIONER_H

#include "core/base/err.h"
#include "core/document/json.h"
#include "core/base/strvec.h"

#include <stddef.h>
#include <stdint.h>

struct provisioner;
struct lease;

/* Told while a lease comes up, for progress and the journal: "waiting for SSH". */
typedef void provision_note(void *ctx, const char *what);

struct lease_request {
	const char *run_id;
	const char *label;           /* unique within the run: "r001-vm" */
	struct json_object *machine; /* the arm's part of the plan that this kind reads */
	const char *workdir;         /* a folder (0700) here for disks, keys, logs */
	uint16_t ssh_port;    /* where it will answer unless the kind knows; 0: 22 */
	int64_t timeout_ns;   /* from the call until it answers on its SSH port */
	provision_note *note; /* may be NULL */
	void *note_ctx;
};

/* Borrowed from the lease. */
struct lease_info {
	const char *id;      /* what the platform calls it */
	const char *name;    /* "tare-<run id>-<label>" */
	const char *address; /* where SSH answers */
	uint16_t port;
	const char *user;     /* who may log in; NULL: the plan says */
	const char *key_file; /* private key made for this lease; NULL: the plan says */
	const char
		*host_key_sha256; /* "SHA256:..." known before first contact, or NULL */
	int64_t boot_ns; /* request to first SSH answer; 0: was running already */
	struct json_object
		*facts; /* what the platform says: type (kvm or qemu), devices */
};

/*
 * Gets a machine and waits until its SSH port answers. On failure nothing stays behind
 * that we know of; if something may, *err says so and names it.
 */
int provisioner_acquire(struct provisioner *p, const struct lease_request *want,
			struct lease **ret, struct err *err);
const struct lease_info *lease_info(const struct lease *l);

/*
 * Gives it back and frees the lease, whatever the answer; NULL is fine. Already gone
 * counts as success. -1: the machine may still be there and *err names it. Behind a shield
 * (core/base/stop.h), as sweeping and restoring are.
 */
int provisioner_release(struct provisioner *p, struct lease *l, struct err *err);

/*
 * Frees the lease and leaves its machine on loan: provisioner_sweep() with the run's id
 * gives it back later, from any process. Ends, too, what 'info' points to.
 */
void provisioner_keep(struct provisioner *p, struct lease *l);

/* Gives back every machine that carries the run's id. *ret_nr: how many there were. */
int provisioner_sweep(struct provisioner *p, const char *run_id, size_t *ret_nr,
		      struct err *err);
/* Names of the machines that carry any tare run's id ("" run_id) or this one's. */
int provisioner_list(struct provisioner *p, const char *run_id, struct strvec *ret,
		     struct err *err);
/* After every lease was released; NULL is fine. Machines still on loan stay. */
void provisioner_free(struct provisioner *p);

/*
 * What provisioner_acquire() would meet, before anything starts: only reads. *ret, owned
 * by the caller, is {summary, checks[{name, state, text, remedy}], ...}, where state is
 * "ok", "warning", "failed" or "unknown" and the rest is the kind's own (the devices of
 * the pool and who has them, quotas, rights). Refusals are in the report; -1 means that
 * there is no report. A kind that has nothing to say gives an empty 'checks'.
 */
int provisioner_check(struct provisioner *p, struct json_object *machine,
		      struct json_object **ret, struct err *err);

/*
 * Could this account, as a tenant, get what is others'? Tries it with requests that carry
 * the run's id and whose machines never start; each is ended before this returns, and
 * provisioner_sweep() finds what a crash leaves. *ret as of provisioner_check(), or NULL
 * where the kind has no tenants. -1: it could not be tried, or something is left.
 */
int provisioner_check_isolation(struct provisioner *p, struct json_object *machine,
				const char *run_id, struct json_object **ret,
				struct err *err);

/*
 * For measuring a platform's host as bare metal: takes it out of scheduling, and puts it
 * back as it was. Refuses a host on which machines run. *ret_was ("enabled", "disabled")
 * is what restore wants; free(). The state alone, which only reads, belongs into a journal
 * before the host is reserved. All may be repeated.
 * ERR_USAGE where the kind has no hosts.
 */
int provisioner_host_state(struct provisioner *p, const char *host, char **ret_was,
			   struct err *err);
int provisioner_host_reserve(struct provisioner *p, const char *host, char **ret_was,
			     struct err *err);
int provisioner_host_restore(struct provisioner *p, const char *host, const char *was,
			     struct err *err);

/* An object inside an arm ("pin") and the table of its keys. */
struct machine_object {
	const char *name;
	const struct field *fields;
};

/* A kind, as a plan names it. Tables of fields check the plan before anything runs. */
struct provisioner_kind {
	const char *name, *summary;
	const struct field *fields;         /* of the provisioner's own object */
	const struct field *machine_fields; /* of an arm that takes machines from it */
	/* The same for the provisioner's own object; NULL: 'fields' is all there is. */
	int (*check_config)(struct json_object *config, const char *file,
			    const char *pointer, struct err *err);
	/*
	 * For a kind whose part of an arm has objects inside ("pin", "gpu"): checks all
	 * of 'machine' itself, with fields_bind_json()'s errors; machine_fields and
	 * machine_objects (ends with {0}) then document. NULL: machine_fields is all
	 * there is. The arm's own keys (target, driver ...) are passed over.
	 */
	const struct machine_object *machine_objects;
	int (*check_machine)(struct json_object *machine, const char *file,
			     const char *pointer, struct err *err);
	/*
	 * What a checked 'machine' says of the host that it will be on: PCI addresses of
	 * the devices it takes, and the host's name at the platform (NULL: none; free()).
	 * NULL: this kind cannot say.
	 */
	void (*machine_devices)(struct json_object *machine, struct strvec *ret_gpus,
				char **ret_host);
	struct provisioner *(*open)(struct json_object *config, struct err *err);
};

#endif
