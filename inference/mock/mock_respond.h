/*
 * Responses as a whole: head and body in one send. The connection goes on to the next
 * request afterwards, or ends.
 */
#ifndef TARE_INFERENCE_MOCK_MOCK_RESPOND_H
#define TARE_INFERENCE_MOCK_MOCK_RESPOND_H

#include "core/document/json.h"
#include "inference/mock/mock_conn.h"

void mock_respond(struct mock_conn *c, int status, const char *type, const char *body,
		  size_t len);
void mock_respond_json(struct mock_conn *c, int status,
		       struct json_object *o); /* puts o */
/* vLLM's error object. */
void mock_respond_error(struct mock_conn *c, int status, const char *message);

#endif
