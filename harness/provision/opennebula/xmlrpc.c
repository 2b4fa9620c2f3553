#include "harness/provision/opennebula/xmlrpc.h"

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/stop.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CALL_MAX ((size_t)16 << 20)
#define REPLY_MAX ((size_t)1 << 30) /* oned's own MESSAGE_SIZE */
#define ERROR_PAGE_MAX 4096

struct xmlrpc {
	CURL *curl;
	struct curl_slist *headers;
	char *endpoint;
	size_t reply_max;
	bool is_exposed;
	char why[CURL_ERROR_SIZE];
};

/* What the callbacks of one transfer share. */
struct transfer {
	struct xmlrpc *x;
	struct xmlrpc_reader *reader;
	size_t received;
	struct err why; /* set when a callback ended the transfer */
};

/* By the whole name: "127.example" is not this computer. */
static bool is_loopback(const char *host)
{
	struct in_addr a;

	return !strcasecmp(host, "localhost") || !strcmp(host, "[::1]") ||
	       (inet_pton(AF_INET, host, &a) == 1 &&
		ntohl(a.s_addr) >> 24 == IN_LOOPBACKNET);
}

static int read_endpoint(struct xmlrpc *x, bool *ret_local, struct err *err)
{
	CURLU *u = curl_url();
	char *scheme = NULL, *host = NULL, *user = NULL;
	int bad = !u || curl_url_set(u, CURLUPART_URL, x->endpoint, 0) ||
		  curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) ||
		  curl_url_get(u, CURLUPART_HOST, &host, 0) ||
		  (strcmp(scheme, "http") && strcmp(scheme, "https"));

	if (!bad && !curl_url_get(u, CURLUPART_USER, &user, 0))
		bad = err_set(err, ERR_USAGE,
			      "an endpoint must not hold a user or a password: put them "
			      "into auth_file");
	else if (bad)
		bad = err_set(err, ERR_USAGE,
			      "'%s' is not an endpoint: write it as "
			      "http://frontend:2633/RPC2 or https://...",
			      x->endpoint);
	if (!bad) {
		*ret_local = is_loopback(host);
		x->is_exposed = !strcmp(scheme, "http") && !*ret_local;
	}
	curl_free(scheme);
	curl_free(host);
	curl_free(user);
	curl_url_cleanup(u);
	return bad;
}

static size_t on_body(char *data, size_t size, size_t nr, void *ctx)
{
	struct transfer *t = ctx;
	size_t len = size * nr;
	long status = 0;

	t->received += len;
	curl_easy_getinfo(t->x->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200) /* an error page: not ours to read */
		return t->received > ERROR_PAGE_MAX ? 0 : len;
	if (t->received > t->x->reply_max) {
		err_set_code(&t->why, ERR_ENVIRONMENT, "xmlrpc-reply", 0,
			     "the reply is larger than %zu bytes", t->x->reply_max);
		return 0;
	}
	return xmlrpc_reader_feed(t->reader, data, len, &t->why) ? 0 : len;
}

static int on_progress(void *ctx, curl_off_t down_total, curl_off_t down,
		       curl_off_t up_total, curl_off_t up)
{
	struct transfer *t = ctx;

	(void)down_total, (void)down, (void)up_total, (void)up;
	return stop_check(&t->why) ? 1 : 0;
}

struct xmlrpc *xmlrpc_new(const struct xmlrpc_params *p, struct err *err)
{
	struct xmlrpc *x = x_calloc(1, sizeof(*x));
	bool is_local = false;
	CURL *c;

	x->endpoint = x_strdup(p->endpoint);
	x->reply_max = p->reply_max ? p->reply_max : REPLY_MAX;
	if (read_endpoint(x, &is_local, err)) {
		xmlrpc_free(x);
		return NULL;
	}
	x->curl = c = curl_easy_init();
	if (!c) {
		err_set(err, ERR_ENVIRONMENT, "libcurl does not start");
		xmlrpc_free(x);
		return NULL;
	}
	/* The server answers 411 without a length and never answers 100-continue. */
	x->headers = curl_slist_append(NULL, "Content-Type: text/xml");
	x->headers = curl_slist_append(x->headers, "Expect:");
	curl_easy_setopt(c, CURLOPT_URL, x->endpoint);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, x->headers);
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "tare");
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	/* Else ending waits for the resolver's thread, past every deadline and Ctrl-C. */
	curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, x->why);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, p->is_unverified ? 0L : 1L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, p->is_unverified ? 0L : 2L);
	if (p->ca_file)
		curl_easy_setopt(c, CURLOPT_CAINFO, p->ca_file);
	if (is_local) /* never through a proxy that the environment names */
		curl_easy_setopt(c, CURLOPT_PROXY, "");
	return x;
}

void xmlrpc_free(struct xmlrpc *x)
{
	if (!x)
		return;
	curl_easy_cleanup(x->curl);
	curl_slist_free_all(x->headers);
	free(x->endpoint);
	free(x);
}

