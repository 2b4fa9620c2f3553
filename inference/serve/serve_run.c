#include "inference/serve/serve_run.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/document/json.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "inference/http/transport.h"
#include "inference/serve/model_revision.h"
#include "inference/serve/serve.h"
#include "inference/serve/serve_process.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const int64_t ask_ns = 2 * NS_PER_S;
static const size_t reply_max = (size_t)1 << 20;
static const int64_t ask_every_ns = 200 * NS_PER_MS;

/* What the server itself tells; NULL and 0 where it does not. */
struct identity {
	char *model, *version;
	int64_t max_model_len;
};

struct run {
	const struct serve_config *config;
	int lifeline;
	int port;
	char *url;
	char *log; /* path, or NULL */
	bool log_is_temporary, is_stopped;
	bool is_early; /* stopped before the server was ready */
	struct strvec argv;
	struct mock *mock;
	struct serve_child server, client;
	struct identity identity;
	int64_t started_ns, ready_ns;
};

/* True when nobody wants us any more. Waits for that, a child's end or the deadline. */
static bool wait_or_stop(struct run *r, int64_t deadline_ns)
{
	struct serve_child *children[] = {&r->server, &r->client};

	do {
		struct pollfd line = {.fd = r->lifeline, .events = POLLIN};

		serve_wait(&line, 1, children, ARRAY_SIZE(children), deadline_ns);
		r->is_stopped = r->is_stopped || line.revents;
	} while (!r->is_stopped && !r->server.has_ended && !r->client.has_ended &&
		 !clock_passed(deadline_ns));
	return r->is_stopped;
}

/* --- starting --- */

/* The port is ours to give: free now, and nobody else's server answers in its place. */
static int choose_port(struct run *r, struct err *err)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons((uint16_t)r->config->port)};
	socklen_t len = sizeof(a);
	int fd, on = 1, rc;

	if (inet_pton(AF_INET, r->config->address, &a.sin_addr) != 1)
		return err_set(err, ERR_USAGE, "--address '%s' is no IPv4 address",
			       r->config->address);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_errno(err, "cannot make a socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	rc = bind(fd, (struct sockaddr *)&a, len) || listen(fd, 1) ||
	     getsockname(fd, (struct sockaddr *)&a, &len);
	if (rc)
		err_errno(
			err,
			"port %lld of %s is not free for the server; 0 takes one that is",
			(long long)r->config->port, r->config->address);
	close(fd);
	r->port = ntohs(a.sin_port);
	return rc ? -1 : 0;
}

static int open_log(struct run *r, struct err *err)
{
	const char *tmp = getenv("TMPDIR");
	int fd;

	if (r->config->log_file) {
		r->log = x_strdup(r->config->log_file);
		fd = open(r->log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC,
			  0644);
	} else {
		r->log = x_asprintf("%s/tare-serve-XXXXXX.log", tmp ? tmp : "/tmp");
		fd = mkostemps(r->log, 4, O_APPEND | O_CLOEXEC);
		r->log_is_temporary = fd >= 0;
	}
	if (fd < 0)
		err_errno(err, "cannot write the server's log %s%s", r->log,
			  r->config->log_file ? " (--log)" : " (TMPDIR)");
	return fd;
}

static int start_program(struct run *r, struct err *err)
{
	struct serve_child_spec spec = {
		.argv = &r->argv,
		.environment = &r->config->environment,
		.directory = r->config->directory,
		.own_session = true,
	};
	int rc;

	if (choose_port(r, err))
		return -1;
	r->url = r->config->url ? x_strdup(r->config->url)
				: x_asprintf("http://%s:%d", r->config->address, r->port);
	serve_argv(r->config, r->port, &r->argv);
	spec.out_fd = open_log(r, err);
	if (spec.out_fd < 0)
		return -1;
	rc = serve_child_start(&spec, &r->server, err);
	close(spec.out_fd);
	return rc;
}

