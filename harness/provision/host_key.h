/* The fingerprint of an SSH host key as people write it into a plan. */
#ifndef TARE_HARNESS_PROVISION_HOST_KEY_H
#define TARE_HARNESS_PROVISION_HOST_KEY_H

#include "core/base/err.h"

/*
 * What 'ssh-keygen -lf' prints: 32 bytes in base64 without padding, "SHA256:" before them or
 * not. NULL is fine. ERR_USAGE with 'file' and 'where' (a JSON pointer) for anything else,
 * such as MD5, which nothing can match.
 */
int host_key_check(const char *text, const char *file, const char *where,
		   struct err *err);

#endif
