#include "inference/load/engine/request_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/document/json.h"
#include "core/base/mem.h"

static struct prompt_piece *add_piece(struct prompt *p)
{
	GROW(p->pieces, p->pieces_nr, p->pieces_alloc);
	p->pieces[p->pieces_nr] = (struct prompt_piece){.len = 0};
	return &p->pieces[p->pieces_nr++];
}

void prompt_use_ids(struct prompt *p, int64_t low, int64_t high)
{
	p->is_chat = false;
	p->pieces_nr = 0;
	for (int64_t id = low; id < high; id++) {
		char text[32];
		int len = snprintf(text, sizeof(text), "%" PRId64 ",", id);
		struct prompt_piece *piece = add_piece(p);

		piece->len = (uint8_t)len;
		memcpy(piece->text, text, (size_t)len);
	}
}

void prompt_use_words(struct prompt *p, const char *const *words, size_t nr,
		      int32_t overhead)
{
	p->is_chat = true;
	p->pieces_nr = 0;
	p->overhead = overhead;
	for (size_t i = 0; i < nr; i++) {
		size_t len = strlen(words[i]);
		struct prompt_piece *piece;

		if (len + 1 > PROMPT_PIECE_MAX)
			continue;
		piece = add_piece(p);
		memcpy(piece->text, words[i], len);
		piece->text[len] = ' ';
		piece->len = (uint8_t)(len + 1);
	}
}

/* A JSON text with its quotes; free(). */
static char *quoted(const char *text)
{
	struct json_object *o = json_object_new_string(text);
	char *copy = x_strdup(json_line(o));

	json_object_put(o);
	return copy;
}

static char *front(const struct prompt *p, const char *model, const char *salt)
{
	char *name = quoted(model), *salt_text = quoted(salt);
	const struct dialect *d = &p->dialect;
	char *text = x_asprintf(
		"\"model\":%s,\"temperature\":0,\"stream\":true%s%s%s%s%s%s,%s", name,
		d->has_fixed_length ? ",\"ignore_eos\":true" : "",
		d->has_stream_usage ? ",\"stream_options\":{\"include_usage\":true" : "",
		d->has_stream_usage && d->has_continuous_usage
			? ",\"continuous_usage_stats\":true"
			: "",
		d->has_stream_usage ? "}" : "",
		d->has_cache_salt ? ",\"cache_salt\":" : "",
		d->has_cache_salt ? salt_text : "",
		p->is_chat ? "\"messages\":[{\"role\":\"user\",\"content\":\""
			   : "\"prompt\":[");

	free(name);
	free(salt_text);
	return text;
}

void prompt_finish(struct prompt *p, const struct url_parts *url, const char *bearer,
		   const char *model, const char *salt)
{
	free(p->head);
	free(p->body_front);
	free(p->body_back);
	p->head = x_asprintf("POST %s/v1/%s HTTP/1.1\r\nHost: %s\r\n"
			     "Content-Type: application/json\r\n"
			     "Accept: text/event-stream\r\n%s%s%s"
			     "X-Request-Id: tare-",
			     url->base, p->is_chat ? "chat/completions" : "completions",
			     url->authority, bearer ? "Authorization: Bearer " : "",
			     bearer ? bearer : "", bearer ? "\r\n" : "");
	p->body_front = front(p, model, salt);
	p->body_back = x_strdup(p->is_chat ? "\"}]}" : "]}");
	p->head_len = strlen(p->head);
	p->front_len = strlen(p->body_front);
	p->back_len = strlen(p->body_back);
}

void prompt_release(struct prompt *p)
{
	free(p->pieces);
	if (p->head)
		explicit_bzero(p->head, p->head_len);
	free(p->head);
	free(p->body_front);
	free(p->body_back);
	*p = (struct prompt){.is_chat = false};
}

static size_t largest_prompt(const struct prompt *p)
{
	int32_t largest = length_largest(&p->prompt_rule);

	for (size_t i = 0; p->lengths && i < p->lengths->nr; i++)
		if (p->lengths->entries[i].prompt_tokens > largest)
			largest = p->lengths->entries[i].prompt_tokens;
	return (size_t)largest;
}

size_t prompt_size_max(const struct prompt *p)
{
	return PROMPT_HEAD_ROOM + p->head_len + p->front_len + p->back_len +
	       (largest_prompt(p) + 1) * PROMPT_PIECE_MAX;
}

static char *put(char *to, const char *text, size_t len)
{
	memcpy(to, text, len);
	return to + len;
}

/* Copies a fixed number of bytes, which is fast; the next piece overwrites the surplus. */
static char *put_prompt(const struct prompt *p, char *to, int32_t pieces, struct rng *rng)
{
	for (int32_t i = 0; i < pieces; i++) {
		const struct prompt_piece *piece =
			&p->pieces[rng_below(rng, p->pieces_nr)];

		memcpy(to, piece->text, PROMPT_PIECE_MAX);
		to += piece->len;
	}
	return pieces > 0 ? to - 1 : to;
}

static char *put_count(char *to, uint64_t n)
{
	char digits[20];
	unsigned len = 0;

	do
		digits[len++] = (char)('0' + n % 10);
	while (n /= 10);
	while (len)
		*to++ = digits[--len];
	return to;
}

static char *put_text(char *to, const char *text)
{
	return put(to, text, strlen(text));
}

static char *put_numbers(const struct prompt *p, char *to, int32_t output, uint64_t seed)
{
	to = put_count(put_text(to, "{\"max_tokens\":"), (uint64_t)output);
	if (p->dialect.has_fixed_length)
		to = put_count(put_text(to, ",\"min_tokens\":"), (uint64_t)output);
	to = put_count(put_text(to, ",\"seed\":"), seed);
	*to++ = ',';
	return to;
}

static void draw_lengths(const struct prompt *p, uint64_t index, struct rng *rng,
			 int32_t *prompt_tokens, int32_t *output_tokens)
{
	if (p->lengths) {
		const struct trace_entry *e =
			&p->lengths->entries[index % p->lengths->nr];

		*prompt_tokens = e->prompt_tokens;
		*output_tokens = e->output_tokens;
		return;
	}
	*prompt_tokens = length_draw(&p->prompt_rule, rng);
	*output_tokens = length_draw(&p->output_rule, rng);
}

size_t prompt_build(const struct prompt *p, uint64_t stage_seed, uint64_t index,
		    char *space, char **start, int32_t *prompt_tokens,
		    int32_t *output_tokens)
{
	char *body = space + PROMPT_HEAD_ROOM / 2 + p->head_len, *at = body, *line;
	char tail[PROMPT_HEAD_ROOM / 2];
	struct rng rng;

	rng_init(&rng, rng_at(p->seed ^ stage_seed, index));
	draw_lengths(p, index, &rng, prompt_tokens, output_tokens);
	at = put_numbers(p, at, *output_tokens, rng_u64(&rng) >> 33);
	at = put(at, p->body_front, p->front_len);
	at = put_prompt(p, at, *prompt_tokens - (p->is_chat ? p->overhead : 0), &rng);
	at = put(at, p->body_back, p->back_len);

	line = put_count(tail, stage_seed);
	*line++ = '-';
	line = put_text(put_count(line, index), "\r\nContent-Length: ");
	line = put_text(put_count(line, (uint64_t)(at - body)), "\r\n\r\n");
	*start = body - (line - tail) - p->head_len;
	put(put(*start, p->head, p->head_len), tail, (size_t)(line - tail));
	return (size_t)(at - *start);
}
