#include "inference/load/load_run.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/document/result.h"

enum { KEY_MAX = 4096, PARTS_MAX = 65536 };

struct service_level load_service_level(const struct load_options *o)
{
	return (struct service_level){
		.ttft_ns = o->slo_ttft_ns ? o->slo_ttft_ns : CLOCK_NEVER,
		.tpot_ns = o->slo_tpot_ns ? o->slo_tpot_ns : CLOCK_NEVER,
		.latency_ns = o->slo_latency_ns ? o->slo_latency_ns : CLOCK_NEVER,
	};
}

struct stage_config load_run_stage(const struct load_run *r)
{
	const struct load_options *o = r->options;

	return (struct stage_config){
		.transport = &r->transport,
		.prompt = &r->prompt,
		.trace = &r->trace,
		.trace_scale = o->trace_scale,
		.duration_ns = o->seconds_ns,
		.warmup_ns = load_share_ns(o->warmup_ns, o->seconds_ns),
		.cooldown_ns = load_share_ns(o->cooldown_ns, o->seconds_ns),
		.warmup_is_share = o->warmup_ns < 0,
		.cooldown_is_share = o->cooldown_ns < 0,
		.grace_ns = o->grace_ns,
		.ramp_ns = o->ramp_ns,
		.requests_max = (uint64_t)o->requests,
		.threads = (unsigned)o->threads,
		.part = r->part,
		.parts = r->parts,
		.cpus = &o->cpus,
		.connections_max = o->connections,
		.connects_per_s = o->connect_rate,
		.timeout_ns = o->timeout_ns,
		.stall_ns = o->stall_ns,
		.checks_prompt = r->checks_prompt,
		.checks_output = r->checks_output,
		.errors_max = (uint64_t)o->max_errors,
		.error_rate_max = o->max_error_rate,
	};
}

/* The key becomes a header's value: a line break in it would begin another header. */
static int check_key(const char *key, const char *from, struct err *err)
{
	if (!*key)
		return err_set(err, ERR_USAGE, "%s holds no API key", from);
	for (; *key; key++)
		if (*key <= ' ' || *key > '~')
			return err_set(
				err, ERR_USAGE,
				"the API key in %s holds a byte that no key can hold",
				from);
	return 0;
}

static int read_key(const struct load_options *o, char **ret, struct err *err)
{
	struct buf text;
	const char *value;

	*ret = NULL;
	if (o->api_key_env) {
		value = getenv(o->api_key_env);
		if (!value)
			return err_set(
				err, ERR_USAGE,
				"environment variable %s (--api-key-env) is not set",
				o->api_key_env);
		*ret = x_strdup(value);
		return check_key(*ret, o->api_key_env, err);
	}
	if (!o->api_key_file)
		return 0;
	if (file_check_given(o->api_key_file, "a file with the key in its first line",
			     err) ||
	    file_read(o->api_key_file, KEY_MAX, &text, err))
		return err_wrap(err, "--api-key-file");
	*ret = x_strndup(text.data, strcspn(text.data, "\r\n"));
	explicit_bzero(text.data, text.len);
	buf_release(&text);
	return check_key(*ret, o->api_key_file, err);
}

static int whole_number(const char *text, unsigned *ret)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = text && *text >= '0' && *text <= '9' ? strtoul(text, &end, 10)
						 : PARTS_MAX + 1;
	if (n > PARTS_MAX || errno || (*end && *end != '/'))
		return -1;
	*ret = (unsigned)n;
	return 0;
}

/* "2/4", or "slurm": SLURM_PROCID and SLURM_NTASKS. 'ret_part' counts from 0. */
static int parse_part(const char *text, unsigned *ret_part, unsigned *ret_parts,
		      struct err *err)
{
	const char *slash = text ? strchr(text, '/') : NULL;

	*ret_part = 0;
	*ret_parts = 1;
	if (!text)
		return 0;
	if (!strcmp(text, "slurm")) {
		if (whole_number(getenv("SLURM_PROCID"), ret_part) ||
		    whole_number(getenv("SLURM_NTASKS"), ret_parts) ||
		    *ret_part >= *ret_parts)
			return err_set(
				err, ERR_USAGE,
				"--part slurm: SLURM_PROCID and SLURM_NTASKS are not "
				"set: start it by srun");
		return 0;
	}
	if (!slash || whole_number(text, ret_part) ||
	    whole_number(slash + 1, ret_parts) || strchr(slash + 1, '/') || !*ret_part ||
	    *ret_part > *ret_parts)
		return err_set(err, ERR_USAGE,
			       "--part '%s': expected K/N, K from 1 to N, or slurm",
			       text);
	--*ret_part;
	return 0;
}

