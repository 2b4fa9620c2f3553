/* What every kind of provisioner needs for a lease: names, waiting, SSH's first answer. */
#include "harness/provision/provisioner_impl.h"

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/resolve.h"
#include "core/base/stop.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PREFIX "tare-"

enum { ID_MAX = 64, GREETING_MAX = 8192 };

/* Of one attempt: to find the name's addresses, and to be greeted by one of them. */
static const int64_t patience_max_ns = 15 * NS_PER_S;

char *lease_name(const char *run_id, const char *label)
{
	return x_asprintf(PREFIX "%s-%s", run_id, label);
}

bool lease_is_name(const char *name, const char *run_id)
{
	size_t prefix = strlen(PREFIX), len = strlen(run_id);

	return strncmp(name, PREFIX, prefix) == 0 &&
	       (!len ||
		(strncmp(name + prefix, run_id, len) == 0 && name[prefix + len] == '-'));
}

int lease_check_id(const char *what, const char *id, struct err *err)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t len = id ? strspn(id, allowed) : 0;

	if (len > 0 && len <= ID_MAX && !id[len] && isalnum((unsigned char)id[0]))
		return 0;
	return err_set(err, ERR_USAGE,
		       "%s '%.80s': expected 1 to %d letters, digits, '.', '_' or '-' "
		       "with a letter or digit first",
		       what, id ? id : "", ID_MAX);
}

void lease_note(const struct lease_request *want, const char *what)
{
	if (want->note)
		want->note(want->note_ctx, what);
}

int lease_pause(int64_t ns, struct err *err)
{
	int64_t until = clock_deadline_ns(ns);

	while (!stop_requested() && !clock_passed(until)) {
		struct pollfd stop = {.fd = stop_fd(), .events = POLLIN};

		poll(&stop, 1, clock_poll_ms(until, 1000));
	}
	return stop_check(err);
}

/* 1: the event came; 0: time is up or a stop was requested. */
static int wait_fd(int fd, short events, int64_t deadline_ns)
{
	while (!stop_requested() && !clock_passed(deadline_ns)) {
		struct pollfd fds[] = {{.fd = fd, .events = events},
				       {.fd = stop_fd(), .events = POLLIN}};

		if (poll(fds, 2, clock_poll_ms(deadline_ns, 1000)) > 0 && fds[0].revents)
			return 1;
	}
	return 0;
}

/* RFC 4253, section 4.2: other lines may come before the one that starts with "SSH-". */
static bool greets_as_ssh(int fd, int64_t deadline_ns)
{
	char text[GREETING_MAX + 1];
	size_t len = 0;

	while (len < GREETING_MAX && wait_fd(fd, POLLIN, deadline_ns)) {
		ssize_t n = recv(fd, text + len, GREETING_MAX - len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		len += (size_t)n;
		text[len] = 0;
		if (strncmp(text, "SSH-", 4) == 0 || strstr(text, "\nSSH-"))
			return true;
	}
	return false;
}

static bool try_address(const struct addrinfo *a, int64_t deadline_ns)
{
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error = 0;
	socklen_t len = sizeof(error);
	bool answered = false;

	if (fd < 0)
		return false;
	if (connect(fd, a->ai_addr, a->ai_addrlen) == 0 ||
	    (errno == EINPROGRESS && wait_fd(fd, POLLOUT, deadline_ns) &&
	     getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && !error))
		answered = greets_as_ssh(fd, deadline_ns);
	close(fd);
	return answered;
}

static int64_t earlier(int64_t a_ns, int64_t b_ns)
{
	return a_ns < b_ns ? a_ns : b_ns;
}

/* 'trouble' says why not. */
static bool try_once(const char *address, uint16_t port, int64_t deadline_ns,
		     int64_t patience_ns, struct err *trouble)
{
	int64_t until = earlier(clock_deadline_ns(patience_max_ns), deadline_ns);
	struct addrinfo *all;
	bool answered = false;
	int left = 0;

	err_clear(trouble);
	if (resolve(address, port, until, &all, trouble))
		return false;
	err_set(trouble, ERR_ENVIRONMENT, "nothing there greets as an SSH server does");
	until = earlier(clock_deadline_ns(patience_ns), deadline_ns);
	for (struct addrinfo *a = all; a; a = a->ai_next)
		left++;
	/* One that nobody answers at must not take the time of the others. */
	for (struct addrinfo *a = all; a && !answered; a = a->ai_next)
		answered =
			try_address(a, clock_deadline_ns(clock_left_ns(until) / left--));
	freeaddrinfo(all);
	return answered;
}

int lease_wait_ssh_while(const char *address, uint16_t port, int64_t deadline_ns,
			 lease_alive *alive, void *ctx, struct err *err)
{
	int64_t started = clock_mono_ns(), patience = NS_PER_S;
	struct err trouble = ERR_INIT;
	char waited[32];

	/*
	 * A forwarded port accepts before the guest listens, and what was sent then is
	 * lost: several short attempts meet the server sooner than one long one. They
	 * grow longer, so that a slow server is met as well.
	 */
	while (!clock_passed(deadline_ns)) {
		if (stop_check(err) || (alive && alive(ctx, err)))
			return -1;
		if (try_once(address, port, deadline_ns, patience, &trouble))
			return 0;
		if (patience < patience_max_ns)
			patience += NS_PER_S / 2;
		if (lease_pause(100 * NS_PER_MS, err))
			return -1;
	}
	return err_set(err, ERR_ENVIRONMENT,
		       "no SSH answer from %s port %u within %s: %s", address,
		       (unsigned)port,
		       clock_human(clock_mono_ns() - started, waited, sizeof(waited)),
		       trouble.kind == ERR_NONE ? "no attempt was made" : trouble.text);
}

int lease_wait_ssh(const char *address, uint16_t port, int64_t deadline_ns,
		   struct err *err)
{
	return lease_wait_ssh_while(address, port, deadline_ns, NULL, NULL, err);
}
