#include "inference/mock/mock_conn.h"

#include "core/base/clock.h"
#include "core/base/mem.h"

#include <errno.h>
#include <linux/net_tstamp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { OUT_MAX = 1 << 20, READ_SIZE = 1 << 16, ACCEPTS_AT_ONCE = 64 };

static const int64_t linger_ns = 2 * NS_PER_S;
static const int64_t accept_pause_ns = 100 * NS_PER_MS;

static void watch(struct mock_conn *c, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.ptr = c};

	if (c->events == events || c->is_closed)
		return;
	if (epoll_ctl(c->net->epoll_fd, c->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, c->fd,
		      &e) == 0)
		c->events = events;
}

static void watch_again(struct mock_conn *c)
{
	size_t most = (size_t)c->net->config->body_max + HTTP_HEAD_MAX;
	bool reads = !c->is_delayed && !c->saw_end && c->in_len < most;

	/* EPOLLRDHUP stays set once the peer has closed its half: who does not read now
	 * would be woken by it again and again. */
	watch(c, (reads ? EPOLLIN | EPOLLRDHUP : 0u) | (c->out.len ? EPOLLOUT : 0u) |
			 EPOLLERR);
}

static void on_timer(void *conn)
{
	struct mock_conn *c = conn;

	if (c->lingers) {
		mock_conn_close(c, false);
		return;
	}
	c->is_delayed = false;
	watch_again(c);
}

static void conn_new(struct mock_net *net, int fd)
{
	struct mock_conn *c = x_calloc(1, sizeof(*c));
	int64_t delay = net->config->accept_delay_ns;
	const struct mock_fault *f;

	*c = (struct mock_conn){.net = net, .fd = fd, .serial = ++net->conns_made};
	c->timer = (struct timer){.on_due = on_timer, .owner = c};
	buf_init(&c->out, OUT_MAX);
	c->next = net->conns;
	if (net->conns)
		net->conns->previous = c;
	net->conns = c;
	net->conns_nr++;
	net->stats->connections++;
	f = mock_fault_pick(net->faults, true, c->serial);
	if (f->kind == FAULT_SLOW_ACCEPT) {
		delay += f->value;
		net->stats->faults++;
	}
	if (delay > 0) {
		c->is_delayed = true;
		timers_set(&net->timers, &c->timer, clock_mono_ns() + delay);
	}
	watch_again(c);
	if (!c->events) /* it would never be heard: no memory, or too many are watched */
		mock_conn_close(c, true);
}

static void set_accepting(struct mock_net *net, bool accepts)
{
	struct epoll_event e = {.events = accepts ? EPOLLIN : 0,
				.data.ptr = &net->listen_fd};

	epoll_ctl(net->epoll_fd, EPOLL_CTL_MOD, net->listen_fd, &e);
	net->is_accepting = accepts;
}

static void accept_some(struct mock_net *net)
{
	if (!net->is_accepting)
		set_accepting(net, true);
	for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
		int fd =
			accept4(net->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (fd >= 0 && net->conns_nr < MOCK_CONNECTIONS_MAX) {
			conn_new(net, fd);
			continue;
		}
		if (fd >= 0)
			close(fd);
		if (fd >= 0 || errno == EMFILE || errno == ENFILE || errno == ENOBUFS) {
			set_accepting(net, false);
			timers_set(&net->timers, &net->accept_again,
				   clock_mono_ns() + accept_pause_ns);
			return;
		}
	}
}

