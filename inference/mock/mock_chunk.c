#include "inference/mock/mock_chunk.h"

#include "inference/mock/mock_http_parse.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char blank_stamp[] = "0000000000000000000";

/* Leading zeros are legal in a chunk's length (RFC 9112, 7.1): its place has a width. */
enum { LENGTH_DIGITS = 6, SEGMENT_MAX = 1 << 24 };

void segment_init(struct segment *s)
{
	*s = (struct segment){0};
	buf_init(&s->text, SEGMENT_MAX);
}

void segment_release(struct segment *s)
{
	buf_release(&s->text);
}

void segment_clear(struct segment *s)
{
	buf_clear(&s->text);
	s->stamps_nr = 0;
}

void segment_stamp(struct segment *s, int64_t wall_ns)
{
	char digits[STAMP_DIGITS + 1];

	if (!s->stamps_nr)
		return;
	for (int i = STAMP_DIGITS - 1; i >= 0; i--) {
		digits[i] = (char)('0' + wall_ns % 10);
		wall_ns /= 10;
	}
	for (size_t i = 0; i < s->stamps_nr; i++)
		memcpy(s->text.data + s->stamps[i], digits, STAMP_DIGITS);
}

/* An HTTP chunk; how long it is can be written at its end alone. */
static size_t part_begin(struct segment *s, const struct answer *a)
{
	size_t start = s->text.len;

	if (a->is_chunked)
		buf_puts(&s->text, "000000\r\n");
	return start;
}

static void part_end(struct segment *s, const struct answer *a, size_t start)
{
	char length[LENGTH_DIGITS];
	size_t payload = s->text.len - start - LENGTH_DIGITS - 2;

	if (!a->is_chunked)
		return;
	for (int i = LENGTH_DIGITS - 1; i >= 0; i--, payload >>= 4)
		length[i] = "0123456789abcdef"[payload & 15];
	memcpy(s->text.data + start, length, LENGTH_DIGITS);
	buf_puts(&s->text, "\r\n");
}

static void put_opening(struct buf *to, const struct answer *a, const char *object)
{
	buf_puts(to, a->is_chat ? "{\"id\":\"chatcmpl-mock-" : "{\"id\":\"cmpl-mock-");
	buf_put_int(to, a->serial);
	buf_puts(to, "\",\"object\":\"");
	buf_puts(to, object);
	buf_puts(to, "\",\"created\":");
	buf_put_int(to, a->created_s);
	buf_puts(to, ",\"model\":\"");
	buf_puts(to, a->model);
	buf_puts(to, "\",");
}

static size_t event_begin(struct segment *s, const struct answer *a)
{
	size_t start = part_begin(s, a);

	buf_puts(&s->text, "data: ");
	put_opening(&s->text, a,
		    a->is_chat ? "chat.completion.chunk" : "text_completion");
	return start;
}

static void event_end(struct segment *s, const struct answer *a, size_t start)
{
	buf_puts(&s->text, "}\n\n");
	part_end(s, a, start);
}

static void put_tare(struct segment *s, struct buf *to, int64_t due_wall_ns,
		     int64_t index, int64_t tokens)
{
	buf_puts(to, "\"tare\":{\"mock\":true,\"sent_ns\":");
	if (s && s->stamps_nr < SEGMENT_STAMPS_MAX)
		s->stamps[s->stamps_nr++] = to->len;
	buf_puts(to, blank_stamp);
	buf_puts(to, ",\"due_ns\":");
	buf_put_int(to, due_wall_ns);
	buf_puts(to, ",\"index\":");
	buf_put_int(to, index);
	buf_puts(to, ",\"tokens\":");
	buf_put_int(to, tokens);
	buf_puts(to, "}");
}

static void put_usage(struct buf *to, const struct answer *a, int64_t completion_tokens)
{
	buf_printf(to,
		   "\"usage\":{\"prompt_tokens\":%" PRId64 ",\"total_tokens\":%" PRId64
		   ",\"completion_tokens\":%" PRId64
		   ",\"prompt_tokens_details\":{\"cached_tokens\":%" PRId64 "}}",
		   a->prompt_tokens, a->prompt_tokens + completion_tokens,
		   completion_tokens, a->cached_tokens);
}

static void put_reason(struct buf *to, const char *reason)
{
	if (reason)
		buf_printf(to, "\"finish_reason\":\"%s\"", reason);
	else
		buf_puts(to, "\"finish_reason\":null");
}

static void put_answer_text(struct buf *to, const struct answer *a, int64_t first,
			    int64_t nr)
{
	for (int64_t i = first; i < first + nr; i++) {
		buf_puts(to, i ? " t" : "t");
		buf_put_int(to, token_of_answer(a->serial, i));
	}
}

static void put_ids(struct buf *to, const char *key, const uint32_t *ids, size_t nr)
{
	buf_printf(to, "\"%s\":[", key);
	for (size_t i = 0; i < nr; i++)
		buf_printf(to, "%s%u", i ? "," : "", ids[i]);
	buf_puts(to, "],");
}

