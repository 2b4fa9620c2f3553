/*
 * What stands around this process on its machine: a container, and the limits that the
 * kernel holds it to.
 */
#include "core/machine/machine_impl.h"

#include "core/base/mem.h"
#include "core/machine/cgroup.h"
#include "core/machine/sysfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Numbers of the first namespaces (Linux include/linux/proc_ns.h: PROC_PID_INIT_INO). */
static const char first_pids[] = "pid:[4026531836]";

/* A group's name of a runtime: its own namespaces may be the host's all the same. */
static const struct {
	const char *part, *kind;
} groups[] = {
	{"kubepods", "kubernetes"}, {"/docker/", "docker"}, {"/docker-", "docker"},
	{"libpod", "podman"},       {"lxc.payload", "lxc"}, {"/lxc/", "lxc"},
};

/* What a runtime leaves inside; images keep such files, so that they alone prove nothing. */
static const struct {
	const char *path, *kind;
} marks[] = {
	{"/var/run/secrets/kubernetes.io", "kubernetes"},
	{"/run/.containerenv", "podman"},
	{"/.dockerenv", "docker"},
	{"/dev/.lxc", "lxc"},
};

static const char *kind_by_group(const char *root)
{
	char *text = sysfs_text(root, "/proc/self/cgroup");
	const char *kind = NULL;

	for (size_t i = 0; text && i < ARRAY_SIZE(groups) && !kind; i++)
		if (strstr(text, groups[i].part))
			kind = groups[i].kind;
	free(text);
	return kind;
}

/* systemd's own note of the runtime: "lxc", "systemd-nspawn", "docker" ... */
static const char *kind_by_note(const char *root)
{
	static const char *const names[] = {"docker", "podman", "lxc", "systemd-nspawn"};
	char *text = sysfs_text(root, "/run/systemd/container");
	const char *kind = NULL;

	for (size_t i = 0; text && i < ARRAY_SIZE(names) && !kind; i++)
		if (strncmp(text, names[i], strlen(names[i])) == 0)
			kind = names[i];
	free(text);
	return kind;
}

static const char *kind_by_mark(const char *root, const char **source)
{
	const char *kind = kind_by_note(root);

	*source = "/run/systemd/container";
	for (size_t i = 0; i < ARRAY_SIZE(marks) && !kind; i++) {
		if (sysfs_exists(root, "%s", marks[i].path)) {
			*source = marks[i].path;
			kind = marks[i].kind;
		}
	}
	return kind;
}

struct json_object *machine_container(const char *root)
{
	struct json_object *o = json_object_new_object();
	char *pids = sysfs_link_name(root, "/proc/self/ns/pid");
	const char *source = "/proc/self/cgroup", *kind = kind_by_group(root);

	if (!kind && pids && strcmp(pids, first_pids) == 0) {
		kind = "none";
		source = "/proc/self/ns/pid";
	} else if (!kind) {
		kind = kind_by_mark(root, &source);
	}
	if (!kind)
		source = pids ? "/proc/self/ns/pid" : NULL;
	json_put_text(o, "kind", kind ? kind : "unknown");
	json_put_text(o, "source", source);
	free(pids);
	return o;
}

char *machine_affinity(const char *root)
{
	char *text = sysfs_text(root, "/proc/self/status");
	char *list = text ? sysfs_value(text, "Cpus_allowed_list") : NULL;

	free(text);
	return list;
}

/* The least of the limit and what the machine has; 0: not told. */
static int64_t effective_memory(const char *root, int64_t limit)
{
	char *info = sysfs_text(root, "/proc/meminfo");
	char *total = info ? sysfs_value(info, "MemTotal") : NULL;
	int64_t bytes = total ? strtoll(total, NULL, 10) * 1024 : 0;

	free(info);
	free(total);
	return limit && (!bytes || limit < bytes) ? limit : bytes;
}

static void put_bytes(struct json_object *o, const char *key, int64_t bytes)
{
	json_put(o, key, bytes ? json_object_new_int64(bytes) : NULL);
}

struct json_object *machine_confinement(const char *root)
{
	struct json_object *o = json_object_new_object();
	char *affinity = machine_affinity(root);
	struct cgroup_limits l;

	cgroup_limits_read(&l, root);
	json_put_text(o, "affinity", affinity);
	json_put_text(o, "source", l.source);
	json_put(o, "cpu_quota", l.cpus > 0 ? json_new_real(l.cpus) : NULL);
	json_put_text(o, "cpuset", l.cpuset);
	put_bytes(o, "memory_max_bytes", l.memory_bytes);
	put_bytes(o, "memory_effective_bytes", effective_memory(root, l.memory_bytes));
	cgroup_limits_release(&l);
	free(affinity);
	return o;
}
