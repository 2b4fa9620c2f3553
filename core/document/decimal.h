/*
 * A number as JSON writes it (RFC 8259, section 6) to the nearest double, ties to even: the
 * same double that strtod() gives, several times as fast, for files with millions of
 * samples. Up to 19 digits and powers of ten from -27 to 27 are one exact product or
 * quotient of 128 bits that is rounded once; the rest goes to strtod().
 */
#ifndef TARE_CORE_DOCUMENT_DECIMAL_H
#define TARE_CORE_DOCUMENT_DECIMAL_H

#include <stdbool.h>

/*
 * Reads the number at 's', which must end in a byte that no number has (a NUL will do).
 * *ret_end is behind it. False, with nothing set, where there is no such number, it is out
 * of range, or it is a whole number of 19 digits or more, which JSON readers treat apart.
 */
bool decimal_read(const char *s, const char **ret_end, double *ret);

#endif
