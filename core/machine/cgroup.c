#include "core/machine/cgroup.h"

#include "core/base/mem.h"
#include "core/machine/sysfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char mount[] = "/sys/fs/cgroup";

/* "cpu" is one of "cpu,cpuacct". */
static bool has_controller(const char *list, size_t len, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = list; p < list + len; p += strcspn(p, ",:") + 1)
		if (strncmp(p, name, n) == 0 && (p[n] == ',' || p[n] == ':'))
			return true;
	return false;
}

/* Where version 2 is mounted: alone, or beside version 1; free(). */
static char *mount_of_v2(const char *root)
{
	bool is_beside = sysfs_exists(root, "%s/unified", mount);

	return x_asprintf("%s%s", mount, is_beside ? "/unified" : "");
}

/* Where a hierarchy of version 1 is: by all its controllers, or by the one; free(). */
static char *mount_of_v1(const char *root, const char *list, size_t len, const char *name)
{
	char *all = x_asprintf("%s/%.*s", mount, (int)len, list);

	if (sysfs_exists(root, "%s", all))
		return all;
	free(all);
	return x_asprintf("%s/%s", mount, name);
}

/*
 * The hierarchy that has the controller, and this process's group in it ("" is the top).
 * Version 1 wins: where both are mounted, a controller is in one of them, and version 2
 * names no controllers. Both are to be freed.
 */
static bool locate(const char *root, const char *name, char **ret_base, char **ret_group,
		   bool *is_v2)
{
	char *text = sysfs_text(root, "/proc/self/cgroup"), *save = NULL;

	*ret_base = *ret_group = NULL;
	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		char *list = strchr(line, ':'),
		     *path = list ? strchr(list + 1, ':') : NULL;

		if (!path || (path != list + 1 &&
			      !has_controller(list + 1, (size_t)(path - list), name)))
			continue;
		if (path == list + 1 && *ret_base)
			continue;
		free(*ret_base);
		free(*ret_group);
		*is_v2 = path == list + 1;
		*ret_base = *is_v2 ? mount_of_v2(root)
				   : mount_of_v1(root, list + 1,
						 (size_t)(path - list - 1), name);
		/* "/.." leads out of what this process can see. */
		*ret_group = x_strdup(strcmp(path + 1, "/") == 0 ||
						      strncmp(path + 1, "/..", 3) == 0
					      ? ""
					      : path + 1);
	}
	free(text);
	return *ret_base && sysfs_exists(root, "%s", *ret_base);
}

/* The folders of its groups that are there, the innermost first; false: not known. */
static bool list_levels(struct strvec *ret, const char *root, const char *name,
			bool *is_v2)
{
	char *base, *group;
	bool is_known = locate(root, name, &base, &group, is_v2);

	while (is_known) {
		char *cut = strrchr(group, '/');

		if (ret->nr < CGROUP_LEVELS && sysfs_exists(root, "%s%s", base, group)) {
			char *path = x_asprintf("%s%s", base, group);

			strvec_add(ret, path);
			free(path);
		}
		if (!cut)
			break;
		*cut = '\0';
	}
	free(base);
	free(group);
	return is_known;
}

/* Processors that a group's quota comes to; 0: it has none. */
static double quota_of(const char *root, const char *level, bool is_v2)
{
	long long quota = -1, period = 0;
	char *text = is_v2 ? sysfs_text(root, "%s/cpu.max", level) : NULL;
	int64_t value;

	if (text && sscanf(text, "%lld %lld", &quota, &period) != 2)
		quota = -1; /* "max 100000" */
	free(text);
	if (!is_v2 && sysfs_int(&value, root, "%s/cpu.cfs_quota_us", level))
		quota = value;
	if (!is_v2 && sysfs_int(&value, root, "%s/cpu.cfs_period_us", level))
		period = value;
	return quota > 0 && period > 0 ? (double)quota / (double)period : 0;
}

