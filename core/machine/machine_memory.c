#include "core/machine/machine_impl.h"

#include "core/base/mem.h"
#include "core/machine/sysfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "MemTotal:  16384 kB" of /proc/meminfo. */
static void put_kib(struct json_object *o, const char *key, const char *info,
		    const char *name)
{
	char *value = info ? sysfs_value(info, name) : NULL;

	if (value)
		json_put_int(o, key, strtoll(value, NULL, 10) * 1024);
	else
		json_put(o, key, NULL);
	free(value);
}

/* Of a recorded machine it is in its memory maps; the running one is asked. */
static void put_page_size(struct json_object *o, const char *root)
{
	char *maps = *root ? sysfs_text(root, "/proc/self/smaps") : NULL;
	char *size = maps ? sysfs_value(maps, "KernelPageSize") : NULL;

	if (size)
		json_put_int(o, "page_size_bytes", strtoll(size, NULL, 10) * 1024);
	else if (!*root)
		json_put_int(o, "page_size_bytes", sysconf(_SC_PAGESIZE));
	else
		json_put(o, "page_size_bytes", NULL);
	free(maps);
	free(size);
}

static void put_pool_count(struct json_object *o, const char *key, const char *root,
			   const char *pool, const char *file)
{
	char *path = x_asprintf("%s/%s", pool, file);

	sysfs_put_int(o, key, root, path);
	free(path);
}

/* Pools of huge pages below 'dir': {size_bytes, total, free}. */
static struct json_object *huge_pages(const char *root, const char *dir)
{
	struct json_object *list = json_object_new_array();
	struct strvec names = {0};

	sysfs_list(&names, root, "%s", dir);
	for (size_t i = 0; i < names.nr; i++) {
		struct json_object *pool;
		long long kib;
		char *path;

		if (sscanf(names.items[i], "hugepages-%lldkB", &kib) != 1)
			continue;
		pool = json_object_new_object();
		path = x_asprintf("%s/%s", dir, names.items[i]);
		json_put_int(pool, "size_bytes", kib * 1024);
		put_pool_count(pool, "total", root, path, "nr_hugepages");
		put_pool_count(pool, "free", root, path, "free_hugepages");
		json_object_array_add(list, pool);
		free(path);
	}
	strvec_release(&names);
	return list;
}

struct json_object *machine_memory(const char *root)
{
	struct json_object *o = json_object_new_object();
	char *info = sysfs_text(root, "/proc/meminfo");
	int64_t ksm;

	put_kib(o, "total_bytes", info, "MemTotal");
	put_kib(o, "available_bytes", info, "MemAvailable");
	put_kib(o, "swap_bytes", info, "SwapTotal");
	put_page_size(o, root);
	sysfs_put_choice(o, "thp_enabled", root,
			 "/sys/kernel/mm/transparent_hugepage/enabled");
	sysfs_put_choice(o, "thp_defrag", root,
			 "/sys/kernel/mm/transparent_hugepage/defrag");
	if (sysfs_int(&ksm, root, "/sys/kernel/mm/ksm/run"))
		json_put_bool(o, "ksm", ksm == 1);
	else
		json_put(o, "ksm", NULL);
	json_put(o, "huge_pages", huge_pages(root, "/sys/kernel/mm/hugepages"));
	free(info);
	return o;
}

/* "Node 0 MemTotal:  1024 kB": the name stands behind the node's number. */
static void put_node_memory(struct json_object *node, const char *root, const char *name)
{
	char *info = sysfs_text(root, "/sys/devices/system/node/%s/meminfo", name);
	char *at = info ? strstr(info, "MemTotal:") : NULL;

	if (at)
		json_put_int(node, "memory_bytes",
			     strtoll(at + strlen("MemTotal:"), NULL, 10) * 1024);
	else
		json_put(node, "memory_bytes", NULL);
	free(info);
}

static struct json_object *one_node(const char *root, const char *name, unsigned id)
{
	struct json_object *node = json_object_new_object();
	char *cpus = sysfs_text(root, "/sys/devices/system/node/%s/cpulist", name);
	char *distances = sysfs_text(root, "/sys/devices/system/node/%s/distance", name);
	char *pools = x_asprintf("/sys/devices/system/node/%s/hugepages", name);

	json_put_int(node, "id", id);
	json_put_text(node, "cpus", cpus); /* "" for a node without any */
	put_node_memory(node, root, name);
	json_put_text(node, "distances", distances);
	json_put(node, "huge_pages", huge_pages(root, pools));
	free(cpus);
	free(distances);
	free(pools);
	return node;
}

struct json_object *machine_numa(const char *root)
{
	struct json_object *o = json_object_new_object();
	struct json_object *nodes = json_object_new_array();
	struct strvec names = {0};
	int64_t count = 0, without_cpus = 0, without_memory = 0, balancing;

	sysfs_list(&names, root, "/sys/devices/system/node");
	for (size_t i = 0; i < names.nr; i++) {
		struct json_object *node;
		unsigned id;

		if (sscanf(names.items[i], "node%u", &id) != 1)
			continue;
		node = one_node(root, names.items[i], id);
		count++;
		without_cpus += !*json_get_text(node, "cpus", "?");
		without_memory += json_get_int(node, "memory_bytes", -1) == 0;
		json_object_array_add(nodes, node);
	}
	if (count) {
		json_put_int(o, "count", count);
		json_put_int(o, "without_cpus", without_cpus);
		json_put_int(o, "without_memory", without_memory);
	}
	if (sysfs_int(&balancing, root, "/proc/sys/kernel/numa_balancing"))
		json_put_bool(o, "balancing", balancing != 0);
	else
		json_put(o, "balancing", NULL);
	json_put(o, "nodes", nodes);
	strvec_release(&names);
	return o;
}
