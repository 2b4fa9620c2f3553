#include "inference/load/load_peers.h"

#include "core/base/mem.h"
#include "inference/load/formats/peers.h"

#include <stdlib.h>

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
		unsigned nr;
		const struct spool_part *parts = spool_parts(r->outcomes[i].spool, &nr);

		s->stages[i] = r->outcomes[i].stage;
		s->readers[i] = spool_reader_new(parts, nr);
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

int load_write_peers(const struct load_run *r, struct err *err)
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
		rc = peers_write_guidellm(&report, o->guidellm_file, err);
	if (!rc && o->vllm_file)
		rc = peers_write_vllm(&report, o->vllm_file, err);
	sources_release(&s);
	return rc;
}
