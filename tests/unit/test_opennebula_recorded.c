/*
 * The client against a real front-end's recorded answers (tests/support/recordings.h),
 * replayed over a socket: what it asks is compared with the recorded requests, what it
 * makes of the answers with INDEX.md and with reference/opennebula.md.
 */
#include "core/base/buf.h"
#include "core/base/mem.h"
#include "harness/provision/opennebula/opennebula_client.h"
#include "tests/support/recordings.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* Answers each connection with one recorded response and keeps the request's body. */
struct replay {
	const struct recordings *r;
	int listener;
	uint16_t port;
	const char *name;
	struct buf request;
	pthread_t thread;
};

static void *replay_once(void *ctx)
{
	struct replay *p = ctx;
	int fd = accept(p->listener, NULL, NULL);
	size_t len = 0, want = 0;
	char piece[4096], *body = NULL, *head, *text;
	struct buf in;

	buf_init(&in, RECORDING_MAX);
	while (!body || in.len < want) {
		ssize_t n = recv(fd, piece, sizeof(piece), 0);

		if (n <= 0)
			break;
		buf_add(&in, piece, (size_t)n);
		body = strstr(in.data, "\r\n\r\n");
		head = strstr(in.data, "Content-Length: ");
		if (body && head)
			want = (size_t)(body - in.data) + 4 +
			       strtoul(head + 16, NULL, 10);
	}
	if (body)
		buf_puts(&p->request, body + 4);
	text = recording_text(p->r, p->name, ".response.headers.txt", &len);
	for (char *c = text; c && *c; c++) /* kept with bare line feeds */
		if (*c == '\n')
			(void)!write(fd, "\r\n", 2);
		else if (*c != '\r')
			(void)!write(fd, c, 1);
	if (text && text[strlen(text) - 1] != '\n')
		(void)!write(fd, "\r\n", 2);
	(void)!write(fd, "\r\n", 2);
	free(text);
	text = recording_text(p->r, p->name, ".response.xml", &len);
	for (size_t at = 0; text && at < len;) {
		ssize_t n = write(fd, text + at, len - at);

		if (n <= 0)
			break;
		at += (size_t)n;
	}
	free(text);
	buf_release(&in);
	close(fd);
	return NULL;
}

static void replay_begin(struct replay *p, const struct recordings *r, const char *name)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);

	*p = (struct replay){.r = r, .name = name};
	buf_init(&p->request, RECORDING_MAX);
	p->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(p->listener, (struct sockaddr *)&a, len), 0);
	assert_int_equal(listen(p->listener, 1), 0);
	assert_int_equal(getsockname(p->listener, (struct sockaddr *)&a, &len), 0);
	p->port = ntohs(a.sin_port);
	assert_int_equal(pthread_create(&p->thread, NULL, replay_once, p), 0);
}

static void replay_end(struct replay *p)
{
	pthread_join(p->thread, NULL);
	close(p->listener);
	buf_release(&p->request);
}

static int count_vm(void *ctx, const struct one_vm *vm, struct err *err)
{
	(void)err;
	assert_true(vm->id >= 0);
	++*(unsigned *)ctx;
	return 0;
}

static int count_template(void *ctx, const struct one_template *t, struct err *err)
{
	(void)err;
	assert_non_null(t->name);
	++*(unsigned *)ctx;
	return 0;
}

/* What a call gave; released by outcome_release(). */
struct outcome {
	int rc;
	struct err err;
	int64_t number;
	char *text;
	struct one_vm vm;
	struct one_host host;
	struct one_hosts hosts;
	struct one_template t;
	struct one_account account;
	struct one_acls acls;
	unsigned counted;
};

static void outcome_release(struct outcome *o)
{
	free(o->text);
	one_vm_release(&o->vm);
	one_host_release(&o->host);
	one_hosts_release(&o->hosts);
	one_template_release(&o->t);
	one_account_release(&o->account);
	one_acls_release(&o->acls);
}

/* The client's function for a recorded request; false where it never sends such a one. */
static bool make_call(struct one_client *c, const struct recorded_request *q,
		      struct outcome *o)
{
	const struct xmlrpc_arg *a = q->args;
	struct err *e = &o->err;

