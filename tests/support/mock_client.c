#include "tests/support/mock_client.h"

#include "core/base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { DEADLINE_S = 20 };

struct mock *mock_client_start(const struct mock_config *c)
{
	struct err err = ERR_INIT;
	struct mock *m = mock_start(c, MOCK_THREAD, &err);

	if (!m)
		fail_msg("%s", err.text);
	return m;
}

void mock_client_config(struct mock_config *c)
{
	fields_init(mock_fields, c);
	c->ttft_ns = 2 * NS_PER_MS;
	c->itl_ns = NS_PER_MS;
}

int mock_dial(const struct mock *m)
{
	const char *port = strrchr(mock_url(m), ':');
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons((uint16_t)strtol(port + 1, NULL, 10)),
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

void mock_say(int fd, const char *text)
{
	size_t len = strlen(text);

	while (len) {
		ssize_t put = send(fd, text, len, MSG_NOSIGNAL);

		if (put <= 0)
			return; /* it closed on us: the reply tells why */
		text += put;
		len -= (size_t)put;
	}
}

int mock_hear(int fd, struct buf *ret, const char *until)
{
	int64_t deadline = clock_deadline_ns(DEADLINE_S * NS_PER_S);
	char piece[4096];

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t got;

		if (until && ret->len && strstr(ret->data, until))
			return 0;
		if (poll(&p, 1, clock_poll_ms(deadline, 1000)) <= 0) {
			if (clock_passed(deadline))
				fail_msg("no end of: %s", ret->data);
			continue;
		}
		got = recv(fd, piece, sizeof(piece), 0);
		if (got <= 0)
			return got ? errno : 0;
		buf_add(ret, piece, (size_t)got);
	}
}

int mock_exchange(const struct mock *m, const char *method, const char *path,
		  const char *headers, const char *body, struct buf *ret)
{
	char *text;
	int fd = mock_dial(m), end;

	buf_init(ret, (size_t)1 << 24);
	if (asprintf(&text,
		     "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s"
		     "Content-Length: %zu\r\n\r\n%s",
		     method, path, headers, strlen(body), body) < 0)
		abort();
	mock_say(fd, text);
	free(text);
	end = mock_hear(fd, ret, NULL);
	close(fd);
	return end;
}

int mock_status_of(const struct buf *reply)
{
	return reply->len > 12 ? (int)strtol(reply->data + 9, NULL, 10) : 0;
}

struct json_object *mock_body_of(const struct buf *reply)
{
	const char *body = strstr(reply->data, "\r\n\r\n");
	struct err err = ERR_INIT;
	struct json_object *o;

	assert_non_null(body);
	o = json_parse(body + 4, strlen(body + 4), "reply", &err);
	if (!o)
		fail_msg("%s: %s", err.text, body + 4);
	return o;
}

void mock_events_of(const struct buf *reply, struct mock_events *e)
{
	const char *at = reply->data;

	*e = (struct mock_events){0};
	while ((at = strstr(at, "data: "))) {
		const char *end = strstr(at, "\n\n");
		struct json_object *o;

		at += 6;
		if (!end)
			break;
		if (strncmp(at, "[DONE]", 6) == 0) {
			e->done++;
			continue;
		}
		o = json_parse(at, (size_t)(end - at), "event", NULL);
		e->bad += !o;
		e->errors += json_member(o, "error") != NULL;
		if (o && e->nr < EVENTS_MAX)
			e->items[e->nr++] = o;
		else
			json_object_put(o);
	}
}

void mock_events_release(struct mock_events *e)
{
	for (size_t i = 0; i < e->nr; i++)
		json_object_put(e->items[i]);
}

int64_t mock_tare_of(struct json_object *event, const char *key)
{
	return json_get_int(json_member(event, "tare"), key, -99);
}

struct json_object *mock_choice_of(struct json_object *event)
{
	struct json_object *list = json_member(event, "choices");

	return list && json_object_array_length(list) ? json_object_array_get_idx(list, 0)
						      : NULL;
}

void mock_stream(const struct mock *m, const char *fault, struct buf *reply,
		 struct mock_events *e)
{
	char header[80] = "";

	if (fault)
		snprintf(header, sizeof(header), "X-Tare-Fault: %s\r\n", fault);
	mock_exchange(m, "POST", "/v1/completions", header, MOCK_STREAM(""), reply);
	mock_events_of(reply, e);
}
