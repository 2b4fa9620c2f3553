#include "inference/load/formats/peers_guidellm_request.h"

#include "core/base/mem.h"
#include "inference/load/formats/peers_impl.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

static struct json_object *timings(const struct load_stage *s,
				   const struct request_record *r)
{
	const struct {
		const char *key;
		int64_t at_ns;
	} instants[] = {
		{"targeted_start", r->scheduled_ns},
		{"queued", r->scheduled_ns},
		{"dequeued", r->issued_ns},
		{"scheduled_at", r->issued_ns},
		{"resolve_start", r->issued_ns},
		{"request_start", r->sent_ns},
		{"first_request_iteration", r->first_byte_ns},
		{"first_token_iteration", r->first_token_ns},
		{"first_output_token_iteration", r->first_token_ns},
		{"last_token_iteration", r->last_token_ns},
		{"last_request_iteration", r->done_ns},
		{"request_end", r->end_ns},
		{"resolve_end", r->end_ns},
		{"finalized", r->end_ns},
	};
	struct json_object *o = json_object_new_object();

	for (size_t i = 0; i < ARRAY_SIZE(instants); i++)
		json_put(o, instants[i].key, peers_unix(s, instants[i].at_ns));
	json_put_int(o, "request_iterations", r->events);
	json_put_int(o, "token_iterations", r->chunks_nr);
	return o;
}

static const char *status_word(const struct request_record *r)
{
	if (r->end == REQUEST_OK)
		return "completed";
	return r->end == REQUEST_CANCELLED ? "cancelled" : "errored";
}

static struct json_object *info(const struct load_stage *s,
				const struct request_record *r, const char *id)
{
	struct json_object *o = json_object_new_object();

	json_put_text(o, "request_id", id);
	json_put_text(o, "status", status_word(r));
	json_put_int(o, "scheduler_node_id", 0);
	json_put_int(o, "scheduler_process_id", r->worker);
	json_put(o, "scheduler_start_time", peers_unix(s, s->start_ns));
	json_put(o, "timings", timings(s, r));
	json_put_text(o, "error", r->end == REQUEST_OK ? NULL : request_end_name(r->end));
	return o;
}

static struct json_object *tokens(double text, int32_t cached)
{
	struct json_object *o = json_object_new_object();

	json_put(o, "text_tokens",
		 isnan(text) ? NULL : json_object_new_int64((int64_t)text));
	json_put(o, "cached_tokens", cached < 0 ? NULL : json_object_new_int(cached));
	return o;
}

struct json_object *peers_guidellm_request(const struct load_report *report,
					   const struct load_stage *stage,
					   const struct request_record *r)
{
	struct json_object *o = json_object_new_object();
	char *id = x_asprintf("tare-%" PRIu64 "-%" PRIu64, stage->seed, r->index);
	char *args =
		x_asprintf("{\"endpoint\":\"%s\",\"prompt_tokens\":%d,\"max_tokens\":%d}",
			   report->endpoint, r->prompt_wanted, r->output_wanted);

	json_put_text(o, "type_", "generative_request_stats");
	json_put_text(o, "request_id", id);
	json_put_text(o, "response_id", r->response_id[0] ? r->response_id : NULL);
	json_put_text(o, "request_args", args);
	json_put(o, "output", NULL);
	json_put(o, "info", info(stage, r, id));
	json_put(o, "input_metrics", tokens(peers_prompt_tokens(r), r->cached_tokens));
	json_put(o, "output_metrics", tokens(peers_output_tokens(r), -1));
	free(id);
	free(args);
	return o;
}