	if (!strcmp(q->method, "one.system.version"))
		o->rc = one_system_version(c, &o->text, e);
	else if (!strcmp(q->method, "one.vm.info"))
		o->rc = one_vm_info(c, a[1].integer, &o->vm, e);
	else if (!strcmp(q->method, "one.host.info"))
		o->rc = one_host_info(c, a[1].integer, &o->host, e);
	else if (!strcmp(q->method, "one.hostpool.info"))
		o->rc = one_host_pool(c, &o->hosts, e);
	else if (!strcmp(q->method, "one.template.info"))
		o->rc = one_template_info(c, a[1].integer, &o->t, e);
	else if (!strcmp(q->method, "one.templatepool.info"))
		o->rc = one_template_pool(c, count_template, &o->counted, e);
	else if (!strcmp(q->method, "one.template.instantiate"))
		o->rc = one_template_instantiate(c, a[1].integer, a[2].text, a[3].integer,
						 a[4].text, &o->number, e);
	else if (!strcmp(q->method, "one.vm.deploy") && a[3].integer)
		o->rc = one_vm_deploy(c, a[1].integer, a[2].integer, e);
	else if (!strcmp(q->method, "one.vm.action") &&
		 !strcmp(a[1].text, "terminate-hard"))
		o->rc = one_vm_terminate_hard(c, a[2].integer, e);
	else if (!strcmp(q->method, "one.user.info"))
		o->rc = one_user_info(c, a[1].integer, &o->account, e);
	else if (!strcmp(q->method, "one.group.info"))
		o->rc = one_group_info(c, a[1].integer, &o->account, e);
	else if (!strcmp(q->method, "one.acl.info"))
		o->rc = one_acl_info(c, &o->acls, e);
	else if (!strcmp(q->method, "one.vmpool.infoextended"))
		o->rc = one_vm_pool(c, count_vm, &o->counted, e);
	else
		return false;
	return true;
}

/* As recorded, but for the pool's filter: tare asks for its own machines (-3, not -2). */
static void compare_request(const struct recording *e, const char *recorded,
			    const char *ours)
{
	struct buf b;
	const char *filter = strstr(recorded, "<i4>-2</i4>");

	buf_init(&b, RECORDING_MAX);
	if (!strcmp(e->method, "one.vmpool.infoextended") && filter) {
		buf_add(&b, recorded, (size_t)(filter - recorded));
		buf_printf(&b, "<i4>-3</i4>%s", filter + 11);
	} else {
		buf_puts(&b, recorded);
	}
	if (strcmp(b.data, ours) != 0)
		fail_msg("%s: recorded\n%s\nours\n%s", e->name, b.data, ours);
	buf_release(&b);
}

static bool replay_recording(const struct recordings *r, const struct recording *e,
			     struct outcome *ret)
{
	char *recorded = recording_text(r, e->name, ".request.xml", NULL), endpoint[64];
	struct one_client_params params = {.auth_env = "TARE_TEST_SESSION",
					   .call_timeout_ns = INT64_C(20000000000),
					   .pool_timeout_ns = INT64_C(20000000000)};
	struct one_client *c;
	struct replay p;
	struct recorded_request q;
	bool done;

	*ret = (struct outcome){.rc = 0};
	if (!recorded)
		return false;
	recorded_request_read(&q, recorded, strlen(recorded));
	if (!q.nr || !strchr(q.args[0].text, ':') ||
	    (!strcmp(q.method, "one.vm.deploy") && !q.args[3].integer)) {
		recorded_request_release(&q);
		free(recorded);
		return false;
	}
	replay_begin(&p, r, e->name);
	setenv("TARE_TEST_SESSION", q.args[0].text, 1);
	snprintf(endpoint, sizeof(endpoint), "http://127.0.0.1:%u/RPC2", p.port);
	params.server.endpoint = endpoint;
	c = one_client_new(&params, NULL);
	assert_non_null(c);
	done = make_call(c, &q, ret);
	if (!done) /* somebody must connect, or the thread waits for ever */
		one_system_version(c, &ret->text, &ret->err);
	else if (q.is_plain)
		compare_request(e, recorded, p.request.data);
	one_client_free(c);
	replay_end(&p);
	recorded_request_release(&q);
	free(recorded);
	return done;
}

