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
	{.name = "address",
	 .kind = FIELD_TEXT,
	 .offset = AT(address),
	 .unset = "127.0.0.1",
	 .arg = "ADDRESS",
	 .help = "Listen on this IPv4 or IPv6 literal."},
	{.name = "port",
	 .kind = FIELD_INT,
	 .offset = AT(port),
	 .unset = "0",
	 .max = 65535,
	 .arg = "PORT",
	 .help = "Listen on this port; 0 takes a free one.",
	 .letter = 'p'},
	{.name = "model-name",
	 .kind = FIELD_TEXT,
	 .offset = AT(model),
	 .unset = "tare-mock",
	 .arg = "NAME",
	 .help = "The model's name in answers. It must begin with 'mock' or 'tare-mock', "
		 "so "
		 "that nobody takes the figures for a model's."},
	{.name = "strict-model",
	 .kind = FIELD_FLAG,
	 .offset = AT(strict_model),
	 .help = "Answer 404 to a request that names another model, as vLLM does."},
	{.name = "max-model-len",
	 .kind = FIELD_INT,
	 .offset = AT(max_model_len),
	 .unset = "131072",
	 .min = 2,
	 .max = 1 << 20,
	 .arg = "TOKENS",
	 .help = "Most tokens of prompt and output together; more is HTTP 400."},
	{.name = "seed",
	 .kind = FIELD_INT,
	 .offset = AT(seed),
	 .unset = "1",
	 .max = 9e15,
	 .arg = "N",
	 .help = "Seed of jitter and of faults by rate."},
	{.name = "pace",
	 .kind = FIELD_CHOICE,
	 .offset = AT(pace),
	 .unset = "fixed",
	 .choices = paces,
	 .arg = "PACE",
	 .help = "fixed: each request has its own schedule from --ttft and --itl. batch: "
		 "one "
		 "engine advances all requests in steps, so that throughput saturates."},
	{.name = "ttft",
	 .kind = FIELD_SECONDS,
	 .offset = AT(ttft_ns),
	 .unset = "20ms",
	 .max = 3600,
	 .arg = "SECONDS",
	 .help = "Fixed pace: from a request's arrival to its first token."},
	{.name = "itl",
	 .kind = FIELD_SECONDS,
	 .offset = AT(itl_ns),
	 .unset = "10ms",
	 .max = 3600,
	 .arg = "SECONDS",
	 .help = "Fixed pace: from one chunk to the next."},
	{.name = "prefill-per-token",
	 .kind = FIELD_SECONDS,
	 .offset = AT(prefill_per_token_ns),
	 .unset = "0",
	 .max = 1,
	 .arg = "SECONDS",
	 .help = "Fixed pace: added to --ttft for each prompt token that is not cached."},
	{.name = "jitter",
	 .kind = FIELD_REAL,
	 .offset = AT(jitter),
	 .unset = "0",
	 .max = 1,
	 .arg = "FRACTION",
	 .help = "Every interval (batch: every step) varies by up to this fraction, "
		 "evenly "
		 "and from the seed."},
	{.name = "tokens-per-chunk",
	 .kind = FIELD_INT,
	 .offset = AT(tokens_per_chunk),
	 .unset = "1",
	 .min = 1,
	 .max = 64,
	 .arg = "N",
	 .help = "Tokens in each chunk, as speculative decoding gives."},
	{.name = "role",
	 .kind = FIELD_CHOICE,
	 .offset = AT(role),
	 .unset = "with-first",
	 .choices = roles,
	 .arg = "WHEN",
	 .help = "When a chat stream's opening chunk without content leaves: just before "
		 "the first token as from vLLM, at once, or never."},
	{.name = "spin",
	 .kind = FIELD_SECONDS,
	 .offset = AT(spin_ns),
	 .unset = "0",
	 .max = 0.01,
	 .arg = "SECONDS",
	 .help = "Wait awake for so long before each instant, for a schedule exact to "
		 "the "
		 "microsecond at the price of a busy CPU."},
	{.name = "step-base",
	 .kind = FIELD_SECONDS,
	 .offset = AT(step_base_ns),
	 .unset = "10ms",
	 .min = 1e-6,
	 .max = 60,
	 .arg = "SECONDS",
	 .help = "Batch pace: what a step takes whatever is in it."},
	{.name = "step-per-sequence",
	 .kind = FIELD_SECONDS,
	 .offset = AT(step_per_seq_ns),
	 .unset = "100us",
	 .max = 1,
	 .arg = "SECONDS",
	 .help = "Batch pace: added for each sequence that decodes in the step."},
	{.name = "step-per-prefill-token",
	 .kind = FIELD_SECONDS,
	 .offset = AT(step_per_prefill_token_ns),
	 .unset = "20us",
	 .max = 1,
	 .arg = "SECONDS",
	 .help = "Batch pace: added for each prompt token in the step."},
	{.name = "max-sequences",
	 .kind = FIELD_INT,
	 .offset = AT(max_num_seqs),
	 .unset = "64",
	 .min = 1,
	 .max = 65536,
	 .arg = "N",
	 .help = "Batch pace: most sequences that run at once; the others wait."},
	{.name = "max-batched-tokens",
	 .kind = FIELD_INT,
	 .offset = AT(max_batched_tokens),
	 .unset = "8192",
	 .min = 1,
	 .max = 1 << 20,
	 .arg = "N",
	 .help = "Batch pace: most tokens of a step; longer prompts take several steps."},
	{.name = "kv-tokens",
	 .kind = FIELD_INT,
	 .offset = AT(kv_tokens),
	 .unset = "1000000",
	 .min = 16,
	 .max = 1 << 26,
	 .arg = "TOKENS",
	 .help = "Batch pace: tokens of all running sequences, prompt and output, that "
		 "fit. "
		 "Also the size of the prefix cache."},
	{.name = "queue-max",
	 .kind = FIELD_INT,
	 .offset = AT(queue_max),
	 .unset = "10000",
	 .min = 1,
	 .max = 1 << 20,
	 .arg = "N",
	 .help = "Batch pace: most requests that wait; one more is answered 503."},
	{.name = "prefix-cache",
	 .kind = FIELD_FLAG,
	 .offset = AT(prefix_cache),
	 .unset = "true",
	 .help = "Prompts that begin as an earlier one did have those blocks of 16 "
		 "tokens "
		 "cached."},
	{.name = "accept-delay",
	 .kind = FIELD_SECONDS,
	 .offset = AT(accept_delay_ns),
	 .unset = "0",
	 .max = 600,
	 .arg = "SECONDS",
	 .help = "Read nothing from a new connection for so long."},
	{.name = "fault",
	 .kind = FIELD_TEXTS,
	 .offset = AT(faults),
	 .arg = "SPEC",
	 .help = "Break something on purpose; repeatable; see FAULTS."},
	{.name = "fault-header",
	 .kind = FIELD_FLAG,
	 .offset = AT(allows_fault_header),
	 .unset = "true",
	 .help = "Let a request ask for a fault by the header X-Tare-Fault."},
	{.name = "truth",
	 .kind = FIELD_TEXT,
	 .offset = AT(truth_file),
	 .arg = "FILE",
	 .help = "Write what was really done, an object a line for each request."},
	{.name = "body-max",
	 .kind = FIELD_BYTES,
	 .offset = AT(body_max),
	 .unset = "16Mi",
	 .min = 1024,
	 .max = 1 << 28,
	 .arg = "BYTES",
	 .help = "Longest body of a request; a longer one is answered 413."},
	{.name = "cpu",
	 .kind = FIELD_INT,
	 .offset = AT(cpu),
	 .unset = "-1",
	 .min = -1,
	 .max = 1023,
	 .arg = "N",
	 .help = "Run on this CPU alone; -1 leaves it to the system."},
	{.name = "seconds",
	 .kind = FIELD_SECONDS,
	 .offset = AT(seconds_ns),
	 .unset = "0",
	 .max = 1e6,
	 .arg = "SECONDS",
	 .help = "End after so long; 0 runs until stopped."},
	{0},
};

/* Characters that need no escape in JSON, in a header or in a Prometheus label. */
static int check_name(const char *name, struct err *err)
{
	if (!name || strlen(name) > 100 ||
	    (strncmp(name, "mock", 4) != 0 && strncmp(name, "tare-mock", 9) != 0))
		return err_set(
			err, ERR_USAGE,
			"--model-name '%s': a mock says what it is: begin the name "
			"with 'mock' or 'tare-mock', at most 100 characters",
			name ? name : "");
	if (name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			      "0123456789._/:-")])
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
		return err_set(
			err, ERR_USAGE,
			"--address '%s' is no IPv4 or IPv6 address; give one such as "
			"127.0.0.1 or ::1",
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
