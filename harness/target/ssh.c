#include "harness/target/ssh.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/base/stop.h"
#include "harness/target/dial.h"
#include "harness/target/ssh_agent.h"

#include <errno.h>
#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const int64_t end_grace_ns = 5 * NS_PER_S;

struct ssh_link {
	ssh_session session;
	ssh_event event;
	char *name;
	bool is_dead;
};

/* A failed step: libssh's own words behind ours. */
static int failed(struct ssh_link *l, struct err *err, const char *what)
{
	const char *why = ssh_get_error(l->session);

	return err_set_code(err, ERR_ENVIRONMENT, "ssh", ssh_get_error_code(l->session),
			    "%s: %s", what, why && *why ? why : "no reason given");
}

/*
 * Waits until the connection can be read (or written, where something is pending), then
 * lets libssh work on what came. -1: deadline or stop request.
 */
static int step(struct ssh_link *l, int64_t deadline_ns, struct err *err)
{
	bool pending = ssh_get_poll_flags(l->session) & SSH_WRITE_PENDING;
	struct pollfd fds[] = {
		{.fd = ssh_get_fd(l->session), .events = POLLIN},
		{.fd = stop_fd(), .events = POLLIN},
	};

	if (pending)
		fds[0].events |= POLLOUT;
	if (stop_check(err))
		return -1;
	if (clock_passed(deadline_ns))
		return err_set_code(err, ERR_ENVIRONMENT, "errno", ETIMEDOUT,
				    "no answer in time");
	if (!ssh_is_connected(l->session))
		return failed(l, err, "connection lost");
	(void)poll(fds, ARRAY_SIZE(fds), clock_poll_ms(deadline_ns, 1000));
	if (l->event)
		(void)ssh_event_dopoll(l->event, 0);
	return 0;
}

/* ---- host key ---- */

static const char *type_name(ssh_key key)
{
	const char *name = ssh_key_type_to_char(ssh_key_type(key));

	return name ? name : "unknown";
}

/* "SHA256:..." of the key that the server proved to have; ssh_string_free_char() */
static char *fingerprint(struct ssh_link *l, char type[32], struct err *err)
{
	ssh_key key = NULL;
	unsigned char *hash = NULL;
	size_t len = 0;
	char *text = NULL;

	if (ssh_get_server_publickey(l->session, &key) == SSH_OK) {
		snprintf(type, 32, "%s", type_name(key));
		if (!ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &len))
			text = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash,
							len);
	}
	ssh_clean_pubkey_hash(&hash);
	ssh_key_free(key);
	if (!text)
		failed(l, err, "host key");
	return text;
}

/* With or without "SHA256:" in front and '=' behind. */
static bool same_fingerprint(const char *a, const char *b)
{
	static const char prefix[] = "SHA256:";
	size_t len_a, len_b;

	if (strncmp(a, prefix, sizeof(prefix) - 1) == 0)
		a += sizeof(prefix) - 1;
	if (strncmp(b, prefix, sizeof(prefix) - 1) == 0)
		b += sizeof(prefix) - 1;
	len_a = strcspn(a, "= \n");
	len_b = strcspn(b, "= \n");
	return len_a == len_b && len_a > 0 && memcmp(a, b, len_a) == 0;
}

static int refuse_key(struct ssh_link *l, const struct ssh_params *p, const char *type,
		      const char *print, const char *file, struct err *err)
{
	switch (ssh_session_is_known_server(l->session)) {
	case SSH_KNOWN_HOSTS_OK:
		return 0;
	case SSH_KNOWN_HOSTS_CHANGED:
	case SSH_KNOWN_HOSTS_OTHER:
		return err_set(err, ERR_ENVIRONMENT,
			       "host key refused: it offers a %s key %s, which is not "
			       "the one in %s. Either the machine was installed anew or "
			       "somebody is in between: compare with the machine's "
			       "console (ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub), "
			       "then remove the old key: ssh-keygen -R '[%s]:%u'",
			       type, print, file, p->host, p->port ? p->port : 22);
	case SSH_KNOWN_HOSTS_ERROR:
		return failed(l, err, file);
	case SSH_KNOWN_HOSTS_NOT_FOUND:
	case SSH_KNOWN_HOSTS_UNKNOWN:
		break;
	}
	return err_set(err, ERR_ENVIRONMENT,
		       "host key refused: %s is not in %s. It offers a %s key %s: if "
		       "that is right, log in once with ssh to add it, or give this "
		       "fingerprint as host_key_sha256",
		       l->name, file, type, print);
}

