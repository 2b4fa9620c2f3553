/*
 * The hosts whose GPUs this session has changed: session.taken, an array of what
 * gpu_driver.h calls a "take". Each holds what was there first.
 */
#ifndef TARE_HARNESS_RUN_GPU_TAKEN_H
#define TARE_HARNESS_RUN_GPU_TAKEN_H

#include "harness/run/session.h"

/* Borrowed; NULL: nothing of that arm's machine was changed. */
struct json_object *gpu_taken_find(const struct session *s, const char *host_arm);
void gpu_taken_add(struct session *s, struct json_object *take); /* keeps a reference */
void gpu_taken_remove(struct session *s, const char *host_arm);

#endif
