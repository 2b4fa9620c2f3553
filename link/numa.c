#include "link/numa.h"

#include "core/base/mem.h"
#include "core/machine/sysfs.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* linux/mempolicy.h; libnuma would bring nothing but these three calls. */
enum { MPOL_DEFAULT = 0, MPOL_PREFERRED = 1, MPOL_F_NODE = 1, MPOL_F_ADDR = 2 };
enum { PAGE_BYTES = 4096, WORD_BITS = sizeof(unsigned long) * CHAR_BIT };

void numa_prefer(int node)
{
	unsigned long mask[NUMA_NODES_MAX / WORD_BITS + 1] = {0};

	if (node < 0 || node >= NUMA_NODES_MAX) {
		syscall(SYS_set_mempolicy, MPOL_DEFAULT, NULL, 0);
		return;
	}
	mask[(size_t)node / WORD_BITS] = 1ul << ((size_t)node % WORD_BITS);
	syscall(SYS_set_mempolicy, MPOL_PREFERRED, mask, NUMA_NODES_MAX + 1);
}

int host_alloc(void **ret, int64_t bytes, const char *what, struct err *err)
{
	*ret = NULL;
	if (posix_memalign(ret, PAGE_BYTES, (size_t)bytes) == 0)
		return 0;
	return err_set(err, ERR_ENVIRONMENT,
		       "out of host memory: %s needs %.2f GiB; ask for less", what,
		       (double)bytes / 0x1p30);
}

int numa_node_of(const void *p)
{
	int node = -1;

	if (syscall(SYS_get_mempolicy, &node, NULL, 0, p, MPOL_F_NODE | MPOL_F_ADDR) != 0)
		return -1;
	return node;
}

/* "0-3,8,10-11" */
static void add_list(const char *list, cpu_set_t *ret)
{
	for (const char *at = list; *at;) {
		char *end;
		long first = strtol(at, &end, 10), last = first;

		if (end == at)
			return;
		if (*end == '-')
			last = strtol(end + 1, &end, 10);
		for (long i = first; i <= last && i < CPU_SETSIZE; i++)
			CPU_SET((size_t)i, ret);
		at = *end == ',' ? end + 1 : end;
	}
}

void numa_processors(int node, cpu_set_t *ret)
{
	char *list = node < 0 ? NULL
			      : sysfs_text("", "/sys/devices/system/node/node%d/cpulist",
					   node);
	cpu_set_t mine, there;

	CPU_ZERO(&mine);
	CPU_ZERO(&there);
	sched_getaffinity(0, sizeof(mine), &mine);
	if (list)
		add_list(list, &there);
	if (node < 0)
		*ret = mine;
	else
		CPU_AND(ret, &mine, &there);
	free(list);
}

int numa_nodes(int nodes[], int most)
{
	char *list = sysfs_text("", "/sys/devices/system/node/has_memory");
	cpu_set_t memory, processors;
	int nr = 0;

	CPU_ZERO(&memory);
	if (list)
		add_list(list, &memory);
	free(list);
	for (int i = 0; i < NUMA_NODES_MAX && nr < most; i++) {
		if (!CPU_ISSET((size_t)i, &memory))
			continue;
		numa_processors(i, &processors);
		if (CPU_COUNT(&processors) > 0)
			nodes[nr++] = i;
	}
	return nr;
}
