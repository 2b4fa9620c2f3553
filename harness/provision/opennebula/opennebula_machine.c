#include "harness/provision/opennebula/opennebula_machine.h"

#include "core/base/buf.h"
#include "core/base/mem.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const struct field one_config_fields[] = {
	{.name = "endpoint",
	 .kind = FIELD_TEXT,
	 .offset = offsetof(struct one_config, endpoint),
	 .is_required = true,
	 .arg = "URL",
	 .help = "The front-end's XML-RPC address: http://frontend:2633/RPC2, or "
		 "https:// where a proxy ends TLS."},
	{"auth_file", FIELD_TEXT, offsetof(struct one_config, auth_file),
	 .unset = "~/.one/one_auth", .arg = "FILE",
	 .help = "File with user:password or user:token."},
	{"auth_env", FIELD_TEXT, offsetof(struct one_config, auth_env), .arg = "NAME",
	 .help = "Environment variable that holds user:secret, instead of auth_file."},
	{"ca_file", FIELD_TEXT, offsetof(struct one_config, ca_file), .arg = "FILE",
	 .help = "Certificate authorities (PEM) for https; else the system's."},
	{"verify_tls", FIELD_FLAG, offsetof(struct one_config, verify_tls),
	 .unset = "true",
	 .help = "Check who answers on https. Without it anybody in between can take "
		 "the account."},
	{"call_timeout", FIELD_SECONDS, offsetof(struct one_config, call_timeout_ns),
	 .unset = "30", .min = 0.1, .max = 3600,
	 .help = "Longest wait for the answer to one call."},
	{"pool_timeout", FIELD_SECONDS, offsetof(struct one_config, pool_timeout_ns),
	 .unset = "300", .min = 0.1, .max = 3600,
	 .help = "Longest wait for a list of all machines, hosts or templates."},
	{"release_timeout", FIELD_SECONDS,
	 offsetof(struct one_config, release_timeout_ns), .unset = "180", .min = 0.1,
	 .max = 86400,
	 .help = "Longest wait until a machine is gone and its devices are free."},
	{"poll", FIELD_SECONDS, offsetof(struct one_config, poll_ns), .unset = "1",
	 .min = 0.01, .max = 60, .help = "Pause between two looks at a machine's state."},
	{"read_retries", FIELD_INT, offsetof(struct one_config, read_retries),
	 .unset = "2", .max = 100,
	 .help = "How often a call that only reads is repeated when the network lost it."},
	{0},
};

static const char *const host_key_names[] = {"plan", "onegate", NULL};
static const char *const pin_by_names[] = {"deploy", "scheduler", NULL};

const struct field one_machine_fields[] = {
	{"template", FIELD_TEXT, offsetof(struct one_machine, template_name),
	 .is_required = true, .help = "Name or id of the VM template."},
	{"address", FIELD_TEXT, offsetof(struct one_machine, address),
	 .help = "Where SSH answers, when not at the address of the first network card."},
	{"host_key", FIELD_CHOICE, offsetof(struct one_machine, host_key),
	 .unset = "plan", .choices = host_key_names,
	 .help = "Where the guest's SSH host key is known from: the arm's 'ssh', or "
		 "what the guest itself tells the front-end through OneGate."},
	{"shared_host", FIELD_FLAG, offsetof(struct one_machine, is_shared_host),
	 .help = "Measure even when other machines run on the same host."},
	{0},
};

static const struct field pin_fields[] = {
	{"host", FIELD_TEXT, offsetof(struct one_machine, pin.host),
	 .help = "Name or id of the host that the machine must run on."},
	{"gpu", FIELD_TEXTS, offsetof(struct one_machine, pin.gpus),
	 .help = "PCI addresses of the devices as the host's list shows them "
		 "(SHORT_ADDRESS). Needs 'host', for an address alone names no host."},
	{"by", FIELD_CHOICE, offsetof(struct one_machine, pin.by), .unset = "deploy",
	 .choices = pin_by_names,
	 .help = "Place it ourselves (needs VM ADMIN and HOST MANAGE), or have the "
		 "scheduler do it."},
	{0},
};

static const struct field gpu_fields[] = {
	{"count", FIELD_INT, offsetof(struct one_machine, gpu.count), .unset = "1",
	 .min = 1, .max = 64, .help = "How many devices."},
	{"vendor", FIELD_TEXT, offsetof(struct one_machine, gpu.vendor), .unset = "10de",
	 .help = "PCI vendor, hexadecimal without 0x."},
	{"device", FIELD_TEXT, offsetof(struct one_machine, gpu.device),
	 .help = "PCI device, hexadecimal without 0x: 2941 is a GB200."},
	{"class", FIELD_TEXT, offsetof(struct one_machine, gpu.class_id), .unset = "0302",
	 .help = "PCI class, hexadecimal without 0x."},
	{"profile", FIELD_TEXT, offsetof(struct one_machine, gpu.profile),
	 .help = "vGPU type as the host offers it, \"1127 (NVIDIA H100XM-1-10C)\": a "
		 "MIG-backed slice instead of a whole device."},
	{0},
};

