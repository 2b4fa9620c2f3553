/* A result document from outside: refused in words, or read and written the same again. */
#include "core/document/result.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const struct result *r)
{
	struct json_object *a = result_to_json(r), *b;
	struct result again;
	struct err err = ERR_INIT;

	if (result_from_json(&again, a, "again", &err))
		abort();
	b = result_to_json(&again);
	if (strcmp(json_line(a), json_line(b)) != 0)
		abort();
	result_exit_status(r);
	result_release(&again);
	json_object_put(a);
	json_object_put(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = ERR_INIT;
	struct json_object *o = json_parse((const char *)data, size, "fuzz", &err);
	struct result r;

	if (!o)
		return 0;
	if (result_from_json(&r, o, "fuzz", &err) == 0) {
		check_again(&r);
		result_release(&r);
	} else if (err.kind != ERR_USAGE || !err.text[0]) {
		abort();
	}
	json_object_put(o);
	return 0;
}
