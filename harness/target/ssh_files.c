/* One file to the other machine and back, over channels; see ssh.h why not SFTP. */
#include "harness/target/ssh_target.h"

#include "core/base/clock.h"
#include "core/base/digest.h"
#include "core/base/mem.h"
#include "harness/target/remote.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

	if (ssh_target_reach(s, err) || ssh_link_exec(s->link, &e, &end, err))
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

int ssh_send_file(struct ssh_target *s, const char *local, const char *sha256,
		  const char *remote, unsigned mode, int64_t deadline_ns, struct err *err)
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
	buf_init(&x.words, SSH_WORDS_MAX);
	buf_init(&command, BUF_UNBOUNDED);
	remote_put_command(&command, remote, st.st_size, sha256, mode);
	rc = exec_transfer(s, &command, fd, &x, deadline_ns, err);
	buf_release(&command);
	buf_release(&x.words);
	close(fd);
	return rc;
}

int ssh_put(struct target *t, const char *local, const char *remote, unsigned mode,
	    int64_t timeout_ns, struct err *err)
{
	int64_t deadline = clock_deadline_ns(timeout_ns);
	char sha256[DIGEST_SIZE];

	if (digest_of_file(local, sha256, err))
		return -1;
	return ssh_send_file(ssh_target_of(t), local, sha256, remote, mode, deadline,
			     err);
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

int ssh_get(struct target *t, const char *remote, const char *local, int64_t timeout_ns,
	    struct err *err)
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
	buf_init(&x.words, SSH_WORDS_MAX);
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
