/* For files that implement a target; everyone else includes target.h. */
#ifndef TARE_HARNESS_TARGET_TARGET_IMPL_H
#define TARE_HARNESS_TARGET_TARGET_IMPL_H

#include "harness/target/target.h"

/*
 * A kind embeds struct target as its first member and fills one const table. target.c
 * checks arguments, so a hook may rely on them.
 */
struct target_ops {
	const char *kind;
	int (*run)(struct target *t, const struct proc_spec *spec,
		   struct proc_outcome *ret, struct err *err);
	bool is_here; /* this very machine */
	int (*place)(struct target *t, const struct bundle *b, int64_t timeout_ns,
		     const char **ret_path, struct err *err);
	int (*get)(struct target *t, const char *remote, const char *local,
		   int64_t timeout_ns, struct err *err);
	char *(*make_workdir)(struct target *t, struct err *err); /* free() */
	int (*remove_workdir)(struct target *t, const char *path, struct err *err);
	void (*free)(
		struct target *t); /* everything but the struct's own members below */
};

struct target {
	const struct target_ops *ops;
	char *name;
	char *workdir; /* NULL until somebody asked for it */
};

#endif
