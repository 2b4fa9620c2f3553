#include "harness/provision/opennebula/opennebula_rights.h"

static const uint64_t individual = UINT64_C(0x100000000);
static const uint64_t group = UINT64_C(0x200000000);
static const uint64_t everybody = UINT64_C(0x400000000);
static const uint64_t id_bits = UINT64_C(0xffffffff);

bool one_rule_applies(const struct one_acl *rule, const struct one_account *a)
{
	int64_t id = (int64_t)(rule->user & id_bits);

	if (rule->user & everybody)
		return true;
	if (rule->user & individual)
		return id == a->id;
	return (rule->user & group) && id == a->gid;
}

bool one_may(const struct one_acls *acls, const struct one_account *a, uint64_t resource,
	     enum one_right right)
{
	if (a->id == 0 || a->gid == 0)
		return true;
	for (size_t i = 0; i < acls->nr; i++) {
		const struct one_acl *r = &acls->items[i];

		if (one_rule_applies(r, a) && (r->resource & resource) &&
		    (r->rights & (uint64_t)right))
			return true;
	}
	return false;
}