static int start_mock(struct run *r, struct err *err)
{
	struct mock_config c = r->config->mock;

	c.address = r->config->address;
	c.port = r->config->port;
	c.seconds_ns = 0;
	r->mock = mock_start(&c, MOCK_PROCESS, err);
	if (!r->mock)
		return -1;
	r->url = x_strdup(mock_url(r->mock));
	serve_child_watch(&r->server, mock_pid(r->mock));
	return 0;
}

static int start(struct run *r, struct err *err)
{
	r->started_ns = clock_mono_ns();
	switch (r->config->kind) {
	case SERVE_EXTERNAL:
		r->url = x_strdup(r->config->url);
		return 0;
	case SERVE_MOCK:
		return start_mock(r, err);
	default:
		return start_program(r, err);
	}
}

/* --- readiness --- */

static int get(const struct transport *t, const char *path, struct buf *ret,
	       int *ret_status, struct err *err)
{
	const struct fetch f = {
		.method = "GET", .path = path, .timeout_ns = ask_ns, .max = reply_max};

	return transport_fetch(t, &f, ret, ret_status, err);
}

/* The status, or -1 with err. */
static int ask(const struct transport *t, const char *path, struct err *err)
{
	struct buf reply;
	int status = -1, rc = get(t, path, &reply, &status, err);

	buf_release(&reply);
	return rc ? -1 : status;
}

/*
 * One question, at most two seconds. Ready: 'health_path' answers 200, or has nothing
 * there (404, 405, 501) while /v1/models answers 200. Otherwise err says what it looked
 * like.
 */
static bool is_ready(const struct transport *t, const char *health_path, struct err *err)
{
	int status = ask(t, health_path, err);

	if (status == 404 || status == 405 || status == 501) {
		health_path = "/v1/models";
		status = ask(t, health_path, err);
	}
	if (status >= 0 && status != 200)
		err_set(err, ERR_ENVIRONMENT, "%s%s answers HTTP %d", t->url, health_path,
			status);
	return status == 200;
}

static struct json_object *get_json(const struct transport *t, const char *path)
{
	struct json_object *o = NULL;
	struct buf reply;
	int status;

	if (get(t, path, &reply, &status, NULL) == 0 && status == 200)
		o = json_parse(reply.data, reply.len, path, NULL);
	buf_release(&reply);
	return o;
}

static void identify(const struct transport *t, struct identity *ret)
{
	struct json_object *models = get_json(t, "/v1/models");
	struct json_object *version = get_json(t, "/version");
	struct json_object *list = json_member(models, "data");
	struct json_object *first = NULL;

	*ret = (struct identity){0};
	if (json_length(list))
		first = json_object_array_get_idx(list, 0);
	ret->model = x_strdup(json_get_text(first, "id", NULL));
	ret->max_model_len = json_get_int(first, "max_model_len", 0);
	ret->version = x_strdup(json_get_text(version, "version", NULL));
	json_object_put(models);
	json_object_put(version);
}

static void identity_release(struct identity *i)
{
	free(i->model);
	free(i->version);
	*i = (struct identity){0};
}

/* Adds to an error what the server printed last and where the rest is; returns -1. */
static int quote_log(const struct run *r, int lines, struct err *err)
{
	char *tail, *said = x_strdup(err->text);

	if (r->log) {
		tail = serve_log_tail(r->log, lines);
		err_set(err, ERR_ENVIRONMENT, "%s%s%s\nits log: %s", said,
			*tail ? "; its last words:\n" : "", tail, r->log);
		free(tail);
	}
	free(said);
	return -1;
}

static int died(const struct run *r, const char *when, struct err *err)
{
	char how[80];

	err_set(err, ERR_ENVIRONMENT, "the server ended %s: %s", when,
		serve_end_text(r->server.status, how, sizeof(how)));
	return quote_log(r, 12, err);
}

