/* Shared by the files that read a plan: each reads one part of the document. */
#ifndef TARE_HARNESS_PLAN_PLAN_IMPL_H
#define TARE_HARNESS_PLAN_PLAN_IMPL_H

#include "harness/plan/plan.h"

extern const struct field plan_fields[];      /* of the texts that plan.c keeps apart */
extern const struct field arm_fields[];       /* of struct arm */
extern const struct field arm_fixed_fields[]; /* of struct arm: local and SSH arms */
extern const struct field arm_ssh_fields[]; /* of struct arm_ssh: an SSH arm's own keys */
extern const struct field arm_mig_fields[]; /* of struct arm_mig */
extern const struct field schedule_fields[]; /* of struct schedule */
extern const struct field rounds_fields[];   /* of struct schedule, within "rounds" */
extern const struct field workload_fields[]; /* of struct workload: beside its kind */

int plan_read_arms(struct plan *p, struct json_object *o, struct err *err);
int plan_read_workloads(struct plan *p, struct json_object *list, struct err *err);

/* Names become parts of file names: letters, digits, '.', '_', '-', at most 40. */
int plan_check_name(const char *name, const char *file, const char *pointer,
		    struct err *err);

/* No two arms on one machine but on purpose: after the baseline was found. */
int plan_check_machines(const struct plan *p, struct err *err);

/* Which arms change whose GPUs' drivers: after every arm was read. */
int plan_find_gpu_hosts(struct plan *p, struct err *err);
void plan_release_gpu_hosts(struct plan *p);

void arm_release(struct arm *a);
struct json_object *arm_to_json(const struct arm *a);
void workload_release(struct workload *w);
struct json_object *workload_to_json(const struct workload *w);

#endif
