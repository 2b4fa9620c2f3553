#include "inference/load/load_options.h"

#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "inference/load/profile.h"

#define AT(m) offsetof(struct load_options, m)

const char *const load_profile_names[] = {
	"synchronous", "concurrent", "throughput", "constant", "poisson",
	"sweep",       "saturation", "slo",        "trace",    NULL,
};

static const char *const endpoints[] = {"completions", "chat", NULL};
static const char *const patterns[] = {"poisson", "constant", NULL};

static const struct field fields[] = {
	{.name = "target",
	 .kind = FIELD_TEXT,
	 .offset = AT(target),
	 .arg = "URL",
	 .help = "The server: http://host:port, with or without /v1."},
	{"model", FIELD_TEXT, AT(model), .arg = "NAME",
	 .help = "The model to ask for. Left out: the first that /v1/models names."},
	{"endpoint", FIELD_CHOICE, AT(endpoint), .unset = "completions",
	 .choices = endpoints, .arg = "NAME",
	 .help = "completions sends token ids; chat sends words counted by /tokenize."},
	{"mock", FIELD_FLAG, AT(uses_mock),
	 .help = "Measure the built-in mock server, started for it. It is no model: the "
		 "figures describe this client."},
	{"mock-set", FIELD_TEXTS, AT(mock_set), .arg = "NAME=VALUE",
	 .help = "An option of tare-mock for --mock, such as itl=10ms."},

	{"profile", FIELD_CHOICE, AT(profile), .unset = "concurrent",
	 .choices = load_profile_names, .arg = "NAME",
	 .help = "How load is offered: see PROFILES."},
	{"concurrency", FIELD_INTS, AT(concurrency), .unset = LOAD_CONCURRENCY_DEFAULT,
	 .min = 1, .max = 65536, .arg = "N,...",
	 .help = "Requests in flight, a stage for each number (concurrent)."},
	{"max-concurrency", FIELD_INT, AT(max_concurrency), .unset = "256", .min = 1,
	 .max = 65536, .arg = "N",
	 .help = "The most requests in flight (throughput, sweep, saturation, slo)."},
	{"rate", FIELD_REAL, AT(rate), .unset = LOAD_RATE_DEFAULT, .min = 1e-3,
	 .max = 1e6, .arg = "N", .help = "Requests a second (constant, poisson)."},
	{"sweep-size", FIELD_INT, AT(sweep_size), .unset = "10", .min = 3, .max = 100,
	 .arg = "N", .help = "Stages of a sweep, the first two included."},
	{"sweep-pattern", FIELD_CHOICE, AT(sweep_pattern), .unset = "poisson",
	 .choices = patterns, .arg = "NAME", .help = "Arrivals of a sweep's rates."},
	{"saturation-gain", FIELD_REAL, AT(saturation_gain), .unset = "0.05",
	 .min = 0.001, .max = 1, .arg = "SHARE",
	 .help = "Throughput has stopped rising when twice the concurrency brings less."},
	{"slo-ttft", FIELD_SECONDS, AT(slo_ttft_ns), .max = 3600, .arg = "TIME",
	 .help = "A good request's first token comes within this; 0: no limit."},
	{"slo-tpot", FIELD_SECONDS, AT(slo_tpot_ns), .max = 3600, .arg = "TIME",
	 .help = "Limit of its time per output token, the first left out; 0: no limit."},
	{"slo-latency", FIELD_SECONDS, AT(slo_latency_ns), .max = 3600, .arg = "TIME",
	 .help = "Limit of its whole latency, from sending to the stream's end; 0: no "
		 "limit."},
	{"slo-share", FIELD_REAL, AT(slo_share), .unset = "0.99", .min = 0.5,
	 .max = 0.9999, .arg = "SHARE",
	 .help = "The share of requests that must be good (slo)."},
	{"trace", FIELD_TEXT, AT(trace), .arg = "FILE",
	 .help = "JSON lines with at_s, prompt_tokens and output_tokens (trace)."},
	{"trace-scale", FIELD_REAL, AT(trace_scale), .unset = "1", .min = 1e-6,
	 .max = 1e6, .arg = "N", .help = "Multiplies the trace's times."},

	{"seconds", FIELD_SECONDS, AT(seconds_ns), .unset = "30", .max = 604800,
	 .arg = "TIME",
	 .help = "How long each stage sends, warm-up and cool-down included; 0: until "
		 "--requests."},
	{"warmup", FIELD_SECONDS, AT(warmup_ns), .unset = "-1", .min = -1, .max = 86400,
	 .arg = "TIME",
	 .help = "Its beginning that is not measured; -1: a tenth of it, however soon "
		 "--requests ends it."},
	{"cooldown", FIELD_SECONDS, AT(cooldown_ns), .unset = "-1", .min = -1,
	 .max = 86400, .arg = "TIME",
	 .help = "Its end that is not measured; -1: a tenth of it."},
	{"grace", FIELD_SECONDS, AT(grace_ns), .unset = "30", .max = 3600, .arg = "TIME",
	 .help = "How long replies to measured requests are waited for at the end. What "
		 "is not over then is cancelled; too many make a result invalid."},
	{"ramp", FIELD_SECONDS, AT(ramp_ns), .unset = "0", .max = 3600, .arg = "TIME",
	 .help = "Spreads the first requests of a closed loop over this time."},
	{"requests", FIELD_INT, AT(requests), .unset = "0", .max = 1e12, .arg = "N",
	 .help = "Ends each stage after so many requests; 0: no limit."},
	{"max-errors", FIELD_INT, AT(max_errors), .unset = "0", .max = 1e12, .arg = "N",
	 .help = "Gives up after more failures than this; 0: no limit."},
	{"max-error-rate", FIELD_REAL, AT(max_error_rate), .unset = "1", .max = 1,
	 .arg = "SHARE",
	 .help = "Gives up when more than this share of the last 30 or more requests "
		 "failed; 1: no limit."},

	{"prompt-tokens", FIELD_INT, AT(prompt_tokens), .unset = "512", .min = 1,
	 .max = TOKENS_MAX, .arg = "N", .help = "Tokens of each prompt, or their mean."},
	{"prompt-min", FIELD_INT, AT(prompt_min), .max = TOKENS_MAX, .arg = "N",
	 .help = "Shortest prompt: see LENGTHS."},
	{"prompt-max", FIELD_INT, AT(prompt_max), .max = TOKENS_MAX, .arg = "N",
	 .help = "Longest prompt."},
	{"prompt-deviation", FIELD_REAL, AT(prompt_deviation), .unset = "0",
	 .max = TOKENS_MAX, .arg = "N",
	 .help = "Standard deviation of normally distributed prompts."},
	{"output-tokens", FIELD_INT, AT(output_tokens), .unset = "128", .min = 1,
	 .max = TOKENS_MAX, .arg = "N", .help = "Tokens of each answer, or their mean."},
	{"output-min", FIELD_INT, AT(output_min), .max = TOKENS_MAX, .arg = "N",
	 .help = "Shortest answer."},
	{"output-max", FIELD_INT, AT(output_max), .max = TOKENS_MAX, .arg = "N",
	 .help = "Longest answer."},
	{"output-deviation", FIELD_REAL, AT(output_deviation), .unset = "0",
	 .max = TOKENS_MAX, .arg = "N",
	 .help = "Standard deviation of normally distributed answers."},
	{"lengths", FIELD_TEXT, AT(lengths), .arg = "FILE",
	 .help = "JSON lines with prompt_tokens and output_tokens, used in turn."},
	{"check-lengths", FIELD_FLAG, AT(checks_lengths), .unset = "true",
	 .help = "A reply whose usage is not the lengths asked for counts as failed."},
	{"token-low", FIELD_INT, AT(token_low), .unset = "10000", .max = 10000000,
	 .arg = "ID", .help = "Token ids are drawn from here (completions) ..."},
	{"token-high", FIELD_INT, AT(token_high), .unset = "30000", .min = 1,
	 .max = 10000000, .arg = "ID",
	 .help = "... up to, but not including, this: no more than the model's "
		 "vocabulary holds."},
	{"seed", FIELD_INT, AT(seed), .unset = "1", .max = 9e15, .arg = "N",
	 .help = "Arrivals, lengths and prompts follow from it alone."},

	{"threads", FIELD_INT, AT(threads), .unset = "1", .min = 1, .max = 256,
	 .arg = "N", .help = "Threads that send and receive."},
	{"cpus", FIELD_INTS, AT(cpus), .max = 1023, .arg = "N,...",
	 .help = "CPUs that they are pinned to, in turn."},
	{"connections", FIELD_INT, AT(connections), .unset = "1024", .min = 1,
	 .max = 65536, .arg = "N",
	 .help = "The most connections of an open load (constant, poisson, trace)."},
	{"connect-rate", FIELD_REAL, AT(connect_rate), .unset = "2000", .min = 1,
	 .max = 1e6, .arg = "N",
	 .help = "Connections opened a second before a stage begins."},
	{"timeout", FIELD_SECONDS, AT(timeout_ns), .unset = "600", .min = 0.001,
	 .max = 86400, .arg = "TIME",
	 .help = "A request that takes longer failed (timeout)."},
	{"stall", FIELD_SECONDS, AT(stall_ns), .unset = "60", .min = 0.001, .max = 86400,
	 .arg = "TIME", .help = "A reply that pauses for longer failed (stall)."},
	{"connect-timeout", FIELD_SECONDS, AT(connect_timeout_ns), .unset = "10",
	 .min = 0.001, .max = 3600, .arg = "TIME",
	 .help = "A connection must be there within this."},
	{"start-at", FIELD_TEXT, AT(start_at), .arg = "WHEN",
	 .help = "Unix time in seconds at which the first stage begins, the same for "
		 "all parts."},
	{"part", FIELD_TEXT, AT(part), .arg = "K/N",
	 .help = "This process is number K, from 1, of N that share the load: see "
		 "SEVERAL MACHINES. 'slurm' takes both from srun's environment."},

	{"api-key-env", FIELD_TEXT, AT(api_key_env), .arg = "NAME",
	 .help = "The environment variable that holds the API key."},
	{"api-key-file", FIELD_TEXT, AT(api_key_file), .arg = "FILE",
	 .help = "The file that holds it, in its first line."},
	{"ca-file", FIELD_TEXT, AT(ca_file), .arg = "FILE",
	 .help = "Certificates to trust in place of the system's."},
	{"insecure", FIELD_FLAG, AT(is_insecure),
	 .help = "Do not verify the server's TLS certificate."},

	{"calibrate", FIELD_SECONDS, AT(calibrate_ns), .unset = "2", .max = 600,
	 .arg = "TIME",
	 .help = "How long this client is first measured against the mock; 0: not."},
	{"json", FIELD_FLAG, AT(prints_json),
	 .help = "Print the result document on standard output."},
	{"output", FIELD_TEXT, AT(output), .arg = "FILE", .letter = 'o',
	 .help = "Write the result document to a file; what is there is replaced."},
	{"requests-file", FIELD_TEXT, AT(requests_file), .arg = "FILE",
	 .help = "Write a JSON line for each request."},
	{"chunks", FIELD_TEXT, AT(chunks_file), .arg = "FILE",
	 .help = "Write a JSON line for each chunk that carried tokens."},
	{"records", FIELD_TEXT, AT(records_file), .arg = "FILE",
	 .help = "Keep all records, for 'tare load merge'."},
	{"guidellm", FIELD_TEXT, AT(guidellm_file), .arg = "FILE",
	 .help = "Write GuideLLM's report, version 2."},
	{"vllm", FIELD_TEXT, AT(vllm_file), .arg = "FILE",
	 .help = "Write the JSON of 'vllm bench serve'."},
	{0},
};

