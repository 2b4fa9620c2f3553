#include "inference/load/load_files.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/document/json.h"
#include "core/base/mem.h"
#include "inference/load/formats/formats.h"

/* Writes the lines of one record. */
typedef void put_record(FILE *f, const struct load_stage *stage,
			const struct request_record *r);

static void put_instant(struct json_object *o, const char *key,
			const struct load_stage *s, int64_t at)
{
	json_put(o, key,
		 at == RECORD_NONE ? NULL
				   : json_object_new_int64(at + s->wall_offset_ns));
}

static void put_count(struct json_object *o, const char *key, int32_t n)
{
	json_put(o, key, n < 0 ? NULL : json_object_new_int64(n));
}

static char *request_id(const struct load_stage *s, uint64_t index)
{
	return x_asprintf("tare-%" PRIu64 "-%" PRIu64, s->seed, index);
}

static void put_request(FILE *f, const struct load_stage *s,
			const struct request_record *r)
{
	struct json_object *o = json_object_new_object();
	char *id = request_id(s, r->index);

	json_put_text(o, "stage", s->label);
	json_put_int(o, "request", (int64_t)r->index);
	json_put_text(o, "request_id", id);
	json_put_text(o, "response_id", r->response_id[0] ? r->response_id : NULL);
	json_put_text(o, "end", request_end_name(r->end));
	json_put_int(o, "http_status", r->http_status);
	put_instant(o, "scheduled_ns", s, r->scheduled_ns);
	put_instant(o, "issued_ns", s, r->issued_ns);
	put_instant(o, "sent_ns", s, r->sent_ns);
	put_instant(o, "first_byte_ns", s, r->first_byte_ns);
	put_instant(o, "role_ns", s, r->role_ns);
	put_instant(o, "first_token_ns", s, r->first_token_ns);
	put_instant(o, "last_token_ns", s, r->last_token_ns);
	put_instant(o, "done_ns", s, r->done_ns);
	put_instant(o, "end_ns", s, r->end_ns);
	put_count(o, "prompt_tokens_wanted", r->prompt_wanted);
	put_count(o, "output_tokens_wanted", r->output_wanted);
	put_count(o, "prompt_tokens", r->prompt_tokens);
	put_count(o, "output_tokens", r->output_tokens);
	put_count(o, "cached_tokens", r->cached_tokens);
	put_count(o, "received_tokens", r->received_tokens);
	json_put_int(o, "chunks", r->chunks_nr);
	json_put_int(o, "worker", r->worker);
	json_put_bool(o, "reused_connection", r->reused_connection);
	fprintf(f, "%s\n", json_line(o));
	json_object_put(o);
	free(id);
}

static void put_chunks(FILE *f, const struct load_stage *s,
		       const struct request_record *r)
{
	struct json_object *text = json_object_new_string(r->response_id);
	const char *id = r->response_id[0] ? json_line(text) : "null";

	for (uint32_t i = 0; i < r->chunks_nr; i++)
		fprintf(f,
			"{\"request\":%" PRIu64 ",\"response_id\":%s,\"index\":%" PRIu32
			",\"arrival_ns\":%" PRId64 ",\"tokens\":%" PRIu32
			",\"stage\":\"%s\",\"request_id\":\"tare-%" PRIu64 "-%" PRIu64
			"\",\"coalesced\":%s}\n",
			r->index, id, i, r->chunks[i].arrival_ns + s->wall_offset_ns,
			r->chunks[i].tokens, s->label, s->seed, r->index,
			r->chunks[i].coalesced ? "true" : "false");
	json_object_put(text);
}

static int put_stages(const struct load_run *run, FILE *f, put_record *put,
		      struct err *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < run->stages_nr; i++) {
		const struct load_stage *stage = &run->outcomes[i].stage;
		struct spool_reader *reader = spool_read(run->outcomes[i].spool);
		struct request_record r;

		while ((rc = spool_reader_next(reader, &r, err)) > 0)
			put(f, stage, &r);
		spool_reader_free(reader);
	}
	return rc;
}

