/* What 'tare clean' and 'tare lease down' share. */
#ifndef TARE_HARNESS_CMD_CLEAN_H
#define TARE_HARNESS_CMD_CLEAN_H

#include "core/base/err.h"
#include "core/base/strvec.h"

/*
 * Gives back every machine of the runs in these directories and then their GPUs' drivers,
 * whatever state they are in, and says on stdout what that was. It may be repeated. Gives
 * an exit status; failures are logged.
 */
int clean_runs(const struct strvec *dirs);

#endif
