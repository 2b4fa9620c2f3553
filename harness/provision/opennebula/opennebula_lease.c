/* A machine from the request to its first SSH answer, and to its end. */
#include "harness/provision/opennebula/opennebula_impl.h"

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/stop.h"
#include "harness/provision/opennebula/opennebula_state.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool one_is_of_run(const struct one_vm *vm, const char *run_id)
{
	if (vm->run_id)
		return !*run_id || !strcmp(vm->run_id, run_id);
	/* Where the account may not add attributes, the name alone carries the id. */
	return vm->name && lease_is_name(vm->name, run_id);
}

/* What is known of a machine that is being ended. */
struct ending {
	int64_t vm, host;
	bool is_gone;  /* as the last look had it */
	bool was_gone; /* as any look had it */
	struct err last;
};

static void ask_to_end(struct one_client *c, struct ending *e, enum one_outlook outlook)
{
	struct err why = ERR_INIT;

	if (outlook == ONE_ENDING || !one_vm_terminate_hard(c, e->vm, &why))
		return;
	if (one_is_code(&why, ONE_E_NO_EXISTS)) {
		e->is_gone = true;
		return;
	}
	/* Some states of failure take no action at all; only an administrator may do this. */
	if (one_is_code(&why, ONE_E_ACTION) && outlook == ONE_FAILED) {
		struct err ignored = ERR_INIT;

		if (!one_vm_recover_delete(c, e->vm, &ignored))
			return;
	}
	e->last = why;
}

static void look(struct one_client *c, struct ending *e)
{
	struct err why = ERR_INIT;
	struct one_vm vm;

	if (one_vm_info(c, e->vm, &vm, &why)) {
		if (one_is_code(&why, ONE_E_NO_EXISTS))
			e->is_gone = true;
		else
			e->last = why;
		return;
	}
	if (vm.host_id >= 0)
		e->host = vm.host_id;
	if (vm.state == ONE_STATE_DONE)
		e->is_gone = true;
	else
		ask_to_end(c, e, one_state_find(vm.state, vm.lcm_state)->outlook);
	one_vm_release(&vm);
}

/* Whether a device of the host still belongs to it. */
static bool holds_device(struct one_client *c, struct ending *e)
{
	struct err why = ERR_INIT;
	struct one_host h;
	bool holds = false;

	if (e->host < 0)
		return false;
	if (one_host_info(c, e->host, &h, &why)) {
		/* A user without rights on hosts cannot know; the VM is DONE for all we see. */
		if (one_is_code(&why, ONE_E_AUTHORIZATION) ||
		    one_is_code(&why, ONE_E_NO_EXISTS))
			return false;
		e->last = why;
		return true;
	}
	for (size_t i = 0; i < h.pcis.nr; i++)
		if (h.pcis.items[i].vm_id == e->vm) {
			holds = true;
			err_set(&e->last, ERR_ENVIRONMENT,
				"device %s of host '%s' still belongs to it",
				h.pcis.items[i].short_address, h.name);
		}
	one_host_release(&h);
	return holds;
}

static int still_there(const struct ending *e, struct err *err)
{
	return err_set_code(
		err, ERR_ENVIRONMENT, e->last.origin, e->last.code,
		"VM %" PRId64 " %s: %.500s; end it with 'onevm terminate "
		"--hard %" PRId64 "' or 'tare clean'",
		e->vm, e->was_gone ? "has ended but not let go" : "may still be there",
		e->last.kind ? e->last.text : "it does not come to an end", e->vm);
}

int one_end_vm(struct one_provisioner *p, int64_t vm, int64_t host, struct err *err)
{
	struct ending e = {.vm = vm, .host = host};
	int64_t deadline = clock_deadline_ns(p->config.release_timeout_ns);

	for (;;) {
		look(p->client, &e);
		if (e.is_gone && !holds_device(p->client, &e))
			return 0;
		/* Gone, yet it has a device: one of the two was read wrongly. */
		e.was_gone |= e.is_gone;
		e.is_gone = false;
		if (clock_passed(deadline))
			return still_there(&e, err);
		clock_sleep_until(clock_deadline_ns(p->config.poll_ns));
	}
}

struct left {
	const char *run_id, *name;
	struct {
		int64_t vm, host;
	} * items;
	size_t nr, alloc;
};

static int collect(void *ctx, const struct one_vm *vm, struct err *err)
{
	struct left *l = ctx;

	(void)err;
	if (!one_is_of_run(vm, l->run_id) ||
	    (l->name && (!vm->name || strcmp(vm->name, l->name) != 0)))
		return 0;
	GROW(l->items, l->nr, l->alloc);
	l->items[l->nr].vm = vm->id;
	l->items[l->nr].host = vm->host_id;
	l->nr++;
	return 0;
}

