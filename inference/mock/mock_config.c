#include "inference/mock/mock.h"

#include "inference/mock/mock_fault.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

static const char *const paces[] = {"fixed", "batch", NULL};
static const char *const roles[] = {"with-first", "at-once", "never", NULL};

#define AT(member) offsetof(struct mock_config, member)

const struct field mock_fields[] = {
	{"address", FIELD_TEXT, AT(address), .unset = "127.0.0.1", .arg = "ADDRESS",
	 .help = "Listen on this IPv4 or IPv6 literal."},
	{"port", FIELD_INT, AT(port), .unset = "0", .max = 65535, .arg = "PORT",
	 .help = "Listen on this port; 0 takes a free one.", .letter = 'p'},
	{"model-name", FIELD_TEXT, AT(model), .unset = "tare-mock", .arg = "NAME",
	 .help = "The model's name in answers. It must begin with 'mock' or 'tare-mock', "
		 "so that nobody takes the figures for a model's."},
	{"strict-model", FIELD_FLAG, AT(strict_model),
	 .help = "Answer 404 to a request that names another model, as vLLM does."},
	{"max-model-len", FIELD_INT, AT(max_model_len), .unset = "131072", .min = 2,
	 .max = 1 << 20, .arg = "TOKENS",
	 .help = "Most tokens of prompt and output together; more is HTTP 400."},
	{"seed", FIELD_INT, AT(seed), .unset = "1", .max = 9e15, .arg = "N",
	 .help = "Seed of jitter and of faults by rate."},
	{"pace", FIELD_CHOICE, AT(pace), .unset = "fixed", .choices = paces,
	 .arg = "PACE",
	 .help = "fixed: each request has its own schedule from --ttft and --itl. batch: "
		 "one engine advances all requests in steps, so that throughput "
		 "saturates."},
	{"ttft", FIELD_SECONDS, AT(ttft_ns), .unset = "20ms", .max = 3600,
	 .arg = "SECONDS",
	 .help = "Fixed pace: from a request's arrival to its first token."},
	{"itl", FIELD_SECONDS, AT(itl_ns), .unset = "10ms", .max = 3600, .arg = "SECONDS",
	 .help = "Fixed pace: from one chunk to the next."},
	{"prefill-per-token", FIELD_SECONDS, AT(prefill_per_token_ns), .unset = "0",
	 .max = 1, .arg = "SECONDS",
	 .help = "Fixed pace: added to --ttft for each prompt token that is not cached."},
	{"jitter", FIELD_REAL, AT(jitter), .unset = "0", .max = 1, .arg = "FRACTION",
	 .help = "Every interval (batch: every step) varies by up to this fraction, "
		 "evenly and from the seed."},
	{"tokens-per-chunk", FIELD_INT, AT(tokens_per_chunk), .unset = "1", .min = 1,
	 .max = 64, .arg = "N",
	 .help = "Tokens in each chunk, as speculative decoding gives."},
	{"role", FIELD_CHOICE, AT(role), .unset = "with-first", .choices = roles,
	 .arg = "WHEN",
	 .help = "When a chat stream's opening chunk without content leaves: just before "
		 "the first token as from vLLM, at once, or never."},
	{"spin", FIELD_SECONDS, AT(spin_ns), .unset = "0", .max = 0.01, .arg = "SECONDS",
	 .help = "Wait awake for so long before each instant, for a schedule exact to "
		 "the microsecond at the price of a busy CPU."},
	{"step-base", FIELD_SECONDS, AT(step_base_ns), .unset = "10ms", .min = 1e-6,
	 .max = 60, .arg = "SECONDS",
	 .help = "Batch pace: what a step takes whatever is in it."},
	{"step-per-sequence", FIELD_SECONDS, AT(step_per_seq_ns), .unset = "100us",
	 .max = 1, .arg = "SECONDS",
	 .help = "Batch pace: added for each sequence that decodes in the step."},
	{"step-per-prefill-token", FIELD_SECONDS, AT(step_per_prefill_token_ns),
	 .unset = "20us", .max = 1, .arg = "SECONDS",
	 .help = "Batch pace: added for each prompt token in the step."},
	{"max-sequences", FIELD_INT, AT(max_num_seqs), .unset = "64", .min = 1,
	 .max = 65536, .arg = "N",
	 .help = "Batch pace: most sequences that run at once; the others wait."},
	{"max-batched-tokens", FIELD_INT, AT(max_batched_tokens), .unset = "8192",
	 .min = 1, .max = 1 << 20, .arg = "N",
	 .help = "Batch pace: most tokens of a step; longer prompts take several steps."},
	{"kv-tokens", FIELD_INT, AT(kv_tokens), .unset = "1000000", .min = 16,
	 .max = 1 << 26, .arg = "TOKENS",
	 .help = "Batch pace: tokens of all running sequences, prompt and output, that "
		 "fit. Also the size of the prefix cache."},
	{"queue-max", FIELD_INT, AT(queue_max), .unset = "10000", .min = 1,
	 .max = 1 << 20, .arg = "N",
	 .help = "Batch pace: most requests that wait; one more is answered 503."},
	{"prefix-cache", FIELD_FLAG, AT(prefix_cache), .unset = "true",
	 .help = "Prompts that begin as an earlier one did have those blocks of 16 "
		 "tokens cached."},
	{"accept-delay", FIELD_SECONDS, AT(accept_delay_ns), .unset = "0", .max = 600,
	 .arg = "SECONDS", .help = "Read nothing from a new connection for so long."},
	{"fault", FIELD_TEXTS, AT(faults), .arg = "SPEC",
	 .help = "Break something on purpose; repeatable; see FAULTS."},
	{"fault-header", FIELD_FLAG, AT(allows_fault_header), .unset = "true",
	 .help = "Let a request ask for a fault by the header X-Tare-Fault."},
	{"truth", FIELD_TEXT, AT(truth_file), .arg = "FILE",
	 .help = "Write what was really done, an object a line for each request."},
	{"body-max", FIELD_BYTES, AT(body_max), .unset = "16Mi", .min = 1024,
	 .max = 1 << 28, .arg = "BYTES",
	 .help = "Longest body of a request; a longer one is answered 413."},
	{"cpu", FIELD_INT, AT(cpu), .unset = "-1", .min = -1, .max = 1023, .arg = "N",
	 .help = "Run on this CPU alone; -1 leaves it to the system."},
	{"seconds", FIELD_SECONDS, AT(seconds_ns), .unset = "0", .max = 1e6,
	 .arg = "SECONDS", .help = "End after so long; 0 runs until stopped."},
	{0},
};