static int check_host_key(struct ssh_link *l, const struct ssh_params *p, struct err *err)
{
	char type[32] = "";
	char *print = fingerprint(l, type, err);
	int rc;

	if (!print)
		return -1;
	if (!p->host_key_sha256)
		rc = refuse_key(l, p, type, print,
				p->known_hosts_file ? p->known_hosts_file
						    : "~/.ssh/known_hosts",
				err);
	else if (same_fingerprint(p->host_key_sha256, print))
		rc = 0;
	else
		rc = err_set(err, ERR_ENVIRONMENT,
			     "host key refused: it offers a %s key %s, not the %s that "
			     "was asked for; give the fingerprint of its %s key if this "
			     "is the right machine",
			     type, print, p->host_key_sha256, type);
	ssh_string_free_char(print);
	return rc;
}

/* ---- login ---- */

static int auth_refused(struct ssh_link *l, const struct ssh_params *p, struct err *err)
{
	int methods = ssh_userauth_list(l->session, NULL);

	return err_set_code(err, ERR_ENVIRONMENT, "ssh", SSH_AUTH_DENIED,
			    "login refused with %s%s; is its public half in that user's "
			    "authorized_keys?%s",
			    p->key_file ? "the key " : "the agent's and the default keys",
			    p->key_file ? p->key_file : "",
			    methods & SSH_AUTH_METHOD_PUBLICKEY
				    ? ""
				    : " (the server takes no keys at all)");
}

static int import_key(const char *key_file, ssh_key *ret, struct err *err)
{
	char *path = path_expand(key_file);
	size_t len = strlen(path);
	int rc = 0;

	if (access(path, R_OK))
		rc = err_errno(err, "private key %s", path);
	else if (len > 4 && strcmp(path + len - 4, ".pub") == 0)
		rc = err_set(err, ERR_ENVIRONMENT,
			     "private key %s: that is the public half; leave out .pub",
			     path);
	else if (ssh_pki_import_privkey_file(path, NULL, NULL, NULL, ret) != SSH_OK)
		rc = err_set(err, ERR_ENVIRONMENT,
			     "private key %s: not a key that can be read without a "
			     "passphrase; load it into ssh-agent and leave key_file out",
			     path);
	free(path);
	return rc;
}

/* The agent's connection is libssh's from here on, which closes it. */
static struct ssh_agent_watch *lend_agent(struct ssh_link *l, const struct ssh_params *p)
{
	int64_t patience = p->agent_timeout_ns ? p->agent_timeout_ns : SSH_AGENT_PATIENCE;
	struct ssh_agent_watch *w;
	int fd;

	w = ssh_agent_watch(patience, &fd);
	if (w)
		ssh_set_agent_socket(l->session, fd);
	return w;
}

static int log_in(struct ssh_link *l, ssh_key key, int64_t deadline_ns, struct err *err)
{
	for (;;) {
		int64_t began = clock_mono_ns();
		int rc = key ? ssh_userauth_publickey(l->session, NULL, key)
			     : ssh_userauth_publickey_auto(l->session, NULL, NULL);

		/* Only an agent blocks in there, while a person confirms the key: that time
		 * is not the machine's, so the deadline moves by it. */
		deadline_ns += clock_mono_ns() - began;
		if (rc != SSH_AUTH_AGAIN || step(l, deadline_ns, err))
			return rc;
	}
}