int one_end_run(struct one_provisioner *p, const char *run_id, const char *name,
		size_t *ret_nr, struct err *err)
{
	struct left l = {.run_id = run_id, .name = name};
	int bad = one_vm_pool(p->client, collect, &l, err);

	/* One that does not end must not keep the others. */
	for (size_t i = 0, nr = bad ? 0 : l.nr; i < nr; i++)
		if (one_end_vm(p, l.items[i].vm, l.items[i].host, bad ? NULL : err))
			bad = -1;
	if (ret_nr)
		*ret_nr = l.nr;
	free(l.items);
	return bad;
}

struct one_lease {
	struct lease base;
	struct one_provisioner *p;
	const struct lease_request *want; /* while it comes up */
	char *name, *id, *address;
	struct one_machine machine;
	struct one_template template_;
	struct one_vm vm; /* as last seen; vm.id is -1 until there is one */
	int64_t host;     /* the pinned one, or -1 */
	int64_t started_ns, deadline_ns, running_ns;
	const struct one_state *told; /* the state last told of */
};

static void add_text(struct err *err, const char *fmt, ...) ERR_PRINTF(2, 3);
static void add_text(struct err *err, const char *fmt, ...)
{
	size_t len = err ? strlen(err->text) : 0;
	va_list ap;

	if (!err)
		return;
	va_start(ap, fmt);
	vsnprintf(err->text + len, sizeof(err->text) - len, fmt, ap);
	va_end(ap);
}

/* The pinned host, and whether it can give what the plan wants. */
static int choose_host(struct one_lease *l, struct err *err)
{
	const struct one_machine *m = &l->machine;
	const struct one_host *h = NULL;
	struct one_hosts hosts;
	int bad;

	if (!m->pin.host)
		return 0;
	if (one_host_pool(l->p->client, &hosts, err))
		return -1;
	bad = one_find_host(&hosts, m->pin.host, &h, err) ||
	      one_host_suits(h, m, &l->template_, err);
	if (!bad)
		l->host = h->id;
	one_hosts_release(&hosts);
	return bad ? -1 : 0;
}

/*
 * Nobody knows whether a call without an answer made the machine: it is looked for by
 * the run's id and its name, which were part of the call.
 */
static void undo_unanswered(struct one_lease *l, struct err *err)
{
	struct err why = ERR_INIT;
	size_t nr = 0;

	if (one_end_run(l->p, l->want->run_id, l->name, &nr, &why))
		add_text(err,
			 "; whether the machine '%s' exists is not known (%.300s): 'tare "
			 "clean' looks for it again",
			 l->name, why.text);
	else if (nr)
		add_text(err, "; the machine '%s' had been made and was ended", l->name);
}

static int instantiate(struct one_lease *l, const char *extra, struct err *err)
{
	bool is_held = l->host >= 0 && l->machine.pin.by == ONE_PIN_DEPLOY;
	struct one_client *c = l->p->client;
	struct err why = ERR_INIT;
	int bad;

	/* No stop cuts this call short: without its answer the machine's id is unknown. */
	stop_shield_begin();
	bad = one_template_instantiate(c, l->template_.id, l->name, is_held, extra,
				       &l->vm.id, &why);
	if (bad && one_is_code(&why, ONE_E_AUTHORIZATION) &&
	    strstr(why.text, "CREATE TEMPLATE") && !one_machine_chooses(&l->machine) &&
	    !(l->host >= 0 && !is_held)) {
		/* This account may add nothing to a template. It was only the run's id, which
		 * the name carries too: once more without. */
		err_clear(&why);
		bad = one_template_instantiate(c, l->template_.id, l->name, is_held, "",
					       &l->vm.id, &why);
	}
	if (bad) {
		l->vm.id = -1;
		if (one_is_uncertain(&why))
			undo_unanswered(l, &why);
		if (err)
			*err = why;
	}
	stop_shield_end();
	return bad ? -1 : 0;
}

static int request(struct one_lease *l, struct err *err)
{
	char *extra = NULL;
	int bad = one_machine_extra(&l->machine, &l->template_, l->host, l->want->run_id,
				    &extra, err);

	if (!bad) {
		lease_note(l->want, "asking the front-end for a machine");
		bad = instantiate(l, extra, err);
	}
	free(extra);
	if (!bad && l->host >= 0 && l->machine.pin.by == ONE_PIN_DEPLOY) {
		lease_note(l->want, "placing it on the pinned host");
		bad = stop_check(err) ||
		      one_vm_deploy(l->p->client, l->vm.id, l->host, err);
	}
	return bad ? -1 : 0;
}

