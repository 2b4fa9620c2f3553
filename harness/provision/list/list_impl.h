/* The machines that exist already and who has them. Included by list*.c alone. */
#ifndef TARE_HARNESS_PROVISION_LIST_LIST_IMPL_H
#define TARE_HARNESS_PROVISION_LIST_LIST_IMPL_H

#include "core/options/field.h"
#include "harness/provision/list/list.h"
#include "harness/provision/provisioner_impl.h"

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

/* Of an arm: which machine of the list. */
extern const struct field list_machine_fields[];

bool list_is_wanted(const struct list_machine *which, const struct machine *m);
/* The file that is there while somebody has the machine; free(). */
char *list_lock_path(const struct list *l, const struct machine *m);
/*
 * Who has the machine; NULL in *ret: nobody, or somebody whose file we may not read, who
 * is not us. -1: the file is damaged, and it may be ours.
 */
int list_read_holder(const char *path, struct json_object **ret, struct err *err);

/* provisioner_check(): whether a machine of that list is free, and answers. */
int list_check(struct provisioner *p, struct json_object *machine,
	       struct json_object **ret, struct err *err);

#endif