static int login(struct ssh_link *l, const struct ssh_params *p, int64_t deadline_ns,
		 struct err *err)
{
	struct ssh_agent_watch *agent;
	struct err why = ERR_INIT;
	ssh_key key = NULL;
	int rc;

	if (p->key_file ? import_key(p->key_file, &key, err)
			: ssh_agent_check(deadline_ns, err))
		return -1;
	agent = key ? NULL : lend_agent(l, p);
	rc = log_in(l, key, deadline_ns, err);
	ssh_key_free(key);
	if (ssh_agent_watch_end(agent, &why) && rc != SSH_AUTH_SUCCESS) {
		if (err)
			*err = why;
		return -1;
	}
	if (rc == SSH_AUTH_SUCCESS)
		return 0;
	if (rc == SSH_AUTH_AGAIN)
		return err_wrap(err, "login");
	if (rc == SSH_AUTH_ERROR && !ssh_is_connected(l->session))
		return failed(l, err, "login");
	return auth_refused(l, p, err);
}

/* ---- connection ---- */

static void set_options(struct ssh_link *l, const struct ssh_params *p)
{
	unsigned port = p->port ? p->port : 22;
	bool no_config = false;
	int strict = 1;

	ssh_options_set(l->session, SSH_OPTIONS_PROCESS_CONFIG, &no_config);
	ssh_options_set(l->session, SSH_OPTIONS_STRICTHOSTKEYCHECK, &strict);
	ssh_options_set(l->session, SSH_OPTIONS_HOST, p->host);
	ssh_options_set(l->session, SSH_OPTIONS_PORT, &port);
	if (p->user)
		ssh_options_set(l->session, SSH_OPTIONS_USER, p->user);
	if (p->known_hosts_file) {
		char *path = path_expand(p->known_hosts_file);

		ssh_options_set(l->session, SSH_OPTIONS_KNOWNHOSTS, path);
		ssh_options_set(l->session, SSH_OPTIONS_GLOBAL_KNOWNHOSTS, path);
		free(path);
	}
}

static int handshake(struct ssh_link *l, int64_t deadline_ns, struct err *err)
{
	int rc;

	while ((rc = ssh_connect(l->session)) == SSH_AGAIN) {
		if (step(l, deadline_ns, err))
			return err_wrap(err, "SSH handshake");
	}
	return rc == SSH_OK ? 0 : failed(l, err, "SSH handshake");
}

static int connect_and_login(struct ssh_link *l, const struct ssh_params *p,
			     struct err *err)
{
	int64_t deadline = clock_deadline_ns(p->connect_timeout_ns);
	int fd = dial_tcp(p->host, p->port ? p->port : 22, deadline, err);

	if (fd < 0)
		return -1;
	set_options(l, p);
	ssh_options_set(l->session, SSH_OPTIONS_FD, &fd);
	ssh_set_blocking(l->session, 0);
	if (handshake(l, deadline, err) || check_host_key(l, p, err) ||
	    login(l, p, deadline, err))
		return -1;
	l->event = ssh_event_new();
	if (!l->event || ssh_event_add_session(l->event, l->session) != SSH_OK)
		return failed(l, err, "event loop");
	return 0;
}

struct ssh_link *ssh_link_open(const struct ssh_params *p, struct err *err)
{
	struct ssh_link *l = x_calloc(1, sizeof(*l));

	l->name = x_asprintf("%s port %u", p->host, p->port ? p->port : 22);
	l->session = ssh_new();
	if (l->session && !connect_and_login(l, p, err))
		return l;
	if (!l->session)
		err_set(err, ERR_INTERNAL, "libssh gives no session");
	ssh_link_close(l);
	return NULL;
}

