/*
 * The FAKE OpenNebula front-end (tests/support/fake_opennebula.h) as a program, for shell
 * tests and for trying tare without a cloud. It runs until SIGTERM or SIGINT and then
 * says what its users left behind.
 *
 *	fake_opennebula --port 2633 --address 127.0.0.1
 *	-> first line on stdout: the endpoint; at the end: how many calls there were, and
 *	"left: 0 machines, 0 devices"
 *
 * Exit status: 0 when nothing was left, 1 when something was.
 */
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/options/program.h"
#include "core/base/stop.h"
#include "tests/support/fake_opennebula.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

struct options {
	int64_t port, fail_at, latency_ns, fill;
	char *address, *fault, *fate, *host_key;
	bool is_lasting, is_granted, is_restricted;
};

static const struct field fields[] = {
	{.name = "port",
	 .kind = FIELD_INT,
	 .offset = offsetof(struct options, port),
	 .max = 65535,
	 .arg = "N",
	 .help = "Port on 127.0.0.1; 0 takes a free one."},
	{.name = "address",
	 .kind = FIELD_TEXT,
	 .offset = offsetof(struct options, address),
	 .unset = "127.0.0.1",
	 .arg = "IP",
	 .help = "What machines say their address is; a real sshd may answer there."},
	{.name = "host-key",
	 .kind = FIELD_TEXT,
	 .offset = offsetof(struct options, host_key),
	 .arg = "SHA256:...",
	 .help = "The host key that machines tell through OneGate."},
	{.name = "latency",
	 .kind = FIELD_SECONDS,
	 .offset = offsetof(struct options, latency_ns),
	 .max = 60,
	 .arg = "TIME",
	 .help = "Delay of each answer."},
	{.name = "fill",
	 .kind = FIELD_INT,
	 .offset = offsetof(struct options, fill),
	 .max = 1000000,
	 .arg = "N",
	 .help = "Machines that are there already, of no run of tare."},
	{.name = "fate",
	 .kind = FIELD_TEXT,
	 .offset = offsetof(struct options, fate),
	 .unset = "runs",
	 .arg = "NAME",
	 .help = "What becomes of new machines, such as boot-failure or without-gpu."},
	{.name = "fail-at",
	 .kind = FIELD_INT,
	 .offset = offsetof(struct options, fail_at),
	 .max = 1000000,
	 .arg = "N",
	 .help = "Fails the N-th call."},
	{.name = "fault",
	 .kind = FIELD_TEXT,
	 .offset = offsetof(struct options, fault),
	 .unset = "reset",
	 .arg = "NAME",
	 .help = "How it fails, such as http-503, quota or hang-after."},
	{.name = "grant",
	 .kind = FIELD_FLAG,
	 .offset = offsetof(struct options, is_granted),
	 .help = "Lets alice do what a benchmark's user would be granted."},
	{.name = "restrict",
	 .kind = FIELD_FLAG,
	 .offset = offsetof(struct options, is_restricted),
	 .help = "Refuses PCI sections in what users add to a template."},
	{.name = "lasting",
	 .kind = FIELD_FLAG,
	 .offset = offsetof(struct options, is_lasting),
	 .help = "Fails every call after that, too."},
	{0},
};

static const struct opt_command command = {
	.name = "fake_opennebula",
	.summary = "a fake OpenNebula front-end, for tests only",
	.usage = "[OPTION]...",
	.about = "Speaks OpenNebula's XML-RPC with a world of its own. Nothing runs "
		 "behind it.",
	.fields = fields,
};

static int find(const char *what, const char *name, const char *(*name_of)(int), int nr,
		int *ret, struct err *err)
{
	for (*ret = 0; *ret < nr; (*ret)++)
		if (!strcmp(name_of(*ret), name))
			return 0;
	return err_set(err, ERR_USAGE, "--%s: there is no '%s'", what, name);
}

static const char *fault_of(int i)
{
	return fake_one_fault_name((enum fake_one_fault)i);
}

static const char *fate_of(int i)
{
	return fake_one_fate_name((enum fake_one_fate)i);
}

static int serve(void *options, const struct strvec *rest, struct err *err)
{
	const struct options *o = options;
	int fault, fate;
	unsigned machines, devices, calls;
	struct fake_one *f;

	(void)rest;
	if (find("fault", o->fault, fault_of, FAKE_ONE_FAULTS_NR, &fault, err) ||
	    find("fate", o->fate, fate_of, FAKE_ONE_FATES_NR, &fate, err))
		return -1;
	f = fake_one_start((uint16_t)o->port);
	if (!f)
		return err_errno(err, "cannot listen on port %d", (int)o->port);
	fake_one_set_address(f, o->address);
	fake_one_set_host_key(f, o->host_key);
	fake_one_set_latency(f, (unsigned)(o->latency_ns / NS_PER_MS));
	if (o->is_granted)
		fake_one_grant(f);
	if (o->is_restricted)
		fake_one_restrict(f);
	fake_one_fill(f, (unsigned)o->fill, 0, "");
	fake_one_set_fate(f, (enum fake_one_fate)fate);
	fake_one_fail_at(f, (unsigned)o->fail_at, (enum fake_one_fault)fault,
			 o->is_lasting);
	log_info("a FAKE front-end for tests: user oneadmin, secret lab-opennebula");
	printf("%s\n", fake_one_endpoint(f));
	fflush(stdout);
	while (!stop_requested())
		poll(&(struct pollfd){.fd = stop_fd(), .events = POLLIN}, 1, 60000);
	calls = fake_one_calls(f);
	machines = fake_one_living_vms(f) - (unsigned)o->fill;
	devices = fake_one_held_devices(f);
	fake_one_stop(f);
	printf("calls: %u\n", calls);
	printf("left: %u machines, %u devices\n", machines, devices);
	return machines || devices ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct options o;

	stop_install();
	return program_run(&command, &o, serve, argc, argv);
}