const struct machine_object one_machine_objects[] = {
	{"pin", pin_fields}, {"gpu", gpu_fields}, {NULL, NULL}};

static int check_hex(const char *value, const char *name, const char *file,
		     const char *pointer, struct err *err)
{
	if (!value || (*value && strlen(value) <= 4 &&
		       strspn(value, "0123456789abcdefABCDEF") == strlen(value)))
		return 0;
	return err_set(
		err, ERR_USAGE,
		"%s: %s/gpu/%s: '%.40s' is not hexadecimal of at most four digits: "
		"write it as 'lspci -n' shows it, without 0x",
		file, pointer, name, value);
}

static int check_sense(const struct one_machine *m, const char *file, const char *pointer,
		       struct err *err)
{
	struct one_pci any = {.short_address = NULL};

	if (check_hex(m->gpu.vendor, "vendor", file, pointer, err) ||
	    check_hex(m->gpu.device, "device", file, pointer, err) ||
	    check_hex(m->gpu.class_id, "class", file, pointer, err))
		return -1;
	if (m->pin.gpus.nr && !m->pin.host)
		return err_set(err, ERR_USAGE,
			       "%s: %s/pin: 'gpu' needs 'host': hosts share addresses",
			       file, pointer);
	if (m->pin.gpus.nr && m->has_gpu && m->gpu.count != 1 &&
	    (size_t)m->gpu.count != m->pin.gpus.nr)
		return err_set(err, ERR_USAGE,
			       "%s: %s: gpu/count is %d but pin/gpu names %zu devices",
			       file, pointer, (int)m->gpu.count, m->pin.gpus.nr);
	for (size_t i = 0; i < m->pin.gpus.nr; i++) {
		any.short_address = m->pin.gpus.items[i];
		if (!one_pci_is_at(&any, any.short_address))
			return err_set(
				err, ERR_USAGE,
				"%s: %s/pin/gpu: '%.40s' is not a PCI address such as "
				"0008:01:00.0 or e1:00.0",
				file, pointer, any.short_address);
	}
	/* These go into a template as quoted text. */
	if (m->gpu.profile && strpbrk(m->gpu.profile, "\"\\\n\r]["))
		return err_set(
			err, ERR_USAGE,
			"%s: %s/gpu/profile: quotes and brackets cannot stand here", file,
			pointer);
	return 0;
}

int one_machine_bind(struct one_machine *ret, struct json_object *o, const char *file,
		     const char *pointer, struct err *err)
{
	static const char *const others[] = {"target", "provisioner", "driver",
					     "ssh",    "description", "ready_timeout",
					     "pin",    "gpu",         NULL};
	static const struct field *const tables[] = {pin_fields, gpu_fields};

	fields_init(one_machine_fields, ret);
	fields_init(pin_fields, ret);
	fields_init(gpu_fields, ret);
	ret->has_gpu = json_member(o, "gpu") != NULL;
	if (fields_bind_json(one_machine_fields, ret, o, file, pointer, others, err))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		struct json_object *inner = json_member(o, one_machine_objects[i].name);
		char *at = x_asprintf("%s/%s", pointer, one_machine_objects[i].name);
		int bad = inner &&
			  fields_bind_json(tables[i], ret, inner, file, at, NULL, err);

		free(at);
		if (bad)
			return -1;
	}
	return check_sense(ret, file, pointer, err);
}

void one_machine_release(struct one_machine *m)
{
	fields_release(one_machine_fields, m);
	fields_release(pin_fields, m);
	fields_release(gpu_fields, m);
}

int one_machine_check(struct json_object *machine, const char *file, const char *pointer,
		      struct err *err)
{
	struct one_machine m = {0};
	int bad = one_machine_bind(&m, machine, file, pointer, err);

	one_machine_release(&m);
	return bad;
}

void one_machine_devices(struct json_object *machine, struct strvec *ret_gpus,
			 char **ret_host)
{
	struct one_machine m;

	if (!one_machine_bind(&m, machine, "plan", "", NULL)) {
		strvec_add_all(ret_gpus, strvec_argv(&m.pin.gpus));
		*ret_host = x_strdup(m.pin.host);
	}
	one_machine_release(&m);
}

bool one_machine_chooses(const struct one_machine *m)
{
	return m->has_gpu || m->pin.gpus.nr > 0;
}

#define EXTRA_MAX ((size_t)256 << 10)

static const struct one_pci *template_gpu(const struct one_template *t, size_t nr)
{
	for (size_t i = 0; i < t->pcis.nr; i++)
		if (one_pci_is_gpu(&t->pcis.items[i]) && !nr--)
			return &t->pcis.items[i];
	return NULL;
}

static size_t template_gpus(const struct one_template *t)
{
	size_t nr = 0;

	while (template_gpu(t, nr))
		nr++;
	return nr;
}

