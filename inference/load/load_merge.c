#include "inference/load/load_records.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "inference/load/figures/client_figures.h"

/* The records of one stage out of all files, on wall time. */
struct chain {
	const struct records_file *files;
	size_t nr, at;
	size_t stage;
	struct spool_reader *reader;
	struct chunk_stamp *chunks;
	size_t chunks_alloc;
};

static void shift(int64_t *at, int64_t by)
{
	if (*at != RECORD_NONE)
		*at += by;
}

static void to_wall(struct chain *c, struct request_record *r, int64_t by)
{
	int64_t *instants[] = {&r->scheduled_ns,  &r->issued_ns, &r->sent_ns,
			       &r->first_byte_ns, &r->role_ns,   &r->first_token_ns,
			       &r->last_token_ns, &r->done_ns,   &r->end_ns};

	for (size_t i = 0; i < ARRAY_SIZE(instants); i++)
		shift(instants[i], by);
	if (r->chunks_nr > c->chunks_alloc) {
		c->chunks_alloc = r->chunks_nr;
		c->chunks =
			x_realloc_array(c->chunks, c->chunks_alloc, sizeof(*c->chunks));
	}
	for (uint32_t i = 0; i < r->chunks_nr; i++) {
		c->chunks[i] = r->chunks[i];
		c->chunks[i].arrival_ns += by;
	}
	r->chunks = c->chunks;
}

static int chain_next(void *ctx, struct request_record *ret, struct err *err)
{
	struct chain *c = ctx;
	int rc;

	for (; c->at < c->nr; c->at++) {
		const struct records_stage *s = &c->files[c->at].stages[c->stage];

		if (!c->reader)
			c->reader = spool_reader_new(s->parts, s->parts_nr);
		rc = spool_reader_next(c->reader, ret, err);
		if (rc < 0)
			return err_wrap(err, "%s", c->files[c->at].path);
		if (rc) {
			to_wall(c, ret, s->stage.wall_offset_ns);
			return 1;
		}
		spool_reader_free(c->reader);
		c->reader = NULL;
	}
	return 0;
}

static void chain_rewind(void *ctx)
{
	struct chain *c = ctx;

	spool_reader_free(c->reader);
	c->reader = NULL;
	c->at = 0;
}

static int64_t wall(const struct load_stage *s, int64_t at)
{
	return at + s->wall_offset_ns;
}

/* The window in which every part was in its own. */
static struct load_stage common_stage(const struct records_file *files, size_t nr,
				      size_t i)
{
	struct load_stage all = files[0].stages[i].stage;

	all.start_ns = all.measure_end_ns = CLOCK_NEVER;
	all.end_ns = all.measure_start_ns = INT64_MIN;
	all.wall_offset_ns = 0;
	for (size_t f = 0; f < nr; f++) {
		const struct load_stage *s = &files[f].stages[i].stage;

		if (wall(s, s->start_ns) < all.start_ns)
			all.start_ns = wall(s, s->start_ns);
		if (wall(s, s->end_ns) > all.end_ns)
			all.end_ns = wall(s, s->end_ns);
		if (wall(s, s->measure_start_ns) > all.measure_start_ns)
			all.measure_start_ns = wall(s, s->measure_start_ns);
		if (wall(s, s->measure_end_ns) < all.measure_end_ns)
			all.measure_end_ns = wall(s, s->measure_end_ns);
	}
	return all;
}

static int merge_stage(const struct records_file *files, size_t nr, size_t i,
		       const struct service_level *level, struct stage_report *ret,
		       struct err *err)
{
	struct load_stage stage = common_stage(files, nr, i);
	struct chain c = {.files = files, .nr = nr, .stage = i};
	struct record_source source = {
		.ctx = &c, .next = chain_next, .rewind = chain_rewind};
	int rc;

	if (stage.measure_end_ns <= stage.measure_start_ns)
		return err_set(
			err, ERR_INVALID,
			"stage %s: the parts were not measured at the same time: start "
			"them with one --start-at",
			stage.label);
	*ret = (struct stage_report){.is_aborted = false};
	rc = summary_make(&ret->summary, &stage, &source, level, err);
	chain_rewind(&c);
	free(c.chunks);
	if (rc)
		return err_wrap(err, "stage %s", stage.label);
	ret->client = files[0].stages[i].client;
	for (size_t f = 0; f < nr; f++) {
		const struct records_stage *s = &files[f].stages[i];

		client_worsen(&ret->client, &s->client, f > 0);
		ret->is_aborted = ret->is_aborted || s->is_aborted;
		if (!ret->error_text[0])
			memcpy(ret->error_text, s->error_text, sizeof(ret->error_text));
	}
	return 0;
}

