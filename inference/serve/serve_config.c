#include "inference/serve/serve_config.h"

#include "core/base/buf.h"
#include "core/base/mem.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *const kind_names[] = {"vllm", "command", "external", "mock", NULL};

#define AT(member) offsetof(struct serve_config, member)

static const struct field own_fields[] = {
	{"kind", FIELD_CHOICE, AT(kind), .choices = kind_names, .arg = "KIND",
	 .help = "vllm: 'vllm serve'. command: any program. external: a server that runs "
		 "already and is left alone. mock: the built-in reference server, which "
		 "is no model.",
	 .is_required = true},
	{"model", FIELD_TEXT, AT(model), .arg = "MODEL",
	 .help = "The model's name or folder. Needed for vllm; otherwise the first one "
		 "that the server lists."},
	{"command", FIELD_TEXTS, AT(command), .arg = "ARG",
	 .help = "Kind command: the program and its arguments, one each time. {port}, "
		 "{address} and {model} are filled in."},
	{"url", FIELD_TEXT, AT(url), .arg = "URL",
	 .help = "Kind external: where the server is. Kind command: only when it is not "
		 "http://ADDRESS:PORT."},
	{"address", FIELD_TEXT, AT(address), .unset = "127.0.0.1", .arg = "ADDRESS",
	 .help = "The IPv4 address that the server is to listen on."},
	{"port", FIELD_INT, AT(port), .unset = "0", .max = 65535, .arg = "PORT",
	 .help = "The port that the server is to listen on; 0 takes a free one."},
	{"environment", FIELD_TEXTS, AT(environment), .arg = "NAME=VALUE",
	 .help = "Added to the server's environment; repeatable. Not the place for a "
		 "secret: it stands on the command line."},
	{"directory", FIELD_TEXT, AT(directory), .arg = "DIR",
	 .help = "The server's working folder."},
	{"health", FIELD_TEXT, AT(health_path), .unset = "/health", .arg = "PATH",
	 .help = "Answers 200 when the server is ready. A server that has no such path "
		 "is ready when /v1/models answers 200."},
	{"ready-within", FIELD_SECONDS, AT(ready_ns), .unset = "15min", .min = 0.1,
	 .max = 86400, .arg = "SECONDS", .help = "Give up when it is not ready by then."},
	{"grace", FIELD_SECONDS, AT(grace_ns), .unset = "10", .max = 600,
	 .arg = "SECONDS", .help = "From SIGTERM to SIGKILL."},
	{"limit", FIELD_SECONDS, AT(limit_ns), .unset = "0", .max = 1e6, .arg = "SECONDS",
	 .help = "Stop everything so long after it was ready; 0: no limit. A client that "
		 "is not done by then is a failure."},
	{"log", FIELD_TEXT, AT(log_file), .arg = "FILE",
	 .help = "What the server prints. Without it a temporary file, which is kept "
		 "only when something failed."},
	{"api-key-env", FIELD_TEXT, AT(api_key_env), .arg = "NAME",
	 .help = "The environment variable that holds the API key, if the server asks "
		 "for one."},
	{"ca-file", FIELD_TEXT, AT(ca_file), .arg = "FILE",
	 .help = "Kind external over https: certificates to trust instead of the "
		 "system's."},
	{"insecure", FIELD_FLAG, AT(is_insecure),
	 .help = "Kind external over https: do not verify the server's certificate."},
	{"vllm-program", FIELD_TEXT, AT(vllm_program), .unset = "vllm", .arg = "PROGRAM",
	 .help = "Kind vllm: the program; looked up in PATH."},
	{"dtype", FIELD_TEXT, AT(dtype), .arg = "TYPE",
	 .help = "Kind vllm: --dtype, such as bfloat16."},
	{"max-model-len", FIELD_INT, AT(max_model_len), .unset = "0", .max = 1 << 24,
	 .arg = "TOKENS",
	 .help = "Kind vllm: --max-model-len; 0 leaves it to the model."},
	{"memory-utilisation", FIELD_REAL, AT(memory_utilisation), .unset = "0", .max = 1,
	 .arg = "FRACTION",
	 .help = "Kind vllm: --gpu-memory-utilization; 0 leaves it to vLLM."},
	{"tensor-parallel", FIELD_INT, AT(tensor_parallel), .unset = "0", .max = 1024,
	 .arg = "N", .help = "Kind vllm: --tensor-parallel-size; 0 leaves it to vLLM."},
	{"load-format", FIELD_TEXT, AT(load_format), .arg = "FORMAT",
	 .help = "Kind vllm: --load-format; 'dummy' makes random weights."},
	{"vllm-arg", FIELD_TEXTS, AT(vllm_args), .arg = "ARG",
	 .help = "Kind vllm: a further argument; repeatable."},
};

