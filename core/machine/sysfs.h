/*
 * Reading what the kernel says in /proc and /sys: small texts, numbers, lists of names.
 * Every function takes a root that is put in front of the path, so that tests read a
 * recorded machine; "" is the real one. Nothing here is an error: what cannot be read is
 * NULL, or 'false' with the result untouched.
 */
#ifndef TARE_CORE_MACHINE_SYSFS_H
#define TARE_CORE_MACHINE_SYSFS_H

#include "core/base/err.h"
#include "core/document/json.h"
#include "core/base/strvec.h"

#include <stdbool.h>
#include <stdint.h>

/* The file without blanks at its ends, at most 64 KiB of it; free(). Path by format. */
char *sysfs_text(const char *root, const char *fmt, ...) ERR_PRINTF(2, 3);
/* Decimal, or hexadecimal behind "0x". */
bool sysfs_int(int64_t *ret, const char *root, const char *fmt, ...) ERR_PRINTF(3, 4);
/* The last part of where a link leads ("driver" -> "nvidia"); free(). */
char *sysfs_link_name(const char *root, const char *fmt, ...) ERR_PRINTF(2, 3);
/* Names in a folder in natural order (node2 before node10), without dot files. */
void sysfs_list(struct strvec *ret, const char *root, const char *fmt, ...)
	ERR_PRINTF(3, 4);
bool sysfs_exists(const char *root, const char *fmt, ...) ERR_PRINTF(2, 3);
/* A process of that name runs; the kernel keeps 15 letters of a name. */
bool sysfs_runs(const char *root, const char *name);

/*
 * The value of a "key : value" line of a text such as /proc/cpuinfo, the first one;
 * free(). Blanks around key and value do not count.
 */
char *sysfs_value(const char *text, const char *key);

/*
 * Puts the text, number or choice (in brackets: "always [madvise] never") of a file under
 * 'key'; null when it cannot be read.
 */
void sysfs_put_text(struct json_object *o, const char *key, const char *root,
		    const char *path);
void sysfs_put_int(struct json_object *o, const char *key, const char *root,
		   const char *path);
void sysfs_put_choice(struct json_object *o, const char *key, const char *root,
		      const char *path);

#endif
