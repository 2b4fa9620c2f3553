/*
 * Writes a run directory of ten million samples, labelled as synthetic: what
 * tests/bench/report draws.
 */
#include <stdio.h>

#include "tests/support/synthetic.h"

int main(int argc, char **argv)
{
	static const struct synthetic_run run = {
		.name = "ten-million",
		.arms = {"metal", "vm"},
		.rounds = 12,
		.seed = 7,
		.has_gpu = true,
		.workloads = {{.name = "load",
			       .kind = "load",
			       .metrics = {{"load.itl_s", "s", "lower", true, 0.0081,
					    1.004, 0.004, 0.2, 208334},
					   {"load.ttft_s", "s", "lower", true, 0.052,
					    1.004, 0.004, 0.3, 208334}}}},
	};

	if (argc != 2) {
		fprintf(stderr, "usage: %s NEW-DIRECTORY\n", argv[0]);
		return 2;
	}
	synthetic_write(argv[1], &run);
	return 0;
}
