/* Configuration spaces of devices: an answer within bounds, whatever the device says. */
#include "probe/acs.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint16_t control = 0;
	bool is_cut;

	if (acs_control(data, size, &control, &is_cut) && size < 0x108)
		abort();
	return 0;
}
