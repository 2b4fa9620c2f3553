#include "core/machine/sysfs.h"

#include "core/base/file.h"
#include "core/base/mem.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX ((size_t)64 << 10)

/* root + path; free() */
static char *ERR_PRINTF(2, 0) path_of(const char *root, const char *fmt, va_list ap)
{
	size_t front = strlen(root);
	va_list again;
	char *path;
	int len;

	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	path = x_malloc(front + (size_t)len + 1);
	memcpy(path, root, front);
	vsnprintf(path + front, (size_t)len + 1, fmt, ap);
	return path;
}

static void trim(char *text)
{
	size_t start = strspn(text, " \t\n"), len;

	memmove(text, text + start, strlen(text + start) + 1);
	len = strlen(text);
	while (len && strchr(" \t\n", text[len - 1]))
		text[--len] = '\0';
}

/* A kernel's file has no size: what fits is read, the rest is left. */
static char *read_text(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *text;
	size_t len = 0;
	ssize_t got = 0;

	if (fd < 0)
		return NULL;
	text = x_malloc(TEXT_MAX + 1);
	while (len < TEXT_MAX && (got = read(fd, text + len, TEXT_MAX - len)) != 0) {
		if (got < 0 && errno != EINTR)
			break;
		len += got > 0 ? (size_t)got : 0;
	}
	close(fd);
	if (got < 0 && len == 0) {
		free(text);
		return NULL;
	}
	text[len] = '\0';
	trim(text);
	return text;
}

char *sysfs_text(const char *root, const char *fmt, ...)
{
	va_list ap;
	char *path, *text;

	va_start(ap, fmt);
	path = path_of(root, fmt, ap);
	va_end(ap);
	text = read_text(path);
	free(path);
	return text;
}

bool sysfs_int(int64_t *ret, const char *root, const char *fmt, ...)
{
	va_list ap;
	char *path, *text, *end;
	long long value;
	bool ok;

	va_start(ap, fmt);
	path = path_of(root, fmt, ap);
	va_end(ap);
	text = read_text(path);
	free(path);
	if (!text)
		return false;
	errno = 0;
	value = strtoll(text, &end, strncmp(text, "0x", 2) == 0 ? 16 : 10);
	ok = end != text && !errno;
	if (ok)
		*ret = value;
	free(text);
	return ok;
}

char *sysfs_link_name(const char *root, const char *fmt, ...)
{
	va_list ap;
	char *path, to[PATH_MAX];
	ssize_t len;

	va_start(ap, fmt);
	path = path_of(root, fmt, ap);
	va_end(ap);
	len = readlink(path, to, sizeof(to) - 1);
	free(path);
	if (len <= 0)
		return NULL;
	to[len] = '\0';
	return x_strdup(path_base(to));
}

/* PCI addresses are hexadecimal and of one width: plain order is theirs. */
static int by_nature(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;

	return strchr(x, ':') ? strcmp(x, y) : strverscmp(x, y);
}

void sysfs_list(struct strvec *ret, const char *root, const char *fmt, ...)
{
	va_list ap;
	char *path;
	DIR *dir;
	struct dirent *e;

	va_start(ap, fmt);
	path = path_of(root, fmt, ap);
	va_end(ap);
	dir = opendir(path);
	free(path);
	if (!dir)
		return;
	while ((e = readdir(dir))) {
		if (e->d_name[0] != '.')
			strvec_add(ret, e->d_name);
	}
	closedir(dir);
	if (ret->nr)
		qsort(ret->items, ret->nr, sizeof(*ret->items), by_nature);
}

bool sysfs_exists(const char *root, const char *fmt, ...)
{
	va_list ap;
	char *path;
	bool exists;

	va_start(ap, fmt);
	path = path_of(root, fmt, ap);
	va_end(ap);
	exists = access(path, F_OK) == 0;
	free(path);
	return exists;
}

bool sysfs_runs(const char *root, const char *name)
{
	struct strvec pids = {0};
	bool found = false;

	sysfs_list(&pids, root, "/proc");
	for (size_t i = 0; i < pids.nr && !found; i++) {
		char *comm;

		if (!isdigit((unsigned char)pids.items[i][0]))
			continue;
		comm = sysfs_text(root, "/proc/%s/comm", pids.items[i]);
		found = comm && strcmp(comm, name) == 0;
		free(comm);
	}
	strvec_release(&pids);
	return found;
}

char *sysfs_value(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		const char *p = line + strspn(line, "\n \t");

		line = p;
		if (strncmp(p, key, len) != 0)
			continue;
		p += len + strspn(p + len, " \t");
		if (*p != ':' && *p != '=')
			continue;
		char *value = x_strndup(p + 1, strcspn(p + 1, "\n"));

		trim(value);
		return value;
	}
	return NULL;
}

/* "always [madvise] never" gives "madvise"; free(). */
static char *chosen(const char *text)
{
	const char *open = text ? strchr(text, '[') : NULL;

	if (!open)
		return x_strdup(text);
	return x_strndup(open + 1, strcspn(open + 1, "]"));
}

void sysfs_put_text(struct json_object *o, const char *key, const char *root,
		    const char *path)
{
	char *text = sysfs_text(root, "%s", path);

	json_put_text(o, key, text && *text ? text : NULL);
	free(text);
}

void sysfs_put_int(struct json_object *o, const char *key, const char *root,
		   const char *path)
{
	int64_t value;

	if (sysfs_int(&value, root, "%s", path))
		json_put_int(o, key, value);
	else
		json_put(o, key, NULL);
}

void sysfs_put_choice(struct json_object *o, const char *key, const char *root,
		      const char *path)
{
	char *text = sysfs_text(root, "%s", path);
	char *choice = chosen(text);

	json_put_text(o, key, choice);
	free(choice);
	free(text);
}
