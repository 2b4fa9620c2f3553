/*
 * Files of records: everything that several processes sharing one load must keep so that
 * their results can be made one, exactly (--records, 'tare load merge').
 *
 * A file is one line of JSON, {"schema": "tare.records/2", "byte_order": "little",
 * "head_bytes", "part", "parts", "facts": {...}, ..., "stages": [{"label", "kind",
 * instants, ..., "pieces": [[offset, bytes], ...], "client": {...}}]}, and behind its line
 * break the records, in the form that inference/load/engine/spool.h describes; offsets
 * count from there. Instants are of the writer's monotonic clock, "wall_offset_ns" makes
 * them Unix time. Every machine reads what another wrote.
 */
#ifndef TARE_INFERENCE_LOAD_LOAD_RECORDS_H
#define TARE_INFERENCE_LOAD_LOAD_RECORDS_H

#include "core/base/err.h"
#include "inference/load/load_result.h"
#include "inference/load/load_run.h"

#define RECORDS_SCHEMA "tare.records/2"

int load_write_records(const struct load_run *r, const char *path, struct err *err);

struct records_stage {
	struct load_stage stage;
	struct spool_part *parts;
	unsigned parts_nr;
	struct client_figures client;
	bool is_aborted;
	char error_text[256];
};

struct records_file {
	char *path;
	int fd;
	struct json_object *head;
	unsigned part, parts;
	struct records_stage *stages;
	size_t stages_nr;
};

int records_open(const char *path, struct records_file *ret, struct err *err);
void records_close(struct records_file *f);

/*
 * One result from the files of all parts of a load. Each instant is taken as wall time, so
 * the machines' clocks must agree (NTP or PTP); a stage's window is where all parts were
 * in theirs. Of the client's own figures the worst part's count.
 */
int load_merge(const char *const *paths, size_t nr, struct result *ret, struct err *err);

#endif
