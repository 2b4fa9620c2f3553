/* The fake front-end's documents and its reading of template syntax. */
#include "tests/support/fake_opennebula_impl.h"

#include "core/base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fake_escape(struct buf *ret, const char *text)
{
	for (; *text; text++) {
		if (*text == '<')
			buf_puts(ret, "&lt;");
		else if (*text == '>')
			buf_puts(ret, "&gt;");
		else if (*text == '&')
			buf_puts(ret, "&amp;");
		else
			buf_add(ret, text, 1);
	}
}

void fake_leaf(struct buf *b, const char *name, const char *value)
{
	buf_printf(b, "<%s><![CDATA[%s]]></%s>", name, value ? value : "", name);
}

void fake_number(struct buf *b, const char *name, int64_t v)
{
	buf_printf(b, "<%s>%" PRId64 "</%s>", name, v, name);
}

static void begin(struct buf *ret)
{
	buf_puts(ret, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<methodResponse>\n");
}

#define ARRAY_HEAD \
	"<params>\n<param><value><array><data>\n<value><boolean>%d</boolean></value>\n"
#define ARRAY_TAIL "</data></array></value></param>\n</params>\n</methodResponse>\n"

void fake_reply_int(struct buf *ret, int64_t v)
{
	begin(ret);
	buf_printf(ret, ARRAY_HEAD "<value><i4>%" PRId64 "</i4></value>\n", 1, v);
	buf_puts(ret, "<value><i4>0</i4></value>\n" ARRAY_TAIL);
}

void fake_reply_text(struct buf *ret, const char *text)
{
	begin(ret);
	buf_printf(ret, ARRAY_HEAD "<value><string>", 1);
	fake_escape(ret, text);
	buf_puts(ret, "</string></value>\n<value><i4>0</i4></value>\n" ARRAY_TAIL);
}

void fake_reply_refusal(struct buf *ret, const char *method, int code, int object,
			const char *text)
{
	begin(ret);
	buf_printf(ret, ARRAY_HEAD "<value><string>[%s] ", 0, method);
	fake_escape(ret, text);
	buf_printf(ret,
		   "</string></value>\n<value><i4>%d</i4></value>\n"
		   "<value><i4>%d</i4></value>\n<value><i8>-1</i8></value>\n" ARRAY_TAIL,
		   code, object);
}

void fake_reply_fault(struct buf *ret, int code, const char *text)
{
	begin(ret);
	buf_printf(
		ret,
		"<fault>\n<value><struct>\n<member><name>faultCode</name>\n"
		"<value><i4>%d</i4></value></member>\n<member><name>faultString</name>\n"
		"<value><string>",
		code);
	fake_escape(ret, text);
	buf_puts(ret, "</string></value></member>\n</struct></value>\n</fault>\n"
		      "</methodResponse>\n");
}

static const char *const user_names[] = {"oneadmin", "serveradmin", "alice"};

static void print_pci(struct buf *b, const struct fake_world *w, const struct fake_vm *vm,
		      size_t nr)
{
	const struct fake_section *s = &vm->pci[nr];
	const struct fake_device *d =
		vm->device[nr] < 0 ? NULL : &w->hosts[vm->host].devices[vm->device[nr]];

	buf_puts(b, "<PCI>");
	if (d) {
		if (vm->state == 3)
			fake_leaf(b, "ADDRESS", d->address);
		fake_leaf(b, "SHORT_ADDRESS", d->short_address);
		fake_leaf(b, "VENDOR", d->vendor);
		fake_leaf(b, "DEVICE", d->device);
		fake_leaf(b, "CLASS", "0302");
		fake_leaf(b, "NUMA_NODE", d->numa);
		fake_leaf(b, "VM_ADDRESS", "01:01.0");
	}
	for (size_t i = 0; i < s->nr; i++)
		if (!d || (strcmp(s->pairs[i].name, "SHORT_ADDRESS") != 0 &&
			   strcmp(s->pairs[i].name, "VENDOR") != 0 &&
			   strcmp(s->pairs[i].name, "DEVICE") != 0 &&
			   strcmp(s->pairs[i].name, "CLASS") != 0))
			fake_leaf(b, s->pairs[i].name, s->pairs[i].value);
	buf_printf(b, "<PCI_ID><![CDATA[%zu]]></PCI_ID></PCI>", nr);
}

void fake_print_vm(struct buf *b, const struct fake_world *w, const struct fake_vm *vm)
{
	buf_puts(b, "<VM>");
	fake_number(b, "ID", vm->id);
	fake_number(b, "UID", vm->uid);
	fake_number(b, "GID", vm->uid == 2 ? 100 : 0);
	buf_printf(b, "<UNAME>%s</UNAME><NAME>", user_names[vm->uid]);
	fake_escape(b, vm->name);
	buf_puts(b, "</NAME>");
	fake_number(b, "STATE", vm->state);
	fake_number(b, "LCM_STATE", vm->lcm);
	fake_number(b, "STIME", 1795356502);
	buf_puts(b, "<ETIME>0</ETIME><MONITORING></MONITORING><TEMPLATE>");
	if (vm->fate != FAKE_ONE_WITHOUT_NIC) {
		buf_puts(b, "<CONTEXT>");
		fake_leaf(b, "ETH0_IP", vm->address);
		buf_puts(b, "</CONTEXT><NIC>");
		fake_leaf(b, "IP", vm->address);
		buf_puts(b, "</NIC>");
	}
	for (size_t i = 0; i < vm->pci_nr; i++)
		print_pci(b, w, vm, i);
	buf_puts(b, "</TEMPLATE><USER_TEMPLATE>");
	if (*vm->run_id)
		fake_leaf(b, "TARE_RUN_ID", vm->run_id);
	if (*vm->message)
		fake_leaf(b, "SCHED_MESSAGE", vm->message);
	if (*vm->error)
		fake_leaf(b, "ERROR", vm->error);
	if (*vm->host_key && vm->state == 3 && vm->lcm == 3)
		fake_leaf(b, "TARE_SSH_HOST_KEY", vm->host_key);
	buf_puts(b, "</USER_TEMPLATE>");
	if (vm->host < 0) {
		buf_puts(b, "<HISTORY_RECORDS/></VM>");
		return;
	}
	buf_puts(b, "<HISTORY_RECORDS><HISTORY>");
	fake_leaf(b, "HOSTNAME", w->hosts[vm->host].name);
	fake_number(b, "HID", vm->host);
	fake_leaf(b, "VM_MAD", "fake");
	buf_puts(b, "<PSTIME>1795356507</PSTIME><PETIME>1795356509</PETIME>"
		    "<RSTIME>1795356509</RSTIME><RETIME>0</RETIME></HISTORY>"
		    "</HISTORY_RECORDS></VM>");
}

static void print_device(struct buf *b, const struct fake_device *d, int vm)
{
	buf_puts(b, "<PCI>");
	fake_leaf(b, "ADDRESS", d->address);
	fake_leaf(b, "CLASS", "0302");
	fake_leaf(b, "DEVICE", d->device);
	fake_leaf(b, "DEVICE_NAME", d->name);
	fake_leaf(b, "NUMA_NODE", d->numa);
	if (d->profiles)
		fake_leaf(b, "PROFILES", d->profiles);
	fake_leaf(b, "SHORT_ADDRESS", d->short_address);
	fake_leaf(b, "SRIOV", d->profiles ? "vf" : "no");
	fake_leaf(b, "VENDOR", d->vendor);
	buf_printf(b, "<VMID><![CDATA[%d]]></VMID></PCI>", vm);
}

static bool is_foreign(const struct fake_world *w, int vm)
{
	for (size_t i = 0; i < w->vms_nr; i++)
		if (w->vms[i].id == vm)
			return w->vms[i].fate == FAKE_ONE_FOREIGN_GPU &&
			       w->vms[i].lcm == 3;
	return false;
}

void fake_print_host(struct buf *b, const struct fake_host *h, int id,
		     const struct fake_world *w)
{
	buf_puts(b, "<HOST>");
	fake_number(b, "ID", id);
	buf_printf(b, "<NAME>%s</NAME>", h->name);
	fake_number(b, "STATE", h->state);
	buf_puts(b, "<CLUSTER>default</CLUSTER><HOST_SHARE>");
	fake_number(b, "RUNNING_VMS", h->running);
	buf_puts(b, "<PCI_DEVICES>");
	for (size_t i = 0; i < h->devices_nr; i++)
		print_device(b, &h->devices[i],
			     is_foreign(w, h->devices[i].vm) ? 999 : h->devices[i].vm);
	buf_puts(b, "</PCI_DEVICES></HOST_SHARE><TEMPLATE>");
	fake_leaf(b, "ARCH", h->arch);
	fake_leaf(b, "HYPERVISOR", "fake");
	if (h->state == 3)
		fake_leaf(b, "ERROR", "Error monitoring Host dead (3)");
	buf_puts(b, "</TEMPLATE></HOST>");
}

static void print_section(void *ctx, const char *name, const struct fake_section *s)
{
	struct buf *b = ctx;

	if (s->nr == 1 && !*s->pairs[0].name) {
		fake_leaf(b, name, s->pairs[0].value);
		return;
	}
	buf_printf(b, "<%s>", name);
	for (size_t i = 0; i < s->nr; i++)
		fake_leaf(b, s->pairs[i].name, s->pairs[i].value);
	buf_printf(b, "</%s>", name);
}

void fake_print_template(struct buf *b, const struct fake_template *t, int id,
			 bool is_whole)
{
	buf_puts(b, "<VMTEMPLATE>");
	fake_number(b, "ID", id);
	buf_printf(b, "<UID>0</UID><UNAME>oneadmin</UNAME><NAME>%s</NAME><TEMPLATE>",
		   t->name);
	if (is_whole)
		fake_template_parse(t->text, print_section, b);
	buf_puts(b, "</TEMPLATE></VMTEMPLATE>");
}

static int used_devices(const struct fake_world *w, const struct fake_user *u)
{
	int nr = 0;

	for (size_t i = 0; i < w->vms_nr; i++)
		if (w->vms[i].uid == u->id && w->vms[i].state != 6)
			nr += (int)w->vms[i].pci_nr;
	return nr;
}

void fake_print_account(struct buf *b, const struct fake_world *w,
			const struct fake_user *u, bool is_group)
{
	buf_printf(b, "<%s>", is_group ? "GROUP" : "USER");
	fake_number(b, "ID", is_group ? u->gid : u->id);
	if (!is_group) {
		fake_number(b, "GID", u->gid);
		buf_printf(b, "<GNAME>%s</GNAME>", u->group);
	}
	buf_printf(b, "<NAME>%s</NAME><VM_QUOTA>", is_group ? u->group : u->name);
	if (!is_group && u->pci_limit >= 0) {
		buf_puts(b, "<VM>");
		fake_number(b, "PCI_DEV", u->pci_limit);
		fake_number(b, "PCI_DEV_USED", used_devices(w, u));
		buf_puts(b, "<VMS>-1</VMS><VMS_USED>0</VMS_USED></VM>");
	}
	buf_printf(b, "</VM_QUOTA></%s>", is_group ? "GROUP" : "USER");
}

const char *fake_section_get(const struct fake_section *s, const char *name)
{
	for (size_t i = 0; i < s->nr; i++)
		if (!strcmp(s->pairs[i].name, name))
			return s->pairs[i].value;
	return NULL;
}

static const char *blanks(const char *s)
{
	return s + strspn(s, " \t\n\r");
}

/* NAME="value" at 's'; gives what is behind it, or NULL. */
static const char *read_name(const char *s, char name[40])
{
	size_t len = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");

	if (!len || len >= 40)
		return NULL;
	memcpy(name, s, len);
	name[len] = '\0';
	s = blanks(s + len);
	return *s == '=' ? blanks(s + 1) : NULL;
}

static const char *read_value(const char *s, char value[200])
{
	size_t len = 0;

	if (*s++ != '"')
		return NULL;
	for (; *s && *s != '"'; s++) {
		if (*s == '\\' && s[1])
			s++;
		if (len + 1 >= 200)
			return NULL;
		value[len++] = *s;
	}
	value[len] = '\0';
	return *s ? s + 1 : NULL;
}

static const char *read_section(const char *s, struct fake_section *section)
{
	for (s = blanks(s); *s && *s != ']';) {
		struct fake_pair *p = &section->pairs[section->nr];

		if (section->nr == PAIRS_MAX || !(s = read_name(s, p->name)) ||
		    !(s = read_value(s, p->value)))
			return NULL;
		section->nr++;
		s = blanks(s);
		if (*s == ',')
			s = blanks(s + 1);
		else if (*s != ']')
			return NULL;
	}
	return *s ? s + 1 : NULL;
}

int fake_template_parse(const char *text, fake_each *each, void *ctx)
{
	struct fake_section section;
	char name[40];

	for (text = blanks(text); *text; text = blanks(text)) {
		section.nr = 0;
		text = read_name(text, name);
		if (!text)
			return -1;
		if (*text == '[') {
			text = read_section(text + 1, &section);
		} else {
			section.nr = 1;
			section.pairs[0].name[0] = '\0';
			text = read_value(text, section.pairs[0].value);
		}
		if (!text)
			return -1;
		each(ctx, name, &section);
	}
	return 0;
}
