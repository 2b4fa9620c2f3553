/* The fake front-end's HTTP server, and how it fails. */
#include "tests/support/fake_opennebula.h"

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "tests/support/fake_opennebula_impl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libxml/parser.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_MAX ((size_t)4 << 20)
#define CALLS_MAX 512

struct fake_one {
	pthread_t thread;
	pthread_mutex_t lock;
	int listener, ssh_listener, wake[2];
	uint16_t port, ssh_port;
	char endpoint[64];
	struct fake_world world;
	unsigned fail_at, calls, latency_ms;
	enum fake_one_fault fault;
	bool is_lasting;
	char methods[CALLS_MAX][48];
	char *last_request;
};

static const char *const fault_names[FAKE_ONE_FAULTS_NR] = {
	"ok",          "http-404", "http-500",   "http-503",        "fault",
	"denied",      "quota",    "auth",       "no-exists",       "action",
	"internal",    "election", "truncated",  "inner-truncated", "garbage",
	"wrong-types", "hang",     "hang-after", "reset",           "reset-after",
	"empty",
};

static const char *const fate_names[FAKE_ONE_FATES_NR] = {
	"runs",
	"stays-pending",
	"stays-in-prolog",
	"prolog-failure",
	"boot-failure",
	"lost-once",
	"lost",
	"without-gpu",
	"foreign-gpu",
	"keeps-gpu",
	"never-ends",
	"without-nic",
	"cloning-failure",
	"strange-state",
};

const char *fake_one_fault_name(enum fake_one_fault fault)
{
	return fault_names[fault];
}

const char *fake_one_fate_name(enum fake_one_fate fate)
{
	return fate_names[fate];
}

static int listen_on(uint16_t port, uint16_t *ret_port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons(port),
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&a, len) || listen(fd, 64) ||
	    getsockname(fd, (struct sockaddr *)&a, &len)) {
		close(fd);
		return -1;
	}
	*ret_port = ntohs(a.sin_port);
	return fd;
}

/* Waits for bytes or the end of the test; false at the end. */
static bool readable(struct fake_one *f, int fd)
{
	struct pollfd p[] = {{.fd = fd, .events = POLLIN},
			     {.fd = f->wake[0], .events = POLLIN}};

	while (poll(p, 2, -1) < 0 && errno == EINTR)
		;
	return !p[1].revents;
}

static void send_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		data += n;
		len -= (size_t)n;
	}
}

static void send_http(int fd, int status, const char *reason, const char *type,
		      const char *body, size_t len)
{
	char head[300];
	int n = snprintf(head, sizeof(head),
			 "HTTP/1.1 %d %s\r\nContent-type: %s\r\nContent-length: %zu\r\n"
			 "Connection: close\r\nServer: tare-fake-front-end\r\n\r\n",
			 status, reason, type, len);

	send_all(fd, head, (size_t)n);
	send_all(fd, body, len);
}

static void send_error(int fd, int status, const char *reason)
{
	char page[200];
	int n = snprintf(
		page, sizeof(page),
		"<HTML><HEAD><TITLE>Error %d</TITLE></HEAD><BODY><H1>Error %d</H1>"
		"</BODY></HTML>",
		status, status);

	send_http(fd, status, reason, "text/html", page, (size_t)n);
}

/* The body of one POST /RPC2, or an answer already given (false). */
static bool read_request(struct fake_one *f, int fd, struct buf *in, size_t *ret_body)
{
	size_t want = 0;
	char piece[8192], *end = NULL, *length;

	while (!end || in->len < want) {
		ssize_t n;

		if (!readable(f, fd) || (n = recv(fd, piece, sizeof(piece), 0)) <= 0)
			return false;
		if (!buf_add(in, piece, (size_t)n))
			return false;
		if (end || !(end = strstr(in->data, "\r\n\r\n")))
			continue;
		if (strncmp(in->data, "POST ", 5) != 0) {
			send_error(fd, 405, "Method Not Allowed");
			return false;
		}
		if (strncmp(in->data, "POST /RPC2 ", 11) != 0) {
			send_error(fd, 404, "Not Found");
			return false;
		}
		length = strcasestr(in->data, "\r\nContent-Length:");
		if (!length || length > end) {
			send_error(fd, 411, "Length Required");
			return false;
		}
		*ret_body = (size_t)(end - in->data) + 4;
		want = *ret_body + strtoul(length + 17, NULL, 10);
	}
	return true;
}

