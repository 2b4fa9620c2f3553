/*
 * The SSH target against a real OpenSSH server of this machine (tests/support/sshd.h).
 * What the other side sees is checked on this side's files: they are one machine.
 */
#include "harness/target/target.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "core/clock.h"
#include "core/digest.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/rng.h"
#include "core/stop.h"
#include "tests/support/sshd.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
	struct sshd *server;
	char *dir;
};

static struct fixture *fixture(void **state)
{
	return *state;
}

static struct target *connect_to(struct sshd *s)
{
	struct ssh_params p = sshd_params(s);
	struct err err = ERR_INIT;
	struct target *t = target_ssh_new(&p, &err);

	if (!t)
		fail_msg("%s", err.text);
	return t;
}

static void close_well(struct target *t)
{
	struct err err = ERR_INIT;

	if (target_close(t, &err))
		fail_msg("%s", err.text);
}

static struct proc_outcome run(struct target *t, const char *const *argv)
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

static void refused(struct ssh_params *p, const char *why)
{
	struct err err = ERR_INIT;
	struct target *t = target_ssh_new(p, &err);

	assert_null(t);
	assert_int_equal(err.kind, ERR_ENVIRONMENT);
	if (!strstr(err.text, why))
		fail_msg("'%s' is not in: %s", why, err.text);
}

static int open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	int nr = 0;

	while (readdir(d))
		nr++;
	closedir(d);
	return nr;
}

/* ---- host keys and login ---- */

static void test_login_and_exit_status(void **state)
{
	struct target *t = connect_to(fixture(state)->server);
	const char *argv[] = {"sh", "-c", "echo out; echo diag >&2; exit 7", NULL};
	const char *high[] = {"sh", "-c", "exit 130", NULL};
	const char *killed[] = {"sh", "-c", "kill -SEGV $$", NULL};
	struct proc_outcome o = run(t, argv);

	assert_int_equal(o.end, PROC_EXITED);
	assert_int_equal(o.code, 7);
	assert_string_equal(o.out.data, "out\n");
	assert_string_equal(o.diag.data, "diag\n");
	assert_true(o.wall_ns > 0);
	proc_outcome_release(&o);
	o = run(t, high);
	assert_int_equal(o.end, PROC_EXITED);
	assert_int_equal(o.code, 130);
	proc_outcome_release(&o);
	o = run(t, killed);
	assert_int_equal(o.end, PROC_KILLED);
	assert_int_equal(o.code, SIGSEGV);
	proc_outcome_release(&o);
	close_well(t);
}

static void test_unknown_host_key(void **state)
{
	struct sshd *s = fixture(state)->server;
	struct ssh_params p = sshd_params(s);
	char *none = path_join(fixture(state)->dir, "nobody_known");

	p.known_hosts_file = none;
	refused(&p, "host key refused");
	refused(&p, s->host_key_sha256);
	assert_false(file_exists(none)); /* nor was it added in silence */
	free(none);
}

static void test_changed_host_key(void **state)
{
	struct sshd *s = fixture(state)->server;
	struct ssh_params p = sshd_params(s);
	char *file = path_join(fixture(state)->dir, "changed");
	char *public = x_asprintf("%s.pub", s->other_key);
	struct buf key;
	char *line;

	assert_int_equal(file_read(public, 4096, &key, NULL), 0);
	line = x_asprintf("[127.0.0.1]:%u %s", s->port, key.data);
	assert_int_equal(file_write(file, line, strlen(line), 0600, NULL), 0);
	p.known_hosts_file = file;
	refused(&p, "not the one in");
	refused(&p, s->host_key_sha256);
	free(line);
	buf_release(&key);
	free(public);
	free(file);
}