static const struct opt_text examples[] = {
	{"tare load --mock --concurrency 1,8,32 --seconds 5",
	 "Try it out on any machine: the mock server stands in for a model."},
	{"tare load --target http://127.0.0.1:8000 --prompt-tokens 512 "
	 "--output-tokens 256 --profile saturation --seconds 60 -o result.json",
	 "Find the concurrency past which a server's throughput stops rising."},
	{"tare load --target http://127.0.0.1:8000 --profile poisson --rate 12.5",
	 "Poisson arrivals; latencies from send and from schedule."},
	{"tare load --target http://127.0.0.1:8000 --profile slo --slo-ttft 2s "
	 "--slo-tpot 200ms",
	 "The most concurrent requests of which 99 % stay within both limits."},
	{0},
};

static const struct opt_text sections[] = {
	{"PROFILES",
	 "synchronous: one request at a time. concurrent: N at a time, for each N of "
	 "--concurrency. throughput: --max-concurrency at a time. constant, poisson: "
	 "--rate requests a second whether or not earlier ones are done. sweep: "
	 "synchronous, throughput, then rates evenly between the two. saturation: "
	 "concurrency doubled until the output tokens a second rise by less than "
	 "--saturation-gain, then refined. slo: concurrency doubled, then bisected, "
	 "to the highest whose share of good requests is at least --slo-share (Wilson "
	 "interval at 95 %). trace: times and lengths of a file."},
	{"LENGTHS", "Fixed by default; normal with a deviation (cut to min and max, by "
		    "default 1 and "
		    "twice the mean); uniform with min and max alone; or from a file."},
	{"TRUTH",
	 "Arrival times are the kernel's receive stamps. The result is 'invalid' with "
	 "the reason client-limited when this client's own error is more than 1 % of "
	 "what it measured."},
	{"SEVERAL MACHINES",
	 "Processes with the same options, a common --start-at and --part 1/N to N/N "
	 "send disjoint parts of one load; 'tare load merge A B ...' makes one exact "
	 "result of the files they wrote with --records. Only profiles whose stages "
	 "are known beforehand can be shared: concurrent, throughput, constant, "
	 "poisson, trace."},
	{0},
};

