#include "inference/serve/model_revision.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/digest.h"
#include "core/base/file.h"
#include "core/base/mem.h"

enum { files_max = 4096, ref_max = 256, config_max = 1 << 20 };

const char *argument_value(const struct strvec *argv, const char *option)
{
	size_t len = strlen(option);

	for (size_t i = 0; i < argv->nr; i++) {
		const char *arg = argv->items[i];

		if (strncmp(arg, option, len) != 0)
			continue;
		if (arg[len] == '=')
			return arg + len + 1;
		if (!arg[len] && i + 1 < argv->nr)
			return argv->items[i + 1];
	}
	return NULL;
}

static const char *variable(const struct strvec *environment, const char *name)
{
	const char *value = environment ? argument_value(environment, name) : NULL;

	return value ? value : getenv(name);
}

static char *hub_folder(const struct strvec *environment)
{
	static const struct {
		const char *variable, *below;
	} places[] = {{"HF_HUB_CACHE", ""},
		      {"HF_HOME", "/hub"},
		      {"XDG_CACHE_HOME", "/huggingface/hub"},
		      {"HOME", "/.cache/huggingface/hub"}};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		const char *value = variable(environment, places[i].variable);

		if (value && *value)
			return x_asprintf("%s%s", value, places[i].below);
	}
	return NULL;
}

/* Hexadecimal digits at 's', as many as a commit may have; NULL when they are none. */
static char *commit_at(const char *s)
{
	size_t len = strspn(s, "0123456789abcdef");

	return len >= 7 && len <= 64 && (!s[len] || strchr("/\n\r ", s[len]))
		       ? x_strndup(s, len)
		       : NULL;
}

/* "org/name" to "models--org--name"; NULL for what is no such name. */
static char *cached_name(const char *model)
{
	const char *slash = strchr(model, '/');

	if (!slash || strchr(slash + 1, '/') || slash == model || !slash[1] ||
	    strstr(model, ".."))
		return NULL;
	return x_asprintf("models--%.*s--%s", (int)(slash - model), model, slash + 1);
}

static char *by_name(const char *model, const char *wanted,
		     const struct strvec *environment)
{
	char *hub = hub_folder(environment), *name = cached_name(model);
	char *path = NULL, *commit = NULL;
	struct buf text;

	if (hub && name && !strstr(wanted, "..")) {
		path = x_asprintf("%s/%s/refs/%s", hub, name, wanted);
		if (!file_read(path, ref_max, &text, NULL)) {
			commit = commit_at(text.data ? text.data : "");
			buf_release(&text);
		}
		free(path);
		path = x_asprintf("%s/%s/snapshots/%s", hub, name, wanted);
		if (!commit && file_exists(path))
			commit = commit_at(wanted);
	}
	free(path);
	free(hub);
	free(name);
	return commit;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void list_files(const char *dir, struct strvec *ret)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d)) && ret->nr < files_max) {
		char *path = path_join(dir, e->d_name);
		struct stat st;

		if (e->d_name[0] != '.' && stat(path, &st) == 0 && S_ISREG(st.st_mode))
			strvec_addf(ret, "%s %lld", e->d_name, (long long)st.st_size);
		free(path);
	}
	if (d)
		closedir(d);
	if (ret->nr)
		qsort(ret->items, ret->nr, sizeof(*ret->items), by_text);
}

static char *by_files(const char *dir)
{
	char *path = path_join(dir, "config.json"), hex[DIGEST_SIZE];
	struct digest *d = digest_new();
	struct strvec files = {0};
	struct buf config;

	list_files(dir, &files);
	for (size_t i = 0; i < files.nr; i++)
		digest_add(d, files.items[i], strlen(files.items[i]) + 1);
	if (!file_read(path, config_max, &config, NULL)) {
		digest_add(d, config.data, config.len);
		buf_release(&config);
	}
	digest_end(d, hex);
	free(path);
	path = files.nr ? x_asprintf("files:%.16s", hex) : NULL;
	strvec_release(&files);
	return path;
}

char *model_revision(const char *model, const char *wanted,
		     const struct strvec *environment)
{
	static const char snapshots[] = "/snapshots/";
	char *real, *found = NULL, *at;
	struct stat st;

	if (!model || !*model)
		return NULL;
	if (stat(model, &st) != 0 || !S_ISDIR(st.st_mode))
		return by_name(model, wanted ? wanted : "main", environment);
	real = realpath(model, NULL);
	at = real ? strstr(real, snapshots) : NULL;
	if (at)
		found = commit_at(at + sizeof(snapshots) - 1);
	if (real && !found)
		found = by_files(real);
	free(real);
	return found;
}