static void calls_send_and_read_what_was_recorded(void **state)
{
	struct recordings *r = *state;
	unsigned done = 0;

	for (size_t i = 0; i < r->nr; i++) {
		const struct recording *e = &r->cases[i];
		struct outcome o;

		/* Sent in deliberately wrong ways, which the client cannot. */
		if (!strncmp(e->name, "fault.", 6))
			continue;
		if (replay_recording(r, e, &o)) {
			bool is_good = !strcmp(e->ok, "True");

			if (is_good != !o.rc)
				fail_msg("%s: %s", e->name, o.err.text);
			if (!is_good) {
				assert_string_equal(o.err.origin, "opennebula");
				assert_int_equal(o.err.code, e->code);
				assert_non_null(strstr(o.err.text, e->method));
			}
			done++;
		}
		outcome_release(&o);
	}
	assert_true(done > 60);
}

/* What reference/opennebula.md says these documents show. */
static void what_machines_say(void **state)
{
	struct recordings *r = *state;
	struct outcome o;

	assert_true(replay_recording(r, recording_find(r, "vm.info.running"), &o));
	assert_int_equal(o.vm.state, 3);
	assert_int_equal(o.vm.lcm_state, 3);
	assert_string_equal(o.vm.address, "10.77.0.10");
	assert_string_equal(o.vm.host_name, "h200-one");
	assert_int_equal(o.vm.host_id, 1);
	assert_int_equal(o.vm.pcis.nr, 1);
	assert_string_equal(o.vm.pcis.items[0].address, "0000:e1:00:0");
	assert_true(one_pci_is_at(&o.vm.pcis.items[0], "e1:00.0"));
	outcome_release(&o);

	/* Stale SHORT_ADDRESS, but no ADDRESS: it has nothing any more. */
	assert_true(replay_recording(r, recording_find(r, "vm.info.done"), &o));
	assert_int_equal(o.vm.state, 6);
	assert_null(o.vm.pcis.items[0].address);
	assert_string_equal(o.vm.pcis.items[0].short_address, "e1:00.0");
	outcome_release(&o);

	assert_true(replay_recording(
		r, recording_find(r, "vm.info.after_noenforce_deploy"), &o));
	assert_int_equal(o.vm.lcm_state, 3);
	assert_null(o.vm.pcis.items[0].address);
	outcome_release(&o);

	assert_true(replay_recording(r, recording_find(r, "vm.info.boot_failure"), &o));
	assert_int_equal(o.vm.lcm_state, 36);
	assert_non_null(strstr(o.vm.error, "DEPLOY: gb200-a:bootfail:dummy"));
	outcome_release(&o);

	assert_true(replay_recording(r, recording_find(r, "vm.info.pending_no_pci"), &o));
	assert_non_null(
		strstr(o.vm.sched_message, "Unavailable PCI devices on hosts: 1"));
	assert_int_equal(o.vm.host_id, -1);
	outcome_release(&o);

	assert_true(replay_recording(r, recording_find(r, "vm.info.mig_2"), &o));
	assert_string_equal(o.vm.pcis.items[0].profile, "9999 (NO-SUCH-PROFILE)");
	outcome_release(&o);

	assert_true(replay_recording(r, recording_find(r, "vm.info.grace_full"), &o));
	assert_int_equal(o.vm.pcis.nr, 2);
	assert_string_equal(o.vm.pcis.items[0].short_address, "0008:01:00.0");
	assert_string_equal(o.vm.pcis.items[1].short_address, "0009:01:00.0");
	assert_string_equal(o.vm.pcis.items[0].vm_address, "a1:00.0");
	outcome_release(&o);
}

