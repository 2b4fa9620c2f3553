/*
 * SHA-256 (FIPS 180-4) as 64 hexadecimal digits: names a plan, a set of parameters, a
 * file or a matrix. The library's door is digest.c.
 */
#ifndef TARE_CORE_BASE_DIGEST_H
#define TARE_CORE_BASE_DIGEST_H

#include "core/base/err.h"

#include <stddef.h>

#define DIGEST_SIZE 65

struct digest;

struct digest *digest_new(void);
void digest_add(struct digest *d, const void *data, size_t len);
void digest_end(struct digest *d, char hex[DIGEST_SIZE]); /* frees it */

void digest_of(const void *data, size_t len, char hex[DIGEST_SIZE]);
int digest_of_file(const char *path, char hex[DIGEST_SIZE], struct err *err);

#endif