static int refresh(struct one_lease *l, struct err *err)
{
	int64_t id = l->vm.id;
	struct one_vm seen;

	if (one_vm_info(l->p->client, id, &seen, err))
		return -1;
	one_vm_release(&l->vm);
	l->vm = seen;
	l->vm.id = id;
	return 0;
}

static void tell(struct one_lease *l, const struct one_state *s)
{
	char text[400];

	if (s == l->told && s->state != 1)
		return;
	l->told = s;
	if (s->state == 1 && l->vm.sched_message)
		snprintf(text, sizeof(text), "VM %" PRId64 " is %s: %.300s", l->vm.id,
			 s->name, l->vm.sched_message);
	else
		snprintf(text, sizeof(text), "VM %" PRId64 " is %s", l->vm.id, s->name);
	lease_note(l->want, text);
}

static int failed_in(const struct one_lease *l, const struct one_state *s,
		     struct err *err)
{
	const char *why = l->vm.error;

	return err_set(err, ERR_ENVIRONMENT,
		       "VM %" PRId64 " '%s' is in state %s (%" PRId64 "/%" PRId64
		       ")%s%.300s%s; %s",
		       l->vm.id, l->name, s->name, l->vm.state, l->vm.lcm_state,
		       why ? ": " : "", why ? why : "",
		       l->vm.host_name ? " on the host it was placed on" : "",
		       s->remedy ? s->remedy : "look at it with 'onevm show'");
}

static int too_late(const struct one_lease *l, const struct one_state *s, struct err *err)
{
	char waited[32];

	clock_human(clock_mono_ns() - l->started_ns, waited, sizeof(waited));
	if (s->state != 1)
		return err_set(err, ERR_ENVIRONMENT,
			       "VM %" PRId64
			       " '%s' is still in state %s after %s; see its log "
			       "on the front-end, or give the arm a larger ready_timeout",
			       l->vm.id, l->name, s->name, waited);
	return err_set(err, ERR_ENVIRONMENT,
		       "no host took VM %" PRId64 " '%s' within %s; the scheduler says: "
		       "%.400s; 'onehost list' and 'onehost show' tell what is free",
		       l->vm.id, l->name, waited,
		       l->vm.sched_message ? l->vm.sched_message : "nothing yet");
}

static int wait_running(struct one_lease *l, struct err *err)
{
	bool was_lost = false;

	for (;;) {
		const struct one_state *s;

		if (stop_check(err) || refresh(l, err))
			return -1;
		s = one_state_find(l->vm.state, l->vm.lcm_state);
		tell(l, s);
		if (s->outlook == ONE_READY)
			return 0;
		/* A single reading of a lost machine may be false (OpenNebula/one#7975). */
		if (s->outlook == ONE_LOST && !was_lost)
			was_lost = true;
		else if (s->outlook == ONE_HELD && l->host >= 0 &&
			 l->machine.pin.by == ONE_PIN_DEPLOY)
			; /* the deploy is under way */
		else if (s->outlook != ONE_WAIT)
			return failed_in(l, s, err);
		else
			was_lost = false;
		if (clock_passed(l->deadline_ns))
			return too_late(l, s, err);
		if (lease_pause(l->p->config.poll_ns, err))
			return -1;
	}
}

static int check_section(const struct one_lease *l, const struct one_pci *section,
			 const struct one_host *h, struct err *err)
{
	const struct one_pci *device = one_host_device(h, section->address);

	if (!device)
		return err_set(err, ERR_INVALID,
			       "VM %" PRId64
			       " says it has device %s, but host '%s' lists no "
			       "such device: nobody can tell which GPU would be measured",
			       l->vm.id, section->address, h->name);
	if (device->vm_id != l->vm.id)
		return err_set(err, ERR_INVALID,
			       "VM %" PRId64
			       " says it has device %s, but host '%s' gives it to "
			       "%s %" PRId64 ": the measurement would not be of that GPU",
			       l->vm.id, section->address, h->name,
			       device->vm_id < 0 ? "nobody:" : "VM", device->vm_id);
	if (section->profile && !one_profile_offered(device->profiles, section->profile))
		return err_set(
			err, ERR_INVALID,
			"VM %" PRId64 " runs with profile '%.100s', which device %s does "
			"not offer (%.200s): the scheduler does not look at profiles",
			l->vm.id, section->profile, section->address,
			device->profiles ? device->profiles : "none");
	return 0;
}

