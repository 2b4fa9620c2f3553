#include "harness/provision/opennebula/opennebula_call.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/mem.h"

#include <stdlib.h>
#include <string.h>

#define SESSION_MAX 4096
#define RETRY_PAUSE (NS_PER_S / 2)

struct one_client {
	struct xmlrpc *rpc;
	char *endpoint, *auth_file, *auth_env;
	char *session; /* "user:secret"; NULL until the first call */
	int64_t call_timeout_ns, pool_timeout_ns;
	int read_retries;
};

struct one_client *one_client_new(const struct one_client_params *p, struct err *err)
{
	struct one_client *c = x_calloc(1, sizeof(*c));

	c->rpc = xmlrpc_new(&p->server, err);
	if (!c->rpc) {
		free(c);
		return NULL;
	}
	c->endpoint = x_strdup(p->server.endpoint);
	c->auth_file = p->auth_file ? path_expand(p->auth_file) : NULL;
	c->auth_env = x_strdup(p->auth_env);
	c->call_timeout_ns = p->call_timeout_ns;
	c->pool_timeout_ns = p->pool_timeout_ns;
	c->read_retries = p->read_retries;
	return c;
}

void one_client_free(struct one_client *c)
{
	if (!c)
		return;
	if (c->session)
		explicit_bzero(c->session, strlen(c->session));
	free(c->session);
	free(c->endpoint);
	free(c->auth_file);
	free(c->auth_env);
	xmlrpc_free(c->rpc);
	free(c);
}

bool one_client_is_exposed(const struct one_client *c)
{
	return xmlrpc_is_exposed(c->rpc);
}

const char *one_client_endpoint(const struct one_client *c)
{
	return c->endpoint;
}

static int read_session(struct one_client *c, struct err *err)
{
	const char *text = c->auth_env ? getenv(c->auth_env) : NULL;
	struct buf b;

	buf_init(&b, SESSION_MAX);
	if (c->auth_env && (!text || !*text)) {
		buf_release(&b);
		return err_set(
			err, ERR_ENVIRONMENT,
			"environment variable %s is not set: it must hold user:secret",
			c->auth_env);
	}
	if (text) {
		buf_puts(&b, text);
	} else {
		buf_release(&b);
		if (file_check_given(c->auth_file,
				     "an account, user:password, as ~/.one/one_auth has "
				     "it",
				     err) ||
		    file_read(c->auth_file, SESSION_MAX, &b, err))
			return err_wrap(err, "auth_file");
	}
	b.data[strcspn(b.data, "\r\n")] = '\0';
	if (!strchr(b.data, ':') || *b.data == ':') {
		explicit_bzero(b.data, b.len);
		buf_release(&b);
		return err_set(err, ERR_ENVIRONMENT,
			       "%s does not begin with a line of the form user:secret",
			       c->auth_env ? c->auth_env : c->auth_file);
	}
	c->session = x_strdup(b.data);
	explicit_bzero(b.data, b.len);
	buf_release(&b);
	return 0;
}

/* The reply is an array: was it a success, what, 0. A failure's text is no document. */
static bool wants_document(void *ctx, const struct xmlrpc_value *outer)
{
	(void)ctx;
	return outer->nr == 1 && outer->items[0].type == XMLRPC_BOOL &&
	       outer->items[0].integer;
}

static int feed_document(void *ctx, const char *data, size_t len, struct err *err)
{
	return one_doc_feed(ctx, data, len, err);
}

int one_bad_reply(struct err *err, const char *what)
{
	return err_set_code(err, ERR_ENVIRONMENT, "xmlrpc-reply", 0,
			    "the reply is not OpenNebula's: %s", what);
}

