/* Templates and hosts by the names that people use, and whether a host will do. */
#include "harness/provision/opennebula/opennebula_impl.h"

#include "core/base/mem.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static bool is_number(const char *s)
{
	size_t len = strspn(s, "0123456789");

	return len && len < 10 && !s[len];
}

struct search {
	const char *name;
	int64_t found, other; /* -1: none */
	struct strvec names;
};

static int look_at_template(void *ctx, const struct one_template *t, struct err *err)
{
	struct search *s = ctx;

	(void)err;
	if (s->names.nr < 1000)
		strvec_add(&s->names, t->name);
	if (strcmp(t->name, s->name) != 0)
		return 0;
	if (s->found >= 0)
		s->other = s->found;
	s->found = t->id;
	return 0;
}

int one_find_template(struct one_client *c, const char *name, struct one_template *ret,
		      struct err *err)
{
	struct search s = {.name = name, .found = -1, .other = -1};
	char meant[DID_YOU_MEAN_SIZE];
	int bad = 0;

	if (is_number(name))
		return one_template_info(c, strtol(name, NULL, 10), ret, err);
	if (one_template_pool(c, look_at_template, &s, err)) {
		bad = -1;
	} else if (s.found < 0) {
		bad = err_set(
			err, ERR_ENVIRONMENT,
			"this user sees no template '%.100s'%s; 'onetemplate list' shows "
			"%zu",
			name,
			did_you_mean(meant, name, strvec_argv(&s.names), s.names.nr, ""),
			s.names.nr);
	} else if (s.other >= 0) {
		bad = err_set(err, ERR_ENVIRONMENT,
			      "two templates are called '%.100s' (ids %" PRId64
			      " and %" PRId64 "): put the id into the plan",
			      name, s.other, s.found);
	}
	strvec_release(&s.names);
	return bad ? -1 : one_template_info(c, s.found, ret, err);
}

int one_find_host(const struct one_hosts *hosts, const char *name,
		  const struct one_host **ret, struct err *err)
{
	struct strvec names = {0};
	char meant[DID_YOU_MEAN_SIZE];
	int bad;

	for (size_t i = 0; i < hosts->nr; i++) {
		const struct one_host *h = &hosts->items[i];

		if (!strcmp(h->name, name) ||
		    (is_number(name) && h->id == strtol(name, NULL, 10))) {
			*ret = h;
			strvec_release(&names);
			return 0;
		}
		strvec_add(&names, h->name);
	}
	if (!hosts->nr) {
		strvec_release(&names);
		return err_set(
			err, ERR_ENVIRONMENT,
			"host '%.100s': this user sees no host at all; have it granted: "
			"oneacl create '@<gid> HOST/* USE *'",
			name);
	}
	bad = err_set(err, ERR_ENVIRONMENT,
		      "there is no host '%.100s'%s; 'onehost list' shows %zu", name,
		      did_you_mean(meant, name, strvec_argv(&names), names.nr, ""),
		      hosts->nr);
	strvec_release(&names);
	return bad;
}

static int host_is_up(const struct one_host *h, struct err *err)
{
	if (h->state == ONE_HOST_DISABLED)
		return err_set(
			err, ERR_ENVIRONMENT,
			"host '%s' is disabled: 'onehost enable %s' puts it back; 'tare "
			"clean' does so when a run had taken it out",
			h->name, h->name);
	if (h->state == ONE_HOST_ERROR || h->state == ONE_HOST_OFFLINE)
		return err_set(err, ERR_ENVIRONMENT,
			       "host '%s' is %s%s%.200s: see that it is up and that the "
			       "front-end reaches it ('onehost show %s')",
			       h->name, one_host_state_name(h->state),
			       h->error ? ": " : "", h->error ? h->error : "", h->name);
	return 0;
}

static int named_devices_free(const struct one_host *h, const struct one_machine *m,
			      struct err *err)
{
	for (size_t i = 0; i < m->pin.gpus.nr; i++) {
		const struct one_pci *d = one_host_device(h, m->pin.gpus.items[i]);

		if (!d)
			return err_set(
				err, ERR_ENVIRONMENT,
				"host '%s' has no device %s in its list: 'onehost show "
				"%s' shows them, and pci.conf on the front-end decides "
				"which are listed",
				h->name, m->pin.gpus.items[i], h->name);
		if (d->vm_id >= 0)
			return err_set(
				err, ERR_ENVIRONMENT,
				"device %s of host '%s' belongs to VM %" PRId64
				" at the moment: end that machine or name another device",
				m->pin.gpus.items[i], h->name, d->vm_id);
	}
	return 0;
}

int one_host_suits(const struct one_host *h, const struct one_machine *m,
		   const struct one_template *t, struct err *err)
{
	size_t want = one_machine_gpus(m, t), there = 0, is_free = 0, offered = 0;
	const char *profiles = NULL;

	if (host_is_up(h, err) || named_devices_free(h, m, err))
		return -1;
	for (size_t i = 0; i < h->pcis.nr; i++) {
		const struct one_pci *d = &h->pcis.items[i];

		if (!one_machine_wants(m, t, d))
			continue;
		there++;
		is_free += d->vm_id < 0;
		profiles = d->profiles ? d->profiles : profiles;
		offered += d->vm_id < 0 &&
			   (!m->gpu.profile ||
			    one_profile_offered(d->profiles, m->gpu.profile));
	}
	if (is_free < want)
		return err_set(
			err, ERR_ENVIRONMENT,
			"host '%s' has %zu device%s of the kind that is asked for, %zu "
			"of them free; %zu %s needed",
			h->name, there, there == 1 ? "" : "s", is_free, want,
			want == 1 ? "is" : "are");
	if (offered < want)
		return err_set(err, ERR_ENVIRONMENT,
			       "host '%s' offers no profile '%.100s': it offers %.300s",
			       h->name, m->gpu.profile, profiles ? profiles : "none");
	return 0;
}
