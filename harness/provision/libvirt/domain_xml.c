#include "harness/provision/libvirt/domain_xml.h"

#include "core/base/mem.h"
#include "harness/provision/xml_text.h"

#include <stdlib.h>
#include <string.h>

#define XML_MAX ((size_t)1 << 20)

static int add_escaped(struct buf *to, const char *text, struct err *err)
{
	return xml_text_add(to, text, true, err) ? err_wrap(err, "'%.60s'", text) : 0;
}

/*
 * Writes 'format' with each '%' replaced by the next text, escaped. The texts end with
 * NULL; the first error stays in 'err' and later calls do nothing.
 */
struct writer {
	struct buf to;
	struct err *err;
	int rc;
};

static void put(struct writer *w, const char *format, const char *const *texts)
{
	for (const char *c = format; *c && !w->rc; c++) {
		if (*c == '%')
			w->rc = add_escaped(&w->to, *texts++, w->err);
		else
			buf_add(&w->to, c, 1);
	}
}

#define PUT(w, format, ...) put(w, format, (const char *const[]){__VA_ARGS__, NULL})

static void put_number(struct writer *w, const char *before, int64_t value,
		       const char *after)
{
	buf_printf(&w->to, "%s%lld%s", before, (long long)value, after);
}

static void put_identity(struct writer *w, const struct domain_spec *s)
{
	PUT(w, "<description>%</description>\n", s->folder);
	PUT(w,
	    "<metadata><lease:lease xmlns:lease='" DOMAIN_LEASE_URI "'/><run:run "
	    "xmlns:run='" DOMAIN_RUN_URI_PREFIX "%'/></metadata>\n",
	    s->run_id);
}

static const char *or_else(const char *text, const char *fallback)
{
	return text ? text : fallback;
}

static void put_os(struct writer *w, const struct domain_spec *s)
{
	const struct vm_machine *m = s->machine;
	const char *type = or_else(m->machine, vm_default_machine(s->arch));

	if (m->firmware == VM_FIRMWARE_EFI) {
		PUT(w, "<os firmware='efi'><type arch='%' machine='%'>hvm</type>",
		    s->arch, type);
		buf_puts(&w->to, "<firmware><feature enabled='no' name='secure-boot'/>"
				 "</firmware>");
		PUT(w, "<nvram>%</nvram></os>\n", s->nvram);
		return;
	}
	PUT(w, "<os><type arch='%' machine='%'>hvm</type>", s->arch, type);
	if (m->kernel) {
		PUT(w, "<kernel>%</kernel>", m->kernel);
		if (m->initrd)
			PUT(w, "<initrd>%</initrd>", m->initrd);
		PUT(w, "<cmdline>%</cmdline>",
		    or_else(m->cmdline, vm_default_cmdline(s->arch)));
	}
	buf_puts(&w->to, "</os>\n");
}

static void put_memory(struct writer *w, const struct vm_machine *m)
{
	put_number(w, "<memory unit='b'>", m->memory_bytes, "</memory>\n");
	if (m->hugepage_bytes)
		put_number(w, "<memoryBacking><hugepages><page unit='b' size='",
			   m->hugepage_bytes, "'/></hugepages></memoryBacking>\n");
	if (m->numa_node >= 0)
		put_number(w, "<numatune><memory mode='strict' nodeset='", m->numa_node,
			   "'/></numatune>\n");
}

static void put_cpus(struct writer *w, const struct domain_spec *s)
{
	const struct vm_machine *m = s->machine;

	put_number(w, "<vcpu placement='static'>", m->vcpus, "</vcpu>\n");
	if (m->pin_cpus.nr) {
		buf_puts(&w->to, "<cputune>");
		for (size_t i = 0; i < m->pin_cpus.nr; i++) {
			put_number(w, "<vcpupin vcpu='", (int64_t)i, "' cpuset='");
			put_number(w, "", m->pin_cpus.items[i], "'/>");
		}
		buf_puts(&w->to, "</cputune>\n");
	}
	if (m->cpu)
		PUT(w,
		    "<cpu mode='custom' match='exact' check='none'><model "
		    "fallback='forbid'>%</model>",
		    m->cpu);
	else
		PUT(w, "<cpu mode='%' check='none'>",
		    s->is_kvm ? "host-passthrough" : "maximum");
	put_number(w, "<topology sockets='1' cores='", m->vcpus,
		   "' threads='1'/></cpu>\n");
}

static void put_gpu(struct writer *w, const char *text)
{
	struct pci_address a;

	w->rc = pci_address_parse(text, &a, w->err);
	if (!w->rc)
		buf_printf(&w->to,
			   "<hostdev mode='subsystem' type='pci' managed='yes'>"
			   "<driver name='vfio'/><source><address domain='0x%04x' "
			   "bus='0x%02x' slot='0x%02x' function='0x%x'/></source>"
			   "</hostdev>\n",
			   a.domain, a.bus, a.slot, a.function);
}

