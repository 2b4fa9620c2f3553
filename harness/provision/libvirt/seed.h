/*
 * The NoCloud seed of a leased machine: a volume labelled "cidata" from which a cloud
 * image takes its host key and who may log in
 * (https://docs.cloud-init.io/en/latest/reference/datasources/nocloud.html). Because the
 * host key is made here, its fingerprint is known before the first contact.
 *
 * user-data is JSON behind "#cloud-config", which is YAML as well. Keys are made by
 * ssh-keygen and the volume by xorrisofs, both called by argument vector.
 */
#ifndef TARE_HARNESS_PROVISION_LIBVIRT_SEED_H
#define TARE_HARNESS_PROVISION_LIBVIRT_SEED_H

#include "core/base/err.h"

#include <stddef.h>

struct seed {
	char *volume;          /* ISO 9660 image */
	char *key_file;        /* private key for the login (0600) */
	char *host_key_sha256; /* "SHA256:..." as ssh prints it */
};

/*
 * Makes everything in 'dir', which exists and is 0700. 'name' becomes the host name (cut
 * to 63 characters). A user other than root is created by the image's cloud-init.
 */
int seed_make(struct seed *ret, const char *dir, const char *name, const char *user,
	      struct err *err);
void seed_release(struct seed *s); /* frees; the files are the folder's */

/*
 * The two documents, apart for tests; free(). 'host_private' and the like are the texts
 * of OpenSSH's key files.
 */
char *seed_user_data(const char *user, const char *host_private, const char *host_public,
		     const char *login_public);
char *seed_meta_data(const char *name);

#endif
