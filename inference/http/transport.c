#include "inference/http/transport.h"

#include <curl/curl.h>
#include <errno.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/stop.h"

struct link_share {
	CURLSH *curl;
};

struct link {
	enum link_state state;
	bool is_tls, is_taken, wants_write;
	int fd, epoll;
	uint32_t tag;
	int64_t timer_ns; /* when libcurl wants to be called */
	CURLM *multi;
	CURL *easy;
	struct link_failure *failure;
};

int transport_init(struct err *err)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		return err_set(err, ERR_ENVIRONMENT, "libcurl does not start");
	return 0;
}

struct link_share *link_share_new(void)
{
	struct link_share *s = x_calloc(1, sizeof(*s));

	s->curl = curl_share_init();
	curl_share_setopt(s->curl, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
	curl_share_setopt(s->curl, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
	return s;
}

void link_share_free(struct link_share *s)
{
	if (!s)
		return;
	curl_share_cleanup(s->curl);
	free(s);
}

static uint64_t event_tag(uint32_t tag, int fd)
{
	return (uint64_t)tag << 32 | (uint32_t)fd;
}

static void watch(int epoll, uint32_t tag, int fd, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.u64 = event_tag(tag, fd)};

	if (epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &e) && errno == ENOENT)
		epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
}

/* libcurl says what it waits for. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *of_socket)
{
	struct link *l = ctx;

	(void)easy, (void)of_socket;
	if (what == CURL_POLL_REMOVE)
		epoll_ctl(l->epoll, EPOLL_CTL_DEL, fd, NULL);
	else
		watch(l->epoll, l->tag, fd,
		      (what & CURL_POLL_IN ? EPOLLIN : 0) |
			      (what & CURL_POLL_OUT ? EPOLLOUT : 0));
	return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *ctx)
{
	struct link *l = ctx;

	(void)multi;
	l->timer_ns =
		timeout_ms < 0 ? CLOCK_NEVER : clock_deadline_ns(timeout_ms * NS_PER_MS);
	return 0;
}

/* Before the connect: from here on the kernel stamps what arrives. */
static int on_new_socket(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
	int flags = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;

	(void)ctx, (void)purpose;
	/* Without it the time at which epoll returned is used, and counted. */
	(void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof(flags));
	return CURL_SOCKOPT_OK;
}

/* A socket that was handed over stays open when libcurl lets go of it. */
static int on_close(void *ctx, curl_socket_t fd)
{
	struct link *l = ctx;

	if (l->is_taken && fd == l->fd)
		return 0;
	return close(fd);
}

/* Limits, certificates and protocols that hold for every handle. */
static void set_common(CURL *easy, const struct transport *t)
{
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
			 (long)(t->connect_timeout_ns / NS_PER_MS));
	/* Else letting go waits for libcurl's resolver thread, past deadline and Ctrl-C. */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	if (t->ca_file)
		curl_easy_setopt(easy, CURLOPT_CAINFO, t->ca_file);
	if (t->is_insecure) {
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
}

