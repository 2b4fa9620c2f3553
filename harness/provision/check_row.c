#include "harness/provision/check_row.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void check_row_add(struct json_object *checks, const char *name, const char *state,
		   const char *remedy, const char *fmt, ...)
{
	struct json_object *o = json_object_new_object();
	char text[ERR_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_put_text(o, "name", name);
	json_put_text(o, "state", state);
	json_put_text(o, "text", text);
	json_put_text(o, "remedy", remedy);
	json_object_array_add(checks, o);
}

size_t check_rows_in(struct json_object *checks, const char *state)
{
	size_t nr = 0;

	for (size_t i = 0; i < json_length(checks); i++)
		nr += strcmp(json_get_text(json_object_array_get_idx(checks, i), "state",
					   ""),
			     state) == 0;
	return nr;
}
