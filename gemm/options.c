#include "gemm/options.h"

#include <math.h>
#include <string.h>

#define AT(member) offsetof(struct gemm_options, member)

static const struct field fields[] = {
	{"n", FIELD_INT, AT(n), .min = 1, .max = 0x1p62, .arg = "N",
	 .help = "Columns of B and C; also --m and --k where these are not given. "
		 "Without it 16384 on a GPU, and on a processor as memory and speed "
		 "allow."},
	{"m", FIELD_INT, AT(m), .min = 1, .max = 0x1p62, .arg = "N",
	 .help = "Rows of A and C."},
	{"k", FIELD_INT, AT(k), .min = 1, .max = 0x1p62, .arg = "N",
	 .help = "Columns of A and rows of B."},
	{"precision", FIELD_CHOICE, AT(precision), .unset = "fp32",
	 .choices = precision_names, .arg = "NAME",
	 .help = "Type of the matrices, and with it the arithmetic."},
	{"compute", FIELD_CHOICE, AT(compute), .unset = "auto", .choices = compute_names,
	 .arg = "NAME",
	 .help = "Arithmetic asked of the library by name: pedantic forbids every short "
		 "cut; bf16x9 emulates FP32 with nine BF16 products; tf32, bf16 and "
		 "fp16 narrow FP32 inputs."},
	{"algo", FIELD_INT, AT(algo), .unset = "-1", .min = -1, .max = 999,
	 .arg = "NUMBER",
	 .help = "cublasGemmAlgo_t passed on to cuBLAS, which ignores it on compute "
		 "capability 8.0 and later; the result says so."},
	{"iterations", FIELD_INT, AT(iterations), .unset = "10", .min = 1, .max = 10000,
	 .arg = "N", .help = "Timed products."},
	{"warmup-seconds", FIELD_SECONDS, AT(warmup_ns), .unset = "5", .max = 3600,
	 .arg = "SECONDS",
	 .help = "Multiply for at least this long before timing; on a GPU up to three "
		 "times as long, until times are steady within 0.2 %."},
	{"alpha", FIELD_REAL, AT(alpha), .unset = "1", .arg = "X",
	 .help = "Factor of A*B."},
	{"beta", FIELD_REAL, AT(beta), .unset = "1", .arg = "X",
	 .help = "Factor of the C that is there already."},
	{"seed", FIELD_INT, AT(seed), .unset = "1", .max = 0x1p62, .arg = "NUMBER",
	 .help = "The matrices follow from it, with the same bits on every machine."},
	{"fill", FIELD_CHOICE, AT(fill), .unset = "normal", .choices = fill_names,
	 .arg = "KIND",
	 .help = "Numbers in the matrices: normal(0, 1), uniform in -1 to 1, or zeros, "
		 "which take less power and are for diagnosis only."},
	{"backend", FIELD_CHOICE, AT(backend), .unset = "auto", .choices = engine_names,
	 .arg = "NAME",
	 .help = "Library that multiplies; auto takes cuBLAS where there is a GPU, and "
		 "OpenBLAS only where there is none: one that fails is an error."},
	{"device", FIELD_TEXT, AT(device), .arg = "GPU",
	 .help = "UUID of a GPU or MIG device (GPU-..., MIG-...), PCI address, or "
		 "number."},
	{"sms", FIELD_INT, AT(sms), .unset = "0", .max = 4096, .arg = "N",
	 .help = "Use only N multiprocessors of the GPU, through a green context; 0 for "
		 "all."},
	{"sweep-profiles", FIELD_FLAG, AT(sweep_profiles),
	 .help = "Before that, multiply on as many multiprocessors as each MIG profile "
		 "of the GPU has, through green contexts: what its slices should reach "
		 "at best. MIG itself is not touched."},
	{"autotune", FIELD_FLAG, AT(autotune),
	 .help = "Also try cuBLASLt's algorithms and report the fastest one that is "
		 "right, as a metric of its own."},
	{"threads", FIELD_INT, AT(threads), .unset = "0", .max = 4096, .arg = "N",
	 .help = "Threads of OpenBLAS; 0 for its own choice."},
	{"telemetry", FIELD_FLAG, AT(telemetry), .unset = "true",
	 .help = "Sample clocks, power, temperature and errors of the GPU 10 times a "
		 "second."},
	{"exclusive", FIELD_FLAG, AT(exclusive), .unset = "true",
	 .help = "Make the result invalid when another process uses the GPU."},
	{"json", FIELD_FLAG, AT(json),
	 .help = "Print the result document instead of a summary."},
	{"output", FIELD_TEXT, AT(output), .arg = "FILE", .letter = 'o',
	 .help = "Keep the result document in FILE; what is there is replaced."},
	{0},
};

