#include "harness/provision/opennebula/opennebula_error.h"

#include "core/base/mem.h"

#include <string.h>

/* First match wins: the special cases of a code stand before its general one. */
static const struct mapping {
	int code;
	const char *part; /* of the front-end's text; NULL: any */
	const char *meaning;
	const char *remedy;
} mappings[] = {
	{ONE_E_AUTHENTICATION, NULL, "the front-end does not know this user and secret",
	 "auth_file must hold 'user:password' or 'user:token', and a token expires "
	 "('oneuser token-create' makes one)"},
	{ONE_E_AUTHORIZATION, "limit of", "a quota is used up",
	 "end machines that are no longer needed ('onevm list'), or have the quota "
	 "raised "
	 "('oneuser quota', 'onegroup quota')"},
	{ONE_E_AUTHORIZATION, "restricted attribute",
	 "the plan asks for something that only an administrator may set",
	 "leave it out of the plan and put it into the template, or have it taken from "
	 "VM_RESTRICTED_ATTR in oned.conf"},
	{ONE_E_AUTHORIZATION, "CREATE TEMPLATE",
	 "before OpenNebula 7.4.2, instantiating with attributes of one's own needs the "
	 "right to create templates",
	 "have it granted: oneacl create '#<uid> TEMPLATE/* CREATE'"},
	{ONE_E_AUTHORIZATION, "ADMIN VM",
	 "placing a machine by hand needs ADMIN on the VM and MANAGE on the host",
	 "set \"by\": \"scheduler\" in the arm's pin, or use an account with these "
	 "rights"},
	{ONE_E_AUTHORIZATION, "HOST",
	 "this user may not see or manage the host, so that nobody can prove whose GPU "
	 "it is",
	 "have it granted: oneacl create '@<gid> HOST/* USE *'"},
	{ONE_E_AUTHORIZATION, NULL, "this user has no right to do that",
	 "have it granted with 'oneacl create', or use another account"},
	{ONE_E_NO_EXISTS, "template", "there is no such template",
	 "'onetemplate list' shows those that this user can see"},
	{ONE_E_NO_EXISTS, "host", "there is no such host", "'onehost list' shows them"},
	{ONE_E_NO_EXISTS, "virtual machine", "there is no such machine",
	 "somebody may have purged it"},
	{ONE_E_NO_EXISTS, NULL, "something that the plan names does not exist",
	 "check names and ids"},
	{ONE_E_ACTION, "Unavailable PCI device",
	 "the host has no free device of the kind that was asked for",
	 "'onehost show' lists its devices and who has them (VMID)"},
	{ONE_E_ACTION, "does not fit in host", "the host has no room for this machine",
	 "pick another host, or ask for fewer CPUs and less memory"},
	{ONE_E_ACTION, "not available for state",
	 "the machine is in another state by now", "look at it with 'onevm show'"},
	{ONE_E_ACTION, "enough space", "a datastore is full",
	 "'onedatastore list' shows it"},
	{ONE_E_ACTION, NULL, "the front-end cannot do that now", "see oned.log"},
	{ONE_E_XML_RPC_API, NULL, "the front-end did not understand the call",
	 "it may be another version of OpenNebula than tare knows (7.x)"},
	{ONE_E_INTERNAL, "leader", "the front-end's cluster has no leader at the moment",
	 "try again when the election is over ('onezone show 0')"},
	{ONE_E_INTERNAL, "election", "the front-end's cluster is electing its leader",
	 "try again when the election is over ('onezone show 0')"},
	{ONE_E_INTERNAL, "PCI", "the request for a GPU is not well-formed",
	 "vendor, device and class are hexadecimal without 0x; an address excludes them"},
	{ONE_E_INTERNAL, "does not exist", "the template names something that is gone",
	 "mend the template ('onetemplate update')"},
	{ONE_E_INTERNAL, NULL, "the template and the plan's additions make no machine",
	 "try the template by hand: onetemplate instantiate"},
	{ONE_E_ALLOCATE, NULL, "the front-end could not allocate it", "see oned.log"},
	{ONE_E_LOCKED, NULL, "somebody locked it",
	 "'onevm unlock' or 'onetemplate unlock'"},
	{ONE_E_REPLICATION, NULL, "the front-end could not copy its log to its followers",
	 "see 'onezone show 0'"},
};

int one_error(struct err *err, int64_t code, int64_t object, const char *text)
{
	const struct mapping *m = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(mappings) && !m; i++)
		if (mappings[i].code == code &&
		    (!mappings[i].part || strstr(text, mappings[i].part)))
			m = &mappings[i];
	if (!m)
		return err_set_code(
			err, ERR_ENVIRONMENT, "opennebula", (long)code,
			"the front-end refuses with code %lld (object %lld): %s",
			(long long)code, (long long)object, text);
	return err_set_code(err, ERR_ENVIRONMENT, "opennebula", (long)code,
			    "%s (code %lld, object %lld: %s); %s", m->meaning,
			    (long long)code, (long long)object, text, m->remedy);
}

static bool is_from(const struct err *err, const char *origin)
{
	return err->origin && !strcmp(err->origin, origin);
}

bool one_is_code(const struct err *err, enum one_code code)
{
	return is_from(err, "opennebula") && err->code == (long)code;
}

bool one_is_uncertain(const struct err *err)
{
	return is_from(err, "curl") || is_from(err, "http") ||
	       is_from(err, "xmlrpc-reply") || err->kind == ERR_INTERRUPTED;
}

bool one_is_election(const struct err *err)
{
	return one_is_code(err, ONE_E_INTERNAL) &&
	       (strstr(err->text, "leader") || strstr(err->text, "election"));
}
