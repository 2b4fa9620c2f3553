#include "tests/support/ssh_rig.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/base/rng.h"
#include "core/base/stop.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool ssh_rig_missing(void)
{
	if (access("/usr/sbin/sshd", X_OK) == 0 &&
	    access("/usr/bin/ssh-keygen", X_OK) == 0)
		return false;
	puts("no OpenSSH server here (Debian: openssh-server)");
	return true;
}

struct ssh_rig *ssh_rig(void **state)
{
	return *state;
}

struct target *ssh_rig_connect(struct sshd *s)
{
	struct ssh_params p = sshd_params(s);
	struct err err = ERR_INIT;
	struct target *t = target_ssh_new(&p, &err);

	if (!t)
		fail_msg("%s", err.text);
	return t;
}

void ssh_rig_close(struct target *t)
{
	struct err err = ERR_INIT;

	if (target_close(t, &err))
		fail_msg("%s", err.text);
}

struct proc_outcome ssh_rig_run(struct target *t, const char *const *argv)
{
	struct proc_outcome o;
	struct err err = ERR_INIT;

	if (target_run(t,
		       &(struct proc_spec){.argv = argv,
					   .timeout_ns = 30 * NS_PER_S,
					   .output_max = 1 << 20},
		       &o, &err))
		fail_msg("%s", err.text);
	return o;
}

int ssh_rig_send(struct target *t, const char *from, const char *name, int64_t timeout_ns,
		 struct err *err)
{
	const char *dir = target_workdir(t, err);
	char *there = dir ? path_join(dir, name) : NULL;
	const char *argv[] = {"sh", "-c", "cat >\"$1\"", "sh", there, NULL};
	struct proc_outcome o;
	struct buf b;
	int rc = there ? file_read(from, (size_t)1 << 30, &b, err) : -1;

	if (!rc) {
		rc = target_run(t,
				&(struct proc_spec){.argv = argv,
						    .input = b.data,
						    .input_len = b.len,
						    .timeout_ns = timeout_ns,
						    .output_max = 4096},
				&o, err);
		buf_release(&b);
	}
	if (!rc) {
		if (o.end != PROC_EXITED || o.code)
			rc = err_set(err, ERR_ENVIRONMENT, "not done in time");
		proc_outcome_release(&o);
	}
	free(there);
	return rc;
}

int ssh_rig_get(struct target *t, const char *name, const char *to, int64_t timeout_ns,
		struct err *err)
{
	const char *dir = target_workdir(t, err);
	char *there = dir ? path_join(dir, name) : NULL;
	int rc = there ? target_get(t, there, to, timeout_ns, err) : -1;

	free(there);
	return rc;
}

int ssh_rig_open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	int nr = 0;

	while (readdir(d))
		nr++;
	closedir(d);
	return nr;
}

void ssh_rig_write_random(const char *path, size_t size)
{
	char *data = x_malloc(size);
	struct rng rng;

	rng_init(&rng, 3);
	for (size_t i = 0; i + 8 <= size; i += 8) {
		uint64_t v = rng_u64(&rng);

		memcpy(data + i, &v, 8);
	}
	assert_int_equal(file_write(path, data, size, 0600, NULL), 0);
	free(data);
}

int ssh_rig_set_up(void **state)
{
	struct ssh_rig *f = x_calloc(1, sizeof(*f));

	stop_install();
	f->dir = dir_make_temporary("tare-test-ssh", NULL);
	f->server = sshd_start();
	*state = f;
	return f->server && f->dir ? 0 : -1;
}

int ssh_rig_tear_down(void **state)
{
	struct ssh_rig *f = *state;

	sshd_stop(f->server);
	(void)dir_remove(f->dir, NULL);
	free(f->dir);
	free(f);
	return 0;
}