void mock_conn_close(struct mock_conn *c, bool resets)
{
	struct mock_net *net = c->net;
	struct linger hard = {.l_onoff = 1, .l_linger = 0};

	if (c->is_closed)
		return;
	c->is_closed = true;
	if (c->answer)
		net->ops->lose(c->answer);
	timers_clear(&net->timers, &c->timer);
	if (resets)
		(void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(c->fd);
	if (c->previous)
		c->previous->next = c->next;
	else
		net->conns = c->next;
	if (c->next)
		c->next->previous = c->previous;
	net->conns_nr--;
	free(c->in);
	c->in = NULL;
	buf_release(&c->out);
	c->next_dead = net->dead;
	net->dead = c;
}

/*
 * Our side is finished. What the client still sends is read over for a while: closing
 * with unread bytes would reset the connection and could take our answer with it.
 */
static void linger(struct mock_conn *c)
{
	if (c->saw_end) {
		mock_conn_close(c, false);
		return;
	}
	c->lingers = true;
	c->in_len = 0;
	shutdown(c->fd, SHUT_WR);
	timers_set(&c->net->timers, &c->timer, clock_mono_ns() + linger_ns);
	watch_again(c);
}

bool mock_conn_send(struct mock_conn *c, const char *data, size_t len)
{
	ssize_t put = 0;

	if (c->is_closed)
		return false;
	if (!c->out.len)
		put = send(c->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	else
		c->net->stats->backlogged++;
	if (put < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
		mock_conn_close(c, false);
		return false;
	}
	if (put < 0)
		put = 0;
	if ((size_t)put < len) {
		if (!buf_add(&c->out, data + put, len - (size_t)put)) {
			mock_conn_close(c, true);
			return false;
		}
		watch_again(c);
	}
	return true;
}

static void flush(struct mock_conn *c)
{
	ssize_t put = send(c->fd, c->out.data, c->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (put < 0) {
		if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
			mock_conn_close(c, false);
		return;
	}
	memmove(c->out.data, c->out.data + put, c->out.len - (size_t)put);
	c->out.len -= (size_t)put;
	if (!c->out.len && c->closes_after_out)
		linger(c);
	else
		watch_again(c);
}

/* One read with the kernel's stamp of its last segment; as recv() otherwise. */
static ssize_t receive(struct mock_conn *c, char *into, size_t size)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(3 * sizeof(struct timespec))];
	} control;
	struct iovec iov = {.iov_base = into, .iov_len = size};
	struct msghdr m = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t got = recvmsg(c->fd, &m, MSG_DONTWAIT);

	if (got <= 0)
		return got;
	for (struct cmsghdr *h = CMSG_FIRSTHDR(&m); h; h = CMSG_NXTHDR(&m, h)) {
		struct timespec t;

		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_TIMESTAMPING)
			continue;
		memcpy(&t, CMSG_DATA(h), sizeof(t));
		c->kernel_wall_ns = t.tv_sec * NS_PER_S + t.tv_nsec;
	}
	return got;
}

static void keep(struct mock_conn *c, const char *data, size_t len)
{
	if (c->in_len + len > c->in_alloc) {
		c->in_alloc = c->in_len + len + 1024;
		c->in = x_realloc_array(c->in, c->in_alloc, 1);
	}
	memmove(c->in + c->in_len, data, len);
	c->in_len += len;
}

/* One request from 'data'; how many bytes it took, 0 when none is whole. */
static size_t process_one(struct mock_conn *c, char *data, size_t len)
{
	struct http_request r;
	enum http_verdict v = http_parse(data, len, (size_t)c->net->config->body_max, &r);

	if (v == HTTP_WANT_BODY && r.expects_continue && !c->told_continue) {
		c->told_continue = true;
		mock_conn_send(c, "HTTP/1.1 100 Continue\r\n\r\n", 25);
	}
	if (v == HTTP_WANT_MORE || v == HTTP_WANT_BODY)
		return 0;
	c->told_continue = false;
	if (v != HTTP_WHOLE) {
		c->keeps_alive = false;
		c->net->ops->refuse(c, (int)v);
		return len;
	}
	c->keeps_alive = r.keeps_alive;
	c->net->ops->take(c, &r);
	return r.size;
}

static bool is_busy(const struct mock_conn *c)
{
	return c->answer || c->is_closed || c->lingers || c->closes_after_out;
}

