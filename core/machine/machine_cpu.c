#include "core/machine/machine_impl.h"

#include "core/base/mem.h"
#include "core/machine/sysfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

/* Arm main ID register: implementer 0x41 (Arm), part (Arm's Technical Reference Manuals). */
static const struct {
	unsigned implementer, part;
	const char *name;
} arm_cores[] = {
	{0x41, 0xd0c, "Arm Neoverse N1"}, {0x41, 0xd40, "Arm Neoverse V1"},
	{0x41, 0xd49, "Arm Neoverse N2"}, {0x41, 0xd4f, "Arm Neoverse V2"},
	{0x41, 0xd84, "Arm Neoverse V3"}, {0x41, 0xd8e, "Arm Neoverse N3"},
	{0x41, 0xd08, "Arm Cortex-A72"},  {0x41, 0xd07, "Arm Cortex-A57"},
	{0x00, 0x051, "QEMU max"},
};

/* What a BLAS library looks at when it chooses its kernels. */
static const char *const isa_flags[] = {
	"sse4_2",   "avx",         "avx2",        "fma",         "avx_vnni", "avx512f",
	"avx512bw", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_bf16",
	"amx_int8", "asimd",       "asimdhp",     "asimddp",     "sve",      "sve2",
	"i8mm",     "svei8mm",     "bf16",        "svebf16",
};

static unsigned long hex(const char *text)
{
	return text ? strtoul(text, NULL, 0) : ~0UL;
}

/* "model name" where the kernel says one; Arm's kernels only give numbers. */
static char *model(const char *info)
{
	char *name = sysfs_value(info, "model name");
	char *implementer, *part;

	if (name)
		return name;
	implementer = sysfs_value(info, "CPU implementer");
	part = sysfs_value(info, "CPU part");
	for (size_t i = 0; implementer && part && i < ARRAY_SIZE(arm_cores); i++) {
		if (hex(implementer) == arm_cores[i].implementer &&
		    hex(part) == arm_cores[i].part)
			name = x_strdup(arm_cores[i].name);
	}
	if (!name && implementer && part)
		name = x_asprintf("implementer %s part %s", implementer, part);
	free(implementer);
	free(part);
	return name;
}

static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = text; (p = strstr(p, word)); p += len) {
		if ((p == text || p[-1] == ' ') && (!p[len] || p[len] == ' '))
			return true;
	}
	return false;
}

static char *isa(const char *info)
{
	char *flags = sysfs_value(info, "flags");
	struct buf b;
	char *ret;

	if (!flags)
		flags = sysfs_value(info, "Features");
	if (!flags)
		return NULL;
	buf_init(&b, 4096);
	for (size_t i = 0; i < ARRAY_SIZE(isa_flags); i++) {
		if (has_word(flags, isa_flags[i]))
			buf_printf(&b, "%s%s", b.len ? " " : "", isa_flags[i]);
	}
	ret = buf_detach(&b);
	buf_release(&b);
	free(flags);
	return ret;
}

static char *architecture(const char *root)
{
	char *arch = sysfs_text(root, "/proc/sys/kernel/arch");
	struct utsname u;

	if (!arch && !*root && uname(&u) == 0)
		arch = x_strdup(u.machine);
	return arch;
}

/* Adds "package-core" or "package" of a CPU to the set when it is a new one. */
static void add_distinct(struct strvec *set, const char *name)
{
	if (!strvec_has(set, name))
		strvec_add(set, name);
}

static void put_topology(struct json_object *o, const char *root)
{
	struct strvec names = {0}, packages = {0}, cores = {0};
	size_t threads = 0;

	sysfs_list(&names, root, "/sys/devices/system/cpu");
	for (size_t i = 0; i < names.nr; i++) {
		int64_t package, core;
		char text[64];
		unsigned number;
		int used = 0;

		if (sscanf(names.items[i], "cpu%u%n", &number, &used) != 1 ||
		    names.items[i][used] ||
		    !sysfs_int(&package, root,
			       "/sys/devices/system/cpu/%s/topology/physical_package_id",
			       names.items[i]) ||
		    !sysfs_int(&core, root, "/sys/devices/system/cpu/%s/topology/core_id",
			       names.items[i]))
			continue; /* an offline CPU has no topology */
		threads++;
		snprintf(text, sizeof(text), "%lld", (long long)package);
		add_distinct(&packages, text);
		snprintf(text, sizeof(text), "%lld-%lld", (long long)package,
			 (long long)core);
		add_distinct(&cores, text);
	}
	if (threads) {
		json_put_int(o, "sockets", (int64_t)packages.nr);
		json_put_int(o, "cores", (int64_t)cores.nr);
		json_put_int(o, "threads", (int64_t)threads);
		json_put_int(o, "threads_per_core", (int64_t)(threads / cores.nr));
	}
	strvec_release(&names);
	strvec_release(&packages);
	strvec_release(&cores);
}

