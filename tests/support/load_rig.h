/*
 * A stage of load against the mock in a thread of this process: 4 streams, 24 requests of
 * 16 prompt and 10 output tokens, the first after 4 ms, then one every 2 ms. A test changes
 * 'config' before load_rig_run().
 */
#ifndef TARE_TESTS_SUPPORT_LOAD_RIG_H
#define TARE_TESTS_SUPPORT_LOAD_RIG_H

#include "inference/mock/mock.h"
#include "inference/load/engine/stage.h"

enum { RIG_REQUESTS = 24 };

struct load_rig {
	struct mock *mock;
	struct url_parts url;
	struct transport transport;
	struct prompt prompt;
	struct stage_config config;
	struct stage_outcome outcome;
};

/* 'fault' (inference/mock/mock.h) and 'truth_file' may be NULL. */
void load_rig_start(struct load_rig *r, const char *fault, const char *truth_file);
void load_rig_run(struct load_rig *r);
void load_rig_end(struct load_rig *r);

/*
 * Every record, in 'ret' (zeroed, of RIG_REQUESTS) by index, with its own copy of the
 * chunks; fails when an index comes twice. A record without a reply has http_status -1.
 */
size_t load_rig_collect(struct load_rig *r, struct request_record *ret);
void load_rig_forget(struct request_record *records);

#endif
