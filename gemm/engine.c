#include "gemm/engine.h"

#include <string.h>

/* In the order in which 'auto' tries them. */
static const struct engine_ops *const engines[] = {&cublas_engine, &openblas_engine,
						   NULL};
const char *const engine_names[] = {"auto", "cublas", "openblas", NULL};

int engine_open(const char *name, const struct engine_request *r, struct engine **ret,
		struct err *err)
{
	bool is_auto = strcmp(name, "auto") == 0;

	for (const struct engine_ops *const *ops = engines; *ops; ops++) {
		struct err why = ERR_INIT;

		if (!is_auto && strcmp((*ops)->name, name) != 0)
			continue;
		if ((*ops)->open(r, ret, &why) == 0)
			return 0;
		if (is_auto && why.code == ENGINE_NONE_HERE && ops[1])
			continue;
		*err = why;
		return -1;
	}
	return err_set(err, ERR_USAGE, "no backend is called '%s'", name);
}

int engine_prepare(struct engine *e, struct problem *p, int64_t products, struct err *err)
{
	if (e->ops->check(e, p->arithmetic, err) != 0)
		return -1;
	if (p->n == 0) {
		if (e->ops->default_n(e, p->arithmetic, &p->n, err) != 0)
			return -1;
		p->m = p->k = p->n;
	}
	if (problem_check(p, products, err) != 0)
		return -1;
	return e->ops->prepare(e, p, err);
}
