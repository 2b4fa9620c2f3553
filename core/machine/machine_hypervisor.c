/*
 * What the machine can tell of a hypervisor below it. Firmware tables name the product,
 * not whether hardware assists it, so QEMU's own emulation and KVM are told apart by what
 * only a real KVM offers: its CPUID leaf (Linux Documentation/virt/kvm/x86/cpuid.rst) or
 * clock on x86, and on Arm by the CPU's name, which emulation invents.
 */
#include "core/machine/machine_impl.h"

#include "core/base/mem.h"
#include "core/machine/sysfs.h"

#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

static const struct {
	const char *vendor, *kind;
} dmi_vendors[] = {
	{"QEMU", "qemu"},      {"KVM", "kvm"},
	{"OpenStack", "kvm"},  {"Amazon EC2", "kvm"},
	{"Google", "kvm"},     {"Red Hat", "kvm"},
	{"OpenNebula", "kvm"}, {"Microsoft Corporation", "hyperv"},
	{"VMware", "vmware"},  {"innotek GmbH", "virtualbox"},
	{"Xen", "xen"},        {"Bochs", "qemu"},
};

static const struct {
	const char *signature, *kind;
} cpuid_signatures[] = {
	{"KVMKVMKVM", "kvm"},       {"TCGTCGTCGTCG", "qemu"}, {"Microsoft Hv", "hyperv"},
	{"VMwareVMware", "vmware"}, {"XenVMMXenVMM", "xen"},  {"bhyve bhyve ", "bhyve"},
	{"Linux KVM Hv", "kvm"},
};

/* The twelve letters of CPUID leaf 0x40000000, on the running machine only; free(). */
static char *cpuid_signature(const char *root, bool has_flag)
{
#if defined(__x86_64__)
	unsigned eax, word[3];
	char text[13] = "";

	if (*root || !has_flag)
		return NULL;
	__cpuid(0x40000000, eax, word[0], word[1], word[2]);
	memcpy(text, word, 12);
	return eax ? x_strdup(text) : NULL;
#else
	(void)root;
	(void)has_flag;
	return NULL;
#endif
}

static const char *kind_by_signature(const char *signature)
{
	for (size_t i = 0; signature && i < ARRAY_SIZE(cpuid_signatures); i++) {
		if (strcmp(signature, cpuid_signatures[i].signature) == 0)
			return cpuid_signatures[i].kind;
	}
	return NULL;
}

static const char *kind_by_vendor(const char *vendor, const char *product)
{
	for (size_t i = 0; vendor && i < ARRAY_SIZE(dmi_vendors); i++) {
		if (strncmp(vendor, dmi_vendors[i].vendor,
			    strlen(dmi_vendors[i].vendor)) != 0)
			continue;
		/* Both also make real machines. */
		if (strcmp(dmi_vendors[i].kind, "hyperv") == 0 &&
		    (!product || !strstr(product, "Virtual")))
			continue;
		if (strcmp(dmi_vendors[i].vendor, "Google") == 0 &&
		    (!product || !strstr(product, "Compute Engine")))
			continue;
		/* Amazon's own metal carries its vendor's name too. */
		if (product && strstr(product, ".metal"))
			continue;
		return dmi_vendors[i].kind;
	}
	return NULL;
}

static bool has_flag(const char *info)
{
	char *flags = info ? sysfs_value(info, "flags") : NULL;
	const char *at = flags ? strstr(flags, "hypervisor") : NULL;
	bool ret = at && (!at[10] || at[10] == ' ');

	free(flags);
	return ret;
}

/* An emulated CPU: x86 says so in its name, Arm's "max" has no implementer. */
static bool is_emulated_cpu(const char *info)
{
	char *implementer = info ? sysfs_value(info, "CPU implementer") : NULL;
	char *name = info ? sysfs_value(info, "model name") : NULL;
	bool ret = (implementer && strtoul(implementer, NULL, 0) == 0) ||
		   (name && strstr(name, "TCG"));

	free(implementer);
	free(name);
	return ret;
}

struct clues {
	char *vendor, *product, *signature, *xen, *tree, *clocks, *info;
	bool flag;
};

static const char *kind(const struct clues *c)
{
	const char *by_signature = kind_by_signature(c->signature);
	const char *by_vendor = kind_by_vendor(c->vendor, c->product);
	bool kvm_clock = c->clocks && strstr(c->clocks, "kvm-clock");

	if (by_signature)
		return by_signature;
	if (c->xen && *c->xen)
		return "xen";
	if (kvm_clock || (c->tree && strstr(c->tree, "kvm")))
		return "kvm";
	if (by_vendor && strcmp(by_vendor, "qemu") == 0)
		return c->info && !c->flag && !is_emulated_cpu(c->info) ? "kvm" : "qemu";
	if (by_vendor)
		return by_vendor;
	return c->flag ? "unknown" : "none";
}

static void clues_read(struct clues *c, const char *root)
{
	c->info = sysfs_text(root, "/proc/cpuinfo");
	c->flag = has_flag(c->info);
	c->vendor = sysfs_text(root, "/sys/class/dmi/id/sys_vendor");
	c->product = sysfs_text(root, "/sys/class/dmi/id/product_name");
	c->xen = sysfs_text(root, "/sys/hypervisor/type");
	c->tree = sysfs_text(root, "/proc/device-tree/hypervisor/compatible");
	c->clocks = sysfs_text(
		root,
		"/sys/devices/system/clocksource/clocksource0/available_clocksource");
	c->signature = cpuid_signature(root, c->flag);
}

static void clues_release(struct clues *c)
{
	free(c->info);
	free(c->vendor);
	free(c->product);
	free(c->xen);
	free(c->tree);
	free(c->clocks);
	free(c->signature);
}

struct json_object *machine_hypervisor(const char *root)
{
	struct json_object *o = json_object_new_object();
	struct clues c;
	const char *what;

	clues_read(&c, root);
	what = kind(&c);
	json_put_text(o, "kind", what);
	json_put_bool(o, "is_guest", strcmp(what, "none") != 0);
	json_put_bool(o, "cpuid_flag", c.flag);
	json_put_text(o, "signature", c.signature);
	json_put_text(o, "sys_hypervisor", c.xen);
	json_put_text(o, "dmi_vendor", c.vendor);
	json_put_text(o, "dmi_product", c.product);
	sysfs_put_text(o, "dmi_bios", root, "/sys/class/dmi/id/bios_version");
	json_put_bool(o, "can_host_kvm", sysfs_exists(root, "/dev/kvm"));
	clues_release(&c);
	return o;
}
