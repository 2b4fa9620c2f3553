#include "inference/load/server_discovery.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/document/json.h"
#include "core/base/mem.h"
#include "inference/load/engine/chunk_json.h"
#include "inference/http/sse.h"

enum { REPLY_MAX = 4 << 20, SMALL_TOKENS = 16, SMALL_PROMPT = 16 };
#define SMALL_TIMEOUT_NS (120 * NS_PER_S)
#define ASK_TIMEOUT_NS (10 * NS_PER_S)

void server_facts_release(struct server_facts *f)
{
	free(f->model);
	free(f->version);
	*f = (struct server_facts){.model = NULL};
}

/* A status other than 200, the body's first line, and what may help. */
static int status_error(struct err *err, const char *what, int status,
			const struct buf *reply)
{
	const char *hint = "";
	size_t line = reply->len ? strcspn(reply->data, "\r\n") : 0;

	if (status >= 300 && status < 400)
		hint = "; redirects are not followed: --target must be where they lead";
	else if (status == 401 || status == 403)
		hint = "; a key is given by --api-key-env or --api-key-file";
	else if (status == 404 && (!line || reply->data[0] != '{'))
		hint = "; is it an OpenAI-compatible server, at that path?";
	return err_set(err, ERR_ENVIRONMENT, "%s: status %d%s%.*s%s", what, status,
		       line ? ": " : "", (int)(line < 300 ? line : 300),
		       line ? reply->data : "", hint);
}

/* A JSON reply of status 200, or NULL. */
static struct json_object *ask(const struct transport *t, const char *path,
			       const char *body, int *ret_status, struct err *err)
{
	struct fetch f = {.method = body ? "POST" : "GET",
			  .path = path,
			  .body = body,
			  .body_len = body ? strlen(body) : 0,
			  .timeout_ns = ASK_TIMEOUT_NS,
			  .max = REPLY_MAX};
	struct json_object *o = NULL;
	char *url = x_asprintf("%s%s", t->url, path);
	struct buf reply;

	if (!transport_fetch(t, &f, &reply, ret_status, err)) {
		if (*ret_status == 200)
			o = json_parse(reply.data, reply.len, url, err);
		else
			status_error(err, url, *ret_status, &reply);
	}
	free(url);
	buf_release(&reply);
	return o;
}

static struct json_object *first_model(struct json_object *o, const char *name)
{
	struct json_object *list = json_member(o, "data");
	size_t nr = json_length(list);

	for (size_t i = 0; i < nr; i++) {
		struct json_object *m = json_object_array_get_idx(list, i);

		if (!name || !strcmp(json_get_text(m, "id", ""), name))
			return m;
	}
	return NULL;
}

static void ask_version(const struct transport *t, struct server_facts *f)
{
	int status;
	struct json_object *o = ask(t, "/version", NULL, &status, NULL);

	f->version = x_strdup(json_get_text(o, "version", NULL));
	json_object_put(o);
}

int server_find_model(const struct transport *t, const char *model,
		      struct server_facts *ret, struct err *err)
{
	struct json_object *o, *m;
	struct err why = ERR_INIT;
	int status;

	*ret = (struct server_facts){.model = x_strdup(model)};
	o = ask(t, "/v1/models", NULL, &status, &why);
	/* A server without the list is fine when the name is known. */
	if (!o && (!status || !model)) {
		if (err)
			*err = why;
		server_facts_release(ret);
		return err_wrap(err, status ? "which model does it serve (--model)?"
				     : strstr(why.text, "wrong version number")
					     ? "no TLS server answers; is it plain "
					       "http:// (--target)?"
					     : "no server answers (--target)");
	}
	m = first_model(o, model);
	if (!model && m)
		ret->model = x_strdup(json_get_text(m, "id", NULL));
	ret->max_model_len = json_get_int(m, "max_model_len", 0);
	ret->is_mock = strstr(json_get_text(m, "owned_by", ""), "tare-mock") != NULL;
	json_object_put(o);
	if (!ret->model)
		return err_set(err, ERR_ENVIRONMENT,
			       "%s/v1/models names no model: give --model", t->url);
	ask_version(t, ret);
	return 0;
}

struct dialect_watch {
	int32_t tokens;
	bool has_usage, has_error;
};

static bool on_event(void *ctx, const char *data, size_t len)
{
	struct dialect_watch *w = ctx;
	struct chunk_info c;

	if (!chunk_scan(data, len, &c))
		return true;
	/* A special token, or half of a letter, has no text: usage counts it all the same.
	 */
	w->tokens += c.has_content;
	if (c.completion_tokens > w->tokens)
		w->tokens = c.completion_tokens;
	w->has_usage = w->has_usage || c.completion_tokens >= 0;
	w->has_error = w->has_error || c.has_error;
	return true;
}