static void put_devices(struct writer *w, const struct domain_spec *s)
{
	const struct vm_machine *m = s->machine;

	/* cache='unsafe': the disk is thrown away with the lease, so that no write need
	 * survive a power cut. */
	PUT(w,
	    "<devices>\n<disk type='file' device='disk'><driver name='qemu' "
	    "type='qcow2' cache='unsafe'/><source file='%'/><target dev='vda' "
	    "bus='virtio'/></disk>\n",
	    s->disk);
	if (s->seed)
		PUT(w,
		    "<disk type='file' device='disk'><driver name='qemu' type='raw'/>"
		    "<source file='%'/><target dev='vdb' bus='virtio'/><readonly/>"
		    "</disk>\n",
		    s->seed);
	if (strcmp(m->network, "user") == 0)
		buf_puts(&w->to, "<interface type='user'><model type='virtio'/>"
				 "</interface>\n");
	else
		PUT(w,
		    "<interface type='network'><source network='%'/><model "
		    "type='virtio'/></interface>\n",
		    m->network);
	PUT(w,
	    "<serial type='file'><source path='%' append='on'/><target port='0'/>"
	    "</serial>\n",
	    s->console);
	for (size_t i = 0; i < m->gpus.nr && !w->rc; i++)
		put_gpu(w, m->gpus.items[i]);
	buf_puts(&w->to, "<rng model='virtio'><backend model='random'>/dev/urandom"
			 "</backend></rng>\n<memballoon model='none'/>\n</devices>\n");
}

static void put_labels(struct writer *w, const struct domain_spec *s)
{
	if (s->owner)
		PUT(w,
		    "<seclabel type='static' model='dac' relabel='no'><label>%</label>"
		    "</seclabel>\n",
		    s->owner);
	if (s->unconfined)
		PUT(w, "<seclabel type='none' model='%'/>\n", s->unconfined);
}

/* Hands over the text, or frees it after an error. */
static char *finish(struct writer *w)
{
	char *text = buf_detach(&w->to);

	buf_release(&w->to);
	if (!w->rc)
		return text;
	free(text);
	return NULL;
}

char *domain_xml(const struct domain_spec *s, struct err *err)
{
	struct writer w = {.err = err};

	buf_init(&w.to, XML_MAX);
	PUT(&w, "<domain type='%'>\n", s->is_kvm ? "kvm" : "qemu");
	PUT(&w, "<name>%</name>\n", s->name);
	put_identity(&w, s);
	put_memory(&w, s->machine);
	put_cpus(&w, s);
	put_os(&w, s);
	buf_puts(&w.to, "<features><acpi/></features>\n<clock offset='utc'/>\n"
			"<on_poweroff>destroy</on_poweroff>\n");
	/* A kernel given here has panic=1: after a panic a restart would panic again, for ever. */
	PUT(&w, "<on_reboot>%</on_reboot>\n<on_crash>destroy</on_crash>\n",
	    s->machine->kernel ? "destroy" : "restart");
	put_devices(&w, s);
	put_labels(&w, s);
	buf_puts(&w.to, "</domain>\n");
	return finish(&w);
}

struct placeholder {
	const char *name, *value;
};

static const struct placeholder *find_placeholder(const struct placeholder *all,
						  const char *name, size_t len)
{
	for (; all->name; all++)
		if (strlen(all->name) == len && memcmp(all->name, name, len) == 0)
			return all;
	return NULL;
}

static int fill(struct writer *w, const struct domain_spec *s,
		const struct placeholder *all, const char *text, const char *where)
{
	bool has_name = false, has_tare = false;

	for (const char *c = text; *c && !w->rc; c++) {
		const char *end = *c == '@' ? strchr(c + 1, '@') : NULL;
		size_t len = end ? (size_t)(end - c - 1) : 0;
		const struct placeholder *p;

		if (*c != '@') {
			buf_add(&w->to, c, 1);
			continue;
		}
		p = end ? find_placeholder(all, c + 1, len) : NULL;
		if (end && !len) {
			buf_puts(&w->to, "@");
		} else if (len == 4 && memcmp(c + 1, "TARE", 4) == 0) {
			has_tare = true;
			put_identity(w, s);
		} else if (p) {
			has_name = has_name || strcmp(p->name, "NAME") == 0;
			w->rc = add_escaped(&w->to, or_else(p->value, ""), w->err);
		} else {
			return err_set(
				w->err, ERR_USAGE,
				"%s: '%.20s' is no placeholder; write @@ for an at "
				"sign",
				where, c);
		}
		c = end;
	}
	if (!w->rc && (!has_name || !has_tare))
		return err_set(w->err, ERR_USAGE,
			       "%s: <name>@NAME@</name> and @TARE@ must be in it, or a "
			       "crash would leave a machine that nobody finds",
			       where);
	return w->rc;
}

char *domain_xml_fill(const struct domain_spec *s, const char *text, const char *where,
		      struct err *err)
{
	const struct vm_machine *m = s->machine;
	struct writer w = {.err = err};
	char *vcpus = x_asprintf("%lld", (long long)m->vcpus);
	char *memory = x_asprintf("%lld", (long long)m->memory_bytes);
	const struct placeholder all[] = {
		{"NAME", s->name},
		{"DISK", s->disk},
		{"SEED", s->seed},
		{"CONSOLE", s->console},
		{"KERNEL", m->kernel},
		{"INITRD", m->initrd},
		{"CMDLINE", or_else(m->cmdline, vm_default_cmdline(s->arch))},
		{"TYPE", s->is_kvm ? "kvm" : "qemu"},
		{"ARCH", s->arch},
		{"MACHINE", or_else(m->machine, vm_default_machine(s->arch))},
		{"VCPUS", vcpus},
		{"MEMORY_BYTES", memory},
		{0},
	};

	buf_init(&w.to, XML_MAX);
	w.rc = fill(&w, s, all, text, where);
	free(vcpus);
	free(memory);
	return finish(&w);
}