static int wait_ready(struct run *r, const struct transport *t, struct err *err)
{
	int64_t deadline = clock_deadline_ns(r->config->ready_ns);
	struct err last = ERR_INIT;
	char limit[40];

	while (!is_ready(t, r->config->health_path, &last)) {
		if (wait_or_stop(r, clock_deadline_ns(ask_every_ns)))
			return 0;
		if (r->server.has_ended)
			return died(r, "before it was ready", err);
		if (clock_passed(deadline)) {
			err_set(err, ERR_ENVIRONMENT,
				"the server is not ready within %s (--ready-within): %s",
				clock_human(r->config->ready_ns, limit, sizeof(limit)),
				last.text);
			return quote_log(r, 4, err);
		}
	}
	/* Whoever answered may be another server on our port: ours must be alive. */
	(void)wait_or_stop(r, clock_mono_ns());
	if (r->server.has_ended)
		return died(r, "before it was ready", err);
	r->ready_ns = clock_mono_ns();
	identify(t, &r->identity);
	return 0;
}

static const char *model_name(const struct run *r)
{
	if (r->config->kind != SERVE_MOCK && r->config->model)
		return r->config->model;
	return r->identity.model ? r->identity.model : "";
}

static struct json_object *shown_arguments(const struct run *r)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < r->argv.nr; i++) {
		const char *arg = r->argv.items[i];
		const char *before = i ? r->argv.items[i - 1] : NULL;

		json_object_array_add(
			list, json_new_text(serve_is_secret(before, arg) ? "***" : arg));
	}
	return list;
}

static void put_revision(struct json_object *o, const struct run *r)
{
	const struct serve_config *c = r->config;
	bool is_ours = c->kind == SERVE_VLLM || c->kind == SERVE_COMMAND;
	char *revision =
		is_ours ? model_revision(c->model, argument_value(&r->argv, "--revision"),
					 &c->environment)
			: NULL;

	json_put_text(o, "revision", revision);
	free(revision);
}

static struct json_object *facts(const struct run *r)
{
	struct json_object *o = json_object_new_object();
	bool is_mock = r->config->kind == SERVE_MOCK ||
		       (r->identity.version && strstr(r->identity.version, "tare-mock"));

	json_put_text(o, "kind", serve_kind_name(r->config->kind));
	json_put_text(o, "address", r->url);
	json_put_text(o, "model", *model_name(r) ? model_name(r) : NULL);
	json_put_text(o, "version", r->identity.version);
	put_revision(o, r);
	json_put(o, "arguments", shown_arguments(r));
	if (r->mock)
		json_put(o, "mock", fields_to_json(mock_fields, &r->config->mock));
	json_put_text(o, "log", r->log);
	json_put(o, "pid", r->server.pid ? json_object_new_int(r->server.pid) : NULL);
	json_put_real(o, "ready_s", (double)(r->ready_ns - r->started_ns) * 1e-9);
	json_put_bool(o, "is_mock", is_mock);
	json_put(o, "max_model_len",
		 r->identity.max_model_len
			 ? json_object_new_int64(r->identity.max_model_len)
			 : NULL);
	return o;
}

/* --- the time in between --- */

static int watch(struct run *r, bool has_client, struct err *err)
{
	int64_t deadline = r->config->limit_ns ? clock_deadline_ns(r->config->limit_ns)
					       : CLOCK_NEVER;
	char limit[40];

	while (!wait_or_stop(r, deadline)) {
		if (has_client && r->client.has_ended)
			return 0;
		if (r->server.has_ended)
			return died(r, has_client ? "under the client" : "by itself",
				    err);
		if (!clock_passed(deadline))
			continue;
		if (!has_client)
			return 0;
		return err_set(err, ERR_ENVIRONMENT,
			       "the client is not done within %s (--limit)",
			       clock_human(r->config->limit_ns, limit, sizeof(limit)));
	}
	return 0;
}

/* The client is tare-load as a rule, which lies beside us, installed or not. */
static void add_own_programs(struct strvec *environment)
{
	const char *path = getenv("PATH");
	char *dir = path_program_dir(NULL);

	if (dir)
		strvec_addf(environment, "PATH=%s:%s",
			    path ? path : "/usr/local/bin:/usr/bin:/bin", dir);
	free(dir);
}