static void put_hz(struct json_object *o, const char *key, const char *root,
		   const char *path)
{
	int64_t khz;

	if (sysfs_int(&khz, root, "%s", path))
		json_put_int(o, key, khz * 1000);
	else
		json_put(o, key, NULL);
}

/* "32K" of a cache's size file. */
static void put_cache(struct json_object *o, const char *root)
{
	for (int i = 0; i < 8; i++) {
		int64_t level;
		char *size, *end;
		char *kind = sysfs_text(
			root, "/sys/devices/system/cpu/cpu0/cache/index%d/type", i);

		if (kind && strcmp(kind, "Instruction") != 0 &&
		    sysfs_int(&level, root,
			      "/sys/devices/system/cpu/cpu0/cache/index%d/level", i)) {
			size = sysfs_text(
				root, "/sys/devices/system/cpu/cpu0/cache/index%d/size",
				i);
			if (size) {
				char key[32];
				int64_t bytes = strtoll(size, &end, 10);

				bytes *= *end == 'K' ? 1024 : *end == 'M' ? 1 << 20 : 1;
				snprintf(key, sizeof(key), "l%lld_bytes",
					 (long long)level);
				json_put_int(o, key, bytes);
			}
			free(size);
		}
		free(kind);
	}
}

struct json_object *machine_cpu(const char *root)
{
	struct json_object *o = json_object_new_object();
	struct json_object *cache = json_object_new_object();
	char *info = sysfs_text(root, "/proc/cpuinfo");
	char *arch = architecture(root);
	char *name = info ? model(info) : NULL;
	char *sets = info ? isa(info) : NULL;
	char *microcode = info ? sysfs_value(info, "microcode") : NULL;

	json_put_text(o, "architecture", arch);
	json_put_text(o, "model", name);
	json_put_text(o, "isa", sets);
	json_put_text(o, "microcode", microcode);
	put_topology(o, root);
	sysfs_put_text(o, "online", root, "/sys/devices/system/cpu/online");
	sysfs_put_text(o, "isolated", root, "/sys/devices/system/cpu/isolated");
	put_hz(o, "clock_max_hz", root,
	       "/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq");
	put_hz(o, "clock_base_hz", root,
	       "/sys/devices/system/cpu/cpu0/cpufreq/base_frequency");
	put_cache(cache, root);
	json_put(o, "cache", cache);
	free(info);
	free(arch);
	free(name);
	free(sets);
	free(microcode);
	return o;
}

struct json_object *machine_mitigations(const char *root)
{
	static const char dir[] = "/sys/devices/system/cpu/vulnerabilities";
	struct json_object *o = json_object_new_object();
	struct strvec names = {0};

	sysfs_list(&names, root, "%s", dir);
	for (size_t i = 0; i < names.nr; i++) {
		char *text = sysfs_text(root, "%s/%s", dir, names.items[i]);

		json_put_text(o, names.items[i], text);
		free(text);
	}
	if (!names.nr) {
		json_object_put(o);
		o = NULL;
	}
	strvec_release(&names);
	return o;
}

/* The one governor of all CPUs, or "mixed". */
static char *governor(const char *root)
{
	struct strvec names = {0};
	char *ret = NULL;

	sysfs_list(&names, root, "/sys/devices/system/cpu/cpufreq");
	for (size_t i = 0; i < names.nr; i++) {
		char *g = sysfs_text(
			root, "/sys/devices/system/cpu/cpufreq/%s/scaling_governor",
			names.items[i]);

		if (g && ret && strcmp(g, ret) != 0) {
			free(ret);
			ret = x_strdup("mixed");
			free(g);
			break;
		}
		if (g && !ret)
			ret = x_strdup(g);
		free(g);
	}
	strvec_release(&names);
	return ret;
}

struct json_object *machine_power(const char *root)
{
	struct json_object *o = json_object_new_object();
	char *g = governor(root);

	json_put_text(o, "governor", g);
	sysfs_put_text(o, "frequency_driver", root,
		       "/sys/devices/system/cpu/cpu0/cpufreq/scaling_driver");
	sysfs_put_text(o, "idle_driver", root,
		       "/sys/devices/system/cpu/cpuidle/current_driver");
	sysfs_put_int(o, "boost", root, "/sys/devices/system/cpu/cpufreq/boost");
	sysfs_put_int(o, "no_turbo", root,
		      "/sys/devices/system/cpu/intel_pstate/no_turbo");
	free(g);
	return o;
}
