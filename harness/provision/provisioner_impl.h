/* For files that implement a provisioner; everyone else includes provisioner.h. */
#ifndef TARE_HARNESS_PROVISION_PROVISIONER_IMPL_H
#define TARE_HARNESS_PROVISION_PROVISIONER_IMPL_H

#include "harness/provision/provisioner.h"

#include <stdbool.h>

/*
 * A kind embeds these as first members. provisioner.c checks arguments before a hook, and
 * calls release and sweep behind a shield (core/base/stop.h): what they wait for needs a
 * deadline, and a stop does not end it.
 */
struct provisioner_ops {
	const char *kind;
	/*
	 * Where it fails, *ret is what it came to so far, or NULL as it was: provisioner.c
	 * hands it to 'release', which gives back what there is of it.
	 */
	int (*acquire)(struct provisioner *p, const struct lease_request *want,
		       struct lease **ret, struct err *err);
	int (*release)(struct provisioner *p, struct lease *l, struct err *err);
	void (*keep)(struct lease *l); /* frees it; the machine stays */
	int (*sweep)(struct provisioner *p, const char *run_id, size_t *ret_nr,
		     struct err *err);
	int (*list)(struct provisioner *p, const char *run_id, struct strvec *ret,
		    struct err *err);
	void (*free)(struct provisioner *p);
	/* NULL where the kind has no such thing. */
	int (*check)(struct provisioner *p, struct json_object *machine,
		     struct json_object **ret, struct err *err);
	int (*check_isolation)(struct provisioner *p, struct json_object *machine,
			       const char *run_id, struct json_object **ret,
			       struct err *err);
	int (*host_state)(struct provisioner *p, const char *host, char **ret_was,
			  struct err *err);
	int (*host_reserve)(struct provisioner *p, const char *host, char **ret_was,
			    struct err *err);
	int (*host_restore)(struct provisioner *p, const char *host, const char *was,
			    struct err *err);
};

struct provisioner {
	const struct provisioner_ops *ops;
};

struct lease {
	struct lease_info info;   /* texts owned by the kind that made it */
	struct stop_leaves *left; /* provisioner.c's */
};

/* "tare-<run id>-<label>"; free(). */
char *lease_name(const char *run_id, const char *label);
/* Whether a lease of that run ("": of any) may be called so. */
bool lease_is_name(const char *name, const char *run_id);
/*
 * What a run's id and a label may look like, because they become part of names and paths:
 * 1 to 64 of A-Z a-z 0-9 . _ - with a letter or digit first. 'what' is for the message.
 */
int lease_check_id(const char *what, const char *id, struct err *err);
/* Waits until a TCP connection is accepted and the peer says "SSH-" (RFC 4253, 4.2). */
int lease_wait_ssh(const char *address, uint16_t port, int64_t deadline_ns,
		   struct err *err);
/*
 * The same, asking 'alive' about every second whether it is still worth waiting: -1 with
 * *err filled ends the wait.
 */
typedef int lease_alive(void *ctx, struct err *err);
int lease_wait_ssh_while(const char *address, uint16_t port, int64_t deadline_ns,
			 lease_alive *alive, void *ctx, struct err *err);
/* Sleeps for that long at most; -1 (ERR_INTERRUPTED) as soon as a stop is requested. */
int lease_pause(int64_t ns, struct err *err);
/* Calls want->note when there is one. */
void lease_note(const struct lease_request *want, const char *what);

#endif