void ssh_link_close(struct ssh_link *l)
{
	if (!l)
		return;
	if (l->event) {
		ssh_event_remove_session(l->event, l->session);
		ssh_event_free(l->event);
	}
	if (l->session) {
		/*
		 * libssh closes a socket that it was given when it breaks, and forgets
		 * it, open, when it is left in good order.
		 */
		int fd = ssh_get_fd(l->session);

		ssh_disconnect(l->session);
		ssh_free(l->session);
		if (fd >= 0)
			close(fd);
	}
	free(l->name);
	free(l);
}

bool ssh_link_is_alive(const struct ssh_link *l)
{
	return !l->is_dead && ssh_is_connected(l->session);
}

/* ---- one command ---- */

struct running {
	struct ssh_link *link;
	const struct ssh_exec *e;
	ssh_channel channel;
	size_t sent;     /* of e->input */
	bool input_done; /* nothing more to send */
	bool has_status, is_closed;
	struct ssh_end end;
};

static int on_data(ssh_session session, ssh_channel channel, void *data, uint32_t len,
		   int is_stderr, void *userdata)
{
	struct running *r = userdata;
	proc_sink *sink = is_stderr ? r->e->on_diag : r->e->on_out;

	(void)session;
	(void)channel;
	if (sink)
		sink(r->e->sink_ctx, data, len);
	return (int)len;
}

static void on_status(ssh_session session, ssh_channel channel, int status,
		      void *userdata)
{
	struct running *r = userdata;

	(void)session;
	(void)channel;
	r->has_status = true;
	r->end = (struct ssh_end){.end = PROC_EXITED, .code = status};
}

/* RFC 4254 6.10 names signals without "SIG"; OpenSSH adds its own with '@'. */
static int signal_number(const char *name)
{
	static const struct {
		const char *name;
		int number;
	} signals[] = {
		{"ABRT", SIGABRT}, {"ALRM", SIGALRM}, {"BUS", SIGBUS},
		{"FPE", SIGFPE},   {"HUP", SIGHUP},   {"ILL", SIGILL},
		{"INT", SIGINT},   {"KILL", SIGKILL}, {"PIPE", SIGPIPE},
		{"QUIT", SIGQUIT}, {"SEGV", SIGSEGV}, {"TERM", SIGTERM},
		{"USR1", SIGUSR1}, {"USR2", SIGUSR2}, {"XCPU", SIGXCPU},
		{"SYS", SIGSYS},
	};

	for (size_t i = 0; name && i < ARRAY_SIZE(signals); i++) {
		if (strcmp(name, signals[i].name) == 0)
			return signals[i].number;
	}
	return 0;
}

static void on_signal(ssh_session session, ssh_channel channel, const char *name,
		      int core, const char *errmsg, const char *lang, void *userdata)
{
	struct running *r = userdata;

	(void)session;
	(void)channel;
	(void)core;
	(void)errmsg;
	(void)lang;
	r->has_status = true;
	r->end = (struct ssh_end){.end = PROC_KILLED, .code = signal_number(name)};
}

static void on_close(ssh_session session, ssh_channel channel, void *userdata)
{
	struct running *r = userdata;

	(void)session;
	(void)channel;
	r->is_closed = true;
}

/* The next piece of input; 0 at its end, -1 on a read error. */
static ssize_t next_piece(struct running *r, char *chunk, size_t size)
{
	size_t left = r->e->input_len - r->sent;

	if (left) {
		size_t take = left < size ? left : size;

		memcpy(chunk, (const char *)r->e->input + r->sent, take);
		return (ssize_t)take;
	}
	return r->e->input_fd >= 0 ? read(r->e->input_fd, chunk, size) : 0;
}

/* Sends while the other side's window and the socket take it. */
static int feed(struct running *r, struct err *err)
{
	char chunk[32768];

	while (!r->input_done &&
	       !(ssh_get_poll_flags(r->link->session) & SSH_WRITE_PENDING)) {
		size_t window = ssh_channel_window_size(r->channel);
		ssize_t len;

		if (window == 0)
			return 0;
		len = next_piece(r, chunk,
				 window < sizeof(chunk) ? window : sizeof(chunk));
		if (len < 0)
			return err_errno(err, "reading what is to be sent");
		if (len == 0) {
			r->input_done = true;
			if (!r->e->holds_input)
				ssh_channel_send_eof(r->channel);
		} else if (ssh_channel_write(r->channel, chunk, (uint32_t)len) != len) {
			return failed(r->link, err, "sending");
		}
		if (r->sent < r->e->input_len)
			r->sent += (size_t)len;
	}
	return 0;
}

