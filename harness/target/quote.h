/*
 * A word for a POSIX shell: 'text' between single quotes, each single quote inside
 * written as '\'' (POSIX.1-2017, Shell Command Language, 2.2.2). The shell gives back
 * exactly the same bytes, whatever they are. The one place where text for a remote shell
 * is made out of words from elsewhere.
 */
#ifndef TARE_HARNESS_TARGET_QUOTE_H
#define TARE_HARNESS_TARGET_QUOTE_H

#include "core/base/buf.h"

void quote_add(struct buf *b, const char *text);
/* Each word of the NULL-terminated list with a space in front. */
void quote_add_all(struct buf *b, const char *const *words);

#endif