/* One request in this dialect. 'ret_status' tells how it went. */
static int try_dialect(const struct transport *t, const struct url_parts *url,
		       struct prompt *p, const char *model, const char *salt,
		       struct dialect_watch *w, int *ret_status, int64_t *ret_ns,
		       struct buf *reply, struct err *err)
{
	struct prompt small = *p;
	struct sse sse;
	struct fetch f = {
		.method = "POST", .timeout_ns = SMALL_TIMEOUT_NS, .max = REPLY_MAX};
	char *space, *start, *body;
	int32_t prompt_tokens, output_tokens;
	int64_t begun;
	size_t len;
	int rc;

	prompt_finish(p, url, t->bearer, model, salt);
	small = *p;
	small.lengths = NULL;
	small.prompt_rule = (struct length_rule){.mean = SMALL_PROMPT + p->overhead};
	small.output_rule = (struct length_rule){.mean = SMALL_TOKENS};
	space = x_malloc(prompt_size_max(&small));
	len = prompt_build(&small, UINT64_MAX, 0, space, &start, &prompt_tokens,
			   &output_tokens);
	body = memmem(start, len, "\r\n\r\n", 4);
	f.body = body + 4;
	f.body_len = len - (size_t)(body + 4 - start);
	f.path = p->is_chat ? "/v1/chat/completions" : "/v1/completions";
	begun = clock_mono_ns();
	rc = transport_fetch(t, &f, reply, ret_status, err);
	*ret_ns = clock_mono_ns() - begun;
	sse_init(&sse, 0);
	*w = (struct dialect_watch){.tokens = 0};
	if (!rc && *ret_status == 200)
		sse_feed(&sse, reply->data, reply->len, on_event, w);
	sse_release(&sse);
	free(space);
	return rc;
}

/* From the richest to the plainest. */
static const struct dialect dialects[] = {
	{true, true, true, true},     {true, true, true, false},
	{true, false, true, false},   {true, false, false, false},
	{false, false, false, false},
};

int server_find_dialect(const struct transport *t, const struct url_parts *url,
			struct prompt *p, const char *model, const char *salt,
			struct server_facts *facts, int64_t *ret_token_ns,
			struct err *err)
{
	struct dialect_watch w;
	struct buf reply;
	int64_t ns;
	int status = 0, rc = 0;
	char *small_request =
		x_asprintf("a small request to %s%s", t->url,
			   p->is_chat ? "/v1/chat/completions" : "/v1/completions");

	for (size_t i = 0; i < ARRAY_SIZE(dialects); i++) {
		p->dialect = dialects[i];
		rc = try_dialect(t, url, p, model, salt, &w, &status, &ns, &reply, err);
		if (!rc && status != 200) {
			err_clear(err);
			rc = status_error(err, small_request, status, &reply);
		}
		if (!rc && (!w.tokens || w.has_error))
			rc = err_set(err, ERR_ENVIRONMENT,
				     "%s: a reply without any token: %.300s",
				     small_request, reply.len ? reply.data : "(empty)");
		buf_release(&reply);
		if (!rc || (status != 400 && status != 422))
			break;
	}
	free(small_request);
	if (rc)
		return -1;
	/* A server may accept the option and send no usage: then none is expected. */
	p->dialect.has_stream_usage = p->dialect.has_stream_usage && w.has_usage;
	facts->dialect = p->dialect;
	prompt_finish(p, url, t->bearer, model, salt);
	*ret_token_ns = ns / (w.tokens + 1);
	return 0;
}

/* Short, common, plain ASCII: one token each, with a space before, in most vocabularies. */
static const char *const words[] = {
	"time",    "year",   "people",  "way",     "day",     "man",      "thing",
	"woman",   "life",   "child",   "world",   "school",  "state",    "family",
	"student", "group",  "country", "problem", "hand",    "part",     "place",
	"case",    "week",   "company", "system",  "program", "question", "work",
	"number",  "night",  "point",   "home",    "water",   "room",     "mother",
	"area",    "money",  "story",   "fact",    "month",   "lot",      "right",
	"study",   "book",   "eye",     "job",     "word",    "business", "issue",
	"side",    "kind",   "head",    "house",   "service", "friend",   "father",
	"power",   "hour",   "game",    "line",    "end",     "member",   "law",
	"car",     "city",   "name",    "team",    "minute",  "idea",     "body",
	"back",    "parent", "face",    "level",   "office",  "door",     "health",
	"person",  "art",    "war",     "history", "party",   "result",   "change",
	"morning", "reason", "girl",    "moment",  "air",     "teacher",  "force",
	"foot",    "boy",    "age",     "policy",  "music",   "market",   "sense",
	"table",   "plan",   "paper",   "field",   "light",   "voice",    "road",
	"form",    "effect", "cost",    "land",    "report",  "rate",     "price",
	"north",   "south",  "street",  "river",   "color",   "space",    "ground",
	"heart",   "piece",  "window",  "town",    "test",    "model",    "source",
	"class",   "sound",
};