static int lost(struct running *r, struct err *err)
{
	r->link->is_dead = true;
	return err_set_code(err, ERR_ENVIRONMENT, "ssh",
			    ssh_get_error_code(r->link->session),
			    "connection lost while a command ran (%s); what ran there is "
			    "ended by the machine itself",
			    ssh_get_error(r->link->session));
}

static bool wants_to_end(struct running *r, enum proc_end *why)
{
	if (stop_requested())
		*why = PROC_STOPPED;
	else if (clock_passed(r->e->deadline_ns) || (r->e->gives_up && *r->e->gives_up))
		*why = PROC_TIMED_OUT;
	else
		return false;
	return true;
}

/*
 * Closes the command's input and gives it a while to end by itself. If it does not, drops
 * the connection, and the machine's own watcher ends it.
 */
static void end_early(struct running *r, enum proc_end why)
{
	int64_t deadline = clock_deadline_ns(end_grace_ns);

	stop_shield_begin();
	if (!r->input_done || r->e->holds_input)
		ssh_channel_send_eof(r->channel);
	while (!r->is_closed && ssh_is_connected(r->link->session)) {
		if (step(r->link, deadline, NULL))
			break;
	}
	stop_shield_end();
	if (!r->is_closed)
		r->link->is_dead = true;
	r->end.end = why;
}

static int converse(struct running *r, struct err *err)
{
	enum proc_end why;

	while (!r->is_closed) {
		if (wants_to_end(r, &why)) {
			end_early(r, why);
			return 0;
		}
		if (!ssh_is_connected(r->link->session))
			return lost(r, err);
		if (feed(r, err))
			return ssh_is_connected(r->link->session) ? -1 : lost(r, err);
		(void)step(r->link, r->e->deadline_ns, NULL);
	}
	/* A server that dies closes its channels without a word on how things went. */
	return r->has_status ? 0 : lost(r, err);
}

static int start(struct running *r, struct err *err)
{
	int rc;

	while ((rc = ssh_channel_open_session(r->channel)) == SSH_AGAIN) {
		if (step(r->link, r->e->deadline_ns, err))
			return err_wrap(err, "opening a channel");
	}
	if (rc != SSH_OK)
		return failed(r->link, err, "opening a channel");
	while ((rc = ssh_channel_request_exec(r->channel, r->e->command)) == SSH_AGAIN) {
		if (step(r->link, r->e->deadline_ns, err))
			return err_wrap(err, "starting a command");
	}
	return rc == SSH_OK ? 0 : failed(r->link, err, "starting a command");
}

int ssh_link_exec(struct ssh_link *l, const struct ssh_exec *e, struct ssh_end *ret,
		  struct err *err)
{
	struct running r = {.link = l, .e = e};
	struct ssh_channel_callbacks_struct callbacks = {
		.userdata = &r,
		.channel_data_function = on_data,
		.channel_exit_status_function = on_status,
		.channel_exit_signal_function = on_signal,
		.channel_close_function = on_close,
	};
	int rc;

	r.channel = ssh_channel_new(l->session);
	if (!r.channel) {
		l->is_dead = true;
		return failed(l, err, "opening a channel");
	}
	ssh_callbacks_init(&callbacks);
	ssh_add_channel_callbacks(r.channel, &callbacks);
	rc = start(&r, err);
	if (rc)
		l->is_dead = true;
	else
		rc = converse(&r, err);
	ssh_remove_channel_callbacks(r.channel, &callbacks);
	ssh_channel_free(r.channel);
	*ret = r.end;
	return rc;
}
