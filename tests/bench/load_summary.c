/* Summarises ten million chunks out of a spool; prints the seconds that it took. */
#include "core/base/clock.h"
#include "core/base/rng.h"
#include "inference/load/engine/spool.h"
#include "inference/load/figures/summary.h"

#include <stdio.h>

enum { REQUESTS = 50000, CHUNKS = 200 };

int main(void)
{
	static struct chunk_stamp chunks[CHUNKS];
	const struct load_stage stage = {.measure_start_ns = 1,
					 .measure_end_ns = CLOCK_NEVER / 4};
	struct service_level level = {CLOCK_NEVER, CLOCK_NEVER, CLOCK_NEVER};
	struct spool *spool = spool_new(1, NULL);
	struct request_record r = {.chunks = chunks, .chunks_nr = CHUNKS};
	struct spool_reader *reader;
	struct record_source source;
	struct stage_summary s;
	struct rng rng;
	int64_t begun;

	rng_init(&rng, 1);
	for (int i = 0; i < REQUESTS; i++) {
		int64_t at = 1000 + (int64_t)i * NS_PER_MS;

		r.scheduled_ns = r.issued_ns = r.sent_ns = r.first_byte_ns = at;
		for (int c = 0; c < CHUNKS; c++) {
			at += 15 * NS_PER_MS + (int64_t)(rng_exponential(&rng) * 5e6);
			chunks[c] = (struct chunk_stamp){.arrival_ns = at, .tokens = 1};
		}
		r.first_token_ns = chunks[0].arrival_ns;
		r.last_token_ns = r.done_ns = r.end_ns = at;
		r.output_tokens = r.received_tokens = CHUNKS;
		spool_put(spool, 0, &r);
	}
	if (spool_finish(spool, NULL))
		return 1;
	reader = spool_read(spool);
	source = spool_reader_source(reader);
	begun = clock_mono_ns();
	if (summary_make(&s, &stage, &source, &level, NULL))
		return 1;
	printf("%.3f %llu\n", (double)(clock_mono_ns() - begun) * 1e-9,
	       (unsigned long long)s.chunks);
	summary_release(&s);
	spool_reader_free(reader);
	spool_free(spool);
	return 0;
}
