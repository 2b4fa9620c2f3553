#include "probe/acs.h"

enum { EXTENDED_START = 0x100, CONFIG_SIZE = 4096, ACS_ID = 0x000d, CONTROL_AT = 6 };

static uint32_t read32(const unsigned char *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Extended capabilities form a list: id in bits 0-15, next offset in bits 20-31. The
 * number of steps is bounded, since a broken device can make it a ring. */
bool acs_control(const unsigned char *config, size_t len, uint16_t *ret, bool *ret_is_cut)
{
	size_t at = EXTENDED_START;

	*ret_is_cut = len < CONFIG_SIZE;
	for (int step = 0; step < CONFIG_SIZE / 8; step++) {
		uint32_t header;

		if (at < EXTENDED_START || at + 8 > len)
			return false;
		header = read32(config + at);
		if ((header & 0xffff) == ACS_ID) {
			*ret = (uint16_t)(config[at + CONTROL_AT] |
					  config[at + CONTROL_AT + 1] << 8);
			return true;
		}
		at = header >> 20;
	}
	return false;
}
