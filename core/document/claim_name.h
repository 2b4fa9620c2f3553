/*
 * The names of what a verdict rests on (reports/verdict/claims.h), as verdicts, plans ("trust")
 * and the option --trust have them.
 */
#ifndef TARE_CORE_DOCUMENT_CLAIM_NAME_H
#define TARE_CORE_DOCUMENT_CLAIM_NAME_H

#include "core/base/err.h"
#include "core/base/strvec.h"

enum claim_id {
	CLAIM_NONE = -1,
	CLAIM_WHO,          /* two machines, or one on purpose; the same GPU */
	CLAIM_BOUNDARY,     /* bare metal, which hypervisor, container, slice and route */
	CLAIM_COMPUTED,     /* device, backend, kernels */
	CLAIM_WHOLE_DEVICE, /* the whole of what was asked for */
	CLAIM_CLOCKS,       /* delivered alike */
	CLAIM_POWER,        /* the same limit */
	CLAIM_ALONE,        /* nobody else on the device */
	CLAIM_CPU_FREE,     /* quota, affinity, steal */
	CLAIM_PATH,         /* width and speed of the way to the device */
	CLAIM_HEALTH,       /* nothing pending, nothing failed */
	CLAIM_SAME_WORK,    /* parameters, digest of C, the model served */
	CLAIM_SAME_SOFTWARE, /* driver, libraries, server */
	CLAIM_TIME,          /* sane clocks, rounds in order */
	CLAIM_NR
};

const char *claim_name(enum claim_id id); /* "same-work" */
/* ERR_USAGE where one of them is none; the error, which begins with 'where', names them all. */
int claim_names_check(const struct strvec *names, const char *where, struct err *err);

#endif
