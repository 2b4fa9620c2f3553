#include "harness/run/arm_target.h"

#include "core/base/clock.h"
#include "core/base/file.h"

#include <stdlib.h>

static const int64_t connect_timeout_ns = 60 * NS_PER_S;

struct target *arm_target_open(const struct arm *arm, const struct lease_info *lease,
			       struct err *err)
{
	const struct arm_ssh *plan = &arm->ssh;
	char *key = plan->key_file ? path_expand(plan->key_file) : NULL;
	char *known = plan->known_hosts_file ? path_expand(plan->known_hosts_file) : NULL;
	struct ssh_params p = {
		.host = plan->host,
		.port = (uint16_t)plan->port,
		.user = plan->user,
		.key_file = key,
		.known_hosts_file = known,
		.host_key_sha256 = plan->host_key_sha256,
		.connect_timeout_ns = connect_timeout_ns,
	};
	struct target *target;

	if (lease) {
		p.host = lease->address;
		p.port = lease->port ? lease->port : p.port;
		p.user = lease->user ? lease->user : p.user;
		p.key_file = lease->key_file ? lease->key_file : p.key_file;
		if (lease->host_key_sha256)
			p.host_key_sha256 = lease->host_key_sha256;
	}
	target = arm->target == ARM_LOCAL ? target_local_new() : target_ssh_new(&p, err);
	free(key);
	free(known);
	return target;
}
