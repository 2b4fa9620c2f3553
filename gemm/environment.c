#include "gemm/environment.h"

#include "core/base/mem.h"

#include <string.h>

static const char *const recorded[] = {
	"NVIDIA_TF32_OVERRIDE",
	"CUBLAS_EMULATE_SINGLE_PRECISION",
	"CUBLAS_EMULATE_DOUBLE_PRECISION",
	"CUBLAS_EMULATION_STRATEGY",
	"CUBLAS_FIXEDPOINT_EMULATION_MANTISSA_BIT_COUNT",
	"CUBLAS_WORKSPACE_CONFIG",
	"CUBLASLT_WORKSPACE_SIZE",
	"CUDA_VISIBLE_DEVICES",
	"CUDA_DEVICE_ORDER",
	"CUDA_LAUNCH_BLOCKING",
	"CUDA_DEVICE_MAX_CONNECTIONS",
	"CUDA_MODULE_LOADING",
	"CUDA_MPS_PIPE_DIRECTORY",
	"CUDA_MPS_ACTIVE_THREAD_PERCENTAGE",
	"CUDA_FORCE_PTX_JIT",
	"LD_PRELOAD",
	"OPENBLAS_NUM_THREADS",
	"OPENBLAS_CORETYPE",
	"OMP_NUM_THREADS",
	"GOTO_NUM_THREADS",
};

static bool is_on(const char *value)
{
	return value && *value && strcmp(value, "0") != 0;
}

static int refuse(struct err *err, const char *name, const char *value,
		  const char *effect, const char *remedy)
{
	return err_set(err, ERR_INVALID, "%s=%.32s in the environment %s; unset it%s",
		       name, value, effect, remedy);
}

int environment_check(const struct arithmetic *a, char *(*getenv_fn)(const char *),
		      struct err *err)
{
	const char *tf32 = getenv_fn("NVIDIA_TF32_OVERRIDE");
	const char *single = getenv_fn("CUBLAS_EMULATE_SINGLE_PRECISION");
	const char *whole = getenv_fn("CUBLAS_EMULATE_DOUBLE_PRECISION");
	bool is_f32 = a->type_ab == ELEMENT_F32;

	if (is_f32 && is_on(tf32) && a->compute != COMPUTE_TF32)
		return refuse(err, "NVIDIA_TF32_OVERRIDE", tf32,
			      "makes cuBLAS compute FP32 in TF32",
			      ", or ask for it by --precision tf32");
	if (is_f32 && tf32 && !is_on(tf32) && a->rate != RATE_FP32)
		return refuse(err, "NVIDIA_TF32_OVERRIDE", tf32,
			      "keeps cuBLAS from using tensor cores for FP32 data",
			      ", or ask for --precision fp32");
	if (is_f32 && is_on(single) && a->compute != COMPUTE_BF16X9)
		return refuse(err, "CUBLAS_EMULATE_SINGLE_PRECISION", single,
			      "makes cuBLAS emulate FP32 with BF16 products",
			      ", or ask for it by --compute bf16x9");
	if (a->type_ab == ELEMENT_F64 && is_on(whole))
		return refuse(err, "CUBLAS_EMULATE_DOUBLE_PRECISION", whole,
			      "makes cuBLAS emulate FP64 with integer products", "");
	return 0;
}

struct json_object *environment_json(char *(*getenv_fn)(const char *))
{
	struct json_object *o = json_object_new_object();

	for (size_t i = 0; i < ARRAY_SIZE(recorded); i++) {
		const char *value = getenv_fn(recorded[i]);

		if (value)
			json_put_text(o, recorded[i], value);
	}
	return o;
}
