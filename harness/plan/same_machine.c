/*
 * Two arms on one machine: they would agree whatever is compared, so that a plan must say that
 * it means it. What only the machines can tell (two names of one host) is judged by their facts
 * (reports/verdict/claims.h).
 */
#include "harness/plan/plan_impl.h"

#include <string.h>
#include <strings.h>

enum { SSH_PORT = 22 };

static int64_t port_of(const struct arm *a)
{
	return a->ssh.port ? a->ssh.port : SSH_PORT;
}

/* Another port of this host may lead into a machine on it. */
static bool is_here(const struct arm *a)
{
	static const char *const names[] = {"localhost", "127.0.0.1", "::1"};

	if (a->target == ARM_LOCAL)
		return true;
	if (a->target != ARM_SSH || port_of(a) != SSH_PORT)
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcasecmp(names[i], a->ssh.host) == 0)
			return true;
	return false;
}

static bool is_one_machine(const struct arm *a, const struct arm *b)
{
	if (is_here(a) && is_here(b))
		return true;
	return a->target == ARM_SSH && b->target == ARM_SSH && port_of(a) == port_of(b) &&
	       strcasecmp(a->ssh.host, b->ssh.host) == 0;
}

static bool names(const struct arm *a, const struct arm *b)
{
	return a->same_machine_as && strcmp(a->same_machine_as, b->name) == 0;
}

static bool is_declared(const struct arm *a, const struct arm *b)
{
	return names(a, b) || names(b, a) ||
	       (a->same_machine_as && b->same_machine_as &&
		strcmp(a->same_machine_as, b->same_machine_as) == 0);
}

static int check_name(const struct plan *p, const struct arm *a, struct err *err)
{
	struct strvec known = {0};

	if (!a->same_machine_as)
		return 0;
	if (plan_arm(p, a->same_machine_as) && !names(a, a))
		return 0;
	for (size_t i = 0; i < p->arms_nr; i++)
		if (&p->arms[i] != a)
			strvec_add(&known, p->arms[i].name);
	name_unknown(&known, a->same_machine_as, "the plan has no other arm", err);
	strvec_release(&known);
	return err_wrap(err, "%s: /arms/%s/same_machine_as", p->path, a->name);
}

int plan_check_machines(const struct plan *p, struct err *err)
{
	const struct arm *base = &p->arms[p->baseline];

	for (size_t i = 0; i < p->arms_nr; i++) {
		const struct arm *a = &p->arms[i];

		if (check_name(p, a, err))
			return -1;
		if (a != base && is_one_machine(a, base) && !is_declared(a, base))
			return err_set(
				err, ERR_USAGE,
				"%s: /arms/%s: '%s' and '%s' are one machine, which "
				"agrees with itself whatever is compared; on purpose: "
				"\"same_machine_as\": \"%s\" ('tare aa' compares the "
				"baseline with itself)",
				p->path, a->name, base->name, a->name, base->name);
	}
	return 0;
}