/* true, value, 0 -- or false, text, code, object and since 5.x the replication index. */
static int unpack(const struct xmlrpc_value *v, struct err *err)
{
	static const enum xmlrpc_type refusal[] = {XMLRPC_BOOL, XMLRPC_TEXT, XMLRPC_INT,
						   XMLRPC_INT, XMLRPC_INT};

	if (v->type != XMLRPC_ARRAY || v->nr < 3 || v->items[0].type != XMLRPC_BOOL)
		return one_bad_reply(err, "no array of three or five values");
	if (v->items[0].integer) {
		if (v->nr != 3 || v->items[2].type != XMLRPC_INT || v->items[2].integer)
			return one_bad_reply(
				err, "a success of another form than [true, value, 0]");
		return 0;
	}
	if (v->nr != 5)
		return one_bad_reply(err, "a failure without its five values");
	for (size_t i = 0; i < ARRAY_SIZE(refusal); i++)
		if (v->items[i].type != refusal[i])
			return one_bad_reply(err,
					     "a failure with a value of the wrong type");
	return one_error(err, v->items[2].integer, v->items[3].integer,
			 v->items[1].text ? v->items[1].text : "");
}

static int try_call(struct one_client *c, const struct one_call *call,
		    struct xmlrpc_value *ret, struct err *err)
{
	struct xmlrpc_arg args[8] = {XMLRPC_ARG_TEXT(c->session)};
	struct xmlrpc_value v = {.type = XMLRPC_NIL};
	struct one_doc *doc = NULL;
	struct xmlrpc_stream stream = {wants_document, feed_document, NULL};
	int bad;

	for (size_t i = 0; i < call->nr; i++)
		args[i + 1] = call->args[i];
	if (call->root)
		stream.ctx = doc = one_doc_new(call->root, call->each, call->ctx);
	bad = xmlrpc_call(c->rpc, call->method, args, call->nr + 1,
			  call->each ? c->pool_timeout_ns : c->call_timeout_ns,
			  doc ? &stream : NULL, &v, err);
	if (bad) {
		one_doc_free(doc);
		return -1;
	}
	bad = unpack(&v, err);
	if (!bad && doc && (v.items[1].type != XMLRPC_TEXT || v.items[1].text))
		bad = one_bad_reply(err, "no document where one belongs");
	if (!bad && doc)
		bad = one_doc_finish(doc, err);
	if (!bad && call->whole)
		bad = call->whole(call->ctx, one_doc_root(doc), err);
	if (bad)
		err_wrap(err, "%s", call->method);
	one_doc_free(doc);
	if (ret && !bad)
		*ret = v;
	else
		xmlrpc_value_release(&v);
	return bad;
}

static bool may_retry(const struct one_call *call, const struct err *why)
{
	if (one_is_election(why))
		return true;
	return call->is_read && why->origin && !strcmp(why->origin, "curl");
}

int one_call(struct one_client *c, const struct one_call *call, struct xmlrpc_value *ret,
	     struct err *err)
{
	struct err why = ERR_INIT;

	if (!c->session && read_session(c, err))
		return err_wrap(err, "%s", call->method);
	for (int left = c->read_retries;; left--) {
		err_clear(&why);
		if (!try_call(c, call, ret, &why))
			return 0;
		if (left <= 0 || !may_retry(call, &why) ||
		    !clock_sleep_until(clock_deadline_ns(RETRY_PAUSE)))
			break;
	}
	if (err)
		*err = why;
	return -1;
}

/* A call that answers with a number. */
int one_call_number(struct one_client *c, const char *method,
		    const struct xmlrpc_arg *args, size_t nr, int64_t *ret,
		    struct err *err)
{
	struct one_call call = {.method = method, .args = args, .nr = nr};
	struct xmlrpc_value v;
	int bad = one_call(c, &call, &v, err);

	if (bad)
		return -1;
	if (v.items[1].type != XMLRPC_INT) {
		bad = one_bad_reply(err, "no number where one belongs");
		err_wrap(err, "%s", method);
	} else if (ret) {
		*ret = v.items[1].integer;
	}
	xmlrpc_value_release(&v);
	return bad;
}

int32_t one_call_id(int64_t id)
{
	return id < -10 || id > INT32_MAX ? INT32_MAX : (int32_t)id;
}