static void test_pinned_fingerprint(void **state)
{
	struct sshd *s = fixture(state)->server;
	struct ssh_params p = sshd_params(s);
	struct err err = ERR_INIT;
	struct target *t;

	p.known_hosts_file = "/dev/null";
	p.host_key_sha256 = s->host_key_sha256;
	t = target_ssh_new(&p, &err);
	assert_non_null(t);
	close_well(t);
	p.host_key_sha256 = s->host_key_sha256 + strlen("SHA256:");
	t = target_ssh_new(&p, &err);
	assert_non_null(t);
	close_well(t);
	p.known_hosts_file = s->known_hosts; /* a pin wins over what is known */
	p.host_key_sha256 = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	refused(&p, s->host_key_sha256);
	p.host_key_sha256 = "";
	refused(&p, "host key refused");
}

static void test_login_refused(void **state)
{
	struct sshd *s = fixture(state)->server;
	struct ssh_params p = sshd_params(s);
	char *locked = path_join(fixture(state)->dir, "locked");
	const char *argv[] = {"ssh-keygen", "-q", "-t",   "ed25519", "-N",
			      "secret",     "-f", locked, NULL};
	struct proc_outcome o;

	p.key_file = s->other_key;
	refused(&p, "login refused with the key");
	p.key_file = "/not/there";
	refused(&p, "/not/there");
	assert_int_equal(proc_run_ok(&(struct proc_spec){.argv = argv,
							 .timeout_ns = 20 * NS_PER_S,
							 .output_max = 4096},
				     &o, NULL),
			 0);
	proc_outcome_release(&o);
	p.key_file = locked;
	refused(&p, "passphrase");
	free(locked);
}

static void test_nobody_listens(void **state)
{
	struct ssh_params p = sshd_params(fixture(state)->server);

	p.port = 1; /* tcpmux: nothing has it */
	refused(&p, "refused");
	p.host = "no-such-name.invalid";
	refused(&p, "check the name");
}

/* ---- commands ---- */

static void test_arguments_arrive_as_they_are(void **state)
{
	struct target *t = connect_to(fixture(state)->server);
	struct rng rng;
	const char *words[42] = {"printf", "%s\\0"};
	struct buf want;
	struct proc_outcome o;

	rng_init(&rng, 7);
	buf_init(&want, BUF_UNBOUNDED);
	for (int i = 2; i < 41; i++) {
		size_t len = (size_t)rng_below(&rng, i == 40 ? 4096 : 200);

		char *word = x_calloc(1, len + 1);

		for (size_t k = 0; k < len; k++)
			word[k] = (char)(1 + rng_below(&rng, 255));
		buf_add(&want, word, len + 1);
		words[i] = word;
	}
	o = run(t, words);
	assert_int_equal(o.out.len, want.len);
	assert_memory_equal(o.out.data, want.data, want.len);
	for (int i = 2; i < 41; i++)
		free((char *)words[i]);
	buf_release(&want);
	proc_outcome_release(&o);
	close_well(t);
}

static void test_environment_folder_input(void **state)
{
	struct target *t = connect_to(fixture(state)->server);
	const char *argv[] = {"sh", "-c", "pwd; printf '%s|' \"$A\" \"$B\"; cat", NULL};
	const char *env[] = {"A=it's $HOME", "B=two\nlines", NULL};
	const char *bad[] = {"A-B=1", NULL};
	struct proc_spec spec = {.argv = argv,
				 .env = env,
				 .dir = "/usr/lib",
				 .input = "in\0put",
				 .input_len = 6,
				 .timeout_ns = 20 * NS_PER_S,
				 .output_max = 4096};
	static const char want[] = "/usr/lib\nit's $HOME|two\nlines|in\0put";
	struct err err = ERR_INIT;
	struct proc_outcome o;

	if (target_run(t, &spec, &o, &err))
		fail_msg("%s", err.text);
	assert_int_equal(o.out.len, sizeof(want) - 1);
	assert_memory_equal(o.out.data, want, sizeof(want) - 1);
	proc_outcome_release(&o);
	spec.env = bad;
	assert_int_equal(target_run(t, &spec, &o, &err), -1);
	assert_non_null(strstr(err.text, "A-B"));
	spec.env = NULL;
	spec.dir = "/not/there";
	assert_int_equal(target_run(t, &spec, &o, &err), -1);
	assert_non_null(strstr(err.text, "working folder"));
	close_well(t);
}

