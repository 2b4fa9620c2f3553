#include "harness/provision/opennebula/opennebula_machine.h"

#include "core/base/buf.h"
#include "core/base/mem.h"

#include <ctype.h>
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
		 "https:// "
		 "where a proxy ends TLS."},
	{.name = "auth_file",
	 .kind = FIELD_TEXT,
	 .offset = offsetof(struct one_config, auth_file),
	 .unset = "~/.one/one_auth",
	 .arg = "FILE",
	 .help = "File with user:password or user:token."},
	{.name = "auth_env",
	 .kind = FIELD_TEXT,
	 .offset = offsetof(struct one_config, auth_env),
	 .arg = "NAME",
	 .help = "Environment variable that holds user:secret, instead of auth_file."},
	{.name = "ca_file",
	 .kind = FIELD_TEXT,
	 .offset = offsetof(struct one_config, ca_file),
	 .arg = "FILE",
	 .help = "Certificate authorities (PEM) for https; else the system's."},
	{.name = "verify_tls",
	 .kind = FIELD_FLAG,
	 .offset = offsetof(struct one_config, verify_tls),
	 .unset = "true",
	 .help = "Check who answers on https. Without it anybody in between can take the "
		 "account."},
	{.name = "call_timeout",
	 .kind = FIELD_SECONDS,
	 .offset = offsetof(struct one_config, call_timeout_ns),
	 .unset = "30",
	 .min = 0.1,
	 .max = 3600,
	 .help = "Longest wait for the answer to one call."},
	{.name = "pool_timeout",
	 .kind = FIELD_SECONDS,
	 .offset = offsetof(struct one_config, pool_timeout_ns),
	 .unset = "300",
	 .min = 0.1,
	 .max = 3600,
	 .help = "Longest wait for a list of all machines, hosts or templates."},
	{.name = "release_timeout",
	 .kind = FIELD_SECONDS,
	 .offset = offsetof(struct one_config, release_timeout_ns),
	 .unset = "180",
	 .min = 0.1,
	 .max = 86400,
	 .help = "Longest wait until a machine is gone and its devices are free."},
	{.name = "poll",
	 .kind = FIELD_SECONDS,
	 .offset = offsetof(struct one_config, poll_ns),
	 .unset = "1",
	 .min = 0.01,
	 .max = 60,
	 .help = "Pause between two looks at a machine's state."},
	{.name = "read_retries",
	 .kind = FIELD_INT,
	 .offset = offsetof(struct one_config, read_retries),
	 .unset = "2",
	 .max = 100,
	 .help = "How often a call that only reads is repeated when the network lost "
		 "it."},
	{0},
};

static const char *const host_key_names[] = {"plan", "onegate", NULL};
static const char *const pin_by_names[] = {"deploy", "scheduler", NULL};

const struct field one_machine_fields[] = {
	{.name = "template",
	 .kind = FIELD_TEXT,
	 .offset = offsetof(struct one_machine, template_name),
	 .is_required = true,
	 .help = "Name or id of the VM template."},
	{.name = "address",
	 .kind = FIELD_TEXT,
	 .offset = offsetof(struct one_machine, address),
	 .help = "Where SSH answers, when not at the address of the first network card."},
	{.name = "host_key",
	 .kind = FIELD_CHOICE,
	 .offset = offsetof(struct one_machine, host_key),
	 .choices = host_key_names,
	 .unset = "plan",
	 .help = "Where the guest's SSH host key is known from: the arm's 'ssh', or what "
		 "the guest itself tells the front-end through OneGate."},
	{.name = "shared_host",
	 .kind = FIELD_FLAG,
	 .offset = offsetof(struct one_machine, is_shared_host),
	 .help = "Measure even when other machines run on the same host."},
	{0},
};

static const struct field pin_fields[] = {
	{.name = "host",
	 .kind = FIELD_TEXT,
	 .offset = offsetof(struct one_machine, pin.host),
	 .help = "Name or id of the host that the machine must run on."},
	{.name = "gpu",
	 .kind = FIELD_TEXTS,
	 .offset = offsetof(struct one_machine, pin.gpus),
	 .help = "PCI addresses of the devices as the host's list shows them "
		 "(SHORT_ADDRESS). Needs 'host', for an address alone names no host."},
	{.name = "by",
	 .kind = FIELD_CHOICE,
	 .offset = offsetof(struct one_machine, pin.by),
	 .choices = pin_by_names,
	 .unset = "deploy",
	 .help = "Place it ourselves (needs VM ADMIN and HOST MANAGE), or have the "
		 "scheduler do it."},
	{0},
};

static const struct field gpu_fields[] = {
	{.name = "count",
	 .kind = FIELD_INT,
	 .offset = offsetof(struct one_machine, gpu.count),
	 .unset = "1",
	 .min = 1,
	 .max = 64,
	 .help = "How many devices."},
	{.name = "vendor",
	 .kind = FIELD_TEXT,
	 .offset = offsetof(struct one_machine, gpu.vendor),
	 .unset = "10de",
	 .help = "PCI vendor, hexadecimal without 0x."},
	{.name = "device",
	 .kind = FIELD_TEXT,
	 .offset = offsetof(struct one_machine, gpu.device),
	 .help = "PCI device, hexadecimal without 0x: 2941 is a GB200."},
	{.name = "class",
	 .kind = FIELD_TEXT,
	 .offset = offsetof(struct one_machine, gpu.class_id),
	 .unset = "0302",
	 .help = "PCI class, hexadecimal without 0x."},
	{.name = "profile",
	 .kind = FIELD_TEXT,
	 .offset = offsetof(struct one_machine, gpu.profile),
	 .help = "vGPU type as the host offers it, \"1127 (NVIDIA H100XM-1-10C)\": a "
		 "MIG-backed slice instead of a whole device."},
	{0},
};

const struct machine_object one_machine_objects[] = {
	{"pin", pin_fields}, {"gpu", gpu_fields}, {NULL, NULL}};

int one_config_bind(struct one_config *ret, struct json_object *o, struct err *err)
{
	static const char *const others[] = {"kind", NULL};

	fields_init(one_config_fields, ret);
	return fields_bind_json(one_config_fields, ret, o, "plan", "/provisioners",
				others, err);
}

void one_config_release(struct one_config *c)
{
	fields_release(one_config_fields, c);
}

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
