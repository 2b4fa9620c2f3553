/*
 * The bottom of the mock: a listening socket and its connections; bytes come in until a
 * request is whole, bytes go out, timers fire. What a request means is known above, which
 * is told through a table of functions given to mock_net_init().
 *
 * One thread runs all of it; nothing is locked. A connection that ended is freed by
 * mock_net_sweep(), so that nobody on the way there holds a dead pointer.
 */
#ifndef TARE_INFERENCE_MOCK_MOCK_CONN_H
#define TARE_INFERENCE_MOCK_MOCK_CONN_H

#include "core/base/buf.h"
#include "inference/mock/mock.h"
#include "inference/mock/mock_fault.h"
#include "inference/mock/mock_http_parse.h"
#include "inference/mock/mock_stats.h"
#include "inference/mock/mock_timers.h"

struct mock_conn;

struct mock_conn_ops {
	/* A whole request: answer it, or set c->answer and answer later. */
	void (*take)(struct mock_conn *c, const struct http_request *r);
	/* What came is no request: answer with this status. */
	void (*refuse)(struct mock_conn *c, int status);
	/* The connection closes before c->answer was finished. */
	void (*lose)(void *answer);
};

struct mock_net {
	const struct mock_config *config;
	const struct mock_conn_ops *ops;
	void *owner; /* the table's: for its functions */
	const struct mock_faults *faults;
	struct mock_stats *stats;
	struct timers timers;
	int epoll_fd, listen_fd;
	int64_t conns_nr, conns_made;

	/* mock_conn.c's own */
	struct timer accept_again;
	bool is_accepting;
	char *read_buffer;
	struct mock_conn *conns, *dead;
};

struct mock_conn {
	struct mock_net *net;
	int64_t serial;
	void *answer;           /* in progress: the next request waits; NULL: none */
	bool keeps_alive;       /* as the request asked */
	int64_t kernel_wall_ns; /* CLOCK_REALTIME of the last bytes read; 0: no stamp */

	/* mock_conn.c's own */
	int fd;
	char *in; /* bytes that are not a whole request yet, or wait their turn */
	size_t in_len, in_alloc;
	struct buf out;     /* bytes that the socket did not take */
	struct timer timer; /* accept delay or lingering close */
	uint32_t events;    /* what epoll watches */
	bool closes_after_out, lingers, is_closed, told_continue, is_delayed;
	bool saw_end; /* the client sent all that it will */
	struct mock_conn *next, *previous, *next_dead;
};

/*
 * 'listen_fd' (not negative) stays the caller's; all other pointers must outlive 'net'. Release
 * after a failure too.
 */
int mock_net_init(struct mock_net *net, int listen_fd, struct err *err);
void mock_net_release(struct mock_net *net); /* closes what is open */
void mock_net_sweep(struct mock_net *net);   /* frees what was closed */

/* Adds a descriptor to epoll_fd; 'mark' comes back as data.ptr. -1 with err. */
int mock_net_watch(struct mock_net *net, int fd, void *mark, struct err *err);
/* An event of epoll_fd that is not of mock_net_watch(). */
void mock_net_event(struct mock_net *net, void *mark, uint32_t events);

/* Sends or queues; false when the connection was closed for it. */
bool mock_conn_send(struct mock_conn *c, const char *data, size_t len);
/* The response is complete: the next request may come, or this is the end. */
void mock_conn_finish(struct mock_conn *c);
/* Takes what was read meanwhile; for who finished an answer outside of 'take'. */
void mock_conn_resume(struct mock_conn *c);
void mock_conn_close(struct mock_conn *c, bool resets); /* fine when it is closed */

#endif
