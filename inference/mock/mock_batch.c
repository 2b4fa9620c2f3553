#include "inference/mock/mock_batch.h"

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/rng.h"

#include <stdlib.h>

void batch_init(struct batch *b, const struct batch_config *config)
{
	*b = (struct batch){.config = *config, .step_end_ns = CLOCK_NEVER};
}

void batch_release(struct batch *b)
{
	free(b->running);
	*b = (struct batch){.step_end_ns = CLOCK_NEVER};
}

static void queue_remove(struct batch *b, struct batch_seq *s)
{
	if (s->previous)
		s->previous->next = s->next;
	else
		b->first = s->next;
	if (s->next)
		s->next->previous = s->previous;
	else
		b->last = s->previous;
	s->next = s->previous = NULL;
	b->waiting_nr--;
}

static void queue_append(struct batch *b, struct batch_seq *s)
{
	s->state = BATCH_WAITING;
	s->next = NULL;
	s->previous = b->last;
	if (b->last)
		b->last->next = s;
	else
		b->first = s;
	b->last = s;
	b->waiting_nr++;
}

static void admit(struct batch *b, int64_t now_ns)
{
	while (b->first && (int64_t)b->running_nr < b->config.max_num_seqs &&
	       b->first->kv_need <= b->config.kv_tokens - b->kv_used) {
		struct batch_seq *s = b->first;

		queue_remove(b, s);
		GROW(b->running, b->running_nr, b->running_alloc);
		s->state = BATCH_RUNNING;
		s->admitted_ns = now_ns;
		s->at = b->running_nr;
		b->running[b->running_nr++] = s;
		b->kv_used += s->kv_need;
	}
}

int64_t jittered_ns(int64_t ns, double jitter, uint64_t bits)
{
	return jitter == 0
		       ? ns
		       : (int64_t)((double)ns *
				   (1 + jitter * ((double)(bits >> 11) * 0x1p-52 - 1)));
}

static void step_begin(struct batch *b, int64_t now_ns)
{
	const struct batch_config *c = &b->config;
	int64_t decoding = 0, prompt = 0, budget;

	admit(b, now_ns);
	if (!b->running_nr) {
		b->step_end_ns = CLOCK_NEVER;
		return;
	}
	for (size_t i = 0; i < b->running_nr; i++)
		decoding += b->running[i]->is_decoding;
	budget = c->max_batched_tokens - decoding;
	for (size_t i = 0; i < b->running_nr; i++) {
		struct batch_seq *s = b->running[i];

		s->scheduled = s->prompt_left < budget - prompt ? s->prompt_left
								: budget - prompt;
		if (s->scheduled < 0 || s->is_decoding)
			s->scheduled = 0;
		prompt += s->scheduled;
	}
	b->steps++;
	b->step_tokens = decoding + prompt;
	b->step_end_ns =
		now_ns + jittered_ns(c->step_base_ns + decoding * c->step_per_seq_ns +
					     prompt * c->step_per_prefill_token_ns,
				     c->jitter,
				     rng_at((uint64_t)c->seed, (uint64_t)b->steps));
}

bool batch_add(struct batch *b, struct batch_seq *seq, int64_t now_ns)
{
	if (seq->kv_need > b->config.kv_tokens ||
	    (int64_t)b->waiting_nr >= b->config.queue_max)
		return false;
	seq->queued_ns = now_ns;
	queue_append(b, seq);
	if (b->step_end_ns == CLOCK_NEVER)
		step_begin(b, now_ns);
	return true;
}

static void leave(struct batch *b, struct batch_seq *s)
{
	s->state = BATCH_OUT;
	b->kv_used -= s->kv_need;
}

void batch_remove(struct batch *b, struct batch_seq *s)
{
	if (s->state == BATCH_WAITING) {
		queue_remove(b, s);
		s->state = BATCH_OUT;
	} else if (s->state == BATCH_RUNNING) {
		for (size_t i = s->at + 1; i < b->running_nr; i++) {
			b->running[i - 1] = b->running[i];
			b->running[i - 1]->at = i - 1;
		}
		b->running_nr--;
		leave(b, s);
	}
}

/* What this sequence gets from the step that ends; 0 while its prompt is not complete. */
static int64_t take_tokens(const struct batch_config *c, struct batch_seq *s)
{
	int64_t tokens;

	s->prompt_left -= s->scheduled;
	if (!s->is_decoding && s->prompt_left > 0)
		return 0;
	s->is_decoding = true;
	tokens = s->output_left < c->tokens_per_chunk ? s->output_left
						      : c->tokens_per_chunk;
	s->output_left -= tokens;
	return tokens;
}

void batch_step(struct batch *b, batch_emit *emit, void *ctx)
{
	int64_t due = b->step_end_ns;
	size_t nr = b->running_nr, kept = 0;

	/* Owners may add to the queue meanwhile; 'running' changes here alone. */
	b->step_end_ns = due - 1;
	for (size_t i = 0; i < nr; i++) {
		struct batch_seq *s = b->running[i];
		int64_t tokens = take_tokens(&b->config, s);
		bool stays = s->output_left > 0;

		if (!stays)
			leave(b, s);
		if (tokens && !emit(ctx, s, tokens, due) && stays) {
			stays = false;
			leave(b, s);
		}
		if (stays) {
			s->at = kept;
			b->running[kept++] = s;
		}
	}
	b->running_nr = kept;
	step_begin(b, due);
}
