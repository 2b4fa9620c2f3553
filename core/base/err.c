#include "core/base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void ERR_PRINTF(5, 0) fill(struct err *err, enum err_kind kind, const char *origin,
				  long code, const char *fmt, va_list ap)
{
	if (!err)
		return;
	err->kind = kind;
	err->origin = origin;
	err->code = code;
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
}

int err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill(err, kind, NULL, 0, fmt, ap);
	va_end(ap);
	return -1;
}

int err_set_code(struct err *err, enum err_kind kind, const char *origin, long code,
		 const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill(err, kind, origin, code, fmt, ap);
	va_end(ap);
	return -1;
}

int err_errno(struct err *err, const char *fmt, ...)
{
	int code = errno;
	size_t len;
	va_list ap;

	va_start(ap, fmt);
	fill(err, ERR_ENVIRONMENT, "errno", code, fmt, ap);
	va_end(ap);
	if (!err)
		return -1;
	len = strlen(err->text);
	snprintf(err->text + len, sizeof(err->text) - len, ": %s", strerror(code));
	return -1;
}

int err_wrap(struct err *err, const char *fmt, ...)
{
	char inner[ERR_TEXT_MAX];
	size_t len;
	va_list ap;

	if (!err)
		return -1;
	memcpy(inner, err->text, sizeof(inner));
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	len = strlen(err->text);
	snprintf(err->text + len, sizeof(err->text) - len, ": %s", inner);
	return -1;
}

void err_clear(struct err *err)
{
	if (err)
		memset(err, 0, sizeof(*err));
}

int err_exit_status(const struct err *err)
{
	static const int status[] = {
		[ERR_NONE] = EXIT_PASS,       [ERR_USAGE] = EXIT_USAGE,
		[ERR_INVALID] = EXIT_INVALID, [ERR_ENVIRONMENT] = EXIT_ENVIRONMENT,
		[ERR_INTERNAL] = EXIT_BUG,    [ERR_INTERRUPTED] = EXIT_INTERRUPTED,
	};

	return status[err->kind];
}