size_t one_machine_gpus(const struct one_machine *m, const struct one_template *t)
{
	if (m->pin.gpus.nr)
		return m->pin.gpus.nr;
	return m->has_gpu ? (size_t)m->gpu.count : template_gpus(t);
}

static void add_attribute(struct buf *b, const char *name, const char *value)
{
	if (value)
		buf_printf(b, "%s%s=\"%s\"", b->data[b->len - 1] == '[' ? " " : ", ",
			   name, value);
}

/* Ends a section with the template's other attributes of it. */
static void end_section(struct buf *b, const struct one_pci *from)
{
	if (from && from->rest && *from->rest)
		buf_printf(b, "%s%s", b->data[b->len - 1] == '[' ? " " : ", ",
			   from->rest);
	buf_puts(b, " ]\n");
}

/* A section that the plan chooses: by address or by kind. */
static void add_section(struct buf *b, const struct one_machine *m,
			const struct one_template *t, size_t nr)
{
	const struct one_pci *from = template_gpu(t, nr);

	buf_puts(b, "PCI=[");
	if (m->pin.gpus.nr) {
		add_attribute(b, "SHORT_ADDRESS", m->pin.gpus.items[nr]);
	} else {
		add_attribute(b, "VENDOR", m->gpu.vendor);
		add_attribute(b, "DEVICE", m->gpu.device);
		add_attribute(b, "CLASS", m->gpu.class_id);
	}
	if (m->gpu.profile)
		add_attribute(b, "PROFILE", m->gpu.profile);
	else if (from && !m->has_gpu)
		add_attribute(b, "PROFILE", from->profile);
	end_section(b, from);
}

/* A given PCI section replaces all of the template's: network cards must come along. */
static void add_cards(struct buf *b, const struct one_template *t)
{
	for (size_t i = 0; i < t->pcis.nr; i++) {
		const struct one_pci *p = &t->pcis.items[i];

		if (one_pci_is_gpu(p))
			continue;
		buf_puts(b, "PCI=[");
		add_attribute(b, "SHORT_ADDRESS", p->short_address);
		add_attribute(b, "VENDOR", p->vendor);
		add_attribute(b, "DEVICE", p->device);
		add_attribute(b, "CLASS", p->class_id);
		end_section(b, p);
	}
}

int one_machine_extra(const struct one_machine *m, const struct one_template *t,
		      int64_t host, const char *run_id, char **ret, struct err *err)
{
	size_t gpus = one_machine_gpus(m, t), have = template_gpus(t);
	struct buf b;

	if (m->pin.gpus.nr && have && have != gpus)
		return err_set(
			err, ERR_USAGE,
			"template '%s' has %zu GPUs but the plan names %zu addresses "
			"in pin/gpu: name as many as the template has, for each has "
			"settings of its own",
			t->name, have, gpus);
	buf_init(&b, EXTRA_MAX);
	buf_printf(&b, "%s=\"%s\"\n", ONE_RUN_ATTRIBUTE, run_id);
	if (one_machine_chooses(m)) {
		for (size_t i = 0; i < gpus; i++)
			add_section(&b, m, t, i);
		add_cards(&b, t);
	}
	if (host >= 0 && m->pin.by == ONE_PIN_SCHEDULER)
		buf_printf(&b, "SCHED_REQUIREMENTS=\"ID=%" PRId64 "\"\n", host);
	if (b.dropped) {
		buf_release(&b);
		return err_set(err, ERR_USAGE,
			       "template '%s' has more than fits into a request",
			       t->name);
	}
	*ret = buf_detach(&b);
	buf_release(&b);
	return 0;
}

static bool same_id(const char *want, const char *have)
{
	return !want || (have && !strcasecmp(want, have));
}

static bool is_kind(const struct one_pci *device, const char *vendor, const char *id,
		    const char *class_id)
{
	return same_id(vendor, device->vendor) && same_id(id, device->device) &&
	       same_id(class_id, device->class_id);
}

bool one_machine_wants(const struct one_machine *m, const struct one_template *t,
		       const struct one_pci *device)
{
	for (size_t i = 0; i < m->pin.gpus.nr; i++)
		if (one_pci_is_at(device, m->pin.gpus.items[i]))
			return true;
	if (m->pin.gpus.nr)
		return false;
	if (m->has_gpu)
		return is_kind(device, m->gpu.vendor, m->gpu.device, m->gpu.class_id);
	for (size_t i = 0; i < t->pcis.nr; i++) {
		const struct one_pci *p = &t->pcis.items[i];

		if (one_pci_is_gpu(p) &&
		    (p->short_address
			     ? one_pci_is_at(device, p->short_address)
			     : is_kind(device, p->vendor, p->device, p->class_id)))
			return true;
	}
	return false;
}

bool one_profile_offered(const char *profiles, const char *profile)
{
	size_t len = strlen(profile);

	while (profiles && *profiles) {
		size_t item;

		profiles += strspn(profiles, ", ");
		item = strcspn(profiles, ",");
		if (item == len && !strncmp(profiles, profile, len))
			return true;
		profiles += item;
	}
	return false;
}
