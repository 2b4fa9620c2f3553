/* What 'tare clean' and 'tare lease down' share. */
#ifndef TARE_HARNESS_CMD_GIVE_BACK_H
#define TARE_HARNESS_CMD_GIVE_BACK_H

#include "core/base/err.h"

/*
 * Gives back every machine of the run in 'dir' and then its GPUs' drivers, whatever state
 * they are in, and says on stdout what that was. It may be repeated.
 */
int give_back_run(const char *dir, struct err *err);

#endif