static bool same_json(struct json_object *a, struct json_object *b)
{
	return json_object_equal(a, b);
}

/* Every part once, and all of the same load. */
static int check_parts(const struct records_file *files, size_t nr, struct err *err)
{
	const struct records_file *first = &files[0];

	if (first->parts != nr)
		return err_set(err, ERR_USAGE,
			       "%s is one of %u parts, but %zu files were given",
			       first->path, first->parts, nr);
	for (size_t i = 0; i < nr; i++) {
		const struct records_file *f = &files[i];

		for (size_t k = 0; k < i; k++)
			if (files[k].part == f->part)
				return err_set(err, ERR_USAGE,
					       "%s and %s are both part %u",
					       files[k].path, f->path, f->part + 1);
		if (f->parts != first->parts || f->stages_nr != first->stages_nr ||
		    !same_json(json_at(f->head, "facts/params"),
			       json_at(first->head, "facts/params")))
			return err_set(err, ERR_USAGE, "%s is not of the same load as %s",
				       f->path, first->path);
	}
	return 0;
}

/* The part whose arrival stamps were worst; NULL: none was calibrated. */
static struct json_object *worst_calibration(const struct records_file *files, size_t nr)
{
	struct json_object *worst = NULL;

	for (size_t i = 0; i < nr; i++) {
		struct json_object *c = json_at(files[i].head, "facts/calibration");

		if (!worst || json_get_real(c, "stamp_error_p99_s", 0) >
				      json_get_real(worst, "stamp_error_p99_s", 0))
			worst = c;
	}
	return worst;
}

/* Each part has read the one server's counters over its own time. */
static double most_hits(const struct records_file *files, size_t nr)
{
	double most = NAN;

	for (size_t i = 0; i < nr; i++)
		most = fmax(most,
			    json_get_real(files[i].head, "prefix_cache_hit_ratio", NAN));
	return most;
}

static int merge(const struct records_file *files, size_t nr, struct result *ret,
		 struct err *err)
{
	struct json_object *head = files[0].head;
	size_t stages = files[0].stages_nr, done = 0;
	struct stage_report *reports = x_calloc(stages, sizeof(*reports));
	struct stage_result *results = x_calloc(stages, sizeof(*results));
	struct load_options o = {.slo_ttft_ns = json_get_int(head, "slo_ttft_ns", 0),
				 .slo_tpot_ns = json_get_int(head, "slo_tpot_ns", 0),
				 .slo_latency_ns =
					 json_get_int(head, "slo_latency_ns", 0)};
	struct service_level level = load_service_level(&o);
	struct evidence nothing;
	int rc = 0;

	for (; !rc && done < stages; done += !rc) {
		rc = merge_stage(files, nr, done, &level, &reports[done], err);
		if (!rc)
			stage_result_take(&results[done], &reports[done]);
	}
	if (!rc) {
		load_result_start(ret, json_member(head, "facts"));
		json_put_int(ret->details, "parts", files[0].parts);
		json_put(ret->details, "calibration",
			 json_object_get(worst_calibration(files, nr)));
		load_result_add_calibration(ret, worst_calibration(files, nr));
		evidence_init(&nothing);
		load_result_add_evidence(ret, &nothing);
		load_result_add_stages(ret, reports, results, stages,
				       json_get_real(head, "saturation_gain", 0.05));
		load_result_judge_cache(ret, most_hits(files, nr), reports, stages);
	}
	for (size_t i = 0; i < done; i++)
		summary_release(&reports[i].summary);
	free(reports);
	free(results);
	return rc;
}

int load_merge(const char *const *paths, size_t nr, struct result *ret, struct err *err)
{
	struct records_file *files = x_calloc(nr, sizeof(*files));
	size_t opened = 0;
	int rc = 0;

	for (; !rc && opened < nr; opened += !rc)
		rc = records_open(paths[opened], &files[opened], err);
	if (!rc)
		rc = check_parts(files, nr, err);
	if (!rc)
		rc = merge(files, nr, ret, err);
	for (size_t i = 0; i < opened; i++)
		records_close(&files[i]);
	free(files);
	return rc;
}
