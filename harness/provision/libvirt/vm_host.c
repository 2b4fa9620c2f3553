/* What this computer can do for a virtual machine. */
#include "harness/provision/libvirt/vm_machine.h"

#include "core/base/file.h"
#include "core/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#define CPUINFO_MAX ((size_t)16 << 20)

/* The first processor's flags speak for all. */
static bool has_flag(const char *cpuinfo, const char *flag)
{
	const char *line = strstr(cpuinfo, "\nflags");
	const char *end = line ? strchr(line + 1, '\n') : NULL;
	size_t len = strlen(flag);

	if (!line || !end)
		return false;
	for (const char *at = line; (at = strstr(at, flag)) && at < end; at += len)
		if (at[-1] == ' ' && (at[len] == ' ' || at[len] == '\n'))
			return true;
	return false;
}

static bool has_extension(const char *root, char *why, size_t size)
{
#if defined(__x86_64__)
	char *path = x_asprintf("%s/proc/cpuinfo", root);
	struct buf text;
	bool found = file_read(path, CPUINFO_MAX, &text, NULL) == 0;

	if (found) {
		found = has_flag(text.data, "vmx") || has_flag(text.data, "svm");
		buf_release(&text);
	}
	free(path);
	if (!found)
		snprintf(why, size,
			 "the processor offers neither VMX nor SVM, so that only guests "
			 "made for it could run on this /dev/kvm");
	return found;
#else
	(void)root;
	(void)why;
	(void)size;
	(void)has_flag;
	return true;
#endif
}

bool vm_host_has_kvm(const char *root, char *why, size_t size)
{
	char *path = x_asprintf("%s/dev/kvm", root);
	int fd = open(path, O_RDWR | O_CLOEXEC), vm = -1;
	bool can = false;

	if (fd < 0) {
		snprintf(why, size, "%s: %s", path, strerror(errno));
	} else if (ioctl(fd, KVM_GET_API_VERSION, 0) != KVM_API_VERSION ||
		   (vm = ioctl(fd, KVM_CREATE_VM, 0)) < 0) {
		snprintf(why, size, "%s creates no machine: %s", path, strerror(errno));
	} else {
		can = has_extension(root, why, size);
	}
	if (vm >= 0)
		close(vm);
	if (fd >= 0)
		close(fd);
	free(path);
	return can;
}

const char *vm_host_arch(void)
{
#if defined(__aarch64__)
	return "aarch64";
#elif defined(__x86_64__)
	return "x86_64";
#else
#error "tare runs on x86-64 and aarch64"
#endif
}

const char *vm_default_machine(const char *arch)
{
	return strcmp(arch, "aarch64") == 0 ? "virt" : "q35";
}

const char *vm_default_cmdline(const char *arch)
{
	/*
	 * panic=1: a guest that cannot boot ends, so that nobody waits for it.
	 * no_timer_check: on a busy host the ticks that QEMU emulates come too late for
	 * the kernel's test of its interrupt controller, which then panics.
	 */
	return strcmp(arch, "aarch64") == 0
		       ? "root=/dev/vda rw console=ttyAMA0 quiet panic=1"
		       : "root=/dev/vda rw console=ttyS0 quiet panic=1 "
			 "no_timer_check";
}

int vm_free_port(uint16_t *ret, struct err *err)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), rc = -1;

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) ||
	    getsockname(fd, (struct sockaddr *)&a, &len)) {
		err_errno(err, "find a free port of 127.0.0.1");
	} else {
		*ret = ntohs(a.sin_port);
		rc = 0;
	}
	if (fd >= 0)
		close(fd);
	return rc;
}
