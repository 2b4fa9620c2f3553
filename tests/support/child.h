/*
 * A test's body in a process of its own: for what a process cannot take back, such as a
 * stop request (core/base/stop.h).
 */
#ifndef TARE_TESTS_SUPPORT_CHILD_H
#define TARE_TESTS_SUPPORT_CHILD_H

#include <stddef.h>

/* Runs body(state) in a child; fails the test when an assertion in there does. */
void child_run(void (*body)(void **state), void **state);
/*
 * What the child wrote on stderr goes to 'text' (cut to 'size' with its NUL). The exit
 * status of the child, or 128 and the signal that ended it; 0 for a body that returned.
 */
int child_outcome(void (*body)(void **state), void **state, char *text, size_t size);

#endif