static void what_hosts_say(void **state)
{
	struct recordings *r = *state;
	struct outcome o;

	assert_true(replay_recording(
		r, recording_find(r, "host.info.boot_failure_pci_held"), &o));
	assert_int_equal(one_host_device(&o.host, "0018:01:00.0")->vm_id, 10);
	assert_int_equal(o.host.pcis.nr, 4);
	outcome_release(&o);
	assert_true(replay_recording(r, recording_find(r, "host.info.mig_in_use"), &o));
	assert_non_null(
		strstr(o.host.pcis.items[0].profiles, "1127 (NVIDIA H100XM-1-10C)"));
	outcome_release(&o);
	assert_true(
		replay_recording(r, recording_find(r, "hostpool.info.regular_user"), &o));
	assert_int_equal(o.hosts.nr, 0);
	outcome_release(&o);
	assert_true(replay_recording(r, recording_find(r, "hostpool.info.in_use"), &o));
	assert_int_equal(o.hosts.nr, 3);
	assert_string_equal(o.hosts.items[2].name, "gb200-a");
	outcome_release(&o);
}

static void what_accounts_may(void **state)
{
	struct recordings *r = *state;
	struct outcome o;

	assert_true(replay_recording(r, recording_find(r, "user.info.quota"), &o));
	assert_int_equal(o.account.gid, 100);
	assert_string_equal(o.account.quotas[0].name, "PCI_DEV");
	assert_int_equal(o.account.quotas[0].limit, 1);
	assert_int_equal(o.account.quotas[0].used, 2);
	outcome_release(&o);

	/* "@100 HOST/\* MANAGE #0" is there; USE on hosts is not, before the last rule. */
	assert_true(replay_recording(r, recording_find(r, "acl.info.ok"), &o));
	o.account.id = 2;
	o.account.gid = 100;
	assert_true(one_may(&o.acls, &o.account, ONE_ON_HOST, ONE_MANAGE));
	assert_false(one_may(&o.acls, &o.account, ONE_ON_HOST, ONE_USE));
	assert_false(one_may(&o.acls, &o.account, ONE_ON_TEMPLATE, ONE_CREATE));
	o.account.gid = 1; /* "@1 VM+IMAGE+TEMPLATE+.../\* CREATE" */
	assert_true(one_may(&o.acls, &o.account, ONE_ON_TEMPLATE, ONE_CREATE));
	outcome_release(&o);
}

/* Each refusal that a user can meet, and the part of the sentence that helps them. */
static void refusals_become_sentences(void **state)
{
	static const struct {
		const char *name, *part;
	} cases[] = {
		{"system.version.bad_auth", "auth_file"},
		{"system.version.revoked_token", "a token expires"},
		{"template.instantiate.quota_exceeded", "a quota is used up"},
		{"template.instantiate.generic_quota_exceeded", "a quota is used up"},
		{"template.instantiate.pci_override_blocked_by_subattr",
		 "only an administrator may set"},
		{"template.instantiate.restricted_topology", "VM_RESTRICTED_ATTR"},
		{"template.instantiate.extra_benign_no_create_acl", "TEMPLATE/* CREATE"},
		{"template.instantiate.no_exist", "no such template"},
		{"template.instantiate.forbidden", "no right"},
		{"vm.deploy.regular_user_forbidden", "\"by\": \"scheduler\""},
		{"vm.deploy.no_capacity_enforce", "no free device"},
		{"vm.deploy.no_such_host", "no such host"},
		{"vm.deploy.wrong_state", "in another state"},
		{"vm.info.no_exist", "no such machine"},
		{"host.info.regular_user", "HOST/* USE"},
	};
	struct recordings *r = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct outcome o;

		assert_true(replay_recording(r, recording_find(r, cases[i].name), &o));
		assert_int_equal(o.rc, -1);
		if (!strstr(o.err.text, cases[i].part))
			fail_msg("%s: '%s' does not hold '%s'", cases[i].name, o.err.text,
				 cases[i].part);
		assert_int_equal(err_exit_status(&o.err), EXIT_ENVIRONMENT);
		outcome_release(&o);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_send_and_read_what_was_recorded),
		cmocka_unit_test(what_machines_say),
		cmocka_unit_test(what_hosts_say),
		cmocka_unit_test(what_accounts_may),
		cmocka_unit_test(refusals_become_sentences),
	};

	if (recordings_missing())
		return 77;
	return cmocka_run_group_tests(tests, recordings_set_up, recordings_tear_down);
}
