/*
 * An owned, NULL-terminated list of strings: argument vectors, environments, names.
 * Zero-initialise; 'items' may be NULL while it is empty (use strvec_argv() for execve).
 */
#ifndef TARE_CORE_BASE_STRVEC_H
#define TARE_CORE_BASE_STRVEC_H

#include "core/base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct strvec {
	char **items;
	size_t nr, alloc;
};

void strvec_add(struct strvec *v, const char *s);
void strvec_addf(struct strvec *v, const char *fmt, ...) ERR_PRINTF(2, 3);
void strvec_add_all(struct strvec *v, const char *const *items); /* NULL-terminated */
bool strvec_has(const struct strvec *v, const char *s);
const char *const *strvec_argv(const struct strvec *v); /* never NULL */
void strvec_release(struct strvec *v);

/*
 * The candidate nearest to 'name' by edit distance, or NULL when none is near enough to
 * be what somebody meant. For "unknown key 'itterations'; did you mean 'iterations'?".
 */
const char *nearest_name(const char *name, const char *const *candidates, size_t nr);

#endif