static void test_no_such_program(void **state)
{
	struct target *t = connect_to(fixture(state)->server);
	const char *argv[] = {"no-such-program-here", NULL};
	const char *own[] = {"sh", "-c", "exit 127", NULL};
	struct err err = ERR_INIT;
	struct proc_outcome o;

	assert_int_equal(target_run(t,
				    &(struct proc_spec){.argv = argv,
							.timeout_ns = 20 * NS_PER_S,
							.output_max = 4096},
				    &o, &err),
			 -1);
	assert_non_null(strstr(err.text, "cannot start no-such-program-here"));
	o = run(t, own);
	assert_int_equal(o.code, 127); /* its own word, and no error of ours */
	proc_outcome_release(&o);
	close_well(t);
}

static void count(void *ctx, const char *data, size_t len)
{
	(void)data;
	*(size_t *)ctx += len;
}

static void test_output_bounds(void **state)
{
	struct target *t = connect_to(fixture(state)->server);
	const char *argv[] = {"sh", "-c", "head -c 20000000 /dev/zero; echo end >&2",
			      NULL};
	size_t seen = 0;
	struct err err = ERR_INIT;
	struct proc_outcome o;

	if (target_run(t,
		       &(struct proc_spec){.argv = argv,
					   .timeout_ns = 60 * NS_PER_S,
					   .output_max = 1000,
					   .on_out = count,
					   .sink_ctx = &seen},
		       &o, &err))
		fail_msg("%s", err.text);
	assert_int_equal(o.out.len, 1000);
	assert_int_equal(o.out.dropped, 20000000 - 1000);
	assert_int_equal(seen, 20000000);
	assert_string_equal(o.diag.data, "end\n");
	proc_outcome_release(&o);
	close_well(t);
}

/* True once nobody has the file locked any more: the process that held it is gone. */
static bool lock_is_free_by(const char *path, int64_t deadline_ns)
{
	const char *argv[] = {"flock", "-w", "12", path, "true", NULL};
	struct proc_outcome o;
	int rc = proc_run_ok(
		&(struct proc_spec){.argv = argv,
				    .timeout_ns = clock_left_ns(deadline_ns) + 1,
				    .output_max = 4096},
		&o, NULL);

	if (!rc)
		proc_outcome_release(&o);
	return rc == 0;
}

/* A stubborn process that holds a lock for as long as it lives, and says when it has it.
 */
static const char stubborn[] =
	"trap '' TERM; flock 9 && echo ready; while :; do sleep 0.2; done";

static void start_stubborn(const char *lock, const char **argv, char **script)
{
	*script = x_asprintf("exec 9>'%s'; %s", lock, stubborn);
	argv[0] = "sh";
	argv[1] = "-c";
	argv[2] = *script;
	argv[3] = NULL;
}

static void test_deadline_ends_the_command(void **state)
{
	struct target *t = connect_to(fixture(state)->server);
	char *lock = path_join(fixture(state)->dir, "lock-deadline"), *script;
	const char *argv[4];
	struct err err = ERR_INIT;
	struct proc_outcome o;

	start_stubborn(lock, argv, &script);
	if (target_run(t,
		       &(struct proc_spec){
			       .argv = argv, .timeout_ns = NS_PER_S, .output_max = 4096},
		       &o, &err))
		fail_msg("%s", err.text);
	assert_int_equal(o.end, PROC_TIMED_OUT);
	assert_string_equal(o.out.data, "ready\n");
	assert_true(lock_is_free_by(lock, clock_deadline_ns(20 * NS_PER_S)));
	proc_outcome_release(&o);
	free(script);
	free(lock);
	close_well(t);
}

static void stop_us(void *ctx, const char *data, size_t len)
{
	(void)ctx;
	(void)data;
	(void)len;
	raise(SIGINT);
}