static int check_host(struct one_lease *l, struct err *err)
{
	struct one_host h;
	int bad = one_host_info(l->p->client, l->vm.host_id, &h, err);

	if (bad)
		return -1;
	for (size_t i = 0; !bad && i < l->vm.pcis.nr; i++)
		if (one_pci_is_gpu(&l->vm.pcis.items[i]))
			bad = check_section(l, &l->vm.pcis.items[i], &h, err);
	if (!bad && h.running_vms > 1 && !l->machine.is_shared_host)
		bad = err_set(
			err, ERR_INVALID,
			"host '%s' runs %" PRId64 " machines: another's work would be "
			"measured too; empty the host, or set \"shared_host\": true when "
			"sharing is what you measure",
			h.name, h.running_vms);
	if (!bad)
		json_put_int(l->base.info.facts, "host_running_vms", h.running_vms);
	one_host_release(&h);
	return bad;
}

static bool has_device(const struct one_vm *vm, const char *address)
{
	for (size_t i = 0; i < vm->pcis.nr; i++)
		if (one_pci_is_at(&vm->pcis.items[i], address))
			return true;
	return false;
}

/*
 * A VM can be RUNNING without its GPU: an unenforced deploy, or KVM ignoring a section
 * without a place. Only ADDRESS in the VM and the VM's id at the host's device prove it.
 */
static int prove_devices(struct one_lease *l, struct err *err)
{
	size_t want = one_machine_gpus(&l->machine, &l->template_), have = 0;

	for (size_t i = 0; i < l->vm.pcis.nr; i++) {
		const struct one_pci *s = &l->vm.pcis.items[i];

		if (one_pci_is_gpu(s) && !s->address)
			return err_set(
				err, ERR_INVALID,
				"VM %" PRId64 " is RUNNING without its GPU: its PCI "
				"section %zu has no ADDRESS; somebody deployed it on a "
				"host without a free device",
				l->vm.id, i);
		have += one_pci_is_gpu(s);
	}
	if (have < want)
		return err_set(err, ERR_INVALID,
			       "VM %" PRId64 " is RUNNING with %zu of %zu GPUs", l->vm.id,
			       have, want);
	if (l->host >= 0 && l->vm.host_id != l->host)
		return err_set(err, ERR_INVALID,
			       "VM %" PRId64 " runs on host '%s' (id %" PRId64
			       ") and not on '%s', where the plan pins it",
			       l->vm.id, l->vm.host_name ? l->vm.host_name : "?",
			       l->vm.host_id, l->machine.pin.host);
	for (size_t i = 0; i < l->machine.pin.gpus.nr; i++)
		if (!has_device(&l->vm, l->machine.pin.gpus.items[i]))
			return err_set(err, ERR_INVALID,
				       "VM %" PRId64 " was not given device %s", l->vm.id,
				       l->machine.pin.gpus.items[i]);
	return have ? check_host(l, err) : 0;
}

static struct json_object *devices_json(const struct one_vm *vm)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < vm->pcis.nr; i++) {
		const struct one_pci *s = &vm->pcis.items[i];
		struct json_object *o = json_object_new_object();

		json_put_text(o, "address", s->address);
		json_put_text(o, "guest_address", s->vm_address);
		json_put_text(o, "vendor", s->vendor);
		json_put_text(o, "device", s->device);
		json_put_text(o, "class", s->class_id);
		json_put_text(o, "numa_node", s->numa_node);
		json_put_text(o, "uuid", s->uuid);
		json_put_text(o, "profile", s->profile);
		json_object_array_add(list, o);
	}
	return list;
}

static void put_span(struct json_object *o, const char *key, int64_t from, int64_t to)
{
	if (from > 0 && to >= from)
		json_put_int(o, key, to - from);
}

static void put_facts(struct one_lease *l)
{
	struct json_object *o = l->base.info.facts;

	json_put_text(o, "platform", "opennebula");
	json_put_text(o, "type", l->vm.hypervisor);
	json_put_text(o, "host", l->vm.host_name);
	json_put_int(o, "host_id", l->vm.host_id);
	json_put_text(o, "template", l->template_.name);
	json_put_int(o, "template_id", l->template_.id);
	json_put(o, "devices", devices_json(&l->vm));
	/* The front-end's clock, in whole seconds: for a person, beside our own boot time. */
	put_span(o, "pending_s", l->vm.submitted_s, l->vm.prolog_s);
	put_span(o, "prolog_s", l->vm.prolog_s, l->vm.prolog_end_s);
	json_put_real(o, "running_after_s",
		      (double)(l->running_ns - l->started_ns) / 1e9);
}