const struct opt_command load_command = {
	.name = "tare-load",
	.summary = "measures a model server under load",
	.usage =
		"[OPTION]... (--target URL | --mock)\n       tare-load merge [OPTION]... "
		"RECORDS...",
	.about = "Sends completion requests to an OpenAI-compatible server, reads the "
		 "streams, and reports throughput and latencies with the client's own "
		 "error.",
	.fields = fields,
	.examples = examples,
	.sections = sections,
};

int64_t load_share_ns(int64_t given_ns, int64_t seconds_ns)
{
	return given_ns >= 0 ? given_ns : seconds_ns / 10;
}

static struct length_rule rule(int64_t mean, int64_t min, int64_t max, double deviation)
{
	struct length_rule r = {.kind = LENGTH_FIXED, .mean = mean};

	if (deviation > 0) {
		r.kind = LENGTH_NORMAL;
		r.deviation = deviation;
		r.min = min > 0 ? min : 1;
		r.max = max > 0 ? max : 2 * mean;
	} else if (max > 0) {
		r.kind = LENGTH_UNIFORM;
		r.min = min > 0 ? min : 1;
		r.max = max;
		r.mean = (r.min + r.max) / 2;
	}
	return r;
}

struct length_rule load_prompt_rule(const struct load_options *o)
{
	return rule(o->prompt_tokens, o->prompt_min, o->prompt_max, o->prompt_deviation);
}

