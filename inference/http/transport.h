/*
 * Connections to the server under test. This is the load generator's only door to
 * libcurl, which resolves, connects, speaks TLS and verifies certificates
 * (CURLOPT_CONNECT_ONLY); the bytes of requests and replies then pass here without it
 * (plain) or through it (TLS), so that every read comes with the kernel's receive stamp.
 *
 *	plain  libcurl hands the connected socket over and its handles are freed; a read is
 *	       one recvmsg(2) that brings bytes and stamp together
 *	TLS    a peek of one byte reads the stamp of the first segment, then
 *	       curl_easy_recv() the bytes; each connection has its own multi handle, so
 *	       that no call walks the other connections
 *
 * Proxies from the environment are not used: a measurement through one would be of it.
 * A 'struct link' belongs to one thread, and so does the 'struct link_share' (resolved
 * names and TLS sessions) that its links have in common.
 */
#ifndef TARE_INFERENCE_HTTP_TRANSPORT_H
#define TARE_INFERENCE_HTTP_TRANSPORT_H

#include "core/base/buf.h"
#include "core/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Where to and how; texts are the caller's and outlive everything made from it. */
struct transport {
	const char *url;     /* "http://host:port[/base]" without a slash at the end */
	const char *bearer;  /* the API key, or NULL. Secret: never in a message */
	const char *ca_file; /* certificates to trust instead of the system's, or NULL */
	bool is_insecure;    /* TLS certificates are not verified */
	int64_t connect_timeout_ns;
};

/* Call once, before there are threads. */
int transport_init(struct err *err);

/* Parts of a URL; false when it is not http or https, or holds a user or a query. */
struct url_parts {
	bool is_tls;
	char *authority; /* "host:port" as the Host header has it */
	char *base;   /* path in front of "/v1/...": "" or "/base"; a "/v1" end is cut */
	char *origin; /* "http://host:port" */
};

int url_split(const char *url, struct url_parts *ret, struct err *err);
void url_parts_release(struct url_parts *p);

/* One whole exchange, blocking, for what is asked beside the load. */
struct fetch {
	const char *method; /* "GET", "POST" */
	const char *path;   /* behind the base: "/v1/models" */
	const char *body;   /* JSON, or NULL */
	size_t body_len;
	int64_t timeout_ns;
	size_t max; /* bytes of reply; more is an error */
};

/*
 * 'ret' is initialised here, also on failure; the API key is not in it. 0 whatever the
 * status is.
 */
int transport_fetch(const struct transport *t, const struct fetch *f, struct buf *ret,
		    int *ret_status, struct err *err);

/*
 * Servers have been known to say which key they refuse: every byte of it in 'text', or of
 * its beginning where 'text' was cut, becomes '*'.
 */
void transport_redact(const struct transport *t, char *text, size_t len);

struct link_share *link_share_new(void);
void link_share_free(struct link_share *s);

enum link_state { LINK_CONNECTING, LINK_READY, LINK_FAILED };

struct link;

/*
 * Begins to connect. The link registers what it waits for with 'epoll', every event's
 * data.u64 being 'tag' in the upper half and the descriptor in the lower; the caller
 * passes events to link_progress(), and calls it with fd -1 when link_deadline_ns() has
 * passed. Once ready the descriptor is registered for input under the same tag.
 */
struct link *link_open(const struct transport *t, struct link_share *share, int epoll,
		       uint32_t tag);
enum link_state link_progress(struct link *l, int fd, uint32_t events);
enum link_state link_state(const struct link *l);
int64_t link_deadline_ns(const struct link *l);

/* Why it failed. */
struct link_failure {
	bool is_refused, is_timeout;
	int os_error;
	char text[256];
};

const struct link_failure *link_failure(const struct link *l);

/* Bytes taken, 0 when none can be taken now, or -1 with errno. */
ssize_t link_send(struct link *l, const void *bytes, size_t len);

/*
 * Bytes read, 0 at the connection's end, -1 with errno (EAGAIN: nothing there).
 * '*stamp_ns' is the kernel's CLOCK_REALTIME stamp of the last segment read (plain) or of
 * the first segment of the TLS record, 0 when the kernel gave none.
 */
ssize_t link_recv(struct link *l, void *bytes, size_t size, int64_t *stamp_ns);

/*
 * Plain links only. How many bytes wait to be read (-1 on a TLS link), and a look at them
 * that leaves them there; '*stamp_ns' is then that of the last segment looked at.
 */
ssize_t link_waiting(const struct link *l);
ssize_t link_peek(struct link *l, void *bytes, size_t size, int64_t *stamp_ns);

/* True: read until EAGAIN after an event, since bytes may wait above the socket. */
bool link_must_drain(const struct link *l);
/* Whether to be told when it can be written to as well. */
void link_want_write(struct link *l, bool wants);
void link_close(struct link *l); /* NULL is fine */

#endif
