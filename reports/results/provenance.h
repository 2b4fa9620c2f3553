/*
 * What must be said about where numbers come from: a machine in a few words, whether it
 * is emulated in software, whether a load ran against the mock server.
 */
#ifndef TARE_REPORTS_RESULTS_PROVENANCE_H
#define TARE_REPORTS_RESULTS_PROVENANCE_H

#include "core/document/json.h"
#include "reports/results/result_set.h"

#include <stdbool.h>

/* "NVIDIA GB200 (GPU-3f2a...)", else the CPU's model; "unknown machine". free() */
char *provenance_machine(struct json_object *facts);
/*
 * What computed the gating results of an arm, by their own evidence: "NVIDIA H200 (GPU-3f2a...)",
 * "Xeon 6960P by OpenBLAS 0.3.21"; where they do not say, the machine and that. free()
 */
char *provenance_computed(const struct result_set *s, const char *arm);
/* A virtual machine whose processor is emulated in software (QEMU TCG), without KVM. */
bool provenance_is_emulated(struct json_object *facts);
/* A load against tare's own mock server. */
bool provenance_is_mock(const struct result *r);
/* A load of the arm ran against tare's own mock server: a schedule, not a model's timing. */
bool provenance_has_mock(const struct result_set *s, const char *arm);

#endif
