/*
 * The result document 'tare.result/1': what one execution of a workload prints on stdout
 * with --json. The schema is configs/schema/result.json.
 *
 *	{schema, id, created, tool{name,version,commit,build}, workload{kind,name,params,
 *	 digest}, arm, round, machine{}, status(ok|failed|invalid), reasons[], metrics[],
 *	 checks[], telemetry{}, evidence{}, details{}}
 *
 * The workload's program writes everything but 'arm' and 'round', which the harness adds
 * when it stores the document, and 'details.mig' where it ran on a part of a GPU
 * (harness/run/gpu_part.h). 'params' is the complete set of parameters after defaults,
 * and 'digest' its SHA-256: two results are of the same work when digests are equal.
 */
#ifndef TARE_CORE_DOCUMENT_RESULT_H
#define TARE_CORE_DOCUMENT_RESULT_H

#include "core/document/metric.h"
#include "core/base/strvec.h"

#define RESULT_FAMILY "tare.result/"
#define RESULT_SCHEMA RESULT_FAMILY "1"

enum result_status { RESULT_OK, RESULT_FAILED, RESULT_INVALID };

struct result {
	char *id, *created, *kind, *name, *digest, *arm;
	int64_t round; /* 0: not part of a run */
	enum result_status status;
	struct strvec reasons; /* "client-limited: ...": why it is not ok, name first */
	struct samples *metrics;
	size_t metrics_nr, metrics_alloc;
	/* Objects, owned, never NULL after result_init(). */
	struct json_object *tool, *params, *machine, *checks, *telemetry, *evidence,
		*details;
};

/* A new document with id, creation time and tool filled in. */
void result_init(struct result *r, const char *tool, const char *kind, const char *name);
void result_release(struct result *r);

void result_set_params(struct result *r, struct json_object *params);   /* consumed */
void result_set_machine(struct result *r, struct json_object *machine); /* consumed */
/* Of core/document/evidence.h; consumed. Without it the document has none. */
void result_set_evidence(struct result *r, struct json_object *evidence);
/* Moves the samples in; 's' is empty afterwards. */
void result_add_metric(struct result *r, struct samples *s);
/* A check that failed makes the status 'invalid' and its text a reason. */
void result_add_check(struct result *r, const char *name, bool passed,
		      const char *detail);
/* The worse status wins; 'reason' reads "short-name: sentence with the numbers". */
void result_worsen(struct result *r, enum result_status status, const char *reason);

const struct samples *result_metric(const struct result *r,
				    const char *name); /* or NULL */
const char *result_status_name(enum result_status s);
/* EXIT_PASS, EXIT_ENVIRONMENT (failed) or EXIT_INVALID. */
int result_exit_status(const struct result *r);

struct json_object *result_to_json(const struct result *r); /* owned by the caller */
/* Accepts unknown keys, refuses an unknown schema; 'where' is for messages. */
int result_from_json(struct result *ret, struct json_object *o, const char *where,
		     struct err *err);
int result_read(struct result *ret, const char *path, struct err *err);
int result_write(const struct result *r, const char *path, struct err *err);

/* A fresh identifier: time and randomness, "20261122T191725-3f9a1c2b"; free(). */
char *result_new_id(void);

#endif
