/* A machine over SSH as a target: what to say over a connection (ssh.h) for each hook. */
#include "harness/target/ssh_target.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "harness/target/remote.h"

#include <stdlib.h>
#include <string.h>

static const int64_t tidy_timeout_ns = 30 * NS_PER_S;
/* The remote clock's own limit comes after ours, for when we cannot say a word. */
enum { REMOTE_SLACK_S = 15 };
/* A connection that was lost is made anew at the next call; its host key is checked
 * again. */
int ssh_target_reach(struct ssh_target *s, struct err *err)
{
	if (s->link && ssh_link_is_alive(s->link))
		return 0;
	ssh_link_close(s->link);
	s->link = ssh_link_open(&s->params, err);
	return s->link ? 0 : -1;
}

/* ---- output of a command ---- */

struct kept {
	const struct proc_spec *spec;
	struct proc_outcome *o;
};

static void keep_out(void *ctx, const char *data, size_t len)
{
	struct kept *k = ctx;

	buf_add(&k->o->out, data, len);
	if (k->spec->on_out)
		k->spec->on_out(k->spec->sink_ctx, data, len);
}

static void keep_diag(void *ctx, const char *data, size_t len)
{
	struct kept *k = ctx;

	buf_add(&k->o->diag, data, len);
	if (k->spec->on_diag)
		k->spec->on_diag(k->spec->sink_ctx, data, len);
}

/* Feeds a script to a shell there and keeps what it says. */
static int run_script(struct ssh_target *s, const struct proc_spec *spec,
		      const struct buf *script, int64_t deadline_ns,
		      struct proc_outcome *ret, struct err *err)
{
	struct kept k = {.spec = spec, .o = ret};
	struct ssh_end end;
	int64_t start = clock_mono_ns();
	struct ssh_exec e = {
		.command = REMOTE_SHELL,
		.input = script->data,
		.input_len = script->len,
		.input_fd = -1,
		.holds_input = true,
		.on_out = keep_out,
		.on_diag = keep_diag,
		.sink_ctx = &k,
		.deadline_ns = deadline_ns,
	};

	*ret = (struct proc_outcome){0};
	buf_init(&ret->out, spec->output_max);
	buf_init(&ret->diag, spec->output_max);
	if (ssh_target_reach(s, err) || ssh_link_exec(s->link, &e, &end, err)) {
		proc_outcome_release(ret);
		return -1;
	}
	ret->end = end.end;
	ret->code = end.code;
	ret->wall_ns = clock_mono_ns() - start;
	return 0;
}

/* The same for our own scripts: anything but success is an error with the last line. */
int ssh_target_script(struct ssh_target *s, const struct buf *script, int64_t deadline_ns,
		      struct proc_outcome *ret, struct err *err)
{
	const struct proc_spec spec = {.output_max = SSH_WORDS_MAX};
	char how[80], why[400];

	if (run_script(s, &spec, script, deadline_ns, ret, err))
		return -1;
	if (ret->end == PROC_EXITED && ret->code == 0)
		return 0;
	err_set(err, ret->end == PROC_STOPPED ? ERR_INTERRUPTED : ERR_ENVIRONMENT,
		"%s%s%s", proc_end_text(ret, how, sizeof(how)), ret->diag.len ? ": " : "",
		proc_last_line(&ret->diag, why, sizeof(why)));
	proc_outcome_release(ret);
	return -1;
}

/* ---- run ---- */

/* Standard input travels as a file of its own; the path there, free(). */
static int send_input(struct ssh_target *s, const struct proc_spec *spec,
		      int64_t deadline_ns, char **ret, struct err *err)
{
	const char *dir = target_workdir(&s->base, err);
	char *tmp = dir ? dir_make_temporary("tare-input", err) : NULL;
	char *local = tmp ? path_join(tmp, "input") : NULL;
	char sha256[DIGEST_SIZE];
	int rc = -1;

	if (local) {
		*ret = x_asprintf("%s/input.%u", dir, ++s->inputs);
		rc = file_write(local, spec->input, spec->input_len, 0600, err);
		digest_of(spec->input, spec->input_len, sha256);
	}
	if (!rc)
		rc = ssh_send_file(s, local, sha256, *ret, 0600, deadline_ns, err);
	if (tmp)
		(void)dir_remove(tmp, NULL);
	free(local);
	free(tmp);
	return rc;
}

/* "exit status 127" alone could be the program's own word; ours has a line to it. */
static int check_started(const struct proc_spec *spec, struct proc_outcome *o,
			 struct err *err)
{
	char line[200];