static void reset(int fd)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

static void hang(struct fake_one *f, int fd)
{
	char piece[256];

	while (readable(f, fd) && recv(fd, piece, sizeof(piece), 0) > 0)
		;
}

static const struct refusal {
	enum fake_one_fault fault;
	int code;
	const char *text;
} refusals[] = {
	{FAKE_ONE_DENIED, 512, "User [0] : Not authorized to perform that (fake)."},
	{FAKE_ONE_QUOTA, 512,
	 "User [0] : user [0] limit of 1 reached for PCI_DEV quota in VM."},
	{FAKE_ONE_AUTH, 256, "User couldn't be authenticated, aborting call."},
	{FAKE_ONE_NO_EXISTS, 1024, "Error getting something fake [4242]."},
	{FAKE_ONE_ACTION, 2048, "This action is not available for state FAKE"},
	{FAKE_ONE_INTERNAL, 8192, "Cannot do that (fake)"},
	{FAKE_ONE_ELECTION, 8192, "Cannot process request, no leader found"},
};

/* Instead of the call; false: it is to be carried out. */
static bool fail_before(struct fake_one *f, int fd, enum fake_one_fault fault,
			const char *method)
{
	struct buf b;
	bool is_done = true;

	buf_init(&b, BUF_UNBOUNDED);
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++)
		if (refusals[i].fault == fault)
			fake_reply_refusal(&b, method, refusals[i].code, -1,
					   refusals[i].text);
	if (fault == FAKE_ONE_FAULT)
		fake_reply_fault(&b, -501, "Not enough parameters");
	if (b.len)
		send_http(fd, 200, "OK", "text/xml", b.data, b.len);
	else if (fault == FAKE_ONE_HTTP_404)
		send_error(fd, 404, "Not Found");
	else if (fault == FAKE_ONE_HTTP_500)
		send_error(fd, 500, "Internal Server Error");
	else if (fault == FAKE_ONE_HTTP_503)
		send_error(fd, 503, "Service Unavailable");
	else if (fault == FAKE_ONE_RESET)
		reset(fd);
	else if (fault == FAKE_ONE_HANG)
		hang(f, fd);
	else
		is_done = fault == FAKE_ONE_EMPTY;
	buf_release(&b);
	return is_done;
}

/* The call was carried out and 'b' is its answer. */
static void answer(struct fake_one *f, int fd, enum fake_one_fault fault, struct buf *b)
{
	static const char wrong[] =
		"<?xml "
		"version=\"1.0\"?><methodResponse><params><param><value><array><data>"
		"<value><string>yes</string></value><value><i4>1</i4></value>"
		"<value><i4>0</i4></value></data></array></value></param></params>"
		"</methodResponse>";
	char *tail;

	if (fault == FAKE_ONE_RESET_AFTER) {
		reset(fd);
	} else if (fault == FAKE_ONE_HANG_AFTER) {
		hang(f, fd);
	} else if (fault == FAKE_ONE_TRUNCATED) {
		send_http(fd, 200, "OK", "text/xml", b->data, b->len / 2);
	} else if (fault == FAKE_ONE_GARBAGE) {
		send_http(fd, 200, "OK", "text/xml", "\x01\x02{]", 4);
	} else if (fault == FAKE_ONE_WRONG_TYPES) {
		send_http(fd, 200, "OK", "text/xml", wrong, sizeof(wrong) - 1);
	} else {
		tail = fault == FAKE_ONE_INNER_TRUNCATED
			       ? strstr(b->data, "&gt;</string>")
			       : NULL;
		if (tail) /* the last end tag of the inner document loses its end */
			memcpy(tail, "    ", 4);
		else if (fault == FAKE_ONE_INNER_TRUNCATED) /* no document in this one */
			b->len /= 2;
		send_http(fd, 200, "OK", "text/xml", b->data, b->len);
	}
}

