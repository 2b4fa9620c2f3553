/* What a plan calls its parts: names are checked, and parts are found by them. */
#include "harness/plan/plan_impl.h"

#include <stdio.h>
#include <string.h>

int plan_check_name(const char *name, const char *file, const char *pointer,
		    struct err *err)
{
	size_t len = strspn(
		name,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	if (len && len <= 40 && !name[len] && name[0] != '.' && name[0] != '-')
		return 0;
	return err_set(err, ERR_USAGE,
		       "%s: %s: the name '%.80s' must be letters, digits, '.', '_' or "
		       "'-', at most 40, for it becomes part of file names",
		       file, pointer, name);
}

const struct arm *plan_arm(const struct plan *p, const char *name)
{
	for (size_t i = 0; i < p->arms_nr; i++)
		if (strcmp(p->arms[i].name, name) == 0)
			return &p->arms[i];
	return NULL;
}

const struct provision *plan_provision(const struct plan *p, const char *name)
{
	for (size_t i = 0; i < p->provisions_nr; i++)
		if (strcmp(p->provisions[i].name, name) == 0)
			return &p->provisions[i];
	return NULL;
}

int name_unknown(const struct strvec *known, const char *name, const char *what,
		 struct err *err)
{
	char meant[DID_YOU_MEAN_SIZE];

	return err_set(err, ERR_USAGE, "%s '%.60s'%s", what, name,
		       did_you_mean(meant, name, strvec_argv(known), known->nr, ""));
}