static int run_client(struct run *r, const struct strvec *command, struct json_object *o,
		      struct err *err)
{
	const struct serve_word words[] = {
		{"url", r->url}, {"model", model_name(r)}, {NULL, NULL}};
	char *dir = dir_make_temporary("tare-serve", err), *path;
	struct strvec argv = {0}, environment = {0};
	struct serve_child_spec spec = {
		.argv = &argv, .environment = &environment, .out_fd = -1};
	int rc;

	if (!dir)
		return -1;
	for (size_t i = 0; i < command->nr; i++) {
		char *arg = serve_fill_in(command->items[i], words);

		strvec_add(&argv, arg);
		free(arg);
	}
	path = path_join(dir, "server.json");
	strvec_addf(&environment, "%s=%s", SERVE_FACTS_ENV, path);
	add_own_programs(&environment);
	rc = json_write_file(path, o, 0600, err);
	if (!rc)
		rc = serve_child_start(&spec, &r->client, err);
	if (!rc)
		rc = watch(r, true, err);
	dir_remove(dir, NULL);
	strvec_release(&argv);
	strvec_release(&environment);
	free(path);
	free(dir);
	return rc;
}

static int attend(struct run *r, const struct strvec *client, struct err *err)
{
	struct json_object *o = facts(r);
	int rc;

	log_info("server ready: %s %s at %s", serve_kind_name(r->config->kind),
		 model_name(r), r->url);
	if (client->nr) {
		rc = run_client(r, client, o, err);
	} else {
		printf("%s\n", json_line(o));
		fflush(stdout);
		rc = watch(r, false, err);
	}
	json_object_put(o);
	return rc;
}

static int serve(struct run *r, const struct strvec *client, struct err *err)
{
	struct transport t = {
		.bearer = r->config->api_key_env ? getenv(r->config->api_key_env) : NULL,
		.ca_file = r->config->ca_file,
		.is_insecure = r->config->is_insecure,
		.connect_timeout_ns = 2 * NS_PER_S,
	};

	if (start(r, err))
		return -1;
	t.url = r->url;
	if (t.is_insecure && !strncmp(t.url, "https:", 6))
		log_warn("--insecure: the certificate of %s is NOT verified; whoever "
			 "answers there is believed, and is sent the API key",
			 t.url);
	if (wait_ready(r, &t, err))
		return -1;
	/* Stopped before it was ready: no error of ours, and the guard says why. */
	r->is_early = r->is_stopped;
	return r->is_stopped ? 0 : attend(r, client, err);
}

static int finish(struct run *r, int rc, int *ret_status, struct err *err)
{
	struct err late = ERR_INIT;
	int status;

	mock_stop(r->mock);
	if (serve_tree_end(r->config->grace_ns, &r->client, &late)) {
		if (!rc)
			*err = late;
		else
			log_warn("%s", late.text);
		rc = -1;
	}
	status = r->client.status;
	*ret_status = r->is_early           ? EXIT_INTERRUPTED
		      : !r->client.pid      ? 0
		      : WIFSIGNALED(status) ? 128 + WTERMSIG(status)
					    : WEXITSTATUS(status);
	if (r->log_is_temporary && (!rc || !r->server.pid))
		unlink(r->log);
	serve_child_release(&r->server);
	serve_child_release(&r->client);
	identity_release(&r->identity);
	strvec_release(&r->argv);
	free(r->url);
	free(r->log);
	return rc;
}

int serve_run(const struct serve_config *config, const struct strvec *client,
	      int lifeline, int *ret_status, struct err *err)
{
	struct run r = {
		.config = config,
		.lifeline = lifeline,
		.server = {.pidfd = -1},
		.client = {.pidfd = -1},
	};

	*ret_status = 0;
	if (serve_tree_adopt(err) || transport_init(err))
		return -1;
	return finish(&r, serve(&r, client, err), ret_status, err);
}
