#include "inference/serve/serve_health.h"

#include "core/base/clock.h"
#include "core/base/mem.h"

#include <stdlib.h>

static const int64_t ask_ns = 2 * NS_PER_S;
static const size_t reply_max = (size_t)1 << 20;

static int get(const struct transport *t, const char *path, struct buf *ret,
	       int *ret_status, struct err *err)
{
	const struct fetch f = {
		.method = "GET", .path = path, .timeout_ns = ask_ns, .max = reply_max};

	return transport_fetch(t, &f, ret, ret_status, err);
}

/* The status, or -1 with err. */
static int ask(const struct transport *t, const char *path, struct err *err)
{
	struct buf reply;
	int status = -1, rc = get(t, path, &reply, &status, err);

	buf_release(&reply);
	return rc ? -1 : status;
}

bool serve_is_ready(const struct transport *t, const char *health_path, struct err *err)
{
	int status = ask(t, health_path, err);

	if (status == 404 || status == 405 || status == 501) {
		health_path = "/v1/models";
		status = ask(t, health_path, err);
	}
	if (status >= 0 && status != 200)
		err_set(err, ERR_ENVIRONMENT, "%s%s answers HTTP %d", t->url, health_path,
			status);
	return status == 200;
}

static struct json_object *get_json(const struct transport *t, const char *path)
{
	struct json_object *o = NULL;
	struct buf reply;
	int status;

	if (get(t, path, &reply, &status, NULL) == 0 && status == 200)
		o = json_parse(reply.data, reply.len, path, NULL);
	buf_release(&reply);
	return o;
}

void serve_identify(const struct transport *t, struct serve_identity *ret)
{
	struct json_object *models = get_json(t, "/v1/models");
	struct json_object *version = get_json(t, "/version");
	struct json_object *list = json_member(models, "data");
	struct json_object *first = NULL;

	*ret = (struct serve_identity){0};
	if (json_object_is_type(list, json_type_array) && json_object_array_length(list))
		first = json_object_array_get_idx(list, 0);
	ret->model = x_strdup(json_get_text(first, "id", NULL));
	ret->max_model_len = json_get_int(first, "max_model_len", 0);
	ret->version = x_strdup(json_get_text(version, "version", NULL));
	json_object_put(models);
	json_object_put(version);
}

void serve_identity_release(struct serve_identity *i)
{
	free(i->model);
	free(i->version);
	*i = (struct serve_identity){0};
}
