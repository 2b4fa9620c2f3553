/* The real machine behind driver binding: write(2), and modprobe by argument vector. */
#include "probe/binding.h"

#include "core/base/clock.h"
#include "core/base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int real_write(void *ctx, const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	size_t len = strlen(text);
	ssize_t put;
	int why;

	(void)ctx;
	if (fd < 0)
		return errno;
	put = write(fd, text, len);
	why = put < 0 ? errno : (size_t)put == len ? 0 : EIO;
	close(fd);
	return why;
}

static int real_load(void *ctx, const char *module)
{
	const char *argv[] = {"modprobe", module, NULL};
	struct proc_outcome o;

	(void)ctx;
	if (proc_run_ok(&(struct proc_spec){.argv = argv,
					    .timeout_ns = 60 * NS_PER_S,
					    .output_max = 4096},
			&o, NULL))
		return ENOENT;
	proc_outcome_release(&o);
	return 0;
}

struct binding_host binding_real_host(void)
{
	return (struct binding_host){.root = "", .write = real_write, .load = real_load};
}