struct length_rule load_output_rule(const struct load_options *o)
{
	return rule(o->output_tokens, o->output_min, o->output_max, o->output_deviation);
}

static int check_lengths(struct length_rule r, int64_t min, const char *what,
			 struct err *err)
{
	if (r.kind == LENGTH_FIXED && min > 0)
		return err_set(err, ERR_USAGE,
			       "--%s-min needs --%s-max or --%s-deviation beside it",
			       what, what, what);
	if (r.kind != LENGTH_FIXED && r.min > r.max)
		return err_set(err, ERR_USAGE, "--%s-min %lld is above --%s-max %lld",
			       what, (long long)r.min, what, (long long)r.max);
	return 0;
}

static int check_time(const struct load_options *o, struct err *err)
{
	int64_t aside = load_share_ns(o->warmup_ns, o->seconds_ns) +
			load_share_ns(o->cooldown_ns, o->seconds_ns);

	if (!o->seconds_ns && !o->requests && o->profile != PROFILE_TRACE)
		return err_set(err, ERR_USAGE,
			       "give --seconds or --requests: when to end?");
	if (o->seconds_ns && aside >= o->seconds_ns)
		return err_set(err, ERR_USAGE,
			       "--warmup and --cooldown leave nothing of --seconds");
	return 0;
}

