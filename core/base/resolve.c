#include "core/base/resolve.h"

#include "core/base/detached_call.h"
#include "core/base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

struct lookup {
	char *host, service[8];
	int rc;
	struct addrinfo *found;
};

static int look_up(struct lookup *l, int flags)
{
	const struct addrinfo want = {.ai_socktype = SOCK_STREAM,
				      .ai_flags = AI_NUMERICSERV | flags};

	l->rc = getaddrinfo(l->host, l->service, &want, &l->found);
	return l->rc;
}

static void run(void *ctx)
{
	(void)look_up(ctx, 0);
}

static void lookup_free(void *ctx)
{
	struct lookup *l = ctx;

	if (l->found)
		freeaddrinfo(l->found);
	free(l->host);
	free(l);
}

static int explain(const char *host, enum detached_end end, int rc, struct err *err)
{
	switch (end) {
	case DETACHED_STOPPED:
		return err_set(err, ERR_INTERRUPTED, "interrupted");
	case DETACHED_LATE:
		return err_set_code(err, ERR_ENVIRONMENT, "errno", ETIMEDOUT,
				    "cannot find the address of '%s': no name server "
				    "answers in time; look at /etc/resolv.conf, or give "
				    "the address itself",
				    host);
	case DETACHED_NO_THREAD:
		return err_set(err, ERR_ENVIRONMENT,
			       "cannot find the address of '%s': no more threads or "
			       "files for this process",
			       host);
	case DETACHED_DONE:
		break;
	}
	return err_set(err, ERR_ENVIRONMENT,
		       "cannot find the address of '%s': %s; check the name", host,
		       gai_strerror(rc));
}

int resolve(const char *host, uint16_t port, int64_t deadline_ns, struct addrinfo **ret,
	    struct err *err)
{
	static const struct detached_call call = {.run = run, .release = lookup_free};
	struct lookup *l = x_calloc(1, sizeof(*l));
	enum detached_end end = DETACHED_DONE;
	int rc;

	l->host = x_strdup(host);
	snprintf(l->service, sizeof(l->service), "%u", (unsigned)port);
	/* An address is no question to anybody else, and needs no thread. */
	if (look_up(l, AI_NUMERICHOST) == EAI_NONAME)
		end = detached_call_run(&call, l, deadline_ns);
	if (end != DETACHED_DONE)
		return explain(host, end, 0, err);
	rc = l->rc;
	if (rc == 0) {
		*ret = l->found;
		l->found = NULL;
	}
	lookup_free(l);
	return rc ? explain(host, DETACHED_DONE, rc, err) : 0;
}