static void set_up(struct link *l, const struct transport *t, struct link_share *share)
{
	curl_easy_setopt(l->easy, CURLOPT_URL, t->url);
	set_common(l->easy, t);
	curl_easy_setopt(l->easy, CURLOPT_CONNECT_ONLY, 1L);
	curl_easy_setopt(l->easy, CURLOPT_BUFFERSIZE, 1024L);
	curl_easy_setopt(l->easy, CURLOPT_SOCKOPTFUNCTION, on_new_socket);
	curl_easy_setopt(l->easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
	curl_easy_setopt(l->easy, CURLOPT_CLOSESOCKETDATA, l);
	curl_easy_setopt(l->easy, CURLOPT_SHARE, share->curl);
	curl_multi_setopt(l->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(l->multi, CURLMOPT_SOCKETDATA, l);
	curl_multi_setopt(l->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(l->multi, CURLMOPT_TIMERDATA, l);
}

static void fail(struct link *l, CURLcode code, const char *text)
{
	long os_error = 0;

	l->failure = x_calloc(1, sizeof(*l->failure));
	curl_easy_getinfo(l->easy, CURLINFO_OS_ERRNO, &os_error);
	l->failure->os_error = (int)os_error;
	l->failure->is_refused = os_error == ECONNREFUSED;
	l->failure->is_timeout = code == CURLE_OPERATION_TIMEDOUT;
	memccpy(l->failure->text, text, '\0', sizeof(l->failure->text) - 1);
	l->state = LINK_FAILED;
}

static void drop_curl(struct link *l)
{
	if (l->multi && l->easy)
		curl_multi_remove_handle(l->multi, l->easy);
	if (l->easy)
		curl_easy_cleanup(l->easy);
	if (l->multi)
		curl_multi_cleanup(l->multi);
	l->easy = NULL;
	l->multi = NULL;
}

static void ready(struct link *l)
{
	curl_socket_t fd = CURL_SOCKET_BAD;

	if (curl_easy_getinfo(l->easy, CURLINFO_ACTIVESOCKET, &fd) ||
	    fd == CURL_SOCKET_BAD) {
		fail(l, CURLE_COULDNT_CONNECT, "the connection was lost at once");
		return;
	}
	l->fd = fd;
	l->is_taken = !l->is_tls;
	if (l->is_taken)
		drop_curl(l);
	l->state = LINK_READY;
	l->timer_ns = CLOCK_NEVER;
	watch(l->epoll, l->tag, l->fd, EPOLLIN);
}

enum link_state link_progress(struct link *l, int fd, uint32_t events)
{
	int what = (events & EPOLLIN ? CURL_CSELECT_IN : 0) |
		   (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
		   (events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
	int running, left;
	CURLMsg *m;

	if (l->state != LINK_CONNECTING)
		return l->state;
	curl_multi_socket_action(l->multi, fd < 0 ? CURL_SOCKET_TIMEOUT : fd,
				 fd < 0 ? 0 : what, &running);
	/* libcurl asks to be called again at once by a timer of 0 ms. So often and no more:
	 * no server is to keep us here. */
	for (int i = 0; i < 16 && running && clock_passed(l->timer_ns); i++) {
		l->timer_ns = CLOCK_NEVER;
		curl_multi_socket_action(l->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
	m = curl_multi_info_read(l->multi, &left);
	if (m && m->msg == CURLMSG_DONE) {
		if (m->data.result == CURLE_OK)
			ready(l);
		else
			fail(l, m->data.result, curl_easy_strerror(m->data.result));
	}
	return l->state;
}

struct link *link_open(const struct transport *t, struct link_share *share, int epoll,
		       uint32_t tag)
{
	struct link *l = x_calloc(1, sizeof(*l));

	l->fd = -1;
	l->epoll = epoll;
	l->tag = tag;
	l->is_tls = !strncmp(t->url, "https:", 6);
	l->timer_ns = CLOCK_NEVER;
	l->multi = curl_multi_init();
	l->easy = curl_easy_init();
	if (!l->multi || !l->easy) {
		l->failure = x_calloc(1, sizeof(*l->failure));
		l->state = LINK_FAILED;
		return l;
	}
	set_up(l, t, share);
	curl_multi_add_handle(l->multi, l->easy);
	link_progress(l, -1, 0);
	return l;
}

enum link_state link_state(const struct link *l)
{
	return l->state;
}

int64_t link_deadline_ns(const struct link *l)
{
	return l->timer_ns;
}

const struct link_failure *link_failure(const struct link *l)
{
	return l->failure;
}

ssize_t link_send(struct link *l, const void *bytes, size_t len)
{
	size_t sent = 0;
	ssize_t n;
	CURLcode code;

	if (!l->is_tls) {
		n = send(l->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : n;
	}
	code = curl_easy_send(l->easy, bytes, len, &sent);
	if (code == CURLE_OK || code == CURLE_AGAIN)
		return (ssize_t)sent;
	errno = EPIPE;
	return -1;
}

static int64_t stamp_of(struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		struct scm_timestamping t;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SO_TIMESTAMPING)
			continue;
		memcpy(&t, CMSG_DATA(c), sizeof(t));
		return t.ts[0].tv_sec * NS_PER_S + t.ts[0].tv_nsec;
	}
	return 0;
}

static ssize_t receive(int fd, void *bytes, size_t size, int flags, int64_t *stamp_ns)
{
	union {
		char space[CMSG_SPACE(sizeof(struct scm_timestamping)) + 64];
		struct cmsghdr align;
	} control;
	struct iovec piece = {.iov_base = bytes, .iov_len = size};
	struct msghdr m = {
		.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
	};
	ssize_t n = recvmsg(fd, &m, flags | MSG_DONTWAIT);

	if (n > 0)
		*stamp_ns = stamp_of(&m);
	return n;
}

ssize_t link_recv(struct link *l, void *bytes, size_t size, int64_t *stamp_ns)
{
	size_t got = 0;
	char first;
	CURLcode code;

	*stamp_ns = 0;
	if (!l->is_tls) {
		int off = 0;

		/* Interactive: acknowledge every second segment, not each one as it is read. */
		(void)setsockopt(l->fd, IPPROTO_TCP, TCP_QUICKACK, &off, sizeof(off));
		return receive(l->fd, bytes, size, 0, stamp_ns);
	}
	(void)receive(l->fd, &first, 1, MSG_PEEK, stamp_ns);
	code = curl_easy_recv(l->easy, bytes, size, &got);
	if (code == CURLE_OK)
		return (ssize_t)got;
	errno = code == CURLE_AGAIN ? EAGAIN : ECONNRESET;
	return -1;
}

ssize_t link_waiting(const struct link *l)
{
	int n = 0;

	return l->is_tls || ioctl(l->fd, SIOCINQ, &n) ? -1 : n;
}

ssize_t link_peek(struct link *l, void *bytes, size_t size, int64_t *stamp_ns)
{
	*stamp_ns = 0;
	return receive(l->fd, bytes, size, MSG_PEEK, stamp_ns);
}

bool link_must_drain(const struct link *l)
{
	return l->is_tls;
}

void link_want_write(struct link *l, bool wants)
{
	if (l->wants_write == wants)
		return;
	l->wants_write = wants;
	watch(l->epoll, l->tag, l->fd, EPOLLIN | (wants ? EPOLLOUT : 0));
}

void link_close(struct link *l)
{
	if (!l)
		return;
	if (l->state == LINK_READY && l->is_tls)
		epoll_ctl(l->epoll, EPOLL_CTL_DEL, l->fd, NULL);
	drop_curl(l);
	if (l->is_taken)
		close(l->fd);
	free(l->failure);
	free(l);
}

static char *url_part(CURLU *u, CURLUPart part, unsigned flags)
{
	char *text = NULL, *copy;

	if (curl_url_get(u, part, &text, flags))
		return NULL;
	copy = x_strdup(text);
	curl_free(text);
	return copy;
}

/* "/v1" and slashes at the end are ours to add: people paste either form. */
static void cut_path(char *path)
{
	size_t len = strlen(path);

	while (len && path[len - 1] == '/')
		path[--len] = '\0';
	if (len >= 3 && !strcmp(path + len - 3, "/v1"))
		path[len - 3] = '\0';
}

/*
 * What is wrong with a URL, or NULL. The message does not repeat the URL where it names a
 * user, for a password may stand beside.
 */
static const char *fault_of(CURLU *u, CURLUcode code)
{
	char *scheme, *user, *query;
	const char *fault = NULL;

	if (code)
		return code == CURLUE_BAD_SCHEME || code == CURLUE_UNSUPPORTED_SCHEME
			       ? "it must begin with http:// or https://"
			       : curl_url_strerror(code);
	scheme = url_part(u, CURLUPART_SCHEME, 0);
	user = url_part(u, CURLUPART_USER, 0);
	query = url_part(u, CURLUPART_QUERY, 0);
	if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
		fault = "it must begin with http:// or https://";
	else if (user)
		fault = "a user cannot be in it (--api-key-env, --api-key-file)";
	else if (query)
		fault = "a query cannot be in it";
	free(scheme), free(user), free(query);
	return fault;
}

static int split(CURLU *u, const char *url, struct url_parts *ret, struct err *err)
{
	char *scheme, *host, *port;
	const char *fault = fault_of(u, curl_url_set(u, CURLUPART_URL, url, 0));

	if (fault)
		return err_set(err, ERR_USAGE,
			       "--target '%s': is no URL like http://127.0.0.1:8000: %s",
			       strchr(url, '@') ? "..." : url, fault);
	scheme = url_part(u, CURLUPART_SCHEME, 0);
	host = url_part(u, CURLUPART_HOST, 0);
	port = url_part(u, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	ret->base = url_part(u, CURLUPART_PATH, 0);
	ret->is_tls = !strcmp(scheme, "https");
	ret->authority = x_asprintf("%s:%s", host, port);
	ret->origin = x_asprintf("%s://%s:%s", scheme, host, port);
	cut_path(ret->base);
	free(scheme), free(host), free(port);
	return 0;
}

int url_split(const char *url, struct url_parts *ret, struct err *err)
{
	CURLU *u = curl_url();
	int rc;

	*ret = (struct url_parts){.is_tls = false};
	rc = split(u, url, ret, err);
	curl_url_cleanup(u);
	return rc;
}

void url_parts_release(struct url_parts *p)
{
	free(p->authority);
	free(p->base);
	free(p->origin);
	*p = (struct url_parts){.is_tls = false};
}

void transport_redact(const struct transport *t, char *text, size_t len)
{
	size_t key = t->bearer ? strlen(t->bearer) : 0;

	for (size_t at = 0; key && at < len; at++) {
		size_t n = len - at < key ? len - at : key;

		if (!memcmp(text + at, t->bearer, n))
			memset(text + at, '*', n);
	}
}

static size_t on_body(char *bytes, size_t size, size_t nr, void *ctx)
{
	return buf_add(ctx, bytes, size * nr) ? size * nr : 0;
}

static struct curl_slist *headers(const struct transport *t, const struct fetch *f)
{
	struct curl_slist *list = NULL;

	if (f->body)
		list = curl_slist_append(list, "Content-Type: application/json");
	list = curl_slist_append(list, "Expect:");
	if (t->bearer) {
		char *line = x_asprintf("Authorization: Bearer %s", t->bearer);

		list = curl_slist_append(list, line);
		explicit_bzero(line, strlen(line));
		free(line);
	}
	return list;
}

/* libcurl's own words, which say what is wrong with a certificate, and what helps. */
static int fetch_failed(const struct fetch *f, const char *url, CURLcode code,
			const char *words, struct err *err)
{
	bool is_untrusted =
		code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_ISSUER_ERROR;

	if (code == CURLE_ABORTED_BY_CALLBACK)
		return err_set(err, ERR_INTERRUPTED, "interrupted");
	return err_set_code(err, ERR_ENVIRONMENT, "curl", code, "%s %s: %s%s", f->method,
			    url, *words ? words : curl_easy_strerror(code),
			    is_untrusted ? "; --ca-file names the authority to trust, "
					   "--insecure believes whoever answers"
					 : "");
}

static int on_progress(void *ctx, curl_off_t down_total, curl_off_t down,
		       curl_off_t up_total, curl_off_t up)
{
	(void)ctx, (void)down_total, (void)down, (void)up_total, (void)up;
	return stop_requested();
}

int transport_fetch(const struct transport *t, const struct fetch *f, struct buf *ret,
		    int *ret_status, struct err *err)
{
	char words[CURL_ERROR_SIZE] = "";
	CURL *easy = curl_easy_init();
	char *url = x_asprintf("%s%s", t->url, f->path);
	struct curl_slist *list = headers(t, f);
	long status = 0;
	CURLcode code;

	buf_init(ret, f->max);
	*ret_status = 0;
	curl_easy_setopt(easy, CURLOPT_URL, url);
	set_common(easy, t);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, f->method);
	if (f->body) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
				 (curl_off_t)f->body_len);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, f->body);
	}
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(f->timeout_ns / NS_PER_MS));
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, ret);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, words);
	curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
	code = curl_easy_perform(easy);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	curl_slist_free_all(list);
	curl_easy_cleanup(easy);
	*ret_status = (int)status;
	transport_redact(t, ret->data, ret->len);
	if (code)
		fetch_failed(f, url, code, ret->dropped ? "the reply is too long" : words,
			     err);
	free(url);
	return code ? -1 : 0;
}