/* Options of the mock that tare-serve decides itself. */
static bool is_ours(const char *name)
{
	static const char *const ours[] = {"address", "port", "seconds"};

	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		if (strcmp(name, ours[i]) == 0)
			return true;
	return false;
}

struct field *serve_fields(void)
{
	size_t nr = ARRAY_SIZE(own_fields), mock_nr = 0;
	struct field *all;

	while (mock_fields[mock_nr].name)
		mock_nr++;
	all = x_calloc(nr + mock_nr + 1, sizeof(*all));
	memcpy(all, own_fields, sizeof(own_fields));
	for (size_t i = 0; i < mock_nr; i++) {
		struct field *f = &all[nr++];

		*f = mock_fields[i];
		f->name = x_asprintf("mock-%s", mock_fields[i].name);
		f->offset += AT(mock);
		f->letter = 0;
		f->is_hidden = is_ours(mock_fields[i].name);
	}
	return all;
}

void serve_fields_free(struct field *fields)
{
	for (size_t i = ARRAY_SIZE(own_fields); fields[i].name; i++)
		free((void *)fields[i].name);
	free(fields);
}

const char *serve_kind_name(int kind)
{
	return kind_names[kind];
}

enum {
	OF_VLLM = 1 << SERVE_VLLM,
	OF_COMMAND = 1 << SERVE_COMMAND,
	OF_EXTERNAL = 1 << SERVE_EXTERNAL,
	OF_PROGRAM = OF_VLLM | OF_COMMAND
};

