#include "inference/load/engine/stream_answer.h"

#include <string.h>

#include "core/base/mem.h"
#include "inference/load/engine/chunk_json.h"
#include "inference/load/engine/stream_error.h"

enum { CHUNKS_MAX = 4 * TOKENS_MAX }; /* of one answer; 16 bytes are kept of each */

/* When the server counts only at the end, its tokens are spread over the chunks evenly.
 */
static void spread_tokens(struct request_record *r, struct chunk_stamp *chunks)
{
	uint64_t n = r->chunks_nr, total = (uint64_t)r->output_tokens, before = 0;

	for (uint64_t i = 0; i < n; i++) {
		uint64_t now = total * (i + 1) / n;

		chunks[i].tokens = (uint32_t)(now - before);
		before = now;
	}
}

static enum request_end judge_lengths(const struct stream *s)
{
	const struct request_record *r = &s->rec;
	const struct stage_config *c = s->hub->config;
	bool has_usage = c->prompt->dialect.has_stream_usage;
	bool is_counted = s->has_exact_tokens || !has_usage;

	if (c->checks_prompt && has_usage && r->prompt_tokens != r->prompt_wanted)
		return REQUEST_WRONG_LENGTH;
	if (c->checks_output && has_usage && r->output_tokens != r->output_wanted)
		return REQUEST_WRONG_LENGTH;
	if (c->checks_output && is_counted && r->received_tokens != r->output_wanted)
		return REQUEST_WRONG_LENGTH;
	return REQUEST_OK;
}

enum request_end stream_judge(struct stream *s)
{
	struct request_record *r = &s->rec;

	if (s->reply.status != 200)
		return REQUEST_HTTP_STATUS;
	if (s->has_content_error)
		return REQUEST_STREAM_ERROR;
	if (!s->reply.is_event_stream)
		return REQUEST_PROTOCOL;
	if (!s->has_done && !s->has_finish)
		return REQUEST_TRUNCATED;
	if (!r->chunks_nr)
		return REQUEST_EMPTY;
	if (!s->has_exact_tokens && r->output_tokens > 0)
		spread_tokens(r, s->chunks);
	return judge_lengths(s);
}

/* Two chunks with one stamp came in one segment, or had been joined by the kernel. */
static void mark_coalesced(struct stream *s, struct chunk_stamp *pair)
{
	if (pair[0].arrival_ns != pair[1].arrival_ns)
		return;
	s->hub->coalesced += pair[0].coalesced ? 1 : 2;
	pair[0].coalesced = pair[1].coalesced = true;
}

static void add_chunk(struct stream *s, uint32_t tokens)
{
	struct request_record *r = &s->rec;

	if (r->chunks_nr == s->chunks_alloc) {
		s->chunks_alloc *= 2;
		s->chunks =
			x_realloc_array(s->chunks, s->chunks_alloc, sizeof(*s->chunks));
	}
	if (!r->chunks_nr) {
		r->first_token_ns = s->stamp_ns;
		counter_add(&s->hub->ttft_nr, 1);
		counter_add(&s->hub->ttft_sum_ns, (uint64_t)(s->stamp_ns - r->sent_ns));
	}
	s->chunks[r->chunks_nr] = (struct chunk_stamp){
		.arrival_ns = s->stamp_ns,
		.tokens = tokens,
	};
	if (r->chunks_nr)
		mark_coalesced(s, &s->chunks[r->chunks_nr - 1]);
	r->chunks_nr++;
	/* A server may say anything. */
	if (__builtin_add_overflow(r->received_tokens, tokens, &r->received_tokens))
		r->received_tokens = INT32_MAX;
	counter_add(&s->hub->tokens, tokens);
}

/*
 * How many tokens this chunk brought, from the most certain source that it has. A usage
 * that was not there from the first one on counts the whole answer, not this chunk.
 */
static uint32_t count_tokens(struct stream *s, const struct chunk_info *c)
{
	int32_t k = c->has_content;

	if (c->token_ids >= 0) {
		s->has_exact_tokens = true;
		k = c->token_ids;
	} else if (c->completion_tokens >= 0 &&
		   (s->has_exact_tokens || !s->rec.chunks_nr)) {
		s->has_exact_tokens = true;
		k = c->completion_tokens - s->rec.received_tokens;
	}
	return k > 0 ? (uint32_t)k : 0;
}

static void take_usage(struct stream *s, const struct chunk_info *c)
{
	struct request_record *r = &s->rec;

	if (c->prompt_tokens >= 0)
		r->prompt_tokens = c->prompt_tokens;
	if (c->completion_tokens >= 0)
		r->output_tokens = c->completion_tokens;
	if (c->cached_tokens >= 0)
		r->cached_tokens = c->cached_tokens;
}

static void take_id(struct request_record *r, const struct chunk_info *c)
{
	size_t len = c->id_len < RESPONSE_ID_SIZE - 1 ? c->id_len : RESPONSE_ID_SIZE - 1;

	if (!c->id || r->response_id[0])
		return;
	memcpy(r->response_id, c->id, len);
	r->response_id[len] = '\0';
}

static void take_chunk(struct stream *s, const struct chunk_info *c)
{
	uint32_t tokens;

	take_id(&s->rec, c);
	s->has_finish = s->has_finish || c->has_finish;
	if (c->sent_ns)
		lag_add(s->hub->stamp_error,
			s->stamp_ns + s->hub->wall_offset_ns - c->sent_ns);
	if (c->has_choice) {
		tokens = count_tokens(s, c);
		if (tokens)
			add_chunk(s, tokens);
		else if (c->has_role && s->rec.role_ns == RECORD_NONE)
			s->rec.role_ns = s->stamp_ns;
	}
	take_usage(s, c);
}

static bool on_event(void *ctx, const char *data, size_t len)
{
	struct stream *s = ctx;
	struct chunk_info c;

	s->rec.events++;
	s->hub->events++;
	if (len == 6 && !memcmp(data, "[DONE]", 6)) {
		s->has_done = true;
		s->rec.done_ns = s->stamp_ns;
		return true;
	}
	if (!chunk_scan(data, len, &c)) {
		s->is_bad = true;
		stream_error(s, "not JSON: ", data, len);
		return false;
	}
	if (c.has_error) {
		s->has_content_error = true;
		stream_error(s, "", c.error ? c.error : data,
			     c.error ? c.error_len : len);
		return true;
	}
	take_chunk(s, &c);
	if (s->rec.chunks_nr < CHUNKS_MAX)
		return true;
	s->is_bad = true;
	stream_error(s, "an endless stream: ", data, len);
	return false;
}

bool stream_take_body(void *ctx, const char *bytes, size_t len)
{
	struct stream *s = ctx;

	if (s->reply.status == 200 && s->reply.is_event_stream)
		return sse_feed(&s->sse, bytes, len, on_event, s);
	stream_error_body(s, bytes, len);
	return true;
}