static enum fake_one_fault count_call(struct fake_one *f, const char *method,
				      const char *body)
{
	f->calls++;
	if (f->calls <= CALLS_MAX)
		snprintf(f->methods[f->calls - 1], sizeof(f->methods[0]), "%.47s",
			 method);
	free(f->last_request);
	f->last_request = x_strdup(body);
	if (f->fail_at &&
	    (f->calls == f->fail_at || (f->is_lasting && f->calls > f->fail_at)))
		return f->fault;
	return FAKE_ONE_OK;
}

static void serve(struct fake_one *f, int fd, const char *body, size_t len)
{
	xmlDoc *doc =
		xmlReadMemory(body, (int)len, NULL, NULL,
			      XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NONET);
	xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL, *params = NULL;
	char *method = NULL;
	enum fake_one_fault fault;
	struct buf b;

	for (xmlNode *n = root ? root->children : NULL; n; n = n->next) {
		if (!method && n->name && !strcmp((const char *)n->name, "methodName"))
			method = (char *)xmlNodeGetContent(n);
		if (n->name && !strcmp((const char *)n->name, "params"))
			params = n;
	}
	buf_init(&b, BUF_UNBOUNDED);
	pthread_mutex_lock(&f->lock);
	fault = count_call(f, method ? method : "?", body);
	pthread_mutex_unlock(&f->lock);
	if (f->latency_ms)
		clock_sleep_until(clock_deadline_ns(f->latency_ms * NS_PER_MS));
	if (!fail_before(f, fd, fault, method ? method : "?")) {
		pthread_mutex_lock(&f->lock);
		if (method)
			fake_world_call(&f->world, method, params, &b);
		else
			fake_reply_fault(&b, -503, "Call XML not a proper XML-RPC call.");
		pthread_mutex_unlock(&f->lock);
		answer(f, fd, fault, &b);
	}
	buf_release(&b);
	xmlFree(method);
	xmlFreeDoc(doc);
}

static void *run(void *ctx)
{
	struct fake_one *f = ctx;
	struct pollfd p[] = {{.fd = f->listener, .events = POLLIN},
			     {.fd = f->ssh_listener, .events = POLLIN},
			     {.fd = f->wake[0], .events = POLLIN}};

	for (;;) {
		struct buf in;
		size_t body = 0;
		int fd;

		if (poll(p, 3, -1) < 0 && errno != EINTR)
			return NULL;
		if (p[2].revents)
			return NULL;
		if (p[1].revents && (fd = accept(f->ssh_listener, NULL, NULL)) >= 0) {
			send_all(fd, "SSH-2.0-fake\r\n", 14);
			close(fd);
		}
		if (!p[0].revents || (fd = accept(f->listener, NULL, NULL)) < 0)
			continue;
		buf_init(&in, REQUEST_MAX);
		if (read_request(f, fd, &in, &body))
			serve(f, fd, in.data + body, in.len - body);
		buf_release(&in);
		close(fd);
	}
}

struct fake_one *fake_one_start(uint16_t port)
{
	struct fake_one *f = x_calloc(1, sizeof(*f));

	f->listener = listen_on(port, &f->port);
	f->ssh_listener = listen_on(0, &f->ssh_port);
	if (f->listener < 0 || f->ssh_listener < 0 || pipe(f->wake)) {
		free(f);
		return NULL;
	}
	xmlInitParser();
	snprintf(f->endpoint, sizeof(f->endpoint), "http://127.0.0.1:%u/RPC2", f->port);
	pthread_mutex_init(&f->lock, NULL);
	fake_world_init(&f->world);
	if (pthread_create(&f->thread, NULL, run, f))
		abort();
	return f;
}

