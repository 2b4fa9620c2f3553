#include "cuda/cuda.h"

#include "core/base/library.h"
#include "core/base/mem.h"

#include <stdarg.h>
#include <stdio.h>

#define NEEDED(symbol, parameters) {#symbol, offsetof(struct cuda, symbol), false},
#define OPTIONAL(symbol, parameters) {#symbol, offsetof(struct cuda, symbol), true},

static const struct library_symbol symbols[] = {
	CUDA_DRIVER(NEEDED) CUDA_DRIVER_OPTIONAL(OPTIONAL){0}};

static const char *const names[] = {"libcuda.so.1", "libcuda.so", NULL};

int cuda_open(struct cuda *c, bool *ret_none, struct err *err)
{
	const char *name, *missing;
	char why[LIBRARY_WHY_MAX];
	cu_result code;

	c->library = library_open(names, &name, why);
	*ret_none = !c->library;
	if (!c->library)
		return err_set(err, ERR_ENVIRONMENT, "no NVIDIA driver: %s; install one",
			       why);
	missing = library_find(c->library, symbols, c);
	if (missing)
		return err_set(err, ERR_ENVIRONMENT,
			       "%s has no %s: it is older than CUDA 11; install a newer "
			       "one",
			       name, missing);
	code = c->cuInit(0);
	*ret_none = code == CU_NO_DEVICE;
	return cuda_ok(c, code, err, "start CUDA");
}

/* What the driver's own words leave out. */
static const struct {
	cu_result code;
	const char *remedy;
} remedies[] = {
	{802, "; Fabric Manager has not set up the NVLinks: start nvidia-fabricmanager "
	      "(nvidia-smi -q shows 'Fabric')"},
	{803, "; driver and libcuda are of two versions: reload the driver or reboot"},
	{804, "; this libcuda is for another kind of GPU: take the driver's own out of "
	      "cuda-compat's way in LD_LIBRARY_PATH"},
};

static const char *remedy_of(cu_result code)
{
	for (size_t i = 0; i < ARRAY_SIZE(remedies); i++)
		if (remedies[i].code == code)
			return remedies[i].remedy;
	return "";
}

int cuda_ok(const struct cuda *c, cu_result code, struct err *err, const char *fmt, ...)
{
	const char *name = NULL, *words = NULL;
	char what[256];
	va_list args;

	if (code == CU_SUCCESS)
		return 0;
	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	if (c->cuGetErrorName(code, &name) != CU_SUCCESS)
		name = "unknown error";
	if (c->cuGetErrorString(code, &words) != CU_SUCCESS)
		words = "the driver has no words for it";
	return err_set_code(err, ERR_ENVIRONMENT, "cuda", code, "%s: %s (%d): %s%s", what,
			    name, code, words, remedy_of(code));
}
