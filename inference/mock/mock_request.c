#include "inference/mock/mock_request.h"

#include "core/document/json.h"
#include "inference/mock/mock.h"

#include <string.h>

static int refuse(struct err *err, const char *what)
{
	return err_set(err, ERR_USAGE, "%s", what);
}

static int take_name(struct json_object *o, const char *key, char name[MOCK_NAME_MAX],
		     struct err *err)
{
	struct json_object *value = json_member(o, key);

	name[0] = '\0';
	if (!value)
		return 0;
	if (!json_object_is_type(value, json_type_string))
		return err_set(err, ERR_USAGE, "'%s' is %s; give a text", key,
			       json_type_words(value));
	if (json_object_get_string_len(value) >= MOCK_NAME_MAX)
		return err_set(err, ERR_USAGE, "'%s' is longer than %d bytes", key,
			       MOCK_NAME_MAX - 1);
	memcpy(name, json_object_get_string(value),
	       (size_t)json_object_get_string_len(value) + 1);
	return 0;
}

static int take_flag(struct json_object *o, const char *key, bool *ret, struct err *err)
{
	struct json_object *value = json_member(o, key);

	*ret = false;
	if (value && !json_object_is_type(value, json_type_boolean))
		return err_set(err, ERR_USAGE, "'%s' is %s; give true or false", key,
			       json_type_words(value));
	*ret = value && json_object_get_boolean(value);
	return 0;
}

static int take_count(struct json_object *o, const char *key, int64_t *ret,
		      struct err *err)
{
	struct json_object *value = json_member(o, key);

	if (!value)
		return 0;
	if (!json_object_is_type(value, json_type_int) ||
	    json_object_get_int64(value) < 1)
		return err_set(err, ERR_USAGE,
			       "'%s' must be a whole number of at least 1", key);
	*ret = json_object_get_int64(value);
	return 0;
}

static int take_ids(struct json_object *list, struct token_list *t, struct err *err)
{
	size_t nr = json_length(list);

	for (size_t i = 0; i < nr; i++) {
		struct json_object *id = json_object_array_get_idx(list, i);

		if (!json_object_is_type(id, json_type_int) ||
		    json_object_get_int64(id) < 0 ||
		    json_object_get_int64(id) > INT32_MAX)
			return err_set(err, ERR_USAGE,
				       "token %zu is no id; ids are whole numbers from 0",
				       i);
		tokens_add(t, (uint32_t)json_object_get_int64(id));
	}
	return 0;
}

static int take_text(struct json_object *text, struct token_list *t)
{
	tokens_add_text(t, json_object_get_string(text),
			(size_t)json_object_get_string_len(text));
	return 0;
}

/* A text, ids, or a list of one of either. */
static int take_prompt(struct json_object *prompt, struct token_list *t, struct err *err)
{
	struct json_object *first;

	if (json_object_is_type(prompt, json_type_string))
		return take_text(prompt, t);
	if (!json_length(prompt))
		return refuse(err, "'prompt' must be a text or a list of token ids");
	first = json_object_array_get_idx(prompt, 0);
	if (json_object_is_type(first, json_type_int))
		return take_ids(prompt, t, err);
	if (json_length(prompt) > 1)
		return refuse(err, "this mock takes one prompt a request");
	if (json_object_is_type(first, json_type_string))
		return take_text(first, t);
	if (json_object_is_type(first, json_type_array))
		return take_ids(first, t, err);
	return refuse(err, "'prompt' must be a text or a list of token ids");
}

static int take_content(struct json_object *content, struct token_list *t,
			struct err *err)
{
	size_t nr;

	if (!content)
		return 0;
	if (json_object_is_type(content, json_type_string))
		return take_text(content, t);
	if (!json_object_is_type(content, json_type_array))
		return refuse(err,
			      "a message's 'content' must be a text or a list of parts");
	nr = json_length(content);
	for (size_t i = 0; i < nr; i++) {
		struct json_object *part = json_object_array_get_idx(content, i);
		struct json_object *text = json_member(part, "text");

		if (!text || !json_object_is_type(text, json_type_string))
			return refuse(err, "this mock takes parts of type 'text' alone");
		take_text(text, t);
	}
	return 0;
}

