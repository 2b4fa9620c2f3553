/*
 * The server as a whole: connections below (mock_conn.h), streams on them (mock_stream.h),
 * routes above (mock_routes.h), and the loop that gives each its turn. One thread.
 */
#ifndef TARE_INFERENCE_MOCK_MOCK_SERVER_H
#define TARE_INFERENCE_MOCK_MOCK_SERVER_H

#include "inference/mock/mock_stream.h"

struct mock_server {
	struct mock_net net;
	struct mock_engine engine;
	struct mock_stats stats;
	struct mock_faults faults;
	struct timer end;
	int stop_fd;
	bool is_over;
};

/*
 * Ends when 'stop_fd' is readable (-1: by stop_requested()). The descriptors, the
 * configuration and the truth file (may be NULL) stay the caller's. Release after a failure
 * too.
 */
int mock_server_init(struct mock_server *s, const struct mock_config *c, int listen_fd,
		     int stop_fd, FILE *truth, struct err *err);
void mock_server_run(struct mock_server *s);
void mock_server_release(struct mock_server *s);

#endif