/* 0: none. Version 1 says 'none' by the largest whole number of pages. */
static int64_t memory_of(const char *root, const char *level, bool is_v2)
{
	int64_t value = 0;

	if (!sysfs_int(&value, root, "%s/%s", level,
		       is_v2 ? "memory.max" : "memory.limit_in_bytes") ||
	    value >= INT64_MAX >> 1)
		return 0;
	return value;
}

static char *cpuset_of(const char *root)
{
	struct strvec levels = {0};
	char *ret = NULL;
	bool is_v2;

	if (list_levels(&levels, root, "cpuset", &is_v2)) {
		for (size_t i = 0; i < levels.nr && !ret; i++) {
			ret = sysfs_text(root, "%s/%s", levels.items[i],
					 is_v2 ? "cpuset.cpus.effective" : "cpuset.cpus");
			if (ret && !*ret) {
				free(ret);
				ret = NULL;
			}
		}
	}
	strvec_release(&levels);
	return ret;
}

void cgroup_limits_read(struct cgroup_limits *ret, const char *root)
{
	struct strvec cpu = {0}, memory = {0};
	bool is_v2;

	*ret = (struct cgroup_limits){.cpuset = cpuset_of(root)};
	if (list_levels(&cpu, root, "cpu", &is_v2))
		ret->source = is_v2 ? "cgroup v2" : "cgroup v1";
	for (size_t i = 0; i < cpu.nr; i++) {
		double cpus = quota_of(root, cpu.items[i], is_v2);

		if (cpus > 0 && (ret->cpus == 0 || cpus < ret->cpus))
			ret->cpus = cpus;
	}
	list_levels(&memory, root, "memory", &is_v2);
	for (size_t i = 0; i < memory.nr; i++) {
		int64_t bytes = memory_of(root, memory.items[i], is_v2);

		if (bytes > 0 && (ret->memory_bytes == 0 || bytes < ret->memory_bytes))
			ret->memory_bytes = bytes;
	}
	strvec_release(&cpu);
	strvec_release(&memory);
}

void cgroup_limits_release(struct cgroup_limits *l)
{
	free(l->cpuset);
	*l = (struct cgroup_limits){0};
}

/* "nr_throttled 53" of cpu.stat; 0 where the line is not there: nothing can throttle. */
static int64_t stat_of(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (const char *p = text; p; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (strncmp(p, key, len) == 0 && p[len] == ' ')
			return strtoll(p + len, NULL, 10);
	}
	return 0;
}

void cgroup_history_read(struct cgroup_history *ret, const char *root)
{
	struct strvec levels = {0};
	bool is_v2;

	*ret = (struct cgroup_history){.nr = -1};
	if (list_levels(&levels, root, "cpu", &is_v2))
		ret->nr = (int)levels.nr;
	for (int i = 0; i < ret->nr; i++) {
		char *text = sysfs_text(root, "%s/cpu.stat", levels.items[i]);

		ret->levels[i] = (struct cgroup_throttling){
			.periods = stat_of(text, "nr_periods"),
			.throttled = stat_of(text, "nr_throttled"),
			.seconds = is_v2 ? (double)stat_of(text, "throttled_usec") / 1e6
					 : (double)stat_of(text, "throttled_time") / 1e9,
		};
		free(text);
	}
	strvec_release(&levels);
}

bool cgroup_held_back(const struct cgroup_history *begin,
		      const struct cgroup_history *end, struct cgroup_throttling *ret)
{
	*ret = (struct cgroup_throttling){0};
	if (begin->nr < 0 || begin->nr != end->nr)
		return false;
	for (int i = 0; i < end->nr; i++) {
		struct cgroup_throttling d = {
			end->levels[i].periods - begin->levels[i].periods,
			end->levels[i].throttled - begin->levels[i].throttled,
			end->levels[i].seconds - begin->levels[i].seconds};

		if (d.seconds > ret->seconds ||
		    (d.seconds == ret->seconds && d.periods > ret->periods))
			*ret = d;
	}
	return true;
}
