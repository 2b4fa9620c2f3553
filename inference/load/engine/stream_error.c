#include "inference/load/engine/stream_error.h"

#include <stdio.h>
#include <string.h>

void stream_error(struct stream *s, const char *what, const char *text, size_t len)
{
	const size_t room = sizeof(s->hub->error_text) - 1;
	char *to = s->hub->error_text;
	size_t at = strlen(what);

	if (*to)
		return;
	memcpy(to, what, at);
	for (size_t i = 0; i < len && at < room; i++)
		to[at++] = (unsigned char)text[i] >= ' ' ? text[i] : ' ';
	to[at] = '\0';
	transport_redact(s->hub->config->transport, to, at);
}

void stream_error_body(struct stream *s, const char *bytes, size_t len)
{
	char what[32] = "no event stream: ";

	if (s->hub->error_text[0])
		return;
	if (s->reply.status != 200)
		snprintf(what, sizeof(what), "status %d: ", s->reply.status);
	stream_error(s, what, bytes, len);
}

void stream_error_end(struct stream *s)
{
	static const char *const texts[REQUEST_ENDS] = {
		[REQUEST_TIMEOUT] = "not over within --timeout",
		[REQUEST_STALL] = "the reply paused for longer than --stall",
		[REQUEST_RESET] = "the connection was closed before any reply",
		[REQUEST_TRUNCATED] =
			"the stream ended without [DONE] or a finish_reason",
		[REQUEST_EMPTY] = "a whole stream without a token",
		[REQUEST_PROTOCOL] = "not HTTP, not an event stream or not JSON",
	};
	const struct request_record *r = &s->rec;
	char text[sizeof(s->hub->error_text)] = "";

	if (s->hub->error_text[0])
		return;
	if (r->end == REQUEST_HTTP_STATUS)
		snprintf(text, sizeof(text), "status %d", s->reply.status);
	else if (r->end == REQUEST_WRONG_LENGTH)
		snprintf(text, sizeof(text),
			 "%d prompt and %d output tokens by usage (-1: not said), %d "
			 "counted; %d and %d were asked for",
			 r->prompt_tokens, r->output_tokens, r->received_tokens,
			 r->prompt_wanted, r->output_wanted);
	else if (texts[r->end])
		snprintf(text, sizeof(text), "%s", texts[r->end]);
	stream_error(s, "", text, strlen(text));
}