static void test_stop_ends_the_command(void **state)
{
	struct target *t = connect_to(fixture(state)->server);
	char *lock = path_join(fixture(state)->dir, "lock-stop"), *script;
	const char *argv[4];
	struct err err = ERR_INIT;
	struct proc_outcome o;

	assert_non_null(target_workdir(t, &err));
	start_stubborn(lock, argv, &script);
	if (target_run(t,
		       &(struct proc_spec){.argv = argv,
					   .timeout_ns = 60 * NS_PER_S,
					   .output_max = 4096,
					   .on_out = stop_us},
		       &o, &err))
		fail_msg("%s", err.text);
	assert_int_equal(o.end, PROC_STOPPED);
	proc_outcome_release(&o);
	close_well(t); /* the clean-up works although a stop was requested */
	stop_clear();
	assert_true(lock_is_free_by(lock, clock_deadline_ns(20 * NS_PER_S)));
	free(script);
	free(lock);
}

static void kill_server(void *ctx, const char *data, size_t len)
{
	(void)data;
	(void)len;
	sshd_kill(ctx);
}

static void test_server_killed(void **state)
{
	struct sshd *s = fixture(state)->server;
	struct target *t = connect_to(s);
	char *lock = path_join(fixture(state)->dir, "lock-killed"), *script;
	const char *argv[4], *dir;
	struct err err = ERR_INIT;
	struct proc_outcome o;
	const char *check[] = {"test", "-d", NULL, NULL};

	dir = target_workdir(t, &err);
	assert_non_null(dir);
	start_stubborn(lock, argv, &script);
	assert_int_equal(target_run(t,
				    &(struct proc_spec){.argv = argv,
							.timeout_ns = 60 * NS_PER_S,
							.output_max = 4096,
							.on_out = kill_server,
							.sink_ctx = s},
				    &o, &err),
			 -1);
	assert_non_null(strstr(err.text, "connection lost"));
	assert_true(lock_is_free_by(lock, clock_deadline_ns(20 * NS_PER_S)));
	check[2] = dir;
	o = run(t, check); /* connected anew */
	assert_int_equal(o.code, 0);
	proc_outcome_release(&o);
	char *was = x_strdup(dir);

	close_well(t);
	assert_false(file_exists(was));
	free(was);
	free(script);
	free(lock);
}

/* ---- files ---- */

static void write_random(const char *path, size_t size)
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

