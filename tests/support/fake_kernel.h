/*
 * A FAKE kernel of a few lines for tests: it does to a folder that looks like sysfs what
 * Linux does to its own (drivers/pci/pci-driver.c, drivers/base/bus.c): unbind and bind by
 * address, a probe that honours driver_override. It fails on demand at the n-th write.
 */
#ifndef TARE_TESTS_SUPPORT_FAKE_KERNEL_H
#define TARE_TESTS_SUPPORT_FAKE_KERNEL_H

#include "probe/binding.h"

struct fake_kernel {
	char *root;
	int writes, fail_at;   /* the n-th write gives EIO; 0: none */
	bool fails_on;         /* and every one after it */
	int silent_at;         /* the n-th is taken and does nothing */
	const char *not_there; /* a module that cannot be loaded */
};

struct binding_host fake_kernel_host(struct fake_kernel *k);
void fake_kernel_give(struct fake_kernel *k, const char *address, const char *driver);

#endif
