#include "core/base/file.h"

#include "core/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int file_read(const char *path, size_t max, struct buf *ret, struct err *err)
{
	char chunk[65536];
	ssize_t got;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	buf_init(ret, max);
	if (fd < 0) {
		buf_release(ret);
		return err_errno(err, "%s", path);
	}
	while ((got = read(fd, chunk, sizeof(chunk))) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			err_errno(err, "%s", path);
			break;
		}
		if (!buf_add(ret, chunk, (size_t)got)) {
			err_set(err, ERR_USAGE,
				"%s: larger than the %zu bytes accepted here", path, max);
			got = -1;
			break;
		}
	}
	close(fd);
	if (got < 0)
		buf_release(ret);
	return got < 0 ? -1 : 0;
}

int file_check_given(const char *path, const char *expected, struct err *err)
{
	struct stat st;

	if (stat(path, &st) && (errno == ENOENT || errno == ENOTDIR))
		return err_set(err, ERR_USAGE, "'%s': there is no such file; expected %s",
			       path, expected);
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return err_set(err, ERR_USAGE, "%s: is a folder; expected %s", path,
			       expected);
	if (access(path, R_OK))
		return err_errno(err, "%s: cannot be read", path);
	return 0;
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t put = write(fd, data, len);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -1;
		data += put;
		len -= (size_t)put;
	}
	return 0;
}

/* The rename itself must survive a power cut too. */
static void sync_parent(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? x_strndup(path, (size_t)(slash - path) + 1) : x_strdup(".");
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	free(dir);
	if (fd < 0)
		return;
	(void)fsync(fd);
	close(fd);
}

/* errno's words as err_errno() gives them, and what helps against it. */
static int cannot_write(struct err *err, const char *path)
{
	static const struct {
		int code;
		const char *remedy;
	} remedies[] = {
		{ENOENT, "make its folder first (mkdir -p)"},
		{ENOTDIR, "a part of that path is no folder"},
		{EACCES, "name a place that you may write to"},
		{EPERM, "name a place that you may write to"},
		{EROFS, "name a place that can be written to"},
		{ENOSPC, "free some space, or name a place on another disk"},
		{EDQUOT, "free some space, or name a place on another disk"},
		{ENXIO, "nobody reads from that pipe"},
	};
	int code = errno;
	size_t len;

	err_errno(err, "%s: cannot be written", path);
	for (size_t i = 0; err && i < ARRAY_SIZE(remedies); i++) {
		if (remedies[i].code != code)
			continue;
		len = strlen(err->text);
		snprintf(err->text + len, sizeof(err->text) - len, "; %s",
			 remedies[i].remedy);
	}
	return -1;
}

/* Where there is something that is no plain file, and the name of the file behind a link. */
static int look_at(const char *path, struct file_out *f, bool *ret_plain, struct err *err)
{
	struct stat st;

	*ret_plain = true;
	if (!path[0] || strcmp(path, "-") == 0)
		return err_set(
			err, ERR_USAGE,
			"'%s' names no file to write; give a path such as out.json",
			path);
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return err_set(err, ERR_USAGE,
			       "%s: is a folder; give the name of a file in it", path);
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		*ret_plain = false;
	else
		f->path = realpath(path, NULL);
	if (!f->path)
		f->path = x_strdup(path);
	return 0;
}

int file_out_open(struct file_out *f, const char *path, mode_t mode, struct err *err)
{
	bool is_plain;

	*f = (struct file_out){.fd = -1, .mode = mode};
	if (look_at(path, f, &is_plain, err))
		return -1;
	if (is_plain) {
		f->tmp = x_asprintf("%s.XXXXXX", f->path);
		f->fd = mkostemp(f->tmp, O_CLOEXEC);
	} else {
		/* A pipe that nobody reads is not waited for. */
		f->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	}
	if (f->fd >= 0 && (is_plain || fcntl(f->fd, F_SETFL, 0) == 0))
		f->stream = fdopen(f->fd, "w");
	if (f->stream)
		return 0;
	cannot_write(err, path);
	if (f->fd < 0) {
		free(f->tmp);
		f->tmp = NULL;
	}
	return file_out_close(f, false, NULL);
}

/* Everything on the disk; not every device has something to wait for. */
static int finish(struct file_out *f)
{
	if (fflush(f->stream) || ferror(f->stream))
		return -1;
	if (!f->tmp)
		return 0;
	return fchmod(f->fd, f->mode) || fsync(f->fd) ? -1 : 0;
}