	proc_last_line(&o->diag, line, sizeof(line));
	if (o->end != PROC_EXITED || o->code != 127 ||
	    strncmp(line, REMOTE_NOT_STARTED, sizeof(REMOTE_NOT_STARTED) - 1) != 0)
		return 0;
	err_set(err, ERR_ENVIRONMENT, "cannot start %s: %s", spec->argv[0],
		line + sizeof(REMOTE_NOT_STARTED) - 1);
	proc_outcome_release(o);
	return -1;
}

static int ssh_run(struct target *t, const struct proc_spec *spec,
		   struct proc_outcome *ret, struct err *err)
{
	struct ssh_target *s = ssh_target_of(t);
	int64_t deadline = clock_deadline_ns(spec->timeout_ns);
	int64_t limit_s = spec->timeout_ns / NS_PER_S + REMOTE_SLACK_S;
	struct buf script;
	char *input = NULL;
	int rc = 0;

	buf_init(&script, BUF_UNBOUNDED);
	if (spec->input)
		rc = send_input(s, spec, deadline, &input, err);
	if (!rc)
		rc = remote_run_script(&script, spec, input, limit_s, err);
	if (!rc)
		rc = run_script(s, spec, &script, deadline, ret, err);
	if (!rc)
		rc = check_started(spec, ret, err);
	buf_release(&script);
	free(input);
	return rc;
}

/* ---- workdir, life ---- */

static char *ssh_make_workdir(struct target *t, struct err *err)
{
	int64_t deadline = clock_deadline_ns(tidy_timeout_ns);
	struct proc_outcome o;
	struct buf script;
	char *path = NULL, line[300];
	int rc;

	buf_init(&script, BUF_UNBOUNDED);
	buf_puts(&script, "{\numask 077\nmktemp -d \"${TMPDIR:-/tmp}/tare.XXXXXXXX\"\n"
			  "exit $?\n}\n");
	rc = ssh_target_script(ssh_target_of(t), &script, deadline, &o, err);
	buf_release(&script);
	if (rc)
		return NULL;
	proc_last_line(&o.out, line, sizeof(line));
	if (line[0] == '/' && strstr(line, "/tare."))
		path = x_strdup(line);
	else
		err_set(err, ERR_ENVIRONMENT, "mktemp there answered '%s'", line);
	proc_outcome_release(&o);
	return path;
}

static int ssh_remove_workdir(struct target *t, const char *path, struct err *err)
{
	static const char *const env[] = {NULL};
	const char *argv[] = {"rm", "-rf", "--", path, NULL};
	const struct proc_spec spec = {.argv = argv,
				       .env = env,
				       .timeout_ns = tidy_timeout_ns,
				       .output_max = SSH_WORDS_MAX};
	struct proc_outcome o;
	char why[300];
	int rc = 0;

	if (ssh_run(t, &spec, &o, err))
		return -1;
	if (o.end != PROC_EXITED || o.code != 0)
		rc = err_set(err, ERR_ENVIRONMENT, "%s",
			     proc_last_line(&o.diag, why, sizeof(why)));
	proc_outcome_release(&o);
	return rc;
}

static void ssh_target_free(struct target *t)
{
	struct ssh_target *s = ssh_target_of(t);

	ssh_link_close(s->link);
	strvec_release(&s->placed);
	free((char *)s->params.host);
	free((char *)s->params.user);
	free((char *)s->params.key_file);
	free((char *)s->params.known_hosts_file);
	free((char *)s->params.host_key_sha256);
}

static const struct target_ops ssh_ops = {
	.kind = "ssh",
	.run = ssh_run,
	.place = ssh_place,
	.put = ssh_put,
	.get = ssh_get,
	.make_workdir = ssh_make_workdir,
	.remove_workdir = ssh_remove_workdir,
	.free = ssh_target_free,
};

struct target *target_ssh_new(const struct ssh_params *p, struct err *err)
{
	struct ssh_target *s = x_calloc(1, sizeof(*s));

	s->base.ops = &ssh_ops;
	s->base.name = x_asprintf("%s%s%s:%u", p->user ? p->user : "", p->user ? "@" : "",
				  p->host, p->port ? p->port : 22);
	s->params = (struct ssh_params){
		.host = x_strdup(p->host),
		.port = p->port,
		.user = x_strdup(p->user),
		.key_file = x_strdup(p->key_file),
		.known_hosts_file = x_strdup(p->known_hosts_file),
		.host_key_sha256 = x_strdup(p->host_key_sha256),
		.connect_timeout_ns = p->connect_timeout_ns,
		.agent_timeout_ns = p->agent_timeout_ns,
	};
	if (!ssh_target_reach(s, err))
		return &s->base;
	err_wrap(err, "%s", s->base.name);
	(void)target_close(&s->base, NULL);
	return NULL;
}
