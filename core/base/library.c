#include "core/base/library.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

void *library_open(const char *const *names, const char **ret_name,
		   char why[LIBRARY_WHY_MAX])
{
	why[0] = '\0';
	for (; *names; names++) {
		void *library = dlopen(*names, RTLD_NOW | RTLD_LOCAL);

		if (library && ret_name)
			*ret_name = *names;
		if (library)
			return library;
		if (!why[0])
			snprintf(why, LIBRARY_WHY_MAX, "%s", dlerror());
	}
	return NULL;
}

const char *library_find(void *library, const struct library_symbol *symbols, void *api)
{
	for (; symbols->name; symbols++) {
		void *at = dlsym(library, symbols->name);

		if (!at && !symbols->is_optional)
			return symbols->name;
		/* ISO C converts no object pointer to a function's. */
		memcpy((char *)api + symbols->offset, &at, sizeof(at));
	}
	return NULL;
}
