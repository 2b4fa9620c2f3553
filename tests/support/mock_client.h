/*
 * A client of the mock as plain as can be, over real sockets on the loopback address, for
 * tests of what the mock says on the wire. Failures end the test.
 */
#ifndef TARE_TESTS_SUPPORT_MOCK_CLIENT_H
#define TARE_TESTS_SUPPORT_MOCK_CLIENT_H

#include "core/base/buf.h"
#include "core/document/json.h"
#include "inference/mock/mock.h"

enum { EVENTS_MAX = 64 };

/* The events of a stream; those that are no JSON are counted apart. */
struct mock_events {
	struct json_object *items[EVENTS_MAX];
	size_t nr;
	int done, bad, errors;
};

/* A mock in a thread of this process. */
struct mock *mock_client_start(const struct mock_config *c);
/* The defaults, with 2 ms to the first token and 1 ms between tokens. */
void mock_client_config(struct mock_config *c);

int mock_dial(const struct mock *m);
void mock_say(int fd, const char *text);
/* Everything until the connection ends, or until 'until' was seen. errno of the end. */
int mock_hear(int fd, struct buf *ret, const char *until);
/* One exchange on a connection of its own; the whole reply. */
int mock_exchange(const struct mock *m, const char *method, const char *path,
		  const char *headers, const char *body, struct buf *ret);

int mock_status_of(const struct buf *reply);
struct json_object *mock_body_of(const struct buf *reply);
void mock_events_of(const struct buf *reply, struct mock_events *e);
void mock_events_release(struct mock_events *e);
int64_t mock_tare_of(struct json_object *event, const char *key);
struct json_object *mock_choice_of(struct json_object *event);

#define MOCK_STREAM(more)                                                           \
	"{\"prompt\":[1,2,3],\"max_tokens\":5,\"stream\":true,\"stream_options\":{" \
	"\"include_usage\":true}" more "}"
/* Five tokens streamed; 'fault' (inference/mock/mock.h) or NULL. */
void mock_stream(const struct mock *m, const char *fault, struct buf *reply,
		 struct mock_events *e);

#endif
