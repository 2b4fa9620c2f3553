/*
 * What OpenNebula's rules let an account do. Bits as in its documentation ("Managing ACL
 * Rules") and include/PoolObjectSQL.h: user, resource type and scope, rights.
 */
#ifndef TARE_HARNESS_PROVISION_OPENNEBULA_OPENNEBULA_RIGHTS_H
#define TARE_HARNESS_PROVISION_OPENNEBULA_OPENNEBULA_RIGHTS_H

#include "harness/provision/opennebula/opennebula_model.h"

#define ONE_ON_VM UINT64_C(0x1000000000)
#define ONE_ON_HOST UINT64_C(0x2000000000)
#define ONE_ON_TEMPLATE UINT64_C(0x20000000000)

enum one_right { ONE_USE = 1, ONE_MANAGE = 2, ONE_ADMIN = 4, ONE_CREATE = 8 };

/* Does the rule speak of this account? */
bool one_rule_applies(const struct one_acl *rule, const struct one_account *a);
/*
 * On all or on some of the resources of a type: a rule for one cluster or group counts,
 * since which host it will be is not known. Administrators (user 0, group 0) may do
 * everything.
 */
bool one_may(const struct one_acls *acls, const struct one_account *a, uint64_t resource,
	     enum one_right right);

#endif
