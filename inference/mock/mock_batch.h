/*
 * The batching model: when does one engine that works in steps, as vLLM's does (Kwon et
 * al., "Efficient memory management for large language model serving with
 * PagedAttention", SOSP 2023; chunked prefill: Agrawal et al., "Sarathi-Serve", OSDI
 * 2024), give each sequence its tokens? No clock and no I/O: instants come in and go out.
 *
 * A step that begins at t with d decoding sequences and p prompt tokens takes
 *   (step_base + d * step_per_seq + p * step_per_prefill_token) * (1 + jitter * u)
 * At its end every decoding sequence, and each whose prompt is now complete, gets up to
 * tokens_per_chunk tokens; the next step begins at that same instant. An idle engine
 * begins when something arrives; what arrives during a step waits for its end.
 *
 * Admission, at the start of a step, first come first served: while fewer than
 * max_num_seqs run and the sequence's whole need (prompt + output tokens) fits into what
 * kv_tokens leaves. So nothing is ever preempted: the model waits where vLLM might
 * preempt and compute again. A need above kv_tokens is refused at once. Prompt tokens of
 * a step: at most max_batched_tokens - d, oldest sequence first.
 *
 * So with n sequences that decode, throughput is n * k / (base + n * per_seq), which
 * rises towards k / per_seq and stops at n = max_num_seqs: the knee.
 */
#ifndef TARE_INFERENCE_MOCK_MOCK_BATCH_H
#define TARE_INFERENCE_MOCK_MOCK_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct batch_config {
	int64_t step_base_ns, step_per_seq_ns, step_per_prefill_token_ns;
	int64_t max_num_seqs, max_batched_tokens, kv_tokens, queue_max;
	int64_t tokens_per_chunk;
	double jitter;
	int64_t seed;
};

enum batch_state { BATCH_OUT, BATCH_WAITING, BATCH_RUNNING };

/* Lies inside its owner. Fill in the first three, zero the rest. */
struct batch_seq {
	int64_t prompt_left; /* tokens still to compute, at least 1 */
	int64_t output_left; /* at least 1 */
	int64_t kv_need;     /* prompt + output tokens */

	enum batch_state state;
	int64_t queued_ns, admitted_ns;
	int64_t scheduled; /* prompt tokens in the step that runs */
	bool is_decoding;
	struct batch_seq *next, *previous; /* waiting */
	size_t at;                         /* running */
};

/*
 * A step ended at due_ns and 'seq' got 'tokens'. Return false to take it out of the batch
 * (its client has gone). Do not call batch_remove() from here; batch_add() is fine. A
 * sequence whose output is complete is out already when this is called.
 */
typedef bool batch_emit(void *ctx, struct batch_seq *seq, int64_t tokens, int64_t due_ns);

struct batch {
	struct batch_config config;
	struct batch_seq **running;
	size_t running_nr, running_alloc;
	struct batch_seq *first, *last; /* waiting */
	size_t waiting_nr;
	int64_t kv_used;
	int64_t step_end_ns; /* CLOCK_NEVER when idle */
	int64_t steps,
		step_tokens; /* so far; prompt and output tokens of the last step */
};

/* ns * (1 + jitter * u), u in [-1, 1) made of 64 random bits. */
int64_t jittered_ns(int64_t ns, double jitter, uint64_t bits);

void batch_init(struct batch *b, const struct batch_config *config);
void batch_release(struct batch *b);

/* False when the queue is full or the sequence could never fit. */
bool batch_add(struct batch *b, struct batch_seq *seq, int64_t now_ns);
void batch_remove(struct batch *b, struct batch_seq *seq); /* fine when it is out */

/* Ends the step whose end is step_end_ns and begins the next one. */
void batch_step(struct batch *b, batch_emit *emit, void *ctx);

#endif
