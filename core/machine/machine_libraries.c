/*
 * Versions of the libraries that the workloads use. A shared library that is only opened
 * by a workload is named by the file that its soname leads to (libopenblas.so.0 ->
 * libopenblas.so.0.3.21 carries the version in its name), where the system's own folders
 * have it.
 */
#include "core/machine/machine_impl.h"

#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/machine/sysfs.h"
#include "core/document/version.h"

#include <ctype.h>
#include <gnu/libc-version.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *key, *soname;
} opened[] = {
	{"openblas", "libopenblas.so.0"}, {"cuda", "libcuda.so.1"},
	{"nvml", "libnvidia-ml.so.1"},    {"cublas", "libcublas.so.13"},
	{"cublas", "libcublas.so.12"},    {"cublas", "libcublas.so.11"},
};

static const char *const folders[] = {
	"/usr/lib/x86_64-linux-gnu",
	"/usr/lib/aarch64-linux-gnu",
	"/usr/lib64",
	"/usr/lib",
	"/usr/local/cuda/lib64",
	"/usr/local/cuda/targets/sbsa-linux/lib",
	"/usr/local/lib",
};

/*
 * The version in a file's name: "libcuda.so.570.133.20", Debian's
 * "libopenblasp-r0.3.21.so"; a name without one gives the soname's own number. free()
 */
static char *version_in(const char *file, const char *soname)
{
	const char *dash = strstr(file, "-r"), *tail = strstr(file, ".so.");

	if (dash && isdigit((unsigned char)dash[2])) {
		const char *end = strstr(dash, ".so");

		return x_strndup(dash + 2,
				 end ? (size_t)(end - dash - 2) : strlen(dash + 2));
	}
	if (!tail)
		tail = strstr(soname, ".so.");
	return x_strdup(tail + strlen(".so."));
}

static char *version_of(const char *root, const char *soname)
{
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		char *path = x_asprintf("%s%s/%s", root, folders[i], soname);
		char *file = realpath(path, NULL), *ret;

		free(path);
		if (!file)
			continue;
		ret = version_in(path_base(file), soname);
		free(file);
		return ret;
	}
	return NULL;
}

struct json_object *machine_libraries(const char *root)
{
	struct json_object *o = json_object_new_object();

	if (!*root) {
		json_put_text(o, "glibc", gnu_get_libc_version());
		json_put_text(o, "json_c", json_c_version());
		json_put_text(o, "tare", TARE_VERSION);
	}
	for (size_t i = 0; i < ARRAY_SIZE(opened); i++) {
		char *version;

		if (json_get_text(o, opened[i].key, NULL))
			continue;
		version = version_of(root, opened[i].soname);
		json_put_text(o, opened[i].key, version);
		free(version);
	}
	return o;
}
