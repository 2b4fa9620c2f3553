/*
 * Xids: what NVIDIA's driver writes into the kernel's log when a GPU or its program went
 * wrong ("NVRM: Xid (PCI:0000:18:00): 79, pid=..., ..."). /dev/kmsg gives a record a read
 * (Linux Documentation/ABI/testing/dev-kmsg): "6,339,5140900,-;text".
 */
#include "core/machine/machine_impl.h"

#include "core/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RECORDS_MAX = 1000000, CODES_MAX = 32 };

struct xids {
	int64_t count, first_record; /* -1: there was no record */
	int codes[CODES_MAX];
	size_t codes_nr;
	int last;
	char last_address[32];
	bool is_cut; /* the log has lost records since boot */
};

static void add_code(struct xids *x, int code)
{
	x->last = code;
	x->count++;
	for (size_t i = 0; i < x->codes_nr; i++)
		if (x->codes[i] == code)
			return;
	if (x->codes_nr < CODES_MAX)
		x->codes[x->codes_nr++] = code;
}

static void read_record(struct xids *x, const char *line)
{
	static const char mark[] = "NVRM: Xid (";
	const char *at = strstr(line, mark);
	long long number;
	char address[32];
	int code;

	if (x->first_record < 0 && sscanf(line, "%*d,%lld,", &number) == 1)
		x->first_record = number;
	if (!at)
		return;
	at += strlen(mark);
	at += strncmp(at, "PCI:", 4) == 0 ? 4 : 0;
	if (sscanf(at, "%31[0-9a-fA-F:.]): %d", address, &code) != 2)
		return;
	add_code(x, code);
	snprintf(x->last_address, sizeof(x->last_address), "%s", address);
}

/* A record a read from the device; a recorded machine's file in one piece. */
static void read_lines(struct xids *x, char *text)
{
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		if (*line != ' ') /* a continuation: keys of the record before */
			read_record(x, line);
}

/* False when it cannot be read. */
static bool read_log(struct xids *x, int fd)
{
	char *text = x_malloc(65536);
	bool is_readable = false;

	for (int i = 0; i < RECORDS_MAX; i++) {
		ssize_t len = read(fd, text, 65535);

		if (len < 0 && errno == EPIPE) {
			x->is_cut = true;
			continue;
		}
		if (len < 0 && errno == EINTR)
			continue;
		is_readable |= len >= 0 || errno == EAGAIN;
		if (len <= 0)
			break;
		text[len] = '\0';
		read_lines(x, text);
	}
	free(text);
	return is_readable;
}

static struct json_object *xids_json(const struct xids *x)
{
	struct json_object *o = json_object_new_object();
	struct json_object *codes = json_object_new_array();

	for (size_t i = 0; i < x->codes_nr; i++)
		json_object_array_add(codes, json_object_new_int64(x->codes[i]));
	json_put_int(o, "count", x->count);
	json_put(o, "codes", codes);
	json_put(o, "last", x->count ? json_object_new_int64(x->last) : NULL);
	json_put_text(o, "last_address", x->count ? x->last_address : NULL);
	json_put_bool(o, "complete", !x->is_cut && x->first_record <= 0);
	json_put_text(o, "source", "/dev/kmsg");
	return o;
}

struct json_object *machine_xid(const char *root)
{
	struct xids x = {.first_record = -1};
	char *path = x_asprintf("%s/dev/kmsg", root);
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	bool is_readable = fd >= 0 && read_log(&x, fd);

	if (fd >= 0)
		close(fd);
	free(path);
	return is_readable ? xids_json(&x) : NULL;
}
