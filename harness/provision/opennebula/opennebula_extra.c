/* The attributes that a plan adds to a template, and what they mean for the devices. */
#include "harness/provision/opennebula/opennebula_machine.h"

#include "core/base/buf.h"
#include "core/base/mem.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

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