static void test_large_file_there_and_back(void **state)
{
	struct target *t = connect_to(fixture(state)->server);
	char *from = path_join(fixture(state)->dir, "large");
	char *back = path_join(fixture(state)->dir, "back");
	char a[DIGEST_SIZE], b[DIGEST_SIZE];
	struct err err = ERR_INIT;
	struct stat st;

	write_random(from, (size_t)100 << 20);
	if (target_put(t, from, "it's large", 0640, 120 * NS_PER_S, &err) ||
	    target_get(t, "it's large", back, 120 * NS_PER_S, &err))
		fail_msg("%s", err.text);
	assert_int_equal(digest_of_file(from, a, &err), 0);
	assert_int_equal(digest_of_file(back, b, &err), 0);
	assert_string_equal(a, b);
	char *there = path_join(target_workdir(t, &err), "it's large");

	assert_int_equal(stat(there, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	close_well(t);
	assert_false(file_exists(there));
	free(there);
	unlink(from);
	unlink(back);
	free(from);
	free(back);
}

static void test_file_errors(void **state)
{
	struct target *t = connect_to(fixture(state)->server);
	char *back = path_join(fixture(state)->dir, "nothing");
	struct err err = ERR_INIT;

	assert_int_equal(target_get(t, "/not/there", back, 20 * NS_PER_S, &err), -1);
	assert_non_null(strstr(err.text, "no such file"));
	assert_false(file_exists(back));
	err_clear(&err);
	assert_int_equal(target_get(t, "/proc", back, 20 * NS_PER_S, &err), -1);
	err_clear(&err);
	assert_int_equal(
		target_put(t, "Makefile", "/not/there/x", 0644, 20 * NS_PER_S, &err), -1);
	assert_non_null(strstr(err.text, "cannot write"));
	err_clear(&err);
	assert_int_equal(target_put(t, "Makefile", "/tmp", 0644, 20 * NS_PER_S, &err),
			 -1);
	assert_non_null(strstr(err.text, "folder"));
	err_clear(&err);
	assert_int_equal(target_put(t, "/not/here", "x", 0644, 20 * NS_PER_S, &err), -1);
	assert_int_equal(target_get(t, "/bin/sh", "/not/here/x", 20 * NS_PER_S, &err),
			 -1);
	close_well(t);
	free(back);
}

/* ---- bundles ---- */

static char *own_path(void)
{
	char path[4096];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

	path[len > 0 ? len : 0] = '\0';
	return x_strdup(path);
}

static void place_and_run(struct target *t, const struct bundle *b)
{
	struct err err = ERR_INIT;
	const char *argv[] = {NULL, "--say", "placed", NULL};

	if (target_place(t, b, 60 * NS_PER_S, &argv[0], &err))
		fail_msg("%s", err.text);
	struct proc_outcome o = run(t, argv);

	assert_string_equal(o.out.data, "placed\n");
	proc_outcome_release(&o);
}

/* An emulated test has a server that is not. */
static bool is_our_kind(struct target *t, const char *machine)
{
	const char *argv[] = {"uname", "-m", NULL};
	struct proc_outcome o = run(t, argv);
	bool same = strncmp(o.out.data, machine, strlen(machine)) == 0;

	if (!same)
		print_message("the server's machine is of another kind: %s", o.out.data);
	proc_outcome_release(&o);
	return same;
}

/* Libraries in use by the placed program come from the bundle (ld.so's own list). */
static void test_place(void **state)
{
	struct sshd *s = fixture(state)->server;
	struct target *t = connect_to(s);
	struct err err = ERR_INIT;
	char *program = own_path(), *object;
	const char *path, *cut[] = {"truncate", "-s", "10", NULL, NULL};
	struct bundle b;
	struct stat before, after;

	assert_int_equal(bundle_make(&b, program, NULL, &err), 0);
	if (!is_our_kind(t, b.machine)) {
		close_well(t);
		bundle_release(&b);
		free(program);
		skip();
	}
	place_and_run(t, &b);
	object = x_asprintf("%s/tare/objects/%s", s->cache, b.files[0].sha256);
	assert_int_equal(stat(object, &before), 0);
	place_and_run(t, &b); /* nothing is sent again */
	assert_int_equal(stat(object, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	/* Damaged on the other side: noticed, and put right. */
	assert_int_equal(target_place(t, &b, 60 * NS_PER_S, &path, &err), 0);
	cut[3] = path;
	struct proc_outcome o = run(t, cut);
	proc_outcome_release(&o);
	place_and_run(t, &b);
	snprintf(b.machine, sizeof(b.machine), "riscv64");
	assert_int_equal(target_place(t, &b, 60 * NS_PER_S, &path, &err), -1);
	assert_non_null(strstr(err.text, "this program is for riscv64"));
	bundle_release(&b);
	free(object);
	free(program);
	close_well(t);
}

/* ---- faults ---- */

/* A whole life; 0 when everything went well, else the error's text is there. */
static int whole_life(struct sshd *s, const char *from, const char *back,
		      int64_t timeout_ns, struct err *err)
{
	struct ssh_params p = sshd_params(s);
	const char *argv[] = {"echo", "hello", NULL};
	struct proc_outcome o;
	struct target *t;
	int rc;

	p.connect_timeout_ns = timeout_ns;
	t = target_ssh_new(&p, err);
	if (!t)
		return -1;
	rc = target_run(t,
			&(struct proc_spec){.argv = argv,
					    .timeout_ns = timeout_ns,
					    .output_max = 4096},
			&o, err);
	if (!rc) {
		rc = o.end == PROC_EXITED && strcmp(o.out.data, "hello\n") == 0 ? 0 : -1;
		if (rc)
			err_set(err, ERR_ENVIRONMENT, "not done in time");
		proc_outcome_release(&o);
	}
	if (!rc)
		rc = target_put(t, from, "file", 0600, timeout_ns, err);
	if (!rc)
		rc = target_get(t, "file", back, timeout_ns, err);
	if (target_close(t, rc ? NULL : err))
		rc = -1;
	return rc;
}

static void test_line_cut_anywhere(void **state)
{
	struct sshd *s = fixture(state)->server;
	char *from = path_join(fixture(state)->dir, "small");
	char *back = path_join(fixture(state)->dir, "small-back");
	int before, failures = 0;
	long long step = 257, after;

	write_random(from, 8000);
	sshd_wait_idle(s);
	before = open_files();
	for (after = 0;; after += step) {
		struct err err = ERR_INIT;
		int rc;

		unlink(back);
		sshd_set_fault(s, SSHD_CUT, after);
		rc = whole_life(s, from, back, 20 * NS_PER_S, &err);
		if (rc == 0)
			break;
		assert_int_equal(err.kind, ERR_ENVIRONMENT);
		assert_true(err.text[0] != '\0');
		failures++;
		if (after > 3000)
			step = 1999;
		assert_true(after < 200000);
	}
	sshd_set_fault(s, SSHD_SOUND, 0);
	sshd_wait_idle(s);
	assert_int_equal(open_files(), before);
	assert_true(failures > 12); /* the sweep did cut it, many times */
	free(from);
	free(back);
}

static void test_line_goes_silent(void **state)
{
	struct sshd *s = fixture(state)->server;
	static const long long points[] = {0, 1500, 6500};
	char *from = path_join(fixture(state)->dir, "small");
	char *back = path_join(fixture(state)->dir, "silent-back");
	int before;

	sshd_wait_idle(s);
	before = open_files();
	for (size_t i = 0; i < ARRAY_SIZE(points); i++) {
		struct err err = ERR_INIT;
		int64_t start = clock_mono_ns();

		sshd_set_fault(s, SSHD_SILENT, points[i]);
		assert_int_equal(whole_life(s, from, back, NS_PER_S, &err), -1);
		assert_int_equal(err.kind, ERR_ENVIRONMENT);
		/* Not a measure of speed: that it ends at all, long before a minute. */
		assert_true(clock_mono_ns() - start < 60 * NS_PER_S);
	}
	sshd_set_fault(s, SSHD_SOUND, 0);
	sshd_wait_idle(s);
	assert_int_equal(open_files(), before);
	free(from);
	free(back);
}

static int set_up(void **state)
{
	struct fixture *f = x_calloc(1, sizeof(*f));

	stop_install();
	f->dir = dir_make_temporary("tare-test-ssh", NULL);
	f->server = sshd_start();
	*state = f;
	return f->server && f->dir ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	sshd_stop(f->server);
	(void)dir_remove(f->dir, NULL);
	free(f->dir);
	free(f);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_login_and_exit_status),
		cmocka_unit_test(test_unknown_host_key),
		cmocka_unit_test(test_changed_host_key),
		cmocka_unit_test(test_pinned_fingerprint),
		cmocka_unit_test(test_login_refused),
		cmocka_unit_test(test_nobody_listens),
		cmocka_unit_test(test_arguments_arrive_as_they_are),
		cmocka_unit_test(test_environment_folder_input),
		cmocka_unit_test(test_no_such_program),
		cmocka_unit_test(test_output_bounds),
		cmocka_unit_test(test_deadline_ends_the_command),
		cmocka_unit_test(test_stop_ends_the_command),
		cmocka_unit_test(test_server_killed),
		cmocka_unit_test(test_large_file_there_and_back),
		cmocka_unit_test(test_file_errors),
		cmocka_unit_test(test_place),
		cmocka_unit_test(test_line_cut_anywhere),
		cmocka_unit_test(test_line_goes_silent),
	};

	if (argc == 3 && strcmp(argv[1], "--say") == 0) {
		puts(argv[2]);
		return 0;
	}
	if (access("/usr/sbin/sshd", X_OK) || access("/usr/bin/ssh-keygen", X_OK)) {
		puts("no OpenSSH server here (Debian: openssh-server)");
		return 77;
	}
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
