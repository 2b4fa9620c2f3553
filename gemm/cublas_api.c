#include "gemm/cublas_api.h"

#include "core/base/library.h"
#include "core/base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NEEDED(symbol, parameters) {#symbol, offsetof(struct cublas_api, symbol), false},
#define OPTIONAL(symbol, parameters) {#symbol, offsetof(struct cublas_api, symbol), true},

static const struct library_symbol symbols[] = {CUBLAS(NEEDED) CUBLAS_OPTIONAL(
	OPTIONAL) OPTIONAL(cublasGetStatusName, ) OPTIONAL(cublasGetStatusString, ){0}};
static const struct library_symbol lt_symbols[] = {CUBLASLT(NEEDED){0}};

static const char *const blas_names[] = {"libcublas.so.13", "libcublas.so.12",
					 "libcublas.so.11", "libcublas.so", NULL};
static const char *const lt_names[] = {"libcublasLt.so.13", "libcublasLt.so.12",
				       "libcublasLt.so.11", "libcublasLt.so", NULL};

static int find_all(struct cublas_api *api, void *library,
		    const struct library_symbol *wanted, const char *name,
		    struct err *err)
{
	const char *missing = library_find(library, wanted, api);

	return missing ? err_set(err, ERR_ENVIRONMENT,
				 "%s has no %s: it is older than CUDA 11; install a "
				 "newer one",
				 name, missing)
		       : 0;
}

int cublas_api_open(struct cublas_api *api, struct err *err)
{
	char why[LIBRARY_WHY_MAX];

	api->library = library_open(blas_names, &api->name, why);
	if (!api->library)
		return err_set(
			err, ERR_ENVIRONMENT,
			"cuBLAS could not be opened: %s; install cuBLAS 11, 12 or 13, or "
			"name its folder in LD_LIBRARY_PATH",
			why);
	return find_all(api, api->library, symbols, api->name, err);
}

int cublas_api_open_lt(struct cublas_api *api, struct err *err)
{
	const char *name, *names[2] = {0};
	char why[LIBRARY_WHY_MAX];
	size_t release = 0;

	if (api->lt_library)
		return 0;
	while (strcmp(blas_names[release], api->name) != 0)
		release++;
	names[0] = lt_names[release];
	api->lt_library = library_open(names, &name, why);
	if (!api->lt_library)
		return err_set(
			err, ERR_ENVIRONMENT,
			"cuBLASLt could not be opened: %s; it belongs beside cuBLAS",
			why);
	return find_all(api, api->lt_library, lt_symbols, name, err);
}

/* cuBLAS before 11.4 has no function for this. */
static const char *status_name(int status)
{
	static const struct {
		int status;
		const char *name;
	} names[] = {
		{1, "CUBLAS_STATUS_NOT_INITIALIZED"},
		{3, "CUBLAS_STATUS_ALLOC_FAILED"},
		{7, "CUBLAS_STATUS_INVALID_VALUE"},
		{8, "CUBLAS_STATUS_ARCH_MISMATCH"},
		{11, "CUBLAS_STATUS_MAPPING_ERROR"},
		{13, "CUBLAS_STATUS_EXECUTION_FAILED"},
		{14, "CUBLAS_STATUS_INTERNAL_ERROR"},
		{15, "CUBLAS_STATUS_NOT_SUPPORTED"},
		{16, "CUBLAS_STATUS_LICENSE_ERROR"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].status == status)
			return names[i].name;
	return "unknown status";
}

int cublas_ok(const struct cublas_api *api, int status, struct err *err, const char *fmt,
	      ...)
{
	const char *words;
	char what[256];
	va_list args;

	if (status == 0)
		return 0;
	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	words = api->cublasGetStatusString ? api->cublasGetStatusString(status) : NULL;
	return err_set_code(err, ERR_ENVIRONMENT, "cublas", status, "%s: %s (%d)%s%s",
			    what,
			    api->cublasGetStatusName ? api->cublasGetStatusName(status)
						     : status_name(status),
			    status, words ? ": " : "", words ? words : "");
}
