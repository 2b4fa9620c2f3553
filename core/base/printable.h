/*
 * Texts of other machines, of files and of servers, made fit to be printed: a terminal obeys
 * control characters, whoever wrote them.
 */
#ifndef TARE_CORE_BASE_PRINTABLE_H
#define TARE_CORE_BASE_PRINTABLE_H

#include <stddef.h>

/*
 * Control characters (C0, DEL and, as UTF-8, C1) of the 'len' bytes become blanks, but for
 * line ends and tabs.
 */
void printable_make(char *text, size_t len);

#endif
