#include "inference/load/load_options.h"

#include <stdlib.h>
#include <unistd.h>

#include "inference/load/profile.h"

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