int file_out_close(struct file_out *f, bool good, struct err *err)
{
	int rc = good ? 0 : -1;

	if (good && finish(f))
		rc = cannot_write(err, f->path);
	if (f->stream ? fclose(f->stream) : f->fd >= 0 && close(f->fd))
		rc = rc ? rc : cannot_write(err, f->path);
	if (!rc && f->tmp && rename(f->tmp, f->path))
		rc = cannot_write(err, f->path);
	if (rc && f->tmp)
		unlink(f->tmp);
	if (!rc && f->tmp)
		sync_parent(f->path);
	free(f->tmp);
	free(f->path);
	*f = (struct file_out){.fd = -1};
	return rc;
}

int file_can_write(const char *path, const char *option, struct err *err)
{
	struct file_out f = {.fd = -1};
	bool is_plain;
	int rc = look_at(path, &f, &is_plain, err);

	/* A pipe is not opened: its reader would take the closing for the end. */
	free(f.path);
	if (!rc && is_plain && !(rc = file_out_open(&f, path, 0644, err)))
		(void)file_out_close(&f, false, NULL);
	return rc ? err_wrap(err, "%s", option) : 0;
}

int file_write(const char *path, const void *data, size_t len, mode_t mode,
	       struct err *err)
{
	struct file_out f;
	int rc;

	if (file_out_open(&f, path, mode, err))
		return -1;
	rc = write_all(f.fd, data, len);
	if (rc)
		cannot_write(err, path);
	return file_out_close(&f, !rc, err);
}

static int copy_bytes(int in, int out)
{
	char chunk[65536];
	ssize_t got;

	while ((got = read(in, chunk, sizeof(chunk))) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 || write_all(out, chunk, (size_t)got))
			return -1;
	}
	return 0;
}

int file_copy(const char *from, const char *to, mode_t mode, struct err *err)
{
	int in = open(from, O_RDONLY | O_CLOEXEC), rc;
	struct file_out f;

	if (in < 0)
		return err_errno(err, "%s", from);
	rc = file_out_open(&f, to, mode, err);
	if (!rc) {
		rc = copy_bytes(in, f.fd);
		if (rc)
			err_errno(err, "copy %s to %s", from, to);
		rc = file_out_close(&f, !rc, err);
	}
	close(in);
	return rc;
}

bool file_exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

int dir_make(const char *path, mode_t mode, struct err *err)
{
	char *part = x_strdup(path);
	struct stat st;
	int rc = 0;

	for (char *p = part + 1; !rc && part[0] && *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(part, mode) && errno != EEXIST)
			rc = err_errno(err, "mkdir %s", part);
		*p = '/';
	}
	if (!rc && mkdir(part, mode) && errno != EEXIST)
		rc = err_errno(err, "mkdir %s", path);
	if (!rc && (stat(path, &st) || !S_ISDIR(st.st_mode)))
		rc = err_set(err, ERR_ENVIRONMENT, "%s: exists and is not a folder",
			     path);
	free(part);
	return rc;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	/* Somebody else may be tidying up too. */
	return remove(path) && errno != ENOENT ? -1 : 0;
}

int dir_remove(const char *path, struct err *err)
{
	if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) && errno != ENOENT)
		return err_errno(err, "remove %s", path);
	return 0;
}

char *dir_make_temporary(const char *prefix, struct err *err)
{
	const char *tmp = getenv("TMPDIR");
	char *path = x_asprintf("%s/%s.XXXXXX", tmp && *tmp ? tmp : "/tmp", prefix);

	if (mkdtemp(path))
		return path;
	err_errno(err,
		  "%s: cannot create a temporary folder (TMPDIR must name one that can "
		  "be written to)",
		  path);
	free(path);
	return NULL;
}

char *path_join(const char *dir, const char *name)
{
	size_t len = strlen(dir);

	return x_asprintf("%s%s%s", dir, !len || dir[len - 1] == '/' ? "" : "/", name);
}

const char *path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

char *path_expand(const char *path)
{
	const char *home = getenv("HOME");

	if (home && path[0] == '~' && (path[1] == '/' || !path[1]))
		return x_asprintf("%s%s", home, path + 1);
	return x_strdup(path);
}

char *path_program_dir(struct err *err)
{
	char exe[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	char *slash;

	if (len < 0) {
		err_errno(err, "/proc/self/exe");
		return NULL;
	}
	exe[len] = '\0';
	slash = strrchr(exe, '/');
	if (slash && slash != exe)
		*slash = '\0';
	return x_strdup(exe);
}