/* Characters that need no escape in JSON, in a header or in a Prometheus label. */
static int check_name(const char *name, struct err *err)
{
	if (!name || strlen(name) > 100 ||
	    (strncmp(name, "mock", 4) != 0 && strncmp(name, "tare-mock", 9) != 0))
		return err_set(err, ERR_USAGE,
			       "--model-name '%s': a mock says what it is: begin the "
			       "name with 'mock' or 'tare-mock', at most 100 characters",
			       name ? name : "");
	if (name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
			      "6789._/:-")])
		return err_set(err, ERR_USAGE,
			       "--model-name '%s': use letters, digits and ._/:- alone",
			       name);
	return 0;
}

int mock_config_check(const struct mock_config *c, struct err *err)
{
	struct mock_faults faults;
	struct in6_addr a;

	if (check_name(c->model, err))
		return -1;
	if (!c->address || (inet_pton(AF_INET, c->address, &a) != 1 &&
			    inet_pton(AF_INET6, c->address, &a) != 1))
		return err_set(err, ERR_USAGE,
			       "--address '%s' is no IPv4 or IPv6 address; give one such "
			       "as 127.0.0.1 or ::1",
			       c->address ? c->address : "");
	if (c->cpu >= sysconf(_SC_NPROCESSORS_CONF))
		return err_set(err, ERR_USAGE,
			       "--cpu %lld: this machine has CPUs 0 to %ld",
			       (long long)c->cpu, sysconf(_SC_NPROCESSORS_CONF) - 1);
	if (mock_faults_read(&c->faults, c->seed, &faults, err))
		return -1;
	mock_faults_release(&faults);
	return 0;
}
