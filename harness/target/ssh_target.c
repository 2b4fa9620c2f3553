/*
 * A machine over SSH as a target: what to say over a connection (ssh.h) for each hook.
 * Commands; one file there and back, over channels (ssh.h says why not SFTP); bundles.
 */
#include "harness/target/target_impl.h"

#include "core/base/clock.h"
#include "core/base/digest.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/base/strvec.h"
#include "harness/target/remote.h"
#include "harness/target/ssh.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The most that is kept of what our own commands say. */
static const size_t words_max = (size_t)64 << 10;
static const int64_t tidy_timeout_ns = 30 * NS_PER_S;
/* The machine ends a command by itself so long after our own deadline, which it would not
 * hear of where the network has gone silent. */
enum { REMOTE_SLACK_S = 15 };

struct ssh_target {
	struct target base;
	struct ssh_params params; /* its texts are owned here */
	struct ssh_link *link;
	unsigned inputs;      /* numbers the files that become standard inputs */
	struct strvec placed; /* paths that target_place() handed out */
};

static struct ssh_target *ssh_target_of(struct target *t)
{
	return (struct ssh_target *)t;
}

/* Anew where the connection was lost since the last call; the host key is checked again. */
static int reach(struct ssh_target *s, struct err *err)
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
	if (reach(s, err) || ssh_link_exec(s->link, &e, &end, err)) {
		proc_outcome_release(ret);
		return -1;
	}
	ret->end = end.end;
	ret->code = end.code;
	ret->wall_ns = clock_mono_ns() - start;
	return 0;
}

