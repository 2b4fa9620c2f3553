/*
 * A plan: what is compared (arms), with what (workloads), how often (schedule) and what
 * counts as no difference (margins). JSON with comments; configs/schema/plan.json
 * describes it for editors and is made from the same tables that read it.
 *
 * plan_read() stops at the first thing that is wrong, before anything runs, with the
 * file, the JSON pointer, what was expected and the nearest known name. No secret is ever
 * in a plan: only paths of files and names of environment variables.
 */
#ifndef TARE_HARNESS_PLAN_PLAN_H
#define TARE_HARNESS_PLAN_PLAN_H

#include "core/options/field.h"
#include "core/base/strvec.h"

#include <stdbool.h>
#include <stdint.h>

enum arm_target { ARM_LOCAL, ARM_SSH, ARM_VM };
enum arm_driver { ARM_DRIVER_ASIS, ARM_DRIVER_NVIDIA, ARM_DRIVER_VFIO };

/* How an arm is logged in to; unset texts are NULL. */
struct arm_ssh {
	char *host; /* of a fixed machine; a leased one brings its own */
	int64_t port;
	char *user, *key_file, *known_hosts_file, *host_key_sha256;
};

/*
 * An arm that is measured on parts of its GPU: MIG instances made in its turn, each alone
 * on the GPU, and taken away again.
 */
struct arm_mig {
	bool is_wanted;
	bool is_all;    /* the whole GPU, then each profile that it has */
	int64_t slices; /* 0: 'profile' says */
	char *profile;  /* the driver's name, "all", or NULL */
	char *gpu;      /* UUID or PCI address; NULL: the machine's only GPU */
};

/*
 * A machine whose GPUs change hands: bound to the host's own driver while an arm measures
 * it as bare metal, to vfio while a virtual machine on it has them.
 */
struct gpu_host {
	const struct arm *arm; /* the machine itself: target local or ssh */
	struct strvec gpus;    /* "0008:01:00.0", each once */
	/* The provisioner that places machines on it and its name there; NULL: nobody. */
	char *provisioner, *name;
};

struct arm {
	char *name;
	char *description;
	/* The arm whose machine this is too, on purpose; NULL: it is another. */
	char *same_machine_as;
	int target; /* enum arm_target */
	int driver; /* enum arm_driver */
	/* Target vm with driver vfio: the arm that is the host of its GPU; NULL: it is the
	 * one whose 'host' the machine is pinned to, or the only one with a driver. */
	char *host_arm;
	struct strvec gpus; /* local, ssh: GPUs that change hands, beside the VMs' own */
	const struct gpu_host *gpu_host; /* NULL: this arm changes no driver */
	struct arm_ssh ssh;
	struct arm_mig mig;
	char *provisioner;           /* ARM_VM: a key of the plan's provisioners */
	struct json_object *machine; /* ARM_VM: the keys its provisioner reads */
	int64_t ready_timeout_ns;    /* request of a machine to its first SSH answer */
};

struct provision {
	char *name;
	const struct provisioner_kind *kind;
	struct json_object *config; /* without "kind" */
};

/* A program of ours, and what it says of its own options. */
struct plan_program {
	const char *name; /* "tare-gemm" */
	struct field *options;
};

struct workload {
	char *name; /* unique in the plan; the kind's name unless given */
	const struct workload_kind *kind;
	struct json_object *params; /* as given, checked against 'options' */
	struct json_object *server; /* tare-serve's, for a kind that needs one, or NULL */
	const struct field *options, *server_options; /* the programs'; the plan's */
	int64_t timeout_ns;
	bool is_gating; /* false: its metrics are shown and never part of the verdict */
};

struct schedule {
	int64_t rounds_min, rounds_max;
	int order;         /* enum schedule_order */
	int64_t seed;      /* of ORDER_RANDOM_BLOCKS */
	int64_t budget_ns; /* 0: none */
};

enum schedule_order { ORDER_ABBA, ORDER_ABAB, ORDER_RANDOM_BLOCKS };

struct plan {
	char *path, *name, *description;
	struct provision *provisions;
	size_t provisions_nr;
	struct arm *arms;
	size_t arms_nr, baseline; /* baseline: index of an arm */
	struct gpu_host *gpu_hosts;
	size_t gpu_hosts_nr;
	struct workload *workloads;
	size_t workloads_nr;
	struct plan_program *programs; /* of the workloads, each asked once */
	size_t programs_nr, programs_alloc;
	struct schedule schedule;
	struct json_object *margins; /* metric name: relative difference */
	struct strvec
		trust; /* claims of a verdict that are taken on trust when not shown */
};

int plan_read(struct plan *ret, const char *path, struct err *err);
/* The same from a document that is read already; 'path' is what errors call it. */
int plan_from_json(struct plan *ret, struct json_object *o, const char *path,
		   struct err *err);
void plan_release(struct plan *p);

/*
 * The plan whose only arms are this one's baseline and its twin "<baseline>-again": what
 * 'tare aa' runs to see what the set-up calls a difference when there is none.
 */
int plan_against_itself(struct plan *ret, const struct plan *p, struct err *err);

/* The plan with every default filled in; plan_read() reads it back as the same plan. */
struct json_object *plan_to_json(const struct plan *p);
/* SHA-256 of that, which names the plan in results and reports. */
void plan_digest(const struct plan *p, char hex[65]);

const struct arm *plan_arm(const struct plan *p, const char *name); /* or NULL */
const struct provision *plan_provision(const struct plan *p, const char *name);
/* "WHAT 'NAME'; did you mean 'ONE OF known'?" as ERR_USAGE; -1. */
int name_unknown(const struct strvec *known, const char *name, const char *what,
		 struct err *err);

/* configs/schema/plan.json, made of the tables; owned by the caller. */
struct json_object *plan_schema(void);

#endif
