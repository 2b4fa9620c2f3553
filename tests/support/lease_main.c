/*
 * One lease by hand, for end-to-end tests of a provisioner:
 *
 *	lease KIND CONFIG acquire MACHINE RUN LABEL WORKDIR SECONDS
 *	lease KIND CONFIG sweep RUN
 *	lease KIND CONFIG list [RUN]
 *
 * CONFIG and MACHINE are JSON texts. acquire prints the lease as one line of JSON, holds
 * it until standard input ends or a stop is requested, and gives it back; notes go to
 * stderr as "note: ...". The exit status is tare's own.
 */
#include "core/base/clock.h"
#include "core/base/err.h"
#include "core/base/log.h"
#include "core/base/stop.h"
#include "harness/provision/provisioner.h"
#include "harness/provision/kinds/provisioner_kinds.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void print_note(void *ctx, const char *what)
{
	(void)ctx;
	fprintf(stderr, "note: %s\n", what);
}

static void print_lease(const struct lease_info *i)
{
	struct json_object *o = json_object_new_object();

	json_put_text(o, "id", i->id);
	json_put_text(o, "name", i->name);
	json_put_text(o, "address", i->address);
	json_put_int(o, "port", i->port);
	json_put_text(o, "user", i->user);
	json_put_text(o, "key_file", i->key_file);
	json_put_text(o, "host_key_sha256", i->host_key_sha256);
	json_put_int(o, "boot_ns", i->boot_ns);
	json_put(o, "facts", json_object_get(i->facts));
	puts(json_line(o));
	fflush(stdout);
	json_object_put(o);
}

static void hold(void)
{
	struct pollfd fds[] = {{.fd = 0, .events = POLLIN},
			       {.fd = stop_fd(), .events = POLLIN}};
	char line[256];

	while (!stop_requested()) {
		if (poll(fds, 2, 1000) > 0 && fds[0].revents &&
		    read(0, line, sizeof(line)) <= 0)
			return;
	}
}

static int acquire(struct provisioner *p, char **argv, struct err *err)
{
	struct lease_request want = {
		.run_id = argv[1],
		.label = argv[2],
		.machine = json_parse(argv[0], strlen(argv[0]), "machine", err),
		.workdir = argv[3],
		.timeout_ns = strtoll(argv[4], NULL, 10) * NS_PER_S,
		.note = print_note,
	};
	struct lease *l;
	int rc = want.machine ? provisioner_acquire(p, &want, &l, err) : -1;

	if (!rc) {
		print_lease(lease_info(l));
		hold();
		rc = provisioner_release(p, l, err);
	}
	json_object_put(want.machine);
	return rc;
}

static int list(struct provisioner *p, const char *run_id, struct err *err)
{
	struct strvec names = {0};
	int rc = provisioner_list(p, run_id, &names, err);

	for (size_t i = 0; i < names.nr; i++)
		puts(names.items[i]);
	strvec_release(&names);
	return rc;
}

static int sweep(struct provisioner *p, const char *run_id, struct err *err)
{
	size_t nr = 0;
	int rc = provisioner_sweep(p, run_id, &nr, err);

	printf("%zu\n", nr);
	return rc;
}

int main(int argc, char **argv)
{
	const struct provisioner_kind *kind;
	struct json_object *config;
	struct provisioner *p = NULL;
	struct err err = ERR_INIT;
	int rc = -1;

	stop_install();
	if (argc < 4 || !(kind = provisioner_kind_find(argv[1])))
		return EXIT_USAGE;
	config = json_parse(argv[2], strlen(argv[2]), "config", &err);
	if (config)
		p = kind->open(config, &err);
	json_object_put(config);
	if (p && argc == 9 && strcmp(argv[3], "acquire") == 0)
		rc = acquire(p, argv + 4, &err);
	else if (p && argc == 5 && strcmp(argv[3], "sweep") == 0)
		rc = sweep(p, argv[4], &err);
	else if (p && strcmp(argv[3], "list") == 0)
		rc = list(p, argc > 4 ? argv[4] : "", &err);
	else if (p)
		err_set(&err, ERR_USAGE, "see the head of tests/support/lease_main.c");
	provisioner_free(p);
	return rc ? log_failure(&err) : EXIT_PASS;
}
