#include "core/base/printable.h"

void printable_make(char *text, size_t len)
{
	unsigned char *c = (unsigned char *)text, *end = c + len;

	for (; c < end; c++) {
		if ((*c < 0x20 && *c != '\n' && *c != '\t') || *c == 0x7f)
			*c = ' ';
		else if (*c == 0xc2 && c + 1 < end && c[1] >= 0x80 && c[1] < 0xa0)
			c[0] = c[1] = ' ';
	}
}