bool xmlrpc_is_exposed(const struct xmlrpc *x)
{
	return x->is_exposed;
}

/* What an HTTP status other than 200 means here. */
static const char *status_remedy(long status)
{
	static const struct {
		long from, to;
		const char *text;
	} table[] = {
		{301, 399, "the endpoint moved: put the new address into the plan"},
		{401, 403,
		 "something in front of the front-end refuses: ask whoever runs it"},
		{404, 404, "the path is wrong: OpenNebula's is /RPC2"},
		{405, 411,
		 "this is not OpenNebula's XML-RPC server: check host and port (2633)"},
		{502, 504, "the proxy does not reach oned: see that oned runs"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (status >= table[i].from && status <= table[i].to)
			return table[i].text;
	return "see the log of the front-end";
}

static const char *curl_remedy(CURLcode rc)
{
	static const struct {
		CURLcode rc;
		const char *text;
	} table[] = {
		{CURLE_COULDNT_RESOLVE_HOST, "check the host's name in the endpoint"},
		{CURLE_COULDNT_CONNECT,
		 "see that oned runs and that its port is open from here"},
		{CURLE_OPERATION_TIMEDOUT,
		 "oned is overloaded or hangs; a larger call_timeout waits longer"},
		{CURLE_PEER_FAILED_VERIFICATION,
		 "name the certificate authority with ca_file"},
		{CURLE_SSL_CACERT_BADFILE, "ca_file must be readable and in PEM form"},
		{CURLE_GOT_NOTHING,
		 "the front-end closed the connection without an answer: see its log"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].rc == rc)
			return table[i].text;
	return "the connection failed";
}

static int transfer(struct xmlrpc *x, const struct buf *body, int64_t timeout_ns,
		    struct transfer *t, struct err *err)
{
	long ms = (long)((timeout_ns + NS_PER_MS - 1) / NS_PER_MS), status = 0;
	CURL *c = x->curl;
	CURLcode rc;

	curl_easy_setopt(c, CURLOPT_POSTFIELDS, body->data);
	curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->len);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, ms > 0 ? ms : 1L);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, ms > 0 ? ms : 1L);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(c, CURLOPT_XFERINFODATA, t);
	x->why[0] = '\0';
	rc = curl_easy_perform(c);
	/* libcurl keeps the pointer: the body holds the secret and is about to go. */
	curl_easy_setopt(c, CURLOPT_POSTFIELDS, "");
	curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)0);
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	if (t->why.kind) {
		if (err)
			*err = t->why;
		return -1;
	}
	if (status && status != 200)
		return err_set_code(err, ERR_ENVIRONMENT, "http", status,
				    "HTTP status %ld from %s: %s", status, x->endpoint,
				    status_remedy(status));
	if (rc != CURLE_OK)
		return err_set_code(
			err, ERR_ENVIRONMENT, "curl", rc, "%s: %s: %s", x->endpoint,
			x->why[0] ? x->why : curl_easy_strerror(rc), curl_remedy(rc));
	return 0;
}

static int fault(const struct xmlrpc_value *v, struct err *err)
{
	const struct xmlrpc_value *code = xmlrpc_member(v, "faultCode");
	const struct xmlrpc_value *text = xmlrpc_member(v, "faultString");

	if (!code || code->type != XMLRPC_INT || !text || !text->text)
		return err_set_code(err, ERR_ENVIRONMENT, "xmlrpc-reply", 0,
				    "a fault without code or text");
	return err_set_code(
		err, ERR_ENVIRONMENT, "xmlrpc", (long)code->integer,
		"the server refuses the call itself (fault %lld): %s; it may be "
		"another version of OpenNebula than tare knows",
		(long long)code->integer, text->text);
}

int xmlrpc_call(struct xmlrpc *x, const char *method, const struct xmlrpc_arg *args,
		size_t nr, int64_t timeout_ns, const struct xmlrpc_stream *stream,
		struct xmlrpc_value *ret, struct err *err)
{
	struct transfer t = {.x = x};
	struct xmlrpc_reply reply = {.is_fault = false};
	struct buf body;
	int bad;

	buf_init(&body, CALL_MAX);
	bad = xmlrpc_encode(&body, method, args, nr, err);
	if (!bad) {
		t.reader = xmlrpc_reader_new(stream);
		bad = transfer(x, &body, timeout_ns, &t, err);
		if (!bad)
			bad = xmlrpc_reader_finish(t.reader, &reply, err);
		if (!bad && reply.is_fault)
			bad = fault(&reply.value, err);
		if (bad)
			err_wrap(err, "%s", method);
		xmlrpc_reader_free(t.reader);
	}
	explicit_bzero(body.data, body.len);
	buf_release(&body);
	if (bad)
		xmlrpc_value_release(&reply.value);
	else
		*ret = reply.value;
	return bad;
}
