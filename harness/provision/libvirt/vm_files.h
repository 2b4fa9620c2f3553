/*
 * The files of one leased virtual machine, in a folder of its own named as the lease: a
 * qcow2 layer over the image, the seed with the keys, the console's log.
 *
 * The seed is a NoCloud volume, labelled "cidata", from which a cloud image takes its host
 * key and who may log in
 * (https://docs.cloud-init.io/en/latest/reference/datasources/nocloud.html). The host key is
 * made here, so its fingerprint is known before the first contact. user-data is JSON behind
 * "#cloud-config", which is YAML as well.
 */
#ifndef TARE_HARNESS_PROVISION_LIBVIRT_VM_FILES_H
#define TARE_HARNESS_PROVISION_LIBVIRT_VM_FILES_H

#include "core/base/err.h"
#include "harness/provision/libvirt/vm_machine.h"

struct vm_files {
	char *folder, *disk, *console, *nvram;
	char *seed;            /* ISO 9660 image */
	char *key_file;        /* private key for the login (0600) */
	char *host_key_sha256; /* "SHA256:..." as ssh prints it */
};

/*
 * Makes folder and files under 'workdir'. A folder of that name left by a killed process
 * is replaced. After a failure the folder is gone. 'name' becomes the guest's host name (cut
 * to 63 characters); a user other than root is made by the image's cloud-init.
 */
int vm_files_make(struct vm_files *ret, const char *workdir, const char *name,
		  const struct vm_machine *m, struct err *err);
/* Frees the names; the files stay. */
void vm_files_release(struct vm_files *f);

/*
 * Removes the folder of a lease, if it is one: absolute, named as the lease and with
 * our disk in it. Anything else is left alone, for the path may come from a description
 * that somebody else wrote. A missing folder is fine.
 */
int vm_folder_remove(const char *folder, const char *name, struct err *err);

/*
 * After a failure: adds to *err the console's last lines and where its log is kept, which
 * is "<folder>.console.log". Call it before the folder is removed. An interruption needs
 * no explanation and stays as it is.
 */
void vm_console_quote(const struct vm_files *f, struct err *err);
/*
 * The last lines that the console showed, on one line with " | " between them, without
 * escape sequences; "" when it is empty or cannot be read.
 */
const char *vm_console_tail(const char *path, char *text, size_t size);

#endif
