/*
 * Whoever multiplies: one table of functions for each library. An engine owns the device,
 * the three matrices and the library's handle. Order of calls: open, prepare, then any of
 * reset, multiply, sample and digest, close.
 *
 * Errors: ERR_ENVIRONMENT for a missing library, device or memory, with the library's own
 * code and name; ERR_USAGE for work that the engine cannot do.
 */
#ifndef TARE_GEMM_ENGINE_H
#define TARE_GEMM_ENGINE_H

#include "core/document/evidence.h"
#include "core/document/json.h"
#include "core/document/result.h"
#include "gemm/problem.h"
#include "gemm/verify.h"

struct engine_request {
	const char *device; /* UUID, PCI address or number; NULL: the only or first one */
	int64_t threads;    /* of a CPU library; 0: its own choice */
	int64_t sms;        /* multiprocessors of a GPU to use; 0: all */
	int64_t algo;       /* cublasGemmAlgo_t; -1: the library's default */
	bool wants_autotune; /* a choice of algorithms will be asked for */
	const char *root;    /* where a GPU that CUDA does not see is looked for, as in
			     core/machine/machine.h; NULL: this machine */
};

struct engine {
	const struct engine_ops *ops;
};

struct device;

struct engine_ops {
	const char *name; /* "cublas" */
	/* A GPU's clocks take seconds to settle: the warm-up waits until times are steady. */
	bool wants_steady;
	int (*open)(const struct engine_request *r, struct engine **ret, struct err *err);
	void (*close)(struct engine *e); /* NULL is fine */
	/* ERR_USAGE when it has no such arithmetic. */
	int (*check)(struct engine *e, const struct arithmetic *a, struct err *err);
	/* The n of a square problem where the user names none. */
	int (*default_n)(struct engine *e, const struct arithmetic *a, int64_t *ret,
			 struct err *err);
	/* Memory, matrices filled from the seed, the library ready. 'p' must outlive it. */
	int (*prepare)(struct engine *e, const struct problem *p, struct err *err);
	/* C as the seed gives it, ordered before the next product. */
	int (*reset)(struct engine *e, struct err *err);
	/*
	 * 'nr' products, one after the other; seconds[i] of each, gaps[i] from the end of
	 * product i to the start of the next (nr - 1 of them; NaN where not known). Either
	 * may be NULL. Nothing is allocated between the first start and the last end.
	 */
	int (*multiply)(struct engine *e, int64_t nr, double *seconds, double *gaps,
			struct err *err);
	/* Fills in dot, squares, magnitudes and value at the samples' places. */
	int (*sample)(struct engine *e, struct sample *samples, int64_t nr,
		      struct err *err);
	int (*digest)(struct engine *e, uint64_t sums[2], struct err *err); /* of C */
	/*
	 * The algorithms that can be chosen for the problem, best guess first, and the choice
	 * of one; NULL where the library has none. -1 is the library's own choice.
	 */
	int (*algorithms)(struct engine *e, int *ret_nr, struct err *err);
	void (*choose)(struct engine *e, int algorithm);
	/* The GPU, or NULL: a processor. */
	const struct device *(*device)(struct engine *e);
	/* Of the context that multiplies, after prepare; texts live as long as 'e'. A
	 * processor's name is left to the machine's facts. */
	void (*computed)(struct engine *e, struct evidence_computed *ret);
	/* Whether the device is the whole of what was asked for; NULL: a processor. */
	void (*report_whole)(struct engine *e, struct result *r);
	/* Library, device and settings, added to the result's details. */
	void (*describe)(struct engine *e, struct json_object *details);
};

/*
 * err.code of an open that failed because the machine has no such device at all: nothing
 * shows a GPU (core/machine/gpu_presence.h), as against one that is there and does not work.
 */
#define ENGINE_NONE_HERE (-404)

extern const struct engine_ops cublas_engine, openblas_engine;
extern const char *const engine_names[]; /* "auto" first: choices of the command line */

/*
 * Opens the one named, or the first that opens; with 'auto' a GPU that is there but fails
 * is an error, and only a machine without one falls through to the next.
 */
int engine_open(const char *name, const struct engine_request *r, struct engine **ret,
		struct err *err);

/* Checks the problem for so many products, gives it the engine's own n where it has none, and
 * prepares it. */
int engine_prepare(struct engine *e, struct problem *p, int64_t products,
		   struct err *err);

#endif
