/*
 * What the machine itself takes away: a loop that only reads the clock, for SECONDS, and
 * how often two reads were further apart than 100 us. Prints the count a second and the
 * longest gap in microseconds. A schedule cannot be kept better than that.
 *   cc -std=c11 -D_GNU_SOURCE -O2 -I. tests/bench/load_noise.c core/base/clock.c
 */
#include "core/base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 1;
	int64_t begin = clock_mono_ns(), last = begin, longest = 0, now;
	int gaps = 0;

	while ((now = clock_mono_ns()) - begin < (int64_t)(seconds * 1e9)) {
		gaps += now - last > 100 * NS_PER_US;
		longest = now - last > longest ? now - last : longest;
		last = now;
	}
	printf("%.1f %" PRId64 "\n", gaps / seconds, longest / NS_PER_US);
	return 0;
}
