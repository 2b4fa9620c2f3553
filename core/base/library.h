/*
 * Shared libraries that are opened at run time, so that a program starts where they are not
 * installed. The loader's search applies: LD_LIBRARY_PATH, lib/ beside the program, the
 * system's. Close with dlclose(), or never where the library keeps threads.
 */
#ifndef TARE_CORE_BASE_LIBRARY_H
#define TARE_CORE_BASE_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>

#define LIBRARY_WHY_MAX 256

/* A function pointer of a struct: row of a table that ends with {0}. */
struct library_symbol {
	const char *name;
	size_t offset; /* of the pointer in the struct */
	bool is_optional;
};

/*
 * The first of 'names' (NULL-terminated) that opens, and which it was (ret_name may be NULL);
 * else NULL, and 'why' is the loader's own sentence about the first.
 */
void *library_open(const char *const *names, const char **ret_name,
		   char why[LIBRARY_WHY_MAX]);

/*
 * Sets the pointers of the struct 'api'; NULL for what is optional and missing. The name of
 * the first symbol that is needed and missing, or NULL.
 */
const char *library_find(void *library, const struct library_symbol *symbols, void *api);

#endif
