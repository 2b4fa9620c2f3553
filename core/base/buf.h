/*
 * A growable run of bytes with a maximum that is declared at birth, so that nothing from
 * outside can grow without bound. 'data' is always NUL-terminated behind 'len' bytes once
 * anything was added, and never NULL after buf_init().
 */
#ifndef TARE_CORE_BASE_BUF_H
#define TARE_CORE_BASE_BUF_H

#include "core/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	char *data;
	size_t len, alloc, max;
	size_t dropped; /* bytes that did not fit under 'max' */
};

#define BUF_UNBOUNDED ((size_t)-1)

void buf_init(struct buf *b, size_t max);
void buf_release(struct buf *b);
void buf_clear(struct buf *b); /* empty; memory and maximum stay */

/* False when the maximum cut something; what fitted is kept and the rest is counted. */
bool buf_add(struct buf *b, const void *data, size_t len);
bool buf_puts(struct buf *b, const char *s);
bool buf_printf(struct buf *b, const char *fmt, ...) ERR_PRINTF(2, 3);
bool buf_put_int(struct buf *b, int64_t n); /* as "%" PRId64 writes it, but faster */

/*
 * Hands over the bytes (free()). The buffer holds nothing afterwards, so it need not be
 * released; it can be added to again, and 'data' is NULL until then.
 */
char *buf_detach(struct buf *b);

#endif
