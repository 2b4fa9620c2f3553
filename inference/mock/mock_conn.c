#include "inference/mock/mock_impl.h"

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

static const int64_t linger_ns = 2 * NS_PER_S;
static const int64_t accept_pause_ns = 100 * NS_PER_MS;

static void watch(struct mock_conn *c, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.ptr = c};

	if (c->events == events || c->is_closed)
		return;
	epoll_ctl(c->server->epoll_fd, c->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, c->fd,
		  &e);
	c->events = events;
}

static void watch_again(struct mock_conn *c)
{
	size_t most = (size_t)c->server->config->body_max + HTTP_HEAD_MAX;
	bool reads = !c->is_delayed && !c->saw_end && c->in_len < most;

	/* A half-closed peer is told by level: who does not read must not be asked. */
	watch(c, (reads ? EPOLLIN | EPOLLRDHUP : 0u) | (c->out.len ? EPOLLOUT : 0u) |
			 EPOLLERR);
}

static void conn_new(struct mock_server *s, int fd)
{
	struct mock_conn *c = x_calloc(1, sizeof(*c));
	int64_t delay = s->config->accept_delay_ns;
	const struct mock_fault *f;

	*c = (struct mock_conn){.server = s, .fd = fd, .serial = ++s->conns_made};
	c->timer = (struct mock_timer){.kind = TIMER_CONN, .owner = c};
	buf_init(&c->out, MOCK_OUT_MAX);
	c->next = s->conns;
	if (s->conns)
		s->conns->previous = c;
	s->conns = c;
	s->conns_nr++;
	s->stats.connections++;
	f = mock_fault_pick(s->faults, s->faults_nr, true, s->config->seed, c->serial);
	if (f->kind == FAULT_SLOW_ACCEPT) {
		delay += f->value;
		s->stats.faults++;
	}
	if (delay > 0) {
		c->is_delayed = true;
		timers_set(&s->timers, &c->timer.timer, clock_mono_ns() + delay);
	}
	watch_again(c);
}

static void set_accepting(struct mock_server *s, bool accepts)
{
	struct epoll_event e = {.events = accepts ? EPOLLIN : 0,
				.data.ptr = &s->listen_fd};

	epoll_ctl(s->epoll_fd, EPOLL_CTL_MOD, s->listen_fd, &e);
	s->is_accepting = accepts;
}

void mock_accept(struct mock_server *s)
{
	if (!s->is_accepting)
		set_accepting(s, true);
	for (int i = 0; i < 64; i++) {
		int fd = accept4(s->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (fd >= 0 && s->conns_nr < MOCK_CONNECTIONS_MAX) {
			conn_new(s, fd);
			continue;
		}
		if (fd >= 0)
			close(fd);
		if (fd >= 0 || errno == EMFILE || errno == ENFILE || errno == ENOBUFS) {
			set_accepting(s, false);
			timers_set(&s->timers, &s->accept_again.timer,
				   clock_mono_ns() + accept_pause_ns);
			return;
		}
	}
}

void mock_conn_close(struct mock_conn *c, bool resets)
{
	struct mock_server *s = c->server;
	struct linger hard = {.l_onoff = 1, .l_linger = 0};

	if (c->is_closed)
		return;
	c->is_closed = true;
	if (c->stream)
		mock_stream_end(c->stream, "disconnected");
	timers_clear(&s->timers, &c->timer.timer);
	if (resets)
		(void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(c->fd);
	if (c->previous)
		c->previous->next = c->next;
	else
		s->conns = c->next;
	if (c->next)
		c->next->previous = c->previous;
	s->conns_nr--;
	free(c->in);
	c->in = NULL;
	buf_release(&c->out);
	c->next_dead = s->dead_conns;
	s->dead_conns = c;
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
	timers_set(&c->server->timers, &c->timer.timer, clock_mono_ns() + linger_ns);
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
		c->server->stats.backlogged++;
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

static void refuse(struct mock_conn *c, enum http_verdict v)
{
	c->keeps_alive = false;
	mock_respond_error(c, (int)v, http_reason((int)v));
}

/* One request from 'data'; how many bytes it took, 0 when none is whole. */
static size_t process_one(struct mock_conn *c, char *data, size_t len)
{
	struct http_request r;
	enum http_verdict v =
		http_parse(data, len, (size_t)c->server->config->body_max, &r);

	if (v == HTTP_WANT_BODY && r.expects_continue && !c->told_continue) {
		c->told_continue = true;
		mock_conn_send(c, "HTTP/1.1 100 Continue\r\n\r\n", 25);
	}
	if (v == HTTP_WANT_MORE || v == HTTP_WANT_BODY)
		return 0;
	c->told_continue = false;
	if (v != HTTP_WHOLE) {
		refuse(c, v);
		return len;
	}
	c->keeps_alive = r.keeps_alive;
	mock_route(c, &r);
	return r.size;
}

static bool is_busy(const struct mock_conn *c)
{
	return c->stream || c->is_closed || c->lingers || c->closes_after_out;
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

void mock_conn_process(struct mock_conn *c)
{
	if (!is_busy(c) && c->in_len)
		process(c, c->in, c->in_len);
	if (c->is_closed || c->lingers)
		return;
	if (c->saw_end && !c->stream && !c->out.len)
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
	if (c->stream || !c->out.len)
		mock_conn_close(c, false);
	else
		watch_again(c);
}

static void read_some(struct mock_conn *c)
{
	char *into = c->server->read_buffer;
	ssize_t got = receive(c, into, MOCK_READ_SIZE);

	if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return;
	if (got < 0) {
		mock_conn_close(c, false);
	} else if (got == 0) {
		take_end(c);
	} else if (!c->lingers && !c->closes_after_out) {
		if (c->in_len || is_busy(c)) {
			keep(c, into, (size_t)got);
			mock_conn_process(c);
		} else {
			process(c, into, (size_t)got);
			if (!c->is_closed && !c->lingers)
				watch_again(c);
		}
	}
}

void mock_conn_event(struct mock_conn *c, uint32_t events)
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

void mock_conn_timer(struct mock_conn *c)
{
	if (c->lingers) {
		mock_conn_close(c, false);
		return;
	}
	c->is_delayed = false;
	watch_again(c);
}