/* Requests at the front of 'data'; what is left of it afterwards is kept. */
static void process(struct mock_conn *c, char *data, size_t len)
{
	size_t used = 0, taken;

	while (!is_busy(c) && used < len) {
		taken = process_one(c, data + used, len - used);
		if (!taken)
			break;
		used += taken;
	}
	if (c->is_closed || c->lingers || c->closes_after_out)
		return;
	if (data == c->in) {
		memmove(c->in, c->in + used, len - used);
		c->in_len = len - used;
	} else if (used < len) {
		keep(c, data + used, len - used);
	}
}

void mock_conn_resume(struct mock_conn *c)
{
	if (!is_busy(c) && c->in_len)
		process(c, c->in, c->in_len);
	if (c->is_closed || c->lingers)
		return;
	if (c->saw_end && !c->answer && !c->out.len)
		mock_conn_close(c, false);
	else
		watch_again(c);
}

void mock_conn_finish(struct mock_conn *c)
{
	if (c->is_closed)
		return;
	if (!c->keeps_alive) {
		if (c->out.len)
			c->closes_after_out = true;
		else
			linger(c);
	}
}

/* The client's half is closed. Without an answer in progress that is the end. */
static void take_end(struct mock_conn *c)
{
	c->saw_end = true;
	if (c->answer || !c->out.len)
		mock_conn_close(c, false);
	else
		watch_again(c);
}

static void read_some(struct mock_conn *c)
{
	char *into = c->net->read_buffer;
	ssize_t got = receive(c, into, READ_SIZE);

	if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return;
	if (got < 0) {
		mock_conn_close(c, false);
	} else if (got == 0) {
		take_end(c);
	} else if (!c->lingers && !c->closes_after_out) {
		if (c->in_len || is_busy(c)) {
			keep(c, into, (size_t)got);
			mock_conn_resume(c);
		} else {
			process(c, into, (size_t)got);
			if (!c->is_closed && !c->lingers)
				watch_again(c);
		}
	}
}

static void on_event(struct mock_conn *c, uint32_t events)
{
	if (c->is_closed)
		return;
	if (events & EPOLLERR || (events & EPOLLHUP && !(events & EPOLLIN))) {
		mock_conn_close(c, false);
		return;
	}
	if (events & EPOLLOUT)
		flush(c);
	if (!c->is_closed && events & EPOLLIN)
		read_some(c);
	else if (!c->is_closed && events & EPOLLRDHUP && !c->is_delayed)
		take_end(c);
}

static void on_accept_again(void *net)
{
	accept_some(net);
}

int mock_net_watch(struct mock_net *net, int fd, void *mark, struct err *err)
{
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = mark};

	if (epoll_ctl(net->epoll_fd, EPOLL_CTL_ADD, fd, &e))
		return err_errno(err, "mock: cannot watch a descriptor");
	return 0;
}

void mock_net_event(struct mock_net *net, void *mark, uint32_t events)
{
	if (mark == &net->listen_fd)
		accept_some(net);
	else
		on_event(mark, events);
}

int mock_net_init(struct mock_net *net, int listen_fd, struct err *err)
{
	net->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	net->listen_fd = listen_fd;
	net->is_accepting = true;
	net->accept_again = (struct timer){.on_due = on_accept_again, .owner = net};
	net->read_buffer = x_malloc(READ_SIZE);
	if (net->epoll_fd < 0)
		return err_errno(err, "mock: epoll_create1");
	return mock_net_watch(net, listen_fd, &net->listen_fd, err);
}

void mock_net_sweep(struct mock_net *net)
{
	while (net->dead) {
		struct mock_conn *c = net->dead;

		net->dead = c->next_dead;
		free(c);
	}
}

void mock_net_release(struct mock_net *net)
{
	while (net->conns)
		mock_conn_close(net->conns, false);
	mock_net_sweep(net);
	timers_release(&net->timers);
	free(net->read_buffer);
	if (net->epoll_fd >= 0)
		close(net->epoll_fd);
}
