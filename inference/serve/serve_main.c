/*
 * tare-serve: starts, watches and stops a model server, by two processes, so that killing
 * one leaves nothing behind. The one that the caller started is the guard: it watches its
 * signals, its stdin and the reader of its stdout. The other, in a session of its own, is
 * the supervisor (inference/serve/serve_run.h). Between them is a pipe: when the guard ends
 * in any way, even by SIGKILL, the supervisor sees the pipe's end and stops the server.
 */
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/stop.h"
#include "core/options/program.h"
#include "inference/serve/serve.h"
#include "inference/serve/serve_config.h"
#include "inference/serve/serve_process.h"
#include "inference/serve/serve_run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

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
	 "server is stopped when it ends. In each of its arguments {url} becomes the "
	 "server's address and {model} the model's name; tare's own programs are found "
	 "without a path. Standard output and the exit status are the command's; a "
	 "server that fails gives 5. " SERVE_FACTS_ENV
	 " in its environment names a file with the line below. When nobody reads "
	 "standard output any more, everything is stopped."},
	{"WITHOUT A COMMAND",
	 "One JSON line on standard output when the server is ready: {\"kind\", "
	 "\"address\", \"model\", \"version\", \"arguments\", \"log\", \"pid\", "
	 "\"ready_s\", \"is_mock\", \"max_model_len\"}. The server runs until standard "
	 "input closes, so that a lost SSH connection leaves none behind."},
	{"THE END", "Every process that the server started, daemons too, gets SIGTERM "
		    "and after --grace SIGKILL; tare-serve ends when none is left. This "
		    "happens also when tare-serve itself is killed."},
	{0},
};

/* Beyond the grace: SIGKILL's own wait, and what a client needs to print. */
static const int64_t margin_ns = 20 * NS_PER_S;

static int supervise(const struct serve_config *config, const struct strvec *client,
		     int lifeline)
{
	struct err err = ERR_INIT;
	int status = 0;

	setsid();
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	if (serve_run(config, client, lifeline, &status, &err))
		return log_failure(&err);
	return status;
}

/* stdin closed; what it says is read over. */
static bool has_closed(int fd)
{
	char over[4096];
	ssize_t got = read(fd, over, sizeof(over));

	return got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN);
}

/* Waits for the supervisor's end; closes the lifeline once we are to stop. */
static void attend(struct serve_child *supervisor, int *lifeline, bool has_client,
		   int64_t grace_ns)
{
	int64_t deadline = CLOCK_NEVER;

	while (!supervisor->has_ended) {
		bool runs = *lifeline >= 0;
		struct pollfd fds[] = {
			{.fd = runs ? stop_fd() : -1, .events = POLLIN},
			{.fd = runs && !has_client ? STDIN_FILENO : -1, .events = POLLIN},
			{.fd = runs && has_client ? STDOUT_FILENO : -1},
		};

		serve_wait(fds, ARRAY_SIZE(fds), &supervisor, 1, deadline);
		if (runs &&
		    (stop_requested() || (fds[1].revents && has_closed(STDIN_FILENO)) ||
		     fds[2].revents & (POLLERR | POLLHUP))) {
			close(*lifeline);
			*lifeline = -1;
			deadline = clock_deadline_ns(grace_ns + margin_ns);
		}
		if (clock_passed(deadline)) {
			log_warn("the supervisor (process %d) does not end",
				 (int)supervisor->pid);
			return;
		}
	}
}

/* Its id, or -1; it ends once '*ret_lifeline' is closed. */
static pid_t start_supervisor(const struct serve_config *config,
			      const struct strvec *client, int *ret_lifeline,
			      struct err *err)
{
	int line[2], status;
	pid_t pid;

	if (pipe2(line, O_CLOEXEC))
		return err_errno(err, "cannot make a pipe");
	pid = fork();
	if (pid == 0) {
		close(line[1]);
		status = supervise(config, client, line[0]);
		fflush(stdout);
		_exit(status);
	}
	close(line[0]);
	if (pid < 0) {
		err_errno(err, "cannot fork");
		close(line[1]);
	}
	*ret_lifeline = line[1];
	return pid;
}

/*
 * The exit status of the whole. Ends early on SIGINT, SIGTERM, SIGHUP; without a client
 * when stdin closes; with one when nobody reads stdout any more.
 */
static int guard(const struct serve_config *config, const struct strvec *client)
{
	struct err err = ERR_INIT;
	struct serve_child supervisor;
	struct stop_leaves *left;
	int lifeline = -1, status;
	pid_t pid = start_supervisor(config, client, &lifeline, &err);

	if (pid < 0)
		return log_failure(&err);
	serve_child_watch(&supervisor, pid);
	left = stop_leaves_begin("process %d, which ends the server by itself", (int)pid);
	attend(&supervisor, &lifeline, client->nr > 0, config->grace_ns);
	stop_leaves_end(left);
	serve_child_release(&supervisor);
	if (lifeline >= 0)
		close(lifeline);
	if (!supervisor.has_ended)
		return EXIT_ENVIRONMENT;
	status = supervisor.status;
	if (stop_requested())
		return EXIT_INTERRUPTED;
	if (!client->nr && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_INTERRUPTED) {
		log_error("standard input ended before the server was ready, and with it "
			  "the server: keep it open, or give a COMMAND behind '--'");
		return EXIT_ENVIRONMENT;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_BUG;
}

static int serve(void *options, const struct strvec *rest, struct err *err)
{
	const struct serve_config *c = options;

	stop_install();
	return serve_config_check(c, err) ? -1 : guard(c, rest);
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
