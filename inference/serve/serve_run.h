/*
 * The supervisor itself: from the start of the server to the end of its last descendant.
 * Runs in a process of its own (inference/serve/serve_main.c), which it makes a subreaper.
 */
#ifndef TARE_INFERENCE_SERVE_SERVE_RUN_H
#define TARE_INFERENCE_SERVE_SERVE_RUN_H

#include "inference/serve/serve_config.h"

/*
 * 'client' is the command to run beside the server, empty for none. 'lifeline' is a
 * descriptor whose end (or any byte) means: stop. 'ret_status' gets the client's exit
 * status (128 + n when signal n ended it), 0 without a client. An error means that the
 * server or the machine failed; everything is stopped then too.
 */
int serve_run(const struct serve_config *config, const struct strvec *client,
	      int lifeline, int *ret_status, struct err *err);

#endif
