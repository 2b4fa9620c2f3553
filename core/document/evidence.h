/*
 * What a result says of the measurement itself, its 'evidence' (configs/schema/result.json):
 * what computed, when, whether this process was held back, who else was there. A verdict
 * rests on it, so that nothing here is assumed: what is not known is null.
 *
 * A workload fills 'computed', 'others' and 'digest_c', core/machine/around.h the rest, and
 * result_set_evidence() takes what evidence_to_json() makes.
 */
#ifndef TARE_CORE_DOCUMENT_EVIDENCE_H
#define TARE_CORE_DOCUMENT_EVIDENCE_H

#include "core/base/clock.h"
#include "core/document/json.h"

#include <stdbool.h>
#include <stdint.h>

enum evidence_kind { EVIDENCE_UNKNOWN, EVIDENCE_GPU, EVIDENCE_CPU, EVIDENCE_SERVER };

/* Texts are borrowed, NULL: not known. Numbers: 0 is not known. */
struct evidence_computed {
	enum evidence_kind kind;
	const char *device;  /* "NVIDIA GB200", a processor's model, a server's address */
	const char *uuid;    /* of the GPU or the MIG device */
	const char *backend; /* "cublas", "openblas" */
	const char *library; /* with its version: "cuBLAS 13.0.2" */
	const char
		*kernels; /* the architecture that they are for: "sm_90", "Cooperlake" */
	int64_t multiprocessors, multiprocessors_whole; /* had; those of the whole GPU */
	int64_t memory_bytes;
};

struct evidence {
	struct evidence_computed computed;
	struct {
		char started[CLOCK_LABEL_SIZE],
			ended[CLOCK_LABEL_SIZE]; /* "": not known */
		double seconds;
		double wall_step_s; /* how far the wall clock was moved meanwhile */
	} span;
	struct {
		char *affinity; /* "0-3"; owned; NULL: not known */
		double steal_s, throttled_s;
		int64_t throttled_periods, periods; /* -1: not known */
	} cpu;
	struct {
		bool known;
		int64_t processes; /* that computed on the device beside this one */
	} others;
	const char *digest_c;         /* borrowed; NULL: there is no C */
	struct json_object *identity; /* owned; NULL: not known */
};

void evidence_init(struct evidence *e); /* nothing is known */
void evidence_release(struct evidence *e);

struct json_object *evidence_to_json(const struct evidence *e); /* owned by the caller */

/*
 * What computed, for the head of whatever shows figures: "NVIDIA H200 (GPU-...), cuBLAS
 * 13.0.2 for sm_90, 132 of 132 multiprocessors", "the processor, Intel ..., OpenBLAS 0.3.21
 * for SKYLAKEX", "the server http://...". 'evidence' is a result's member; NULL where it
 * does not say; free().
 */
char *evidence_headline(struct json_object *evidence);

#endif