static int find_address(struct one_lease *l, struct err *err)
{
	const char *at = l->machine.address ? l->machine.address : l->vm.address;

	if (!at)
		return err_set(err, ERR_ENVIRONMENT,
			       "VM %" PRId64
			       " has no network card with an address: add a NIC "
			       "to template '%s', or give the arm an 'address'",
			       l->vm.id, l->template_.name);
	l->address = x_strdup(at);
	l->base.info.address = l->address;
	return 0;
}

/* The guest itself told the front-end, which is a channel of its own beside SSH. */
static int learn_host_key(struct one_lease *l, struct err *err)
{
	if (l->machine.host_key != ONE_KEY_ONEGATE)
		return 0;
	lease_note(l->want, "waiting for the guest to tell its host key");
	while (!l->vm.host_key) {
		if (clock_passed(l->deadline_ns))
			return err_set(err, ERR_ENVIRONMENT,
				       "VM %" PRId64
				       " did not tell its SSH host key: its "
				       "template's START_SCRIPT must send %s through "
				       "OneGate, and "
				       "CONTEXT needs TOKEN=\"YES\" (docs/opennebula.md)",
				       l->vm.id, ONE_HOST_KEY_ATTRIBUTE);
		if (lease_pause(l->p->config.poll_ns, err) || refresh(l, err))
			return -1;
	}
	if (strncmp(l->vm.host_key, "SHA256:", 7) != 0)
		return err_set(err, ERR_ENVIRONMENT,
			       "VM %" PRId64
			       ": %s is not of the form SHA256:...: send what "
			       "'ssh-keygen -lf' prints",
			       l->vm.id, ONE_HOST_KEY_ATTRIBUTE);
	l->base.info.host_key_sha256 = l->vm.host_key;
	return 0;
}

static int is_alive(void *ctx, struct err *err)
{
	struct one_lease *l = ctx;
	const struct one_state *s;

	if (refresh(l, err))
		return -1;
	s = one_state_find(l->vm.state, l->vm.lcm_state);
	return s->outlook == ONE_READY || s->outlook == ONE_LOST ? 0
								 : failed_in(l, s, err);
}

static int come_up(struct one_lease *l, struct err *err)
{
	if (one_find_template(l->p->client, l->machine.template_name, &l->template_,
			      err) ||
	    choose_host(l, err) || request(l, err) || wait_running(l, err))
		return -1;
	l->running_ns = clock_mono_ns();
	put_facts(l);
	if (prove_devices(l, err) || find_address(l, err))
		return -1;
	lease_note(l->want, "waiting for SSH");
	if (lease_wait_ssh_while(l->address, l->base.info.port, l->deadline_ns, is_alive,
				 l, err))
		return err_wrap(err, "VM %" PRId64 " '%s' runs", l->vm.id, l->name);
	l->base.info.boot_ns = clock_mono_ns() - l->started_ns;
	return learn_host_key(l, err);
}

static void lease_free(struct one_lease *l)
{
	json_object_put(l->base.info.facts);
	one_machine_release(&l->machine);
	one_template_release(&l->template_);
	one_vm_release(&l->vm);
	free(l->name);
	free(l->id);
	free(l->address);
	free(l);
}

int one_lease_acquire(struct provisioner *base, const struct lease_request *want,
		      struct lease **ret, struct err *err)
{
	struct one_lease *l = x_calloc(1, sizeof(*l));

	l->p = (struct one_provisioner *)base;
	l->want = want;
	l->name = lease_name(want->run_id, want->label);
	l->vm.id = -1;
	l->host = -1;
	l->started_ns = clock_mono_ns();
	l->deadline_ns = clock_deadline_ns(want->timeout_ns);
	l->base.info.port = want->ssh_port ? want->ssh_port : 22;
	l->base.info.facts = json_object_new_object();
	l->base.info.name = l->name;
	*ret = &l->base;
	if (one_machine_bind(&l->machine, want->machine, "plan", "", err) ||
	    come_up(l, err))
		return -1;
	l->id = x_asprintf("%" PRId64, l->vm.id);
	l->base.info.id = l->id;
	l->want = NULL;
	return 0;
}

void one_lease_keep(struct lease *l)
{
	lease_free((struct one_lease *)l);
}

int one_lease_release(struct provisioner *base, struct lease *lease, struct err *err)
{
	struct one_lease *l = (struct one_lease *)lease;
	int bad = 0;

	if (l->vm.id >= 0)
		bad = one_end_vm((struct one_provisioner *)base, l->vm.id, l->vm.host_id,
				 err);
	lease_free(l);
	return bad;
}