static int parse_start(const char *text, int64_t *ret, struct err *err)
{
	char *end;
	double at;

	*ret = 0;
	if (!text)
		return 0;
	at = strtod(text, &end);
	if (end == text || *end || !(at > 1e9 && at < 9e9))
		return err_set(
			err, ERR_USAGE,
			"--start-at '%s': expected seconds since 1970, such as the "
			"output of date +%%s plus 10",
			text);
	*ret = llround(at * 1e9);
	if (*ret < clock_wall_ns())
		return err_set(err, ERR_USAGE, "--start-at '%s' has passed", text);
	return 0;
}

static int set_mock(struct mock_config *c, const struct strvec *settings, struct err *err)
{
	for (size_t i = 0; i < settings->nr; i++) {
		const char *text = settings->items[i], *equals = strchr(text, '=');
		char *name =
			x_strndup(text, equals ? (size_t)(equals - text) : strlen(text));
		const struct field *f = field_find(mock_fields, name);
		int rc;

		free(name);
		if (!f)
			return err_set(err, ERR_USAGE,
				       "--mock-set '%s': tare-mock has no such option; "
				       "'tare mock --help' lists them",
				       text);
		if (!equals && f->kind != FIELD_FLAG)
			return err_set(err, ERR_USAGE,
				       "--mock-set '%s': give it a value, NAME=VALUE",
				       text);
		rc = field_set_text(f, c, equals ? equals + 1 : "true", text, err);
		if (rc)
			return err_wrap(err, "--mock-set");
	}
	return 0;
}

static int start_mock(struct load_run *r, struct err *err)
{
	struct mock_config c = {.port = 0};
	int rc;

	fields_init(mock_fields, &c);
	rc = set_mock(&c, &r->options->mock_set, err);
	if (!rc)
		rc = mock_config_check(&c, err);
	if (!rc) {
		r->mock = mock_start(&c, MOCK_PROCESS, err);
		rc = r->mock ? 0 : -1;
	}
	fields_release(mock_fields, &c);
	return rc;
}

static int find_server(struct load_run *r, struct err *err)
{
	const struct load_options *o = r->options;

	if (o->uses_mock && start_mock(r, err))
		return err_wrap(err, "mock server");
	if (url_split(o->uses_mock ? mock_url(r->mock) : o->target, &r->url, err))
		return -1;
	r->origin = x_asprintf("%s%s", r->url.origin, r->url.base);
	r->transport = (struct transport){
		.url = r->origin,
		.bearer = r->bearer,
		.ca_file = o->ca_file,
		.is_insecure = o->is_insecure,
		.connect_timeout_ns = o->connect_timeout_ns,
	};
	if (r->url.is_tls && o->is_insecure)
		log_warn("--insecure: the certificate of %s is NOT verified; whoever "
			 "answers there is believed, and is sent the API key",
			 r->origin);
	return server_find_model(&r->transport, o->model, &r->facts, err);
}

/* Without usage nobody says how long a prompt was, nor how many tokens a text has. */
static void set_checks(struct load_run *r)
{
	const struct load_options *o = r->options;
	const struct dialect *d = &r->facts.dialect;

	r->checks_prompt = o->checks_lengths && d->has_stream_usage &&
			   (!o->endpoint || r->facts.counts_words);
	/* Where a model may stop by itself, a short answer is no fault. */
	r->checks_output = o->checks_lengths && d->has_fixed_length;
	if (!d->has_stream_usage)
		log_warn("%s says no usage: prompt lengths are unchecked, and each chunk "
			 "with a text counts as one token",
			 r->origin);
	if (o->checks_lengths && !d->has_fixed_length)
		log_warn("%s refuses min_tokens and ignore_eos: answers may be shorter "
			 "than asked for, and are not checked",
			 r->origin);
}

static int check_room(int64_t prompt, int64_t output, const struct load_run *r,
		      struct err *err)
{
	int64_t room = r->facts.max_model_len, around = r->prompt.overhead;

