#include "inference/mock/mock_respond.h"

#include "inference/mock/mock_chunk.h"

#include <string.h>

void mock_respond(struct mock_conn *c, int status, const char *type, const char *body,
		  size_t len)
{
	struct buf to;

	buf_init(&to, BUF_UNBOUNDED);
	response_head(&to, status, type, len, c->keeps_alive, "");
	buf_add(&to, body, len);
	if (mock_conn_send(c, to.data, to.len))
		mock_conn_finish(c);
	buf_release(&to);
}

void mock_respond_json(struct mock_conn *c, int status, struct json_object *o)
{
	const char *text = json_line(o);

	mock_respond(c, status, "application/json", text, strlen(text));
	json_object_put(o);
}

void mock_respond_error(struct mock_conn *c, int status, const char *message)
{
	struct json_object *o = json_object_new_object();
	struct json_object *e = json_object_new_object();
	struct json_object *tare = json_object_new_object();

	json_put_text(e, "message", message);
	json_put_text(e, "type",
		      status == 404  ? "NotFoundError"
		      : status < 500 ? "BadRequestError"
				     : "InternalServerError");
	json_put(e, "param", NULL);
	json_put_int(e, "code", status);
	json_put(o, "error", e);
	json_put_bool(tare, "mock", true);
	json_put(o, "tare", tare);
	mock_respond_json(c, status, o);
}