enum { COPIES = 8 };

/* The number of tokens of a chat of one message; -1 when the server cannot say. */
static int64_t count_chat(const struct transport *t, const char *model, const char *text)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	struct json_object *message = json_object_new_object(), *reply;
	int status;
	int64_t count;

	json_put_text(message, "role", "user");
	json_put_text(message, "content", text);
	json_object_array_add(list, message);
	json_put_text(o, "model", model);
	json_put(o, "messages", list);
	json_put_bool(o, "add_generation_prompt", true);
	reply = ask(t, "/tokenize", json_line(o), &status, NULL);
	count = json_get_int(reply, "count", -1);
	json_object_put(reply);
	json_object_put(o);
	return count;
}

static char *repeat(const char *a, const char *b, int times)
{
	struct buf text;
	char *copy;

	buf_init(&text, BUF_UNBOUNDED);
	for (int i = 0; i < times; i++)
		buf_printf(&text, "%s%s%s%s", i ? " " : "", a, b ? " " : "", b ? b : "");
	copy = buf_detach(&text);
	return copy;
}

/* A word counts when each further copy of it, between others, is one more token. */
static bool is_one_token(const struct transport *t, const char *model, const char *word,
			 const char *beside, int64_t overhead)
{
	char *text = repeat(word, beside, COPIES);
	int64_t n = count_chat(t, model, text);

	free(text);
	return n == overhead + 2 * COPIES;
}

int server_find_words(const struct transport *t, const char *model, struct prompt *p,
		      struct server_facts *facts, struct err *err)
{
	const char *good[ARRAY_SIZE(words)];
	int64_t one = count_chat(t, model, words[0]), more, overhead;
	char *text = repeat(words[0], NULL, COPIES + 1);
	size_t nr = 0;

	more = one < 0 ? -1 : count_chat(t, model, text);
	free(text);
	facts->counts_words = one > 0 && more == one + COPIES;
	overhead = one - 1;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!facts->counts_words ||
		    is_one_token(t, model, words[i], words[0], overhead))
			good[nr++] = words[i];
	if (facts->counts_words && nr < 16)
		return err_set(
			err, ERR_ENVIRONMENT,
			"%s/tokenize: only %zu of the known words are one token in "
			"this model: measure with --endpoint completions",
			t->url, nr);
	prompt_use_words(p, good, nr, facts->counts_words ? (int32_t)overhead : 0);
	return 0;
}

static double counter(const char *text, const char *name)
{
	size_t len = strlen(name);
	double sum = -1;

	for (const char *line = text; line && *line;) {
		const char *nl = strchr(line, '\n');

		if (!strncmp(line, name, len) && (line[len] == '{' || line[len] == ' ')) {
			const char *value =
				line[len] == '{' ? strchr(line, '}') : line + len - 1;

			if (value && (!nl || value < nl)) {
				double v = strtod(value + 1, NULL);

				sum = (sum < 0 ? 0 : sum) + (v > 0 ? v : 0);
			}
		}
		line = nl ? nl + 1 : NULL;
	}
	return sum;
}

void server_counters_parse(const char *text, struct server_counters *ret)
{
	ret->prefix_queries = counter(text, "vllm:prefix_cache_queries_total");
	ret->prefix_hits = counter(text, "vllm:prefix_cache_hits_total");
	ret->preemptions = counter(text, "vllm:num_preemptions_total");
}

void server_read_counters(const struct transport *t, struct server_counters *ret)
{
	struct fetch f = {.method = "GET",
			  .path = "/metrics",
			  .timeout_ns = ASK_TIMEOUT_NS,
			  .max = REPLY_MAX};
	struct buf reply;
	int status;

	*ret = (struct server_counters){-1, -1, -1};
	if (!transport_fetch(t, &f, &reply, &status, NULL) && status == 200)
		server_counters_parse(reply.data, ret);
	buf_release(&reply);
}
