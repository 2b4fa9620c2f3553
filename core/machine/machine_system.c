#include "core/machine/machine_impl.h"

#include "core/base/mem.h"
#include "core/machine/sysfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>

/* PRETTY_NAME="Debian GNU/Linux 12 (bookworm)", quotes taken off. */
static char *os_name(const char *root)
{
	char *text = sysfs_text(root, "/etc/os-release");
	char *name = text ? sysfs_value(text, "PRETTY_NAME") : NULL;
	size_t len = name ? strlen(name) : 0;

	if (len >= 2 && name[0] == '"' && name[len - 1] == '"') {
		memmove(name, name + 1, len - 2);
		name[len - 2] = '\0';
	}
	free(text);
	return name;
}

struct json_object *machine_kernel(const char *root)
{
	struct json_object *o = json_object_new_object();
	char *os = os_name(root);

	sysfs_put_text(o, "release", root, "/proc/sys/kernel/osrelease");
	sysfs_put_text(o, "version", root, "/proc/sys/kernel/version");
	sysfs_put_text(o, "cmdline", root, "/proc/cmdline");
	sysfs_put_text(o, "hostname", root, "/proc/sys/kernel/hostname");
	json_put_text(o, "os", os);
	free(os);
	return o;
}

/* Column 8 of the first line of /proc/stat. */
bool machine_steal_ticks(const char *root, int64_t *ret_steal, int64_t *ret_all)
{
	char *text = sysfs_text(root, "/proc/stat");
	long long t[8];
	bool is_told =
		text && sscanf(text, "cpu %lld %lld %lld %lld %lld %lld %lld %lld", &t[0],
			       &t[1], &t[2], &t[3], &t[4], &t[5], &t[6], &t[7]) == 8;

	free(text);
	if (!is_told)
		return false;
	*ret_steal = t[7];
	*ret_all = 0;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		*ret_all += t[i];
	return true;
}

static void put_steal(struct json_object *o, const char *root)
{
	int64_t steal, all;

	if (!machine_steal_ticks(root, &steal, &all))
		return;
	json_put_int(o, "steal_ticks", steal);
	json_put_real(o, "steal_ratio", all ? (double)steal / (double)all : 0);
}

struct json_object *machine_clock(const char *root)
{
	static const char dir[] = "/sys/devices/system/clocksource/clocksource0";
	struct json_object *o = json_object_new_object();
	char *current = sysfs_text(root, "%s/current_clocksource", dir);
	char *available = sysfs_text(root, "%s/available_clocksource", dir);
	char *uptime = sysfs_text(root, "/proc/uptime");

	json_put_text(o, "source", current);
	json_put_text(o, "available", available);
	json_put(o, "uptime_s", uptime ? json_new_real(strtod(uptime, NULL)) : NULL);
	put_steal(o, root);
	free(current);
	free(available);
	free(uptime);
	return o;
}

/*
 * Whether somebody disciplines the clock, and how far off it may be (adjtimex(2)): only of
 * the running machine.
 */
struct json_object *machine_time(const char *root)
{
	struct json_object *o = json_object_new_object();
	struct timex t = {.modes = 0};
	bool is_told = !*root && adjtimex(&t) >= 0;

	json_put(o, "synchronised",
		 is_told ? json_object_new_boolean(!(t.status & STA_UNSYNC)) : NULL);
	json_put(o, "max_error_s",
		 is_told ? json_new_real((double)t.maxerror / 1e6) : NULL);
	return o;
}
