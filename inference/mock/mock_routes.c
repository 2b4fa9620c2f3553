#include "inference/mock/mock_impl.h"

#include "core/document/json.h"
#include "core/document/version.h"

#include <string.h>

void mock_respond(struct mock_conn *c, int status, const char *type, const char *body,
		  size_t len, const char *request_id)
{
	struct buf *to = &c->server->segment.text;

	segment_clear(&c->server->segment);
	response_head(to, status, type, len, c->keeps_alive, request_id);
	buf_add(to, body, len);
	if (mock_conn_send(c, to->data, to->len))
		mock_conn_finish(c);
}

void mock_respond_error(struct mock_conn *c, int status, const char *message)
{
	struct buf *body = &c->server->body;

	buf_clear(body);
	body_error(body, status, message);
	mock_respond(c, status, "application/json", body->data, body->len, "");
}

static void respond_json(struct mock_conn *c, struct json_object *o)
{
	const char *text = json_line(o);

	mock_respond(c, 200, "application/json", text, strlen(text), "");
	json_object_put(o);
}

static void answer_health(struct mock_conn *c, const struct http_request *r)
{
	(void)r;
	mock_respond(c, 200, "text/plain; charset=utf-8", "", 0, "");
}

static void answer_version(struct mock_conn *c, const struct http_request *r)
{
	struct json_object *o = json_object_new_object();

	(void)r;
	json_put_text(o, "version", "tare-mock " TARE_VERSION);
	json_put_bool(o, "mock", true);
	respond_json(c, o);
}

static void answer_models(struct mock_conn *c, const struct http_request *r)
{
	struct json_object *o = json_object_new_object();
	struct json_object *list = json_object_new_array();
	struct json_object *model = json_object_new_object();

	(void)r;
	json_put_text(model, "id", c->server->config->model);
	json_put_text(model, "object", "model");
	json_put_int(model, "created", 0);
	json_put_text(model, "owned_by", "tare-mock (no model)");
	json_put_text(model, "root", c->server->config->model);
	json_put(model, "parent", NULL);
	json_put_int(model, "max_model_len", c->server->config->max_model_len);
	json_object_array_add(list, model);
	json_put_text(o, "object", "list");
	json_put(o, "data", list);
	respond_json(c, o);
}

static void answer_metrics(struct mock_conn *c, const struct http_request *r)
{
	struct mock_server *s = c->server;
	bool batches = s->config->pace == MOCK_BATCH;
	struct mock_gauges g = {
		.model = s->config->model,
		.running = batches ? (int64_t)s->batch.running_nr : s->active,
		.waiting = (int64_t)s->batch.waiting_nr,
		.kv_used = s->batch.kv_used,
		.kv_tokens = s->config->kv_tokens,
		.open_connections = s->conns_nr,
		.prefix_queries = s->prefix.queries,
		.prefix_hits = s->prefix.hits,
	};

	(void)r;
	buf_clear(&s->body);
	stats_print(&s->stats, &g, &s->body);
	mock_respond(c, 200, "text/plain; version=0.0.4; charset=utf-8", s->body.data,
		     s->body.len, "");
}

static void answer_reset_cache(struct mock_conn *c, const struct http_request *r)
{
	(void)r;
	prefix_reset(&c->server->prefix);
	mock_respond(c, 200, "application/json", "{}", 2, "");
}

/* False after answering 400 or 404. */
static bool read_body(struct mock_conn *c, const struct http_request *r,
		      enum mock_endpoint endpoint)
{
	struct mock_server *s = c->server;
	struct mock_request *q = &s->request;
	struct err err = ERR_INIT;

	if (mock_request_parse(r->body.at, r->body.len, endpoint, q, &err)) {
		mock_respond_error(c, 400, err.text);
		return false;
	}
	if (s->config->strict_model && q->model[0] &&
	    strcmp(q->model, s->config->model) != 0) {
		mock_respond_error(c, 404, "the model does not exist; see /v1/models");
		return false;
	}
	return true;
}

static void answer_tokenize(struct mock_conn *c, const struct http_request *r)
{
	const struct token_list *t = &c->server->request.tokens;
	struct json_object *o, *list;

	if (!read_body(c, r, ENDPOINT_TOKENIZE))
		return;
	o = json_object_new_object();
	list = json_object_new_array();
	for (size_t i = 0; i < t->nr; i++)
		json_object_array_add(list, json_object_new_int64(t->ids[i]));
	json_put_int(o, "count", (int64_t)t->nr);
	json_put_int(o, "max_model_len", c->server->config->max_model_len);
	json_put(o, "tokens", list);
	json_put(o, "token_strs", NULL);
	respond_json(c, o);
}

static void answer_detokenize(struct mock_conn *c, const struct http_request *r)
{
	const struct token_list *t = &c->server->request.tokens;
	struct json_object *o;

	if (!read_body(c, r, ENDPOINT_DETOKENIZE))
		return;
	o = json_object_new_object();
	buf_clear(&c->server->body);
	tokens_to_text(t->ids, t->nr, false, &c->server->body);
	json_put_text(o, "prompt", c->server->body.len ? c->server->body.data : "");
	respond_json(c, o);
}

static void answer_completions(struct mock_conn *c, const struct http_request *r)
{
	if (read_body(c, r, ENDPOINT_COMPLETIONS))
		mock_stream_begin(c, r, false);
}

static void answer_chat(struct mock_conn *c, const struct http_request *r)
{
	if (read_body(c, r, ENDPOINT_CHAT))
		mock_stream_begin(c, r, true);
}

static const struct {
	const char *method, *path;
	void (*answer)(struct mock_conn *c, const struct http_request *r);
} routes[] = {
	{"POST", "/v1/completions", answer_completions},
	{"POST", "/v1/chat/completions", answer_chat},
	{"GET", "/v1/models", answer_models},
	{"GET", "/health", answer_health},
	{"GET", "/ping", answer_health},
	{"GET", "/version", answer_version},
	{"GET", "/metrics", answer_metrics},
	{"POST", "/tokenize", answer_tokenize},
	{"POST", "/detokenize", answer_detokenize},
	{"POST", "/reset_prefix_cache", answer_reset_cache},
};

void mock_route(struct mock_conn *c, const struct http_request *r)
{
	bool is_known = false;

	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (!http_text_is(&r->path, routes[i].path))
			continue;
		is_known = true;
		if (http_text_is(&r->method, routes[i].method)) {
			routes[i].answer(c, r);
			return;
		}
	}
	if (is_known)
		mock_respond_error(c, 405, "no such method for this path");
	else
		mock_respond_error(c, 404, "no such path; this is tare-mock");
}