	if (r->prompt.is_chat && prompt <= around)
		return err_set(err, ERR_USAGE,
			       "a chat with %s has %lld tokens around its text: a prompt "
			       "of %lld cannot be made (--prompt-tokens, --prompt-min)",
			       r->facts.model, (long long)around, (long long)prompt);
	if (!room || prompt + output <= room)
		return 0;
	return err_set(
		err, ERR_USAGE,
		"a prompt of %lld and an answer of %lld tokens do not fit into the "
		"%lld that %s says it can hold (max_model_len)",
		(long long)prompt, (long long)output, (long long)room, r->facts.model);
}

/* Whoever asks for more than fits, at the least, gets nothing but errors. */
static int check_lengths(const struct load_run *r, struct err *err)
{
	const struct trace *list = r->prompt.lengths;
	const struct length_rule *p = &r->prompt.prompt_rule, *o = &r->prompt.output_rule;
	int rc = 0;

	if (!list)
		return check_room(p->kind == LENGTH_FIXED ? p->mean : p->min,
				  o->kind == LENGTH_FIXED ? o->mean : o->min, r, err);
	for (size_t i = 0; !rc && i < list->nr; i++)
		rc = check_room(list->entries[i].prompt_tokens,
				list->entries[i].output_tokens, r, err);
	return rc;
}

static int prepare_prompts(struct load_run *r, struct err *err)
{
	const struct load_options *o = r->options;

	r->prompt.prompt_rule = load_prompt_rule(o);
	r->prompt.output_rule = load_output_rule(o);
	r->prompt.seed = (uint64_t)o->seed;
	if (o->profile == PROFILE_TRACE)
		r->prompt.lengths = &r->trace;
	else if (o->lengths)
		r->prompt.lengths = &r->lengths;
	if (!o->endpoint)
		prompt_use_ids(&r->prompt, o->token_low, o->token_high);
	else if (server_find_words(&r->transport, r->facts.model, &r->prompt, &r->facts,
				   err))
		return -1;
	if (!o->prompt_min && r->prompt.prompt_rule.min <= r->prompt.overhead)
		r->prompt.prompt_rule.min = r->prompt.overhead + 1;
	if (check_lengths(r, err))
		return -1;
	if (server_find_dialect(&r->transport, &r->url, &r->prompt, r->facts.model,
				r->salt, &r->facts, &r->token_ns, err))
		return -1;
	set_checks(r);
	return 0;
}

static int read_files(struct load_run *r, struct err *err)
{
	const struct load_options *o = r->options;

	if (o->ca_file && file_check_given(o->ca_file, "certificates in PEM", err))
		return err_wrap(err, "--ca-file");
	if (o->profile == PROFILE_TRACE && trace_read(o->trace, true, &r->trace, err))
		return err_wrap(err, "--trace");
	if (o->lengths && trace_read(o->lengths, false, &r->lengths, err))
		return err_wrap(err, "--lengths");
	return 0;
}

int load_run_prepare(struct load_run *r, const struct load_options *o, struct err *err)
{
	*r = (struct load_run){.options = o};
	evidence_init(&r->evidence);
	r->salt = result_new_id();
	r->reports = x_calloc(PROFILE_STAGES_MAX, sizeof(*r->reports));
	r->outcomes = x_calloc(PROFILE_STAGES_MAX, sizeof(*r->outcomes));
	r->results = x_calloc(PROFILE_STAGES_MAX, sizeof(*r->results));
	if (load_options_check(o, err) || transport_init(err) || read_files(r, err) ||
	    read_key(o, &r->bearer, err) ||
	    parse_part(o->part, &r->part, &r->parts, err) ||
	    parse_start(o->start_at, &r->start_at_wall_ns, err) || find_server(r, err))
		return -1;
	return prepare_prompts(r, err);
}

void load_run_release(struct load_run *r)
{
	for (size_t i = 0; i < r->stages_nr; i++) {
		summary_release(&r->reports[i].summary);
		stage_outcome_release(&r->outcomes[i]);
	}
	evidence_release(&r->evidence);
	free(r->reports);
	free(r->outcomes);
	free(r->results);
	prompt_release(&r->prompt);
	trace_release(&r->trace);
	trace_release(&r->lengths);
	server_facts_release(&r->facts);
	url_parts_release(&r->url);
	free(r->origin);
	free(r->salt);
	if (r->bearer)
		explicit_bzero(r->bearer, strlen(r->bearer));
	free(r->bearer);
	mock_stop(r->mock);
}
