#include "harness/provision/libvirt/vm_files.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/base/proc.h"
#include "core/document/json.h"
#include "harness/provision/provisioner_impl.h"

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
#define TOOL_OUTPUT_MAX ((size_t)65536)
#define KEY_FILE_MAX ((size_t)16384)

enum { HOST_NAME_LEN_MAX = 63, TAIL_BYTES = 4096, TAIL_LINES = 6 };

static int run_tool(const char *const *argv, const char *dir, struct buf *ret_out,
		    struct err *err)
{
	struct proc_spec spec = {
		.argv = argv,
		.dir = dir,
		.timeout_ns = TOOL_TIME,
		.output_max = TOOL_OUTPUT_MAX,
	};
	struct proc_outcome outcome;

	if (proc_run_ok(&spec, &outcome, err))
		return -1;
	if (ret_out) {
		*ret_out = outcome.out;
		buf_init(&outcome.out, 0);
	}
	proc_outcome_release(&outcome);
	return 0;
}

static int make_key(const char *dir, const char *name, const char *comment,
		    struct err *err)
{
	const char *const argv[] = {"ssh-keygen", "-q",    "-t", "ed25519", "-N", "",
				    "-C",         comment, "-f", name,      NULL};

	return run_tool(argv, dir, NULL, err);
}

/* ssh-keygen -l prints "256 SHA256:... comment (ED25519)". */
static char *fingerprint(const char *dir, const char *public_key, struct err *err)
{
	const char *const argv[] = {"ssh-keygen", "-l",       "-E", "sha256",
				    "-f",         public_key, NULL};
	struct buf out;
	char *text = NULL;
	const char *at;

	if (run_tool(argv, dir, &out, err))
		return NULL;
	at = strstr(out.data, "SHA256:");
	if (at)
		text = x_strndup(at, strcspn(at, " \n"));
	else
		err_set(err, ERR_ENVIRONMENT,
			"ssh-keygen -l gave no SHA256 fingerprint of %s/%s", dir,
			public_key);
	buf_release(&out);
	return text;
}

static struct json_object *list_of(struct json_object *one)
{
	struct json_object *list = json_object_new_array();

	json_object_array_add(list, one);
	return list;
}

static struct json_object *new_user(const char *name, const char *key)
{
	struct json_object *o = json_object_new_object();

	json_put_text(o, "name", name);
	json_put_text(o, "shell", "/bin/bash");
	json_put_text(o, "sudo", "ALL=(ALL) NOPASSWD:ALL");
	json_put(o, "ssh_authorized_keys", list_of(json_new_text(key)));
	return o;
}

static char *user_data_text(const char *user, const char *host_private,
			    const char *host_public, const char *login_public)
{
	struct json_object *o = json_object_new_object();
	struct json_object *keys = json_object_new_object();
	char *key = x_strndup(login_public, strcspn(login_public, "\n"));
	char *text;

	json_put_text(keys, "ed25519_private", host_private);
	json_put_text(keys, "ed25519_public", host_public);
	json_put(o, "ssh_keys", keys);
	json_put_bool(o, "ssh_deletekeys", true);
	json_put_bool(o, "ssh_pwauth", false);
	/* Cloud images forbid root's login unless told otherwise. */
	json_put_bool(o, "disable_root", strcmp(user, "root") != 0);
	json_put(o, "ssh_authorized_keys", list_of(json_new_text(key)));
	if (strcmp(user, "root") != 0)
		json_put(o, "users", list_of(new_user(user, key)));
	text = x_asprintf("#cloud-config\n%s", json_text(o));
	json_object_put(o);
	free(key);
	return text;
}

static char *meta_data_text(const char *name)
{
	struct json_object *o = json_object_new_object();
	char *host = x_strndup(name, HOST_NAME_LEN_MAX), *text;

	/* RFC 1123: letters, digits and '-', and the last one is not a '-'. */
	for (char *c = host; *c; c++)
		if (*c == '.' || *c == '_')
			*c = '-';
	for (size_t len = strlen(host); len && host[len - 1] == '-'; len--)
		host[len - 1] = 0;
	json_put_text(o, "instance-id", name);
	json_put_text(o, "local-hostname", host);
	text = x_strdup(json_text(o));
	json_object_put(o);
	free(host);
	return text;
}

static int read_key(const char *dir, const char *name, struct buf *ret, struct err *err)
{
	char *path = path_join(dir, name);
	int rc = file_read(path, KEY_FILE_MAX, ret, err);

	free(path);
	return rc;
}

static int write_text(const char *dir, const char *name, const char *text,
		      struct err *err)
{
	char *path = path_join(dir, name);
	int rc = file_write(path, text, strlen(text), 0600, err);

	free(path);
	return rc;
}

static int write_documents(const char *dir, const char *name, const char *user,
			   struct err *err)
{
	struct buf host = {0}, host_public = {0}, login = {0};
	char *user_data = NULL, *meta_data = meta_data_text(name);
	int rc = -1;

	if (read_key(dir, "host_key", &host, err) == 0 &&
	    read_key(dir, "host_key.pub", &host_public, err) == 0 &&
	    read_key(dir, "id.pub", &login, err) == 0) {
		user_data = user_data_text(user, host.data, host_public.data, login.data);
		rc = write_text(dir, "user-data", user_data, err);
		if (!rc)
			rc = write_text(dir, "meta-data", meta_data, err);
		explicit_bzero(user_data, strlen(user_data));
	}
	if (host.data)
		explicit_bzero(host.data, host.len);
	buf_release(&host);
	buf_release(&host_public);
	buf_release(&login);
	free(user_data);
	free(meta_data);
	return rc;
}

static int make_seed(struct vm_files *f, const char *name, const char *user,
		     struct err *err)
{
	static const char *const volume[] = {"xorrisofs", "-quiet",    "-o", "seed.iso",
					     "-V",        "cidata",    "-J", "-r",
					     "user-data", "meta-data", NULL};
	const char *dir = f->folder;

	if (make_key(dir, "host_key", name, err) || make_key(dir, "id", name, err) ||
	    write_documents(dir, name, user, err) || run_tool(volume, dir, NULL, err))
		return err_wrap(err, "make the keys of the machine");
	f->host_key_sha256 = fingerprint(dir, "host_key.pub", err);
	if (!f->host_key_sha256)
		return -1;
	f->seed = path_join(dir, "seed.iso");
	f->key_file = path_join(dir, "id");
	return 0;
}

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

		rc = run_tool(argv, NULL, NULL, err);
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
	    make_seed(ret, name, m->user, err) == 0)
		return 0;
	dir_remove(ret->folder, NULL);
	vm_files_release(ret);
	return -1;
}

void vm_files_release(struct vm_files *f)
{
	free(f->seed);
	free(f->key_file);
	free(f->host_key_sha256);
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
	bool ours = folder[0] == '/' && lease_is_name(name, "") &&
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