static int write_lines(const struct load_run *run, const char *path, put_record *put,
		       struct err *err)
{
	struct file_out f;

	if (file_out_open(&f, path, 0644, err))
		return -1;
	return file_out_close(&f, put_stages(run, f.stream, put, err) == 0, err);
}

int load_write_requests(const struct load_run *r, const char *path, struct err *err)
{
	return write_lines(r, path, put_request, err);
}

int load_write_chunks(const struct load_run *r, const char *path, struct err *err)
{
	return write_lines(r, path, put_chunks, err);
}

/* The run's stages and spools, side by side as the writers want them. */
struct sources {
	struct load_stage *stages;
	struct spool_reader **readers;
	struct record_source *sources;
	size_t nr;
};

static void sources_open(struct sources *s, const struct load_run *r)
{
	s->nr = r->stages_nr;
	s->stages = x_calloc(s->nr + 1, sizeof(*s->stages));
	s->readers = x_calloc(s->nr + 1, sizeof(*s->readers));
	s->sources = x_calloc(s->nr + 1, sizeof(*s->sources));
	for (size_t i = 0; i < s->nr; i++) {
		s->stages[i] = r->outcomes[i].stage;
		s->readers[i] = spool_read(r->outcomes[i].spool);
		s->sources[i] = spool_reader_source(s->readers[i]);
	}
}

static void sources_release(struct sources *s)
{
	for (size_t i = 0; i < s->nr; i++)
		spool_reader_free(s->readers[i]);
	free(s->stages);
	free(s->readers);
	free(s->sources);
}

/* The mean length where lengths vary. */
static void set_lengths(struct load_report *report, const struct load_run *r)
{
	const struct trace *list = r->prompt.lengths;

	report->prompt_tokens = r->prompt.prompt_rule.mean;
	report->output_tokens = r->prompt.output_rule.mean;
	if (!list)
		return;
	report->prompt_tokens = report->output_tokens = 0;
	for (size_t i = 0; i < list->nr; i++) {
		report->prompt_tokens += list->entries[i].prompt_tokens;
		report->output_tokens += list->entries[i].output_tokens;
	}
	report->prompt_tokens /= (int64_t)list->nr;
	report->output_tokens /= (int64_t)list->nr;
}

int load_write_formats(const struct load_run *r, struct err *err)
{
	const struct load_options *o = r->options;
	struct sources s;
	struct load_report report;
	int rc = 0;

	if (!o->guidellm_file && !o->vllm_file)
		return 0;
	sources_open(&s, r);
	report = (struct load_report){
		.target = r->origin,
		.model = r->facts.model,
		.endpoint = o->endpoint ? "/v1/chat/completions" : "/v1/completions",
		.profile = load_profile_names[o->profile],
		.warmup_s = (double)load_share_ns(o->warmup_ns, o->seconds_ns) * 1e-9,
		.cooldown_s = (double)load_share_ns(o->cooldown_ns, o->seconds_ns) * 1e-9,
		.stages = s.stages,
		.sources = s.sources,
		.stages_nr = s.nr,
	};
	set_lengths(&report, r);
	if (o->guidellm_file)
		rc = format_write_guidellm(&report, o->guidellm_file, err);
	if (!rc && o->vllm_file)
		rc = format_write_vllm(&report, o->vllm_file, err);
	sources_release(&s);
	return rc;
}

int load_check_files(const struct load_options *o, struct err *err)
{
	const struct {
		const char *option, *path;
	} files[] = {
		{"--output", o->output},          {"--requests-file", o->requests_file},
		{"--chunks", o->chunks_file},     {"--records", o->records_file},
		{"--guidellm", o->guidellm_file}, {"--vllm", o->vllm_file}};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		if (!files[i].path)
			continue;
		if (file_can_write(files[i].path, files[i].option, err))
			return -1;
		for (size_t k = 0; k < i; k++)
			if (files[k].path && strcmp(files[k].path, files[i].path) == 0)
				return err_set(err, ERR_USAGE, "%s and %s are both %s",
					       files[k].option, files[i].option,
					       files[i].path);
	}
	return 0;
}