/* An option that the kind does not look at was meant for another one. */
static int check_of_kind(const struct serve_config *c, struct err *err)
{
	const struct {
		const char *name;
		bool is_given;
		int of, needed_by; /* bits of kinds */
		const char *kinds;
	} rules[] = {
		{"model", c->model, ~0, OF_VLLM, ""},
		{"command", c->command.nr, OF_COMMAND, OF_COMMAND, "kind command"},
		{"url", c->url, OF_EXTERNAL | OF_COMMAND, OF_EXTERNAL,
		 "the kinds external and command"},
		{"dtype", c->dtype, OF_VLLM, 0, "kind vllm"},
		{"max-model-len", c->max_model_len > 0, OF_VLLM, 0,
		 "kind vllm (--mock-max-model-len is the mock's)"},
		{"memory-utilisation", c->memory_utilisation > 0, OF_VLLM, 0,
		 "kind vllm"},
		{"tensor-parallel", c->tensor_parallel > 0, OF_VLLM, 0, "kind vllm"},
		{"load-format", c->load_format, OF_VLLM, 0, "kind vllm"},
		{"vllm-arg", c->vllm_args.nr, OF_VLLM, 0, "kind vllm"},
		{"environment", c->environment.nr, OF_PROGRAM, 0,
		 "the kinds vllm and command"},
		{"directory", c->directory, OF_PROGRAM, 0, "the kinds vllm and command"},
		{"log", c->log_file, OF_PROGRAM, 0, "the kinds vllm and command"},
		{"ca-file", c->ca_file, OF_EXTERNAL, 0, "kind external"},
		{"insecure", c->is_insecure, OF_EXTERNAL, 0, "kind external"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		if (!rules[i].is_given && rules[i].needed_by & 1 << c->kind)
			return err_set(err, ERR_USAGE, "kind %s needs --%s",
				       kind_names[c->kind], rules[i].name);
		if (rules[i].is_given && !(rules[i].of & 1 << c->kind))
			return err_set(err, ERR_USAGE, "--%s is for %s", rules[i].name,
				       rules[i].kinds);
	}
	return 0;
}

int serve_config_check(const struct serve_config *c, struct err *err)
{
	struct stat st;

	if (check_of_kind(c, err))
		return -1;
	if (c->directory && (stat(c->directory, &st) || !S_ISDIR(st.st_mode)))
		return err_set(err, ERR_USAGE,
			       "--directory '%s': there is no such folder", c->directory);
	if (c->url && strncmp(c->url, "http://", 7) != 0 &&
	    strncmp(c->url, "https://", 8) != 0)
		return err_set(err, ERR_USAGE,
			       "--url '%s': give one such as http://127.0.0.1:8000",
			       strchr(c->url, '@') ? "..." : c->url);
	if (c->api_key_env && !getenv(c->api_key_env))
		return err_set(err, ERR_USAGE,
			       "environment variable %s (--api-key-env) is not set",
			       c->api_key_env);
	if (c->health_path[0] != '/')
		return err_set(err, ERR_USAGE, "--health '%s': give a path from '/'",
			       c->health_path);
	for (size_t i = 0; i < c->environment.nr; i++)
		if (!strchr(c->environment.items[i], '='))
			return err_set(err, ERR_USAGE,
				       "--environment '%s': give NAME=VALUE",
				       c->environment.items[i]);
	if (c->kind == SERVE_MOCK && mock_config_check(&c->mock, err))
		return err_wrap(err, "mock server");
	return 0;
}

char *serve_fill_in(const char *text, const struct serve_word *words)
{
	struct buf b;
	char *ret;

	buf_init(&b, BUF_UNBOUNDED);
	buf_puts(&b, "");
	while (*text) {
		const struct serve_word *w = words;
		size_t len = 0;

		for (; w->name; w++) {
			len = strlen(w->name);
			if (text[0] == '{' && strncmp(text + 1, w->name, len) == 0 &&
			    text[len + 1] == '}')
				break;
		}
		if (w->name) {
			buf_puts(&b, w->value);
			text += len + 2;
		} else {
			buf_add(&b, text++, 1);
		}
	}
	ret = buf_detach(&b);
	buf_release(&b);
	return ret;
}

static void add_option(struct strvec *argv, const char *name, const char *value)
{
	if (value) {
		strvec_add(argv, name);
		strvec_add(argv, value);
	}
}

static void add_count(struct strvec *argv, const char *name, int64_t value)
{
	if (value) {
		strvec_add(argv, name);
		strvec_addf(argv, "%lld", (long long)value);
	}
}

static void vllm_argv(const struct serve_config *c, int port, struct strvec *argv)
{
	strvec_add(argv, c->vllm_program);
	strvec_add(argv, "serve");
	strvec_add(argv, c->model);
	add_option(argv, "--host", c->address);
	add_count(argv, "--port", port);
	add_option(argv, "--dtype", c->dtype);
	add_count(argv, "--max-model-len", c->max_model_len);
	if (c->memory_utilisation > 0) {
		strvec_add(argv, "--gpu-memory-utilization");
		strvec_addf(argv, "%g", c->memory_utilisation);
	}
	add_count(argv, "--tensor-parallel-size", c->tensor_parallel);
	add_option(argv, "--load-format", c->load_format);
	strvec_add_all(argv, strvec_argv(&c->vllm_args));
}

void serve_argv(const struct serve_config *c, int port, struct strvec *argv)
{
	char number[16];
	const struct serve_word words[] = {
		{"port", number},
		{"address", c->address},
		{"model", c->model ? c->model : ""},
		{NULL, NULL},
	};

	snprintf(number, sizeof(number), "%d", port);
	if (c->kind == SERVE_VLLM)
		vllm_argv(c, port, argv);
	for (size_t i = 0; c->kind == SERVE_COMMAND && i < c->command.nr; i++) {
		char *arg = serve_fill_in(c->command.items[i], words);

		strvec_add(argv, arg);
		free(arg);
	}
}

/* "--api-key X", "--api-key=X", "HF_TOKEN=X", "--some-secret X". */
static bool names_secret(const char *arg, size_t len)
{
	static const char *const words[] = {"key", "token", "secret", "password"};

	for (size_t w = 0; w < ARRAY_SIZE(words); w++) {
		size_t n = strlen(words[w]);

		if (len >= n && strncasecmp(arg + len - n, words[w], n) == 0)
			return true;
	}
	return false;
}

bool serve_is_secret(const char *before, const char *arg)
{
	if (before && strncmp(before, "--", 2) == 0 && !strchr(before, '=') &&
	    names_secret(before, strlen(before)))
		return true;
	return strchr(arg, '=') && names_secret(arg, strcspn(arg, "="));
}
