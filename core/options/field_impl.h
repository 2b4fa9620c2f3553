/* Shared by the files that implement core/options/field.h. */
#ifndef TARE_CORE_OPTIONS_FIELD_IMPL_H
#define TARE_CORE_OPTIONS_FIELD_IMPL_H

#include "core/options/field.h"

/* Where the field lies in 'obj'. */
void *field_member(const struct field *f, const void *obj);
bool field_is_bounded(const struct field *f);
/* "prompt-tokens" as it stands in JSON: "prompt_tokens"; free(). */
char *field_json_key(const char *name);

/* The setters behind field_set_text() and fields_bind_json(): they check the range. */
int field_put_int(const struct field *f, void *obj, int64_t value, double shown_value,
		  const char *shown, struct err *err);
int field_put_real(const struct field *f, void *obj, double value, const char *shown,
		   struct err *err);
int field_add_int(const struct field *f, void *obj, int64_t value, const char *shown,
		  struct err *err);
void field_clear_ints(const struct field *f, void *obj);

#endif