/* A stage is called by its concurrency, and so are its metrics. */
static int check_levels(const struct int_list *levels, struct err *err)
{
	if (levels->nr > PROFILE_STAGES_MAX)
		return err_set(err, ERR_USAGE, "--concurrency: at most %d numbers",
			       PROFILE_STAGES_MAX);
	for (size_t i = 0; i < levels->nr; i++)
		for (size_t k = 0; k < i; k++)
			if (levels->items[k] == levels->items[i])
				return err_set(err, ERR_USAGE,
					       "--concurrency has %lld twice: give each "
					       "number once, and repeat the run instead",
					       (long long)levels->items[i]);
	return 0;
}

static int check_cpus(const struct int_list *cpus, struct err *err)
{
	long nr = sysconf(_SC_NPROCESSORS_CONF);

	for (size_t i = 0; i < cpus->nr; i++)
		if (cpus->items[i] >= nr)
			return err_set(err, ERR_USAGE,
				       "--cpus %lld: this machine has CPUs 0 to %ld",
				       (long long)cpus->items[i], nr - 1);
	return 0;
}

static bool is_adaptive(int profile)
{
	return profile == PROFILE_SWEEP || profile == PROFILE_SATURATION ||
	       profile == PROFILE_SLO;
}

/* An option that the profile does not look at was meant for another one. */
static int check_profile(const struct load_options *o, struct err *err)
{
	bool has_rate = o->profile == PROFILE_CONSTANT || o->profile == PROFILE_POISSON;

	if (o->profile == PROFILE_TRACE && !o->trace)
		return err_set(err, ERR_USAGE, "profile trace needs --trace FILE");
	if (o->profile != PROFILE_TRACE && o->trace)
		return err_set(err, ERR_USAGE, "--trace needs --profile trace");
	if (!has_rate && o->rate != strtod(LOAD_RATE_DEFAULT, NULL))
		return err_set(err, ERR_USAGE,
			       "--rate needs --profile constant or poisson: %s does not "
			       "send at a rate",
			       load_profile_names[o->profile]);
	if (o->profile != PROFILE_CONCURRENT &&
	    (o->concurrency.nr != 1 ||
	     o->concurrency.items[0] != strtoll(LOAD_CONCURRENCY_DEFAULT, NULL, 10)))
		return err_set(err, ERR_USAGE,
			       "--concurrency needs --profile concurrent: %s decides "
			       "itself how many are in flight",
			       load_profile_names[o->profile]);
	if (o->profile == PROFILE_SLO && !o->slo_ttft_ns && !o->slo_tpot_ns &&
	    !o->slo_latency_ns)
		return err_set(
			err, ERR_USAGE,
			"profile slo needs --slo-ttft, --slo-tpot or --slo-latency");
	return 0;
}

int load_options_check(const struct load_options *o, struct err *err)
{
	if (!o->target == !o->uses_mock)
		return err_set(err, ERR_USAGE, "give either --target URL or --mock");
	if (o->mock_set.nr && !o->uses_mock)
		return err_set(err, ERR_USAGE, "--mock-set needs --mock");
	if (o->token_low >= o->token_high)
		return err_set(err, ERR_USAGE, "--token-low must be below --token-high");
	if (o->part && is_adaptive(o->profile))
		return err_set(
			err, ERR_USAGE,
			"profile %s decides as it goes and cannot be shared (--part)",
			load_profile_names[o->profile]);
	if (o->api_key_env && o->api_key_file)
		return err_set(err, ERR_USAGE,
			       "give one of --api-key-env, --api-key-file");
	if (check_lengths(load_prompt_rule(o), o->prompt_min, "prompt", err) ||
	    check_lengths(load_output_rule(o), o->output_min, "output", err))
		return -1;
	if (check_levels(&o->concurrency, err) || check_cpus(&o->cpus, err))
		return -1;
	return check_profile(o, err) ? -1 : check_time(o, err);
}
