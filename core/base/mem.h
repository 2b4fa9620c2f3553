/*
 * Memory that cannot be refused: these end the process (exit status 6, one line on
 * stderr) when the system has none left, which removes half of all error paths. A size
 * that came from outside is bounded by the caller first. What they return is freed with
 * free().
 */
#ifndef TARE_CORE_BASE_MEM_H
#define TARE_CORE_BASE_MEM_H

#include "core/base/err.h"

#include <stdarg.h>
#include <stddef.h>

void *x_malloc(size_t size);
void *x_calloc(size_t nr, size_t size);
/* Overflow of nr * size is treated as having no memory. */
void *x_realloc_array(void *old, size_t nr, size_t size);
char *x_strdup(const char *s); /* NULL gives NULL */
char *x_strndup(const char *s, size_t max);
char *x_asprintf(const char *fmt, ...) ERR_PRINTF(1, 2);
char *x_vasprintf(const char *fmt, va_list ap) ERR_PRINTF(1, 0);

/* Makes room for one more element in array 'a' with 'nr' used of 'alloc'. */
#define GROW(a, nr, alloc)                                                 \
	do {                                                               \
		if ((nr) >= (alloc)) {                                     \
			(alloc) = (alloc) ? (alloc)*2 : 8;                 \
			(a) = x_realloc_array((a), (alloc), sizeof(*(a))); \
		}                                                          \
	} while (0)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