/* A chat template's own tokens, the same around every message: ids 0, 1, 2 ... */
static void add_template(struct token_list *t, int nr)
{
	for (int i = 0; i < nr; i++)
		tokens_add(t, (uint32_t)i);
}

static int take_messages(struct json_object *o, struct token_list *t, struct err *err)
{
	struct json_object *list = json_member(o, "messages");
	struct json_object *answer = json_member(o, "add_generation_prompt");
	size_t nr;

	if (!json_length(list))
		return refuse(err, "'messages' must be a list of at least one message");
	nr = json_length(list);
	for (size_t i = 0; i < nr; i++) {
		struct json_object *m = json_object_array_get_idx(list, i);

		if (!json_object_is_type(m, json_type_object) ||
		    !json_get_text(m, "role", NULL))
			return err_set(err, ERR_USAGE, "message %zu has no 'role'", i);
		add_template(t, MOCK_TOKENS_PER_MESSAGE);
		if (take_content(json_member(m, "content"), t, err))
			return -1;
	}
	if (!answer || json_object_get_boolean(answer))
		add_template(t, MOCK_TOKENS_TO_ANSWER);
	return 0;
}

static int take_stream_options(struct json_object *o, struct mock_request *r,
			       struct err *err)
{
	struct json_object *options = json_member(o, "stream_options");

	r->include_usage = r->continuous_usage = false;
	if (!options)
		return 0;
	if (!json_object_is_type(options, json_type_object))
		return refuse(err, "'stream_options' must be an object");
	if (!r->streams)
		return refuse(err, "'stream_options' needs 'stream': true");
	if (take_flag(options, "include_usage", &r->include_usage, err) ||
	    take_flag(options, "continuous_usage_stats", &r->continuous_usage, err))
		return -1;
	r->continuous_usage = r->continuous_usage && r->include_usage;
	return 0;
}

static int take_generation(struct json_object *o, enum mock_endpoint endpoint,
			   struct mock_request *r, struct err *err)
{
	int64_t n = 1;

	r->max_tokens = 0;
	if (take_flag(o, "stream", &r->streams, err) || take_stream_options(o, r, err) ||
	    take_flag(o, "return_token_ids", &r->wants_token_ids, err) ||
	    take_count(o, "max_tokens", &r->max_tokens, err) ||
	    take_count(o, "max_completion_tokens", &r->max_tokens, err) ||
	    take_name(o, "cache_salt", r->salt, err) || take_count(o, "n", &n, err))
		return -1;
	if (n != 1)
		return refuse(err, "this mock gives one answer a request: 'n' must be 1");
	if (endpoint == ENDPOINT_CHAT)
		return take_messages(o, &r->tokens, err);
	if (!json_member(o, "prompt"))
		return refuse(err, "'prompt' is missing");
	return take_prompt(json_member(o, "prompt"), &r->tokens, err);
}

static int take_tokens(struct json_object *o, enum mock_endpoint endpoint,
		       struct mock_request *r, struct err *err)
{
	struct json_object *list = json_member(o, "tokens");
	struct json_object *prompt = json_member(o, "prompt");

	if (endpoint == ENDPOINT_DETOKENIZE) {
		if (!list || !json_object_is_type(list, json_type_array))
			return refuse(err, "'tokens' must be a list of token ids");
		return take_ids(list, &r->tokens, err);
	}
	if (!prompt)
		return take_messages(o, &r->tokens, err);
	if (!json_object_is_type(prompt, json_type_string))
		return refuse(err, "'prompt' must be a text");
	return take_text(prompt, &r->tokens);
}

int mock_request_parse(const char *body, size_t len, enum mock_endpoint endpoint,
		       struct mock_request *r, struct err *err)
{
	struct json_object *o = json_parse(body, len, "body", err);
	int rc;

	r->tokens.nr = 0;
	if (!o)
		return -1;
	if (!json_object_is_type(o, json_type_object))
		rc = refuse(err, "the body must be a JSON object");
	else if (take_name(o, "model", r->model, err))
		rc = -1;
	else if (endpoint == ENDPOINT_COMPLETIONS || endpoint == ENDPOINT_CHAT)
		rc = take_generation(o, endpoint, r, err);
	else
		rc = take_tokens(o, endpoint, r, err);
	json_object_put(o);
	return rc;
}
