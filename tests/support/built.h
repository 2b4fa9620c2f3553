/*
 * What was built beside this test: programs, and the fakes of NVIDIA's libraries
 * (tests/support/fakes). The environment variable BUILD names the folder, relative to the
 * root of the repository, where tests are started; without it that is "build".
 */
#ifndef TARE_TESTS_SUPPORT_BUILT_H
#define TARE_TESTS_SUPPORT_BUILT_H

/* The path of "tare-gemm", "tests/fakes" ...; free(). */
char *built_path(const char *name);

/*
 * Makes the fakes the libraries that this test finds: the first thing in its main(). The
 * loader reads LD_LIBRARY_PATH when a program starts, so the program starts itself again
 * with it; TARE_TEST_STARTED in the environment says that this was done. Returns 0 in the
 * program so started, and -1 with a line on stderr when a fake NVML is not there or nothing
 * could be started: then exit 1, for the loader would find a real driver, and a real GPU
 * be changed.
 */
int built_start_on_fakes(char **argv);

#endif
