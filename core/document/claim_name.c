#include "core/document/claim_name.h"

#include "core/base/buf.h"

#include <string.h>

static const char *const names[CLAIM_NR] = {
	[CLAIM_WHO] = "who",
	[CLAIM_BOUNDARY] = "boundary",
	[CLAIM_COMPUTED] = "computed",
	[CLAIM_WHOLE_DEVICE] = "whole-device",
	[CLAIM_CLOCKS] = "clocks",
	[CLAIM_POWER] = "power",
	[CLAIM_ALONE] = "alone",
	[CLAIM_CPU_FREE] = "cpu-free",
	[CLAIM_PATH] = "path",
	[CLAIM_HEALTH] = "health",
	[CLAIM_SAME_WORK] = "same-work",
	[CLAIM_SAME_SOFTWARE] = "same-software",
	[CLAIM_TIME] = "time",
};

const char *claim_name(enum claim_id id)
{
	return names[id];
}

static bool is_name(const char *name)
{
	for (int i = 0; i < CLAIM_NR; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static int refuse(const char *name, const char *where, struct err *err)
{
	struct buf all;

	buf_init(&all, BUF_UNBOUNDED);
	for (int i = 0; i < CLAIM_NR; i++)
		buf_printf(&all, "%s%s", i ? ", " : "", names[i]);
	err_set(err, ERR_USAGE,
		"%s: '%.40s' is no claim that a verdict rests on; there are %s", where,
		name, all.data);
	buf_release(&all);
	return -1;
}

int claim_names_check(const struct strvec *given, const char *where, struct err *err)
{
	for (size_t i = 0; i < given->nr; i++)
		if (!is_name(given->items[i]))
			return refuse(given->items[i], where, err);
	return 0;
}