void fake_one_stop(struct fake_one *f)
{
	if (!f)
		return;
	(void)!write(f->wake[1], "x", 1);
	pthread_join(f->thread, NULL);
	close(f->listener);
	close(f->ssh_listener);
	close(f->wake[0]);
	close(f->wake[1]);
	fake_world_release(&f->world);
	free(f->last_request);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

uint16_t fake_one_port(const struct fake_one *f)
{
	return f->port;
}

const char *fake_one_endpoint(const struct fake_one *f)
{
	return f->endpoint;
}

uint16_t fake_one_ssh_port(const struct fake_one *f)
{
	return f->ssh_port;
}

/* The rest only looks or sets, under the lock. */
#define LOCKED(f, statement)                      \
	do {                                      \
		pthread_mutex_lock(&(f)->lock);   \
		statement;                        \
		pthread_mutex_unlock(&(f)->lock); \
	} while (0)

void fake_one_fail_at(struct fake_one *f, unsigned n, enum fake_one_fault fault,
		      bool is_lasting)
{
	LOCKED(f, f->fail_at = n; f->fault = fault; f->is_lasting = is_lasting;
	       f->calls = 0);
}

void fake_one_set_fate(struct fake_one *f, enum fake_one_fate fate)
{
	LOCKED(f, f->world.fate = fate);
}

void fake_one_set_latency(struct fake_one *f, unsigned ms)
{
	LOCKED(f, f->latency_ms = ms);
}

void fake_one_set_address(struct fake_one *f, const char *address)
{
	LOCKED(f, snprintf(f->world.address, sizeof(f->world.address), "%s", address));
}

void fake_one_set_host_key(struct fake_one *f, const char *key)
{
	LOCKED(f, snprintf(f->world.host_key, sizeof(f->world.host_key), "%s",
			   key ? key : ""));
}

void fake_one_grant(struct fake_one *f)
{
	LOCKED(f, f->world.is_granted = true);
}

void fake_one_restrict(struct fake_one *f)
{
	LOCKED(f, f->world.is_restricted = true);
}

void fake_one_fill(struct fake_one *f, unsigned nr, unsigned of_run_every,
		   const char *run_id)
{
	pthread_mutex_lock(&f->lock);
	for (unsigned i = 0; i < nr; i++) {
		struct fake_vm *vm;
		char name[100];

		snprintf(name, sizeof(name), "machine-%u", i);
		if (of_run_every && i % of_run_every == 0)
			snprintf(name, sizeof(name), "tare-%.60s-r%u", run_id, i);
		vm = fake_world_add_vm(&f->world, 0, name);
		if (of_run_every && i % of_run_every == 0)
			snprintf(vm->run_id, sizeof(vm->run_id), "%s", run_id);
	}
	pthread_mutex_unlock(&f->lock);
}

void fake_one_set_host_state(struct fake_one *f, int host, int state)
{
	LOCKED(f, f->world.hosts[host].state = state);
}

int fake_one_host_state(struct fake_one *f, int host)
{
	int state;

	LOCKED(f, state = f->world.hosts[host].state);
	return state;
}

void fake_one_add_neighbour(struct fake_one *f, int host)
{
	LOCKED(f, f->world.hosts[host].running++);
}

void fake_one_reset(struct fake_one *f)
{
	LOCKED(f, fake_world_release(&f->world); fake_world_init(&f->world); f->calls = 0;
	       f->fail_at = 0; f->latency_ms = 0);
}

unsigned fake_one_calls(struct fake_one *f)
{
	unsigned nr;

	LOCKED(f, nr = f->calls);
	return nr;
}

void fake_one_method(struct fake_one *f, unsigned n, char *text, size_t size)
{
	LOCKED(f,
	       snprintf(text, size, "%s",
			n && n <= f->calls && n <= CALLS_MAX ? f->methods[n - 1] : ""));
}

char *fake_one_last_request(struct fake_one *f)
{
	char *text;

	LOCKED(f, text = x_strdup(f->last_request));
	return text;
}

unsigned fake_one_living_vms(struct fake_one *f)
{
	unsigned nr;

	LOCKED(f, nr = fake_world_living(&f->world));
	return nr;
}

unsigned fake_one_held_devices(struct fake_one *f)
{
	unsigned nr;

	LOCKED(f, nr = fake_world_held(&f->world));
	return nr;
}
