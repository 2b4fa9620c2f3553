/*
 * Two processes, so that killing one leaves nothing behind. The one that the caller
 * started watches its signals, its stdin and the reader of its stdout; the other, in a
 * session of its own, is the supervisor (inference/serve/serve_run.h). Between them is a pipe:
 * when the first one ends in any way, even by SIGKILL, the supervisor sees the pipe's end
 * and stops the server.
 */
#ifndef TARE_INFERENCE_SERVE_SERVE_GUARD_H
#define TARE_INFERENCE_SERVE_SERVE_GUARD_H

#include "inference/serve/serve_config.h"

/*
 * The exit status of the whole. Ends early on SIGINT, SIGTERM, SIGHUP; without a client
 * when stdin closes; with one when nobody reads stdout any more.
 */
int serve_guard(const struct serve_config *config, const struct strvec *client);

#endif
