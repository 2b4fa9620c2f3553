/* tare-mock: the reference server as a program. */
#include "core/base/clock.h"
#include "core/document/json.h"
#include "core/base/log.h"
#include "core/options/program.h"
#include "core/base/stop.h"
#include "core/document/version.h"
#include "inference/mock/mock.h"

#include <stdio.h>
#include <unistd.h>

static const struct opt_text examples[] = {
	{"tare-mock --port 8000 --ttft 50ms --itl 20ms",
	 "Every stream: the first token after 50 ms, then one every 20 ms."},
	{"tare-mock --pace batch --step-base 8ms --step-per-sequence 150us "
	 "--max-sequences 64",
	 "A server whose throughput saturates at 64 running sequences."},
	{"tare-mock --fault status=503,rate=0.01 --fault stall=2s,after=5,every=100",
	 "One request in a hundred, by chance, is refused; each hundredth one stalls."},
	{0},
};

static const struct opt_text sections[] = {
	{"NO MODEL",
	 "There is no model behind it: words mean nothing and every answer says so (the "
	 "header 'Server: tare-mock' and a \"tare\" object with \"mock\": true). Figures "
	 "measured against it describe the client, not a model server."},
	{"FAULTS",
	 "SPEC is KIND[=VALUE][,after=K][,rate=P|,every=N|,nth=N], where 'after' is the "
	 "number of chunks sent before it happens; without rate, every or nth it hits "
	 "every request. A request can ask for one by the header X-Tare-Fault. Kinds: "
	 "status=CODE (an HTTP error), stream-error (an error inside the 200 stream), "
	 "truncate (a well-framed end without [DONE]), cut (the connection closes inside "
	 "the body), reset (RST), stall=SECONDS (0: for ever), length=N (so many tokens "
	 "whatever was asked), usage=N (usage says so whatever was delivered), no-usage, "
	 "empty (no token), bad-json, bad-sse, bad-chunk, split (each event in two "
	 "segments), coalesce=K (K events in one segment), slow-accept=SECONDS (counted "
	 "by connection: nothing is read for so long)."},
	{"OUTPUT", "One JSON line on standard output when it listens: {\"address\", "
		   "\"model\", \"version\", \"is_mock\": true, \"pid\"}."},
	{0},
};

static const struct opt_command command = {
	.name = "tare-mock",
	.summary = "a reference server with an exact schedule in place of a model",
	.usage = "[OPTION]...",
	.about = "Answers OpenAI-compatible requests (/v1/completions, "
		 "/v1/chat/completions) to a schedule that is known to the microsecond, "
		 "with its own send time in every chunk, so that a load generator can be "
		 "measured against the truth. Also /v1/models, /health, /version, "
		 "/tokenize, /detokenize and /metrics with vLLM's names. Ends on SIGTERM "
		 "or Ctrl-C.",
	.fields = mock_fields,
	.examples = examples,
	.sections = sections,
};

static void say_ready(void *ctx, const char *url)
{
	const struct mock_config *c = ctx;
	struct json_object *o = json_object_new_object();

	json_put_text(o, "address", url);
	json_put_text(o, "model", c->model);
	json_put_text(o, "version", TARE_VERSION);
	json_put_bool(o, "is_mock", true);
	json_put_int(o, "pid", getpid());
	printf("%s\n", json_line(o));
	fflush(stdout);
	json_object_put(o);
	log_info("mock server (no model) at %s; Ctrl-C ends it", url);
}

static int serve(void *options, const struct strvec *rest, struct err *err)
{
	struct mock_config *c = options;

	(void)rest;
	stop_install();
	return mock_serve(c, say_ready, c, err) ? -1 : EXIT_PASS;
}

int main(int argc, char **argv)
{
	struct mock_config c = {0};

	return program_run(&command, &c, serve, argc, argv);
}