/* The same for our own scripts: anything but success is an error with the last line. */
static int run_own_script(struct ssh_target *s, const struct buf *script,
			  int64_t deadline_ns, struct proc_outcome *ret, struct err *err)
{
	const struct proc_spec spec = {.output_max = words_max};
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

/* ---- one file there and back ---- */

/* What a command line said on standard error, and where standard output goes. */
struct transfer {
	struct buf words;
	struct digest *digest; /* of what arrived */
	int fd;
	int64_t size;
	int why;      /* errno of a failed write, E2BIG beyond the bound */
	bool is_over; /* there is a 'why' */
};

static void take_words(void *ctx, const char *data, size_t len)
{
	struct transfer *x = ctx;

	buf_add(&x->words, data, len);
}

static void take_data(void *ctx, const char *data, size_t len)
{
	struct transfer *x = ctx;

	if (x->is_over || x->fd < 0)
		return;
	x->size += (int64_t)len;
	if (x->size > TARGET_GET_MAX) {
		x->why = E2BIG;
		x->is_over = true;
	}
	digest_add(x->digest, data, len);
	while (len && !x->is_over) {
		ssize_t put = write(x->fd, data, len);

		if (put < 0 && errno != EINTR) {
			x->why = errno;
			x->is_over = true;
		} else if (put > 0) {
			data += put;
			len -= (size_t)put;
		}
	}
}

/* Runs a command line for a transfer; any end but success becomes an error. */
static int exec_transfer(struct ssh_target *s, const struct buf *command, int input_fd,
			 struct transfer *x, int64_t deadline_ns, struct err *err)
{
	struct ssh_exec e = {
		.command = command->data,
		.input_fd = input_fd,
		.gives_up = &x->is_over,
		.on_out = take_data,
		.on_diag = take_words,
		.sink_ctx = x,
		.deadline_ns = deadline_ns,
	};
	struct ssh_end end;
	char why[300];

	if (reach(s, err) || ssh_link_exec(s->link, &e, &end, err))
		return -1;
	if (x->is_over && x->why == E2BIG)
		return err_set(err, ERR_ENVIRONMENT, "larger than %lld bytes",
			       (long long)TARGET_GET_MAX);
	if (x->is_over) {
		errno = x->why;
		return err_errno(err, "writing it here");
	}
	if (end.end == PROC_STOPPED)
		return err_set(err, ERR_INTERRUPTED, "interrupted");
	if (end.end == PROC_TIMED_OUT)
		return err_set_code(err, ERR_ENVIRONMENT, "errno", ETIMEDOUT,
				    "not done in time");
	if (end.end != PROC_EXITED || end.code != 0)
		return err_set(err, ERR_ENVIRONMENT, "%s",
			       x->words.len ? proc_last_line(&x->words, why, sizeof(why))
					    : "refused without a word");
	return 0;
}

static int send_file(struct ssh_target *s, const char *local, const char *sha256,
		     const char *remote, unsigned mode, int64_t deadline_ns,
		     struct err *err)
{
	struct transfer x = {.fd = -1};
	struct buf command;
	struct stat st;
	int fd = open(local, O_RDONLY | O_CLOEXEC);
	int rc;

	if (fd < 0 || fstat(fd, &st)) {
		err_errno(err, "%s", local);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	buf_init(&x.words, words_max);
	buf_init(&command, BUF_UNBOUNDED);
	remote_put_command(&command, remote, st.st_size, sha256, mode);
	rc = exec_transfer(s, &command, fd, &x, deadline_ns, err);
	buf_release(&command);
	buf_release(&x.words);
	close(fd);
	return rc;
}

/* What arrived against what was announced, somewhere among what the login shell's
 * start-up files may have said before. */
static int check_digest(struct transfer *x, struct err *err)
{
	char sha256[DIGEST_SIZE];

	digest_end(x->digest, sha256);
	x->digest = digest_new();
	if (strstr(x->words.data, sha256))
		return 0;
	return err_set(err, ERR_ENVIRONMENT,
		       "what arrived is not what is there (SHA-256 differs); was it "
		       "written to meanwhile?");
}

static int ssh_get(struct target *t, const char *remote, const char *local,
		   int64_t timeout_ns, struct err *err)
{
	int64_t deadline = clock_deadline_ns(timeout_ns);
	char *tmp = x_asprintf("%s.XXXXXX", local);
	struct transfer x = {.fd = mkostemp(tmp, O_CLOEXEC)};
	struct buf command;
	int rc;

	if (x.fd < 0) {
		err_errno(err, "%s: cannot create a temporary file beside it", local);
		free(tmp);
		return -1;
	}
	x.digest = digest_new();
	buf_init(&x.words, words_max);
	buf_init(&command, BUF_UNBOUNDED);
	remote_get_command(&command, remote);
	rc = exec_transfer(ssh_target_of(t), &command, -1, &x, deadline, err);
	if (!rc)
		rc = check_digest(&x, err);
	if (!rc && (fchmod(x.fd, 0644) || fsync(x.fd) || rename(tmp, local)))
		rc = err_errno(err, "%s", local);
	if (rc)
		unlink(tmp);
	close(x.fd);
	digest_end(x.digest, (char[DIGEST_SIZE]){0});
	buf_release(&command);
	buf_release(&x.words);
	free(tmp);
	return rc;
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
		rc = send_file(s, local, sha256, *ret, 0600, deadline_ns, err);
	if (tmp)
		(void)dir_remove(tmp, NULL);
	free(local);
	free(tmp);
	return rc;
}

/* A program may itself end with status 127: only with our line on stderr was it not
 * started. */
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

/* ---- bundles: ask what is there, send what is missing, put it together ---- */

struct survey {
	char machine[32];
	char *folder;
	bool is_ready;
	struct strvec need;
};

static void read_survey(char *text, struct survey *ret)
{
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (strncmp(line, "machine ", 8) == 0) {
			snprintf(ret->machine, sizeof(ret->machine), "%s", line + 8);
		} else if (strncmp(line, "folder /", 8) == 0) {
			free(ret->folder);
			ret->folder = x_strdup(line + 7);
		} else if (strncmp(line, "need ", 5) == 0) {
			strvec_add(&ret->need, line + 5);
		} else if (strcmp(line, "ready") == 0) {
			ret->is_ready = true;
		}
	}
}

static int survey(struct ssh_target *s, const struct bundle *b, int64_t deadline_ns,
		  struct survey *ret, struct err *err)
{
	struct proc_outcome o;
	struct buf script;
	int rc;

	buf_init(&script, BUF_UNBOUNDED);
	remote_survey_script(&script, b);
	rc = run_own_script(s, &script, deadline_ns, &o, err);
	buf_release(&script);
	if (rc)
		return -1;
	read_survey(o.out.data, ret);
	proc_outcome_release(&o);
	if (!ret->folder || !ret->machine[0])
		return err_set(err, ERR_ENVIRONMENT,
			       "the shell there prints something else than it was asked "
			       "for; does its start-up file write to standard output?");
	if (strcmp(ret->machine, b->machine) != 0)
		return err_set(
			err, ERR_ENVIRONMENT,
			"that machine is %s and this program is for %s: run tare from a "
			"machine of the same architecture, or build it there",
			ret->machine, b->machine);
	return 0;
}

static int send_objects(struct ssh_target *s, const struct bundle *b,
			const struct survey *v, int64_t deadline_ns, struct err *err)
{
	for (size_t i = 0; i < b->nr; i++) {
		const struct bundle_file *f = &b->files[i];
		char *remote;
		int rc;

		if (!strvec_has(&v->need, f->sha256))
			continue;
		remote = x_asprintf("%s/objects/%s", v->folder, f->sha256);
		rc = send_file(s, f->local, f->sha256, remote, f->mode, deadline_ns, err);
		free(remote);
		if (rc)
			return err_wrap(err, "%s", f->remote);
	}
	return 0;
}

static int assemble(struct ssh_target *s, const struct bundle *b, int64_t deadline_ns,
		    struct err *err)
{
	struct proc_outcome o;
	struct buf script;
	int rc;

	buf_init(&script, BUF_UNBOUNDED);
	remote_assemble_script(&script, b);
	rc = run_own_script(s, &script, deadline_ns, &o, err);
	buf_release(&script);
	if (!rc)
		proc_outcome_release(&o);
	return rc;
}

static int ssh_place(struct target *t, const struct bundle *b, int64_t timeout_ns,
		     const char **ret_path, struct err *err)
{
	struct ssh_target *s = ssh_target_of(t);
	int64_t deadline = clock_deadline_ns(timeout_ns);
	struct survey v = {0};
	int rc = survey(s, b, deadline, &v, err);

	if (!rc && !v.is_ready)
		rc = send_objects(s, b, &v, deadline, err);
	if (!rc && !v.is_ready)
		rc = assemble(s, b, deadline, err);
	if (!rc) {
		strvec_addf(&s->placed, "%s/bundles/%s/%s", v.folder, b->digest,
			    b->files[0].remote);
		*ret_path = s->placed.items[s->placed.nr - 1];
	}
	free(v.folder);
	strvec_release(&v.need);
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
	rc = run_own_script(ssh_target_of(t), &script, deadline, &o, err);
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
				       .output_max = words_max};
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
	if (!reach(s, err))
		return &s->base;
	err_wrap(err, "%s", s->base.name);
	(void)target_close(&s->base, NULL);
	return NULL;
}