static const struct opt_text examples[] = {
	{"tare-gemm --n 16384 --precision fp32",
	 "Ten products in FP32 on the GPU, after five seconds of warm-up."},
	{"tare-gemm --backend openblas --n 2048 --json -o cpu.json",
	 "On the processor; the document is printed and kept in a file."},
	{"tare-gemm --device GPU-5f9b3a52-1f6e-4bd7-9d3b-0c1d8a7f2e11 --sms 16",
	 "What a slice of 16 multiprocessors should reach at best."},
	{"tare-gemm --sweep-profiles --warmup-seconds 2",
	 "The same for every MIG profile that the GPU has."},
	{0},
};

static const struct opt_text sections[] = {
	{"VERIFICATION",
	 "C is filled from the seed between the warm-up and the first timed product. "
	 "Afterwards sampled entries are compared with an FP64 reference that goes "
	 "through as many products, within a bound that follows from the types and k, "
	 "and a digest of all of C is taken. The same GPU model with the same library "
	 "gives the same digest. A wrong entry makes the result invalid."},
	{"EXIT STATUS", "0 measured and right; 2 wrong usage; 4 invalid measurement; 5 "
			"no such device, out "
			"of memory or another failure of the machine; 6 a bug in tare; "
			"130 interrupted."},
	{0},
};

const struct opt_command gemm_command = {
	.name = "tare-gemm",
	.summary = "time matrix products and check that they are right",
	.usage = "[OPTION]...",
	.about = "Times C = alpha*A*B + beta*C (column-major) on cuBLAS or OpenBLAS, "
		 "product by product, and verifies the result. Both libraries are "
		 "opened when the program runs. Prints a summary, or with --json one "
		 "tare.result/1 document.",
	.fields = fields,
	.examples = examples,
	.sections = sections,
};

static int check_factors(const struct gemm_options *o, const struct arithmetic *a,
			 struct err *err)
{
	if (a->type_c == ELEMENT_I32 &&
	    (o->alpha != rint(o->alpha) || o->beta != rint(o->beta) ||
	     fabs(o->alpha) > 1e6 || fabs(o->beta) > 1e6))
		return err_set(
			err, ERR_USAGE,
			"int8 multiplies in whole numbers: --alpha %g and --beta %g "
			"must be whole and at most 1000000",
			o->alpha, o->beta);
	return 0;
}

int options_problem(const struct gemm_options *o, struct problem *ret, struct err *err)
{
	const struct arithmetic *a =
		arithmetic_find((enum precision)o->precision, (enum compute)o->compute);

	if (!a)
		return err_set(err, ERR_USAGE,
			       "--precision %s has no --compute %s; leave --compute out",
			       precision_names[o->precision], compute_names[o->compute]);
	if (o->n == 0 && (o->m > 0 || o->k > 0))
		return err_set(
			err, ERR_USAGE,
			"--m and --k need --n: all three dimensions of the problem");
	*ret = (struct problem){
		.m = o->m > 0 ? o->m : o->n,
		.n = o->n,
		.k = o->k > 0 ? o->k : o->n,
		.alpha = o->alpha,
		.beta = o->beta,
		.seed = (uint64_t)o->seed,
		.fill = (enum element_fill)o->fill,
		.arithmetic = a,
	};
	if (check_factors(o, a, err) != 0)
		return -1;
	return o->n > 0 ? problem_check(ret, o->iterations, err) : 0;
}

struct json_object *options_params(const struct gemm_options *o, const struct problem *p,
				   const char *backend)
{
	struct json_object *params = json_object_new_object();

	json_put_text(params, "backend", backend);
	json_put_int(params, "m", p->m);
	json_put_int(params, "n", p->n);
	json_put_int(params, "k", p->k);
	json_put_text(params, "precision", precision_names[p->arithmetic->precision]);
	json_put_text(params, "compute", compute_names[p->arithmetic->compute]);
	json_put_real(params, "alpha", p->alpha);
	json_put_real(params, "beta", p->beta);
	json_put_text(params, "fill", fill_names[p->fill]);
	json_put_int(params, "seed", o->seed);
	json_put_int(params, "iterations", o->iterations);
	json_put_real(params, "warmup_seconds", (double)o->warmup_ns / 1e9);
	json_put_int(params, "algo", o->algo);
	json_put_bool(params, "autotune", o->autotune);
	return params;
}
