/*
 * A MIG layout out of a journal or a file: refused in words, or read and written the same
 * again, whatever the texts in it are.
 */
#include "core/machine/mig.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const struct mig_layout *l)
{
	struct json_object *a = mig_layout_json(l), *b;
	struct mig_layout again;
	struct err err = ERR_INIT;

	if (mig_layout_from_json(&again, a, &err))
		abort();
	b = mig_layout_json(&again);
	if (strcmp(json_line(a), json_line(b)) != 0)
		abort();
	json_object_put(a);
	json_object_put(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = ERR_INIT;
	struct json_object *o = json_parse((const char *)data, size, "fuzz", &err);
	struct mig_layout l;

	if (!o)
		return 0;
	if (mig_layout_from_json(&l, o, &err) == 0) {
		if (l.nr > MIG_MAX)
			abort();
		check_again(&l);
	} else if (err.kind != ERR_USAGE || !err.text[0]) {
		abort();
	}
	json_object_put(o);
	return 0;
}
