#include "harness/provision/libvirt/vm_files.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DISK_FILE "disk.qcow2"
#define TOOL_TIME (120 * NS_PER_S)
#define TOOL_OUTPUT_MAX ((size_t)16384)

enum { TAIL_BYTES = 4096, TAIL_LINES = 6 };

/* qcow2 or raw by the file's first bytes ("QFI\xfb", QEMU's docs/interop/qcow2.txt). */
static const char *image_format(const char *path, struct err *err)
{
	unsigned char magic[4] = {0};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0) {
		err_errno(err, "image %s", path);
		return NULL;
	}
	n = read(fd, magic, sizeof(magic));
	close(fd);
	if (n != (ssize_t)sizeof(magic)) {
		err_set(err, ERR_USAGE, "image %s: too short to be a disk", path);
		return NULL;
	}
	return memcmp(magic, "QFI\xfb", 4) == 0 ? "qcow2" : "raw";
}

static int make_layer(const char *disk, const struct vm_machine *m, struct err *err)
{
	char *image = realpath(m->image, NULL);
	char *size = x_asprintf("%lld", (long long)m->disk_bytes);
	const char *format;
	int rc = -1;

	if (!image) {
		err_errno(err, "image %s", m->image);
	} else if ((format = image_format(image, err))) {
		const char *const argv[] = {"qemu-img",
					    "create",
					    "-q",
					    "-f",
					    "qcow2",
					    "-F",
					    format,
					    "-b",
					    image,
					    disk,
					    m->disk_bytes ? size : NULL,
					    NULL};
		struct proc_spec spec = {
			.argv = argv,
			.timeout_ns = TOOL_TIME,
			.output_max = TOOL_OUTPUT_MAX,
		};
		struct proc_outcome outcome;

		rc = proc_run_ok(&spec, &outcome, err);
		if (!rc)
			proc_outcome_release(&outcome);
	}
	free(size);
	free(image);
	return rc;
}

/* libvirt's log daemon appends to it; made here, it is ours to read. */
static int make_console(const char *path, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_errno(err, "%s", path);
	close(fd);
	return 0;
}

static int make_folder(const char *workdir, const char *name, char **ret, struct err *err)
{
	char *base, *folder;
	int rc = -1;

	if (dir_make(workdir, 0700, err))
		return -1;
	/* libvirt's daemon has another working folder, so paths are absolute. */
	base = realpath(workdir, NULL);
	if (!base)
		return err_errno(err, "folder %s", workdir);
	folder = path_join(base, name);
	free(base);
	if (vm_folder_remove(folder, name, err) == 0) {
		rc = mkdir(folder, 0700) ? err_errno(err, "make folder %s", folder) : 0;
	}
	if (rc)
		free(folder);
	else
		*ret = folder;
	return rc;
}

int vm_files_make(struct vm_files *ret, const char *workdir, const char *name,
		  const struct vm_machine *m, struct err *err)
{
	*ret = (struct vm_files){0};
	if (make_folder(workdir, name, &ret->folder, err))
		return -1;
	ret->disk = path_join(ret->folder, DISK_FILE);
	ret->console = path_join(ret->folder, "console.log");
	ret->nvram = path_join(ret->folder, "nvram.fd");
	if (make_layer(ret->disk, m, err) == 0 && make_console(ret->console, err) == 0 &&
	    seed_make(&ret->seed, ret->folder, name, m->user, err) == 0)
		return 0;
	dir_remove(ret->folder, NULL);
	vm_files_release(ret);
	return -1;
}

void vm_files_release(struct vm_files *f)
{
	seed_release(&f->seed);
	free(f->folder);
	free(f->disk);
	free(f->console);
	free(f->nvram);
	*f = (struct vm_files){0};
}

/* A killed process may have come no further than the empty folder. */
static bool is_ours(const char *folder, const char *name)
{
	char *disk = path_join(folder, DISK_FILE);
	bool ours = folder[0] == '/' && strncmp(name, "tare-", 5) == 0 &&
		    strcmp(path_base(folder), name) == 0 &&
		    (file_exists(disk) || rmdir(folder) == 0);

	free(disk);
	return ours;
}

int vm_folder_remove(const char *folder, const char *name, struct err *err)
{
	struct stat st;

	if (lstat(folder, &st))
		return errno == ENOENT ? 0 : err_errno(err, "folder %s", folder);
	if (!S_ISDIR(st.st_mode) || !is_ours(folder, name))
		return err_set(err, ERR_ENVIRONMENT,
			       "%s does not look like the folder of lease %s and is left "
			       "alone; remove it if it is",
			       folder, name);
	return dir_remove(folder, err);
}

static char *keep_console(const struct vm_files *f)
{
	char *kept = x_asprintf("%s.console.log", f->folder);
	struct stat st;

	if (stat(f->console, &st) == 0 && st.st_size > 0 && rename(f->console, kept) == 0)
		return kept;
	free(kept);
	return NULL;
}

/* Printable text with line ends; escape sequences (ECMA-48 CSI) and the rest go. */
static size_t clean(const char *raw, size_t len, char *to)
{
	size_t used = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)raw[i];

		if (c == 0x1b && i + 1 < len && raw[i + 1] == '[') {
			i += 2;
			while (i < len && !(raw[i] >= 0x40 && raw[i] <= 0x7e))
				i++;
		} else if (c == '\n' || (c >= 0x20 && c < 0x7f)) {
			to[used++] = (char)c;
		}
	}
	return used;
}

static size_t read_tail(const char *path, char *to, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	off_t end = fd >= 0 ? lseek(fd, 0, SEEK_END) : -1;
	off_t from = end > (off_t)size ? end - (off_t)size : 0;
	ssize_t n = end > 0 ? pread(fd, to, size, from) : 0;

	if (fd >= 0)
		close(fd);
	return n > 0 ? (size_t)n : 0;
}

const char *vm_console_tail(const char *path, char *text, size_t size)
{
	char raw[TAIL_BYTES], lines[TAIL_BYTES + 1];
	size_t len = clean(raw, read_tail(path, raw, sizeof(raw)), lines), start,
	       used = 0;
	int nr = 0;

	while (len && (lines[len - 1] == '\n' || lines[len - 1] == ' '))
		len--;
	lines[len] = 0;
	for (start = len; start > 0; start--)
		if (lines[start - 1] == '\n' && lines[start] != '\n' &&
		    ++nr == TAIL_LINES)
			break;
	text[0] = 0;
	for (char *save, *line = strtok_r(lines + start, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		int n = snprintf(text + used, size - used, "%s%s", used ? " | " : "",
				 line);

		if (n < 0 || (size_t)n >= size - used)
			break;
		used += (size_t)n;
	}
	return text;
}

void vm_console_quote(const struct vm_files *f, struct err *err)
{
	char tail[480], said[ERR_TEXT_MAX];
	char *kept;

	if (!err || err->kind == ERR_INTERRUPTED || !f->console)
		return;
	kept = keep_console(f);
	if (!kept) {
		err_wrap(err, "the console showed nothing");
		return;
	}
	snprintf(said, sizeof(said), "%s", err->text);
	vm_console_tail(kept, tail, sizeof(tail));
	err_set(err, err->kind, "%s; its console ends with: %s (all of it: %s)", said,
		*tail ? tail : "nothing readable", kept);
	free(kept);
}
