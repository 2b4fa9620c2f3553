/* tare-serve: starts, watches and stops a model server. */
#include "core/options/program.h"
#include "core/base/stop.h"
#include "inference/serve/serve.h"
#include "inference/serve/serve_config.h"
#include "inference/serve/serve_guard.h"

static const struct opt_text examples[] = {
	{"tare-serve --kind vllm --model facebook/opt-2.7b --dtype bfloat16 -- tare-load "
	 "--target {url} --model {model} --json",
	 "Measures vLLM and leaves nothing running."},
	{"tare-serve --kind command --command llama-server --command -m --command m.gguf "
	 "--command --port --command {port}",
	 "Any other server, until standard input closes."},
	{"tare-serve --kind mock --mock-pace batch -- tare-load --target {url} --model "
	 "{model}",
	 "The built-in reference server, which is no model."},
	{0},
};

static const struct opt_text sections[] = {
	{"WITH A COMMAND",
	 "When a COMMAND follows \"--\", it runs once the server is ready, and the "
	 "server is "
	 "stopped when it ends. In each of its arguments {url} becomes the server's "
	 "address "
	 "and {model} the model's name; tare's own programs are found without a path. "
	 "Standard output and the exit status are the "
	 "command's; a server that fails gives 5. " SERVE_FACTS_ENV
	 " in its environment names a file with the line below. When nobody reads "
	 "standard "
	 "output any more, everything is stopped."},
	{"WITHOUT A COMMAND", "One JSON line on standard output when the server is "
			      "ready: {\"kind\", \"address\", "
			      "\"model\", \"version\", \"arguments\", \"log\", \"pid\", "
			      "\"ready_s\", \"is_mock\", "
			      "\"max_model_len\"}. The server runs until standard input "
			      "closes, so that a lost "
			      "SSH connection leaves none behind."},
	{"THE END",
	 "Every process that the server started, daemons too, gets SIGTERM and after "
	 "--grace "
	 "SIGKILL; tare-serve ends when none is left. This happens also when tare-serve "
	 "itself is killed."},
	{0},
};

static int serve(void *options, const struct strvec *rest, struct err *err)
{
	const struct serve_config *c = options;

	stop_install();
	return serve_config_check(c, err) ? -1 : serve_guard(c, rest);
}

int main(int argc, char **argv)
{
	struct field *fields = serve_fields();
	const struct opt_command command = {
		.name = "tare-serve",
		.summary = "starts, watches and stops a model server",
		.usage = "--kind KIND [OPTION]... [-- COMMAND [ARG]...]",
		.about =
			"Starts a model server, waits until it answers and stops it with "
			"everything that it started. Runs on the machine under test.",
		.fields = fields,
		.examples = examples,
		.sections = sections,
		.positional_max = -1,
	};
	struct serve_config c = {0};
	int status = program_run(&command, &c, serve, argc, argv);

	serve_fields_free(fields);
	return status;
}
