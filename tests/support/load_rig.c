#include "tests/support/load_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/base/mem.h"

void load_rig_start(struct load_rig *r, const char *fault, const char *truth_file)
{
	struct mock_config c;
	struct err err = ERR_INIT;

	*r = (struct load_rig){.mock = NULL};
	fields_init(mock_fields, &c);
	c.ttft_ns = 4 * NS_PER_MS;
	c.itl_ns = 2 * NS_PER_MS;
	if (fault)
		strvec_add(&c.faults, fault);
	c.truth_file = x_strdup(truth_file);
	r->mock = mock_start(&c, MOCK_THREAD, &err);
	fields_release(mock_fields, &c);
	if (!r->mock)
		fail_msg("%s", err.text);
	assert_int_equal(transport_init(&err), 0);
	assert_int_equal(url_split(mock_url(r->mock), &r->url, &err), 0);
	r->transport = (struct transport){.url = mock_url(r->mock),
					  .connect_timeout_ns = 5 * NS_PER_S};
	r->prompt = (struct prompt){.seed = 1,
				    .prompt_rule = {.mean = 16},
				    .output_rule = {.mean = 10},
				    .dialect = {true, true, true, true}};
	prompt_use_ids(&r->prompt, 10000, 30000);
	prompt_finish(&r->prompt, &r->url, NULL, "mock", "salt");
	r->config = (struct stage_config){
		.stage = {.label = "c4",
			  .kind = STAGE_CONCURRENT,
			  .concurrency = 4,
			  .seed = 5},
		.transport = &r->transport,
		.prompt = &r->prompt,
		.trace_scale = 1,
		.grace_ns = 20 * NS_PER_S,
		.requests_max = RIG_REQUESTS,
		.threads = 2,
		.parts = 1,
		.connections_max = 16,
		.connects_per_s = 1000,
		.timeout_ns = 20 * NS_PER_S,
		.stall_ns = 10 * NS_PER_S,
		.checks_prompt = true,
		.checks_output = true,
		.error_rate_max = 1,
	};
}

void load_rig_run(struct load_rig *r)
{
	struct err err = ERR_INIT;

	if (stage_run(&r->config, &r->outcome, &err))
		fail_msg("%s", err.text);
}

void load_rig_end(struct load_rig *r)
{
	stage_outcome_release(&r->outcome);
	prompt_release(&r->prompt);
	url_parts_release(&r->url);
	mock_stop(r->mock);
}

size_t load_rig_collect(struct load_rig *r, struct request_record *ret)
{
	struct spool_reader *reader = spool_read(r->outcome.spool);
	struct request_record rec;
	size_t count = 0;
	int rc;

	for (; (rc = spool_reader_next(reader, &rec, NULL)) > 0; count++) {
		struct chunk_stamp *copy;

		assert_true(rec.index < RIG_REQUESTS);
		assert_int_equal(ret[rec.index].http_status, 0); /* each index once */
		copy = x_calloc(rec.chunks_nr + 1, sizeof(*copy));
		if (rec.chunks_nr)
			memcpy(copy, rec.chunks, rec.chunks_nr * sizeof(*copy));
		ret[rec.index] = rec;
		ret[rec.index].chunks = copy;
		ret[rec.index].http_status = rec.http_status ? rec.http_status : -1;
	}
	assert_int_equal(rc, 0);
	spool_reader_free(reader);
	return count;
}

void load_rig_forget(struct request_record *records)
{
	for (size_t i = 0; i < RIG_REQUESTS; i++)
		free((void *)records[i].chunks);
}
