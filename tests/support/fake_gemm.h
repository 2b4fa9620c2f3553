/*
 * A FAKE tare-gemm for tests of plans: a script, alone in a program folder, that can only
 * describe itself, which is all that reading a plan asks of a workload's program. Its
 * options are "n" (1 to 100000), "precision" (fp32 or fp64), "warmup-seconds" and
 * "output".
 */
#ifndef TARE_TESTS_SUPPORT_FAKE_GEMM_H
#define TARE_TESTS_SUPPORT_FAKE_GEMM_H

/* In that folder: a line for each time that the program was asked. */
#define FAKE_GEMM_ASKED "asked"

/*
 * Around a group of tests, whose *state then is the path of that folder, which
 * TARE_PROGRAM_DIR names: a test may put files there, and all of it goes in the end.
 */
int fake_gemm_set_up(void **state);
int fake_gemm_tear_down(void **state);

#endif
