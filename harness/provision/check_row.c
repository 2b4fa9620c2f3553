#include "harness/provision/check_row.h"

#include <stdio.h>

void check_row_vadd(struct json_object *checks, const char *name, const char *state,
		    const char *remedy, const char *fmt, va_list ap)
{
	struct json_object *o = json_object_new_object();
	char text[ERR_TEXT_MAX];

	vsnprintf(text, sizeof(text), fmt, ap);
	json_put_text(o, "name", name);
	json_put_text(o, "state", state);
	json_put_text(o, "text", text);
	json_put_text(o, "remedy", remedy);
	json_object_array_add(checks, o);
}

void check_row_add(struct json_object *checks, const char *name, const char *state,
		   const char *remedy, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	check_row_vadd(checks, name, state, remedy, fmt, ap);
	va_end(ap);
}
