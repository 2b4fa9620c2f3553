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

enum { DID_YOU_MEAN_SIZE = 96 };

/*
 * The end of a sentence about a name that is not among the 'nr' known ones, for "unknown
 * key 'itterations'; did you mean 'iterations'?". Writes "; did you mean '...'?" to 'text'
 * and returns it, with the one nearest by edit distance; 'otherwise' where none is near
 * enough to be what somebody meant. Dashes in front of 'name' are no part of its length.
 */
const char *did_you_mean(char text[DID_YOU_MEAN_SIZE], const char *name,
			 const char *const *known, size_t nr, const char *otherwise);

#endif
