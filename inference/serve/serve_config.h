/*
 * What tare-serve is told: the kinds of server, their options, and the argument vector
 * that follows from them. What each option means stands in the table (serve_fields()).
 */
#ifndef TARE_INFERENCE_SERVE_SERVE_CONFIG_H
#define TARE_INFERENCE_SERVE_SERVE_CONFIG_H

#include "core/base/err.h"
#include "core/options/field.h"
#include "core/base/strvec.h"
#include "inference/mock/mock.h"

#include <stdint.h>

enum serve_kind { SERVE_VLLM, SERVE_COMMAND, SERVE_EXTERNAL, SERVE_MOCK };

struct serve_config {
	int kind; /* enum serve_kind */
	char *model, *url, *address, *health_path, *log_file, *directory;
	int64_t port;
	struct strvec command, environment;
	int64_t ready_ns, grace_ns, limit_ns;
	char *api_key_env, *ca_file;
	bool is_insecure;
	/* vllm */
	char *vllm_program, *dtype, *load_format;
	int64_t max_model_len, tensor_parallel;
	double memory_utilisation;
	struct strvec vllm_args;
	/* mock: its own table, each name with "mock-" in front */
	struct mock_config mock;
};

/* Made at the first call, freed with serve_fields_free(); the texts live as long. */
struct field *serve_fields(void);
void serve_fields_free(struct field *fields);

/* What a single field cannot know: which options the kind needs. */
int serve_config_check(const struct serve_config *c, struct err *err);

const char *serve_kind_name(int kind);

/*
 * The server's argument vector for 'vllm' and 'command', with "{port}", "{address}" and
 * "{model}" filled in. Appended to 'argv'.
 */
void serve_argv(const struct serve_config *c, int port, struct strvec *argv);

/* "{name}" of every pair is replaced wherever it stands; free(). */
struct serve_word {
	const char *name, *value; /* the table ends with {NULL} */
};
char *serve_fill_in(const char *text, const struct serve_word *words);

/* True when the argument is, or follows, one that holds a secret: shown as "***". */
bool serve_is_secret(const char *before, const char *arg);

#endif
