#include "core/base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void out_of_memory(void)
{
	static const char msg[] = "tare: out of memory\n";

	(void)!write(STDERR_FILENO, msg, sizeof(msg) - 1);
	_exit(EXIT_BUG);
}

void *x_malloc(size_t size)
{
	void *p = malloc(size ? size : 1);

	if (!p)
		out_of_memory();
	return p;
}

void *x_calloc(size_t nr, size_t size)
{
	void *p = calloc(nr ? nr : 1, size ? size : 1);

	if (!p)
		out_of_memory();
	return p;
}

void *x_realloc_array(void *old, size_t nr, size_t size)
{
	void *p;

	if (size && nr > SIZE_MAX / size)
		out_of_memory();
	p = realloc(old, nr && size ? nr * size : 1);
	if (!p)
		out_of_memory();
	return p;
}

char *x_strdup(const char *s)
{
	return s ? x_strndup(s, strlen(s)) : NULL;
}

char *x_strndup(const char *s, size_t max)
{
	size_t len = strnlen(s, max);
	char *p = x_malloc(len + 1);

	memcpy(p, s, len);
	p[len] = '\0';
	return p;
}

char *x_vasprintf(const char *fmt, va_list ap)
{
	va_list again;
	int len;
	char *p;

	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, ap);
	if (len < 0)
		out_of_memory();
	p = x_malloc((size_t)len + 1);
	vsnprintf(p, (size_t)len + 1, fmt, again);
	va_end(again);
	return p;
}

char *x_asprintf(const char *fmt, ...)
{
	va_list ap;
	char *p;

	va_start(ap, fmt);
	p = x_vasprintf(fmt, ap);
	va_end(ap);
	return p;
}
