/* Ending machines for good, and the proof that nothing of them is left. */
#include "harness/provision/opennebula/opennebula_impl.h"

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/stop.h"
#include "harness/provision/opennebula/opennebula_state.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

bool one_is_of_run(const struct one_vm *vm, const char *run_id)
{
	size_t len = strlen(run_id);

	if (vm->run_id)
		return !len || !strcmp(vm->run_id, run_id);
	/* Where the account may not add attributes, the name alone carries the id. */
	if (!vm->name || strncmp(vm->name, "tare-", 5) != 0)
		return false;
	return !len || (!strncmp(vm->name + 5, run_id, len) && vm->name[5 + len] == '-');
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
	bool is_ended = false;

	stop_shield_begin();
	for (;;) {
		look(p->client, &e);
		is_ended = e.is_gone && !holds_device(p->client, &e);
		/* A device that is still taken may mean that it was not gone: look again. */
		e.was_gone |= e.is_gone;
		e.is_gone = false;
		if (is_ended || clock_passed(deadline))
			break;
		clock_sleep_until(clock_deadline_ns(p->config.poll_ns));
	}
	stop_shield_end();
	return is_ended ? 0 : still_there(&e, err);
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
	int bad;

	stop_shield_begin();
	bad = one_vm_pool(p->client, collect, &l, err);
	/* One that does not end must not keep the others. */
	for (size_t i = 0, nr = bad ? 0 : l.nr; i < nr; i++)
		if (one_end_vm(p, l.items[i].vm, l.items[i].host, bad ? NULL : err))
			bad = -1;
	stop_shield_end();
	if (ret_nr)
		*ret_nr = l.nr;
	free(l.items);
	return bad;
}
