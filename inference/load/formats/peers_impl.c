#include "inference/load/formats/peers_impl.h"

#include <math.h>

double peers_between_s(int64_t from_ns, int64_t to_ns)
{
	if (from_ns == RECORD_NONE || to_ns == RECORD_NONE)
		return NAN;
	return (double)(to_ns - from_ns) * 1e-9;
}

struct json_object *peers_unix(const struct load_stage *s, int64_t at_ns)
{
	if (at_ns == RECORD_NONE)
		return NULL;
	return json_new_real((double)(at_ns + s->wall_offset_ns) * 1e-9);
}

double peers_output_tokens(const struct request_record *r)
{
	if (r->output_tokens >= 0)
		return r->output_tokens;
	return r->received_tokens > 0 ? r->received_tokens : NAN;
}

double peers_prompt_tokens(const struct request_record *r)
{
	return r->prompt_tokens >= 0 ? r->prompt_tokens : r->prompt_wanted;
}

void peers_put_line(FILE *f, struct json_object *o)
{
	fputs(json_line(o), f);
	json_object_put(o);
}