static void put_answer_ids(struct buf *to, const struct answer *a,
			   const struct answer_piece *p)
{
	if (a->prompt_ids && p->first_token == 0)
		put_ids(to, "prompt_token_ids", a->prompt_ids->ids, a->prompt_ids->nr);
	buf_puts(to, "\"token_ids\":[");
	for (int64_t i = p->first_token; i < p->first_token + p->tokens; i++)
		buf_printf(to, "%s%u", i > p->first_token ? "," : "",
			   token_of_answer(a->serial, i));
	buf_puts(to, "],");
}

static void put_request_id(struct buf *to, const char *request_id)
{
	if (request_id[0])
		buf_printf(to, "X-Request-Id: %s\r\n", request_id);
}

void chunk_stream_head(struct segment *s, const struct answer *a, const char *request_id)
{
	buf_puts(&s->text, "HTTP/1.1 200 OK\r\nServer: tare-mock\r\n"
			   "Content-Type: text/event-stream; charset=utf-8\r\n");
	buf_puts(&s->text, a->is_chunked ? "Transfer-Encoding: chunked\r\n"
					 : "Connection: close\r\n");
	put_request_id(&s->text, request_id);
	buf_puts(&s->text, "\r\n");
}

void chunk_role(struct segment *s, const struct answer *a, int64_t due_wall_ns)
{
	size_t start = event_begin(s, a);

	buf_puts(&s->text,
		 "\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\","
		 "\"content\":\"\"},\"logprobs\":null,\"finish_reason\":null}],");
	put_tare(s, &s->text, due_wall_ns, -1, 0);
	event_end(s, a, start);
}

static void put_choice(struct buf *to, const struct answer *a,
		       const struct answer_piece *p)
{
	buf_puts(to, a->is_chat ? "\"choices\":[{\"index\":0,\"delta\":{"
				: "\"choices\":[{\"index\":0,\"text\":\"");
	if (a->is_chat && p->tokens)
		buf_puts(to, "\"content\":\"");
	put_answer_text(to, a, p->first_token, p->tokens);
	buf_puts(to, a->is_chat ? p->tokens ? "\"}," : "}," : "\",");
	if (a->wants_token_ids)
		put_answer_ids(to, a, p);
	buf_puts(to, "\"logprobs\":null,");
	put_reason(to, p->finish_reason);
	buf_puts(to, "}],");
}

void chunk_tokens(struct segment *s, const struct answer *a, const struct answer_piece *p)
{
	size_t start = event_begin(s, a);

	put_choice(&s->text, a, p);
	if (p->has_usage) {
		put_usage(&s->text, a, p->completion_tokens);
		buf_puts(&s->text, ",");
	}
	put_tare(s, &s->text, p->due_wall_ns, p->index, p->tokens);
	event_end(s, a, start);
}

void chunk_usage(struct segment *s, const struct answer *a, const struct answer_piece *p)
{
	size_t start = event_begin(s, a);

	buf_puts(&s->text, "\"choices\":[],");
	put_usage(&s->text, a, p->completion_tokens);
	buf_puts(&s->text, ",");
	put_tare(s, &s->text, p->due_wall_ns, p->index, 0);
	event_end(s, a, start);
}

void chunk_raw(struct segment *s, const struct answer *a, const char *payload)
{
	size_t start = part_begin(s, a);

	buf_puts(&s->text, payload);
	part_end(s, a, start);
}

void chunk_error(struct segment *s, const struct answer *a)
{
	chunk_raw(s, a,
		  "data: {\"error\":{\"message\":\"injected by tare-mock\",\"type\":"
		  "\"InternalServerError\",\"param\":null,\"code\":500}}\n\n");
}

void chunk_done(struct segment *s, const struct answer *a)
{
	chunk_raw(s, a, "data: [DONE]\n\n");
}

void chunk_end(struct segment *s, const struct answer *a)
{
	if (a->is_chunked)
		buf_puts(&s->text, "0\r\n\r\n");
}

void body_answer(struct buf *body, const struct answer *a, const struct answer_piece *p)
{
	put_opening(body, a, a->is_chat ? "chat.completion" : "text_completion");
	buf_puts(body, a->is_chat ? "\"choices\":[{\"index\":0,\"message\":{\"role\":"
				    "\"assistant\",\"content\":\""
				  : "\"choices\":[{\"index\":0,\"text\":\"");
	put_answer_text(body, a, 0, p->tokens);
	buf_puts(body, a->is_chat ? "\"}," : "\",");
	if (a->wants_token_ids)
		put_answer_ids(body, a, p);
	buf_puts(body, "\"logprobs\":null,");
	put_reason(body, p->finish_reason);
	buf_puts(body, "}],");
	if (p->has_usage) {
		put_usage(body, a, p->completion_tokens);
		buf_puts(body, ",");
	}
	put_tare(NULL, body, p->due_wall_ns, 0, p->tokens);
	buf_puts(body, "}");
}

void response_head(struct buf *to, int status, const char *type, size_t length,
		   bool keeps_alive, const char *request_id)
{
	buf_printf(to,
		   "HTTP/1.1 %d %s\r\nServer: tare-mock\r\nContent-Type: %s\r\n"
		   "Content-Length: %zu\r\n%s%s",
		   status, http_reason(status), type, length,
		   keeps_alive ? "" : "Connection: close\r\n",
		   status == 429 || status == 503 ? "Retry-After: 1\r\n" : "");
	put_request_id(to, request_id);
	buf_puts(to, "\r\n");
}
