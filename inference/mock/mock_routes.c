#include "inference/mock/mock_routes.h"

#include "core/base/mem.h"
#include "core/document/json.h"
#include "core/document/version.h"
#include "inference/mock/mock_respond.h"
#include "inference/mock/mock_stream.h"

#include <string.h>

static struct mock_engine *engine_of(const struct mock_conn *c)
{
	return c->net->owner;
}

static void answer_health(struct mock_conn *c, const struct http_request *r)
{
	(void)r;
	mock_respond(c, 200, "text/plain; charset=utf-8", "", 0);
}

static void answer_version(struct mock_conn *c, const struct http_request *r)
{
	struct json_object *o = json_object_new_object();

	(void)r;
	json_put_text(o, "version", "tare-mock " TARE_VERSION);
	json_put_bool(o, "mock", true);
	mock_respond_json(c, 200, o);
}

static void answer_models(struct mock_conn *c, const struct http_request *r)
{
	struct json_object *o = json_object_new_object();
	struct json_object *list = json_object_new_array();
	struct json_object *model = json_object_new_object();

	(void)r;
	json_put_text(model, "id", c->net->config->model);
	json_put_text(model, "object", "model");
	json_put_int(model, "created", 0);
	json_put_text(model, "owned_by", "tare-mock (no model)");
	json_put_text(model, "root", c->net->config->model);
	json_put(model, "parent", NULL);
	json_put_int(model, "max_model_len", c->net->config->max_model_len);
	json_object_array_add(list, model);
	json_put_text(o, "object", "list");
	json_put(o, "data", list);
	mock_respond_json(c, 200, o);
}

static void answer_metrics(struct mock_conn *c, const struct http_request *r)
{
	const struct mock_engine *e = engine_of(c);
	bool batches = e->config->pace == MOCK_BATCH;
	struct mock_gauges g = {
		.model = e->config->model,
		.running = batches ? (int64_t)e->batch.running_nr : e->active,
		.waiting = (int64_t)e->batch.waiting_nr,
		.kv_used = e->batch.kv_used,
		.kv_tokens = e->config->kv_tokens,
		.open_connections = c->net->conns_nr,
		.prefix_queries = e->prefix.queries,
		.prefix_hits = e->prefix.hits,
	};
	struct buf text;

	(void)r;
	buf_init(&text, BUF_UNBOUNDED);
	stats_print(e->stats, &g, &text);
	mock_respond(c, 200, "text/plain; version=0.0.4; charset=utf-8", text.data,
		     text.len);
	buf_release(&text);
}

static void answer_reset_cache(struct mock_conn *c, const struct http_request *r)
{
	(void)r;
	prefix_reset(&engine_of(c)->prefix);
	mock_respond(c, 200, "application/json", "{}", 2);
}

/* False after answering 400 or 404. */
static bool read_body(struct mock_conn *c, const struct http_request *r,
		      enum mock_endpoint endpoint)
{
	const struct mock_config *config = c->net->config;
	struct mock_request *q = &engine_of(c)->request;
	struct err err = ERR_INIT;

	if (mock_request_parse(r->body.at, r->body.len, endpoint, q, &err)) {
		mock_respond_error(c, 400, err.text);
		return false;
	}
	if (config->strict_model && q->model[0] && strcmp(q->model, config->model) != 0) {
		mock_respond_error(c, 404, "the model does not exist; see /v1/models");
		return false;
	}
	return true;
}

static void answer_tokenize(struct mock_conn *c, const struct http_request *r)
{
	const struct token_list *t = &engine_of(c)->request.tokens;
	struct json_object *o, *list;

	if (!read_body(c, r, ENDPOINT_TOKENIZE))
		return;
	o = json_object_new_object();
	list = json_object_new_array();
	for (size_t i = 0; i < t->nr; i++)
		json_object_array_add(list, json_object_new_int64(t->ids[i]));
	json_put_int(o, "count", (int64_t)t->nr);
	json_put_int(o, "max_model_len", c->net->config->max_model_len);
	json_put(o, "tokens", list);
	json_put(o, "token_strs", NULL);
	mock_respond_json(c, 200, o);
}

static void answer_detokenize(struct mock_conn *c, const struct http_request *r)
{
	const struct token_list *t = &engine_of(c)->request.tokens;
	struct json_object *o;
	struct buf text;

	if (!read_body(c, r, ENDPOINT_DETOKENIZE))
		return;
	o = json_object_new_object();
	buf_init(&text, BUF_UNBOUNDED);
	tokens_to_text(t->ids, t->nr, false, &text);
	json_put_text(o, "prompt", text.len ? text.data : "");
	buf_release(&text);
	mock_respond_json(c, 200, o);
}

static void answer_completions(struct mock_conn *c, const struct http_request *r)
{
	if (read_body(c, r, ENDPOINT_COMPLETIONS))
		mock_stream_begin(engine_of(c), c, r, false);
}

static void answer_chat(struct mock_conn *c, const struct http_request *r)
{
	if (read_body(c, r, ENDPOINT_CHAT))
		mock_stream_begin(engine_of(c), c, r, true);
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

static void take(struct mock_conn *c, const struct http_request *r)
{
	bool is_known = false;

	for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
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

/* No route, for what came is no request. */
static void refuse(struct mock_conn *c, int status)
{
	mock_respond_error(c, status, http_reason(status));
}

const struct mock_conn_ops mock_routes = {
	.take = take,
	.refuse = refuse,
	.lose = mock_stream_lose,
};
