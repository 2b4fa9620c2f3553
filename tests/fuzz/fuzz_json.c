/* Documents from outside: no crash, and what was read is written so that it reads back. */
#include "core/document/json.h"
#include "core/document/json_keys.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = ERR_INIT;
	struct json_object *o = json_parse((const char *)data, size, "fuzz", &err),
			   *again;
	char *first;

	json_check_keys((const char *)data, size, "fuzz", NULL);
	if (!o) {
		if (err.kind == ERR_NONE || !err.text[0])
			abort();
		return 0;
	}
	first = strdup(json_line(o));
	again = json_parse(first, strlen(first), "again", &err);
	if (!again || strcmp(json_line(again), first) != 0)
		abort();
	free(first);
	json_object_put(o);
	json_object_put(again);
	return 0;
}
