/*
 * Files of records: everything that several processes sharing one load must keep so that
 * their results can be made one, exactly (--records, 'tare load merge').
 *
 * A file is one line of JSON, {"schema": "tare.records/1", "record_bytes", "byte_order",
 * "part", "parts", "params", "server", ..., "stages": [{..., "pieces": [[offset, bytes],
 * ...], "client": {...}}]}, and behind it the spools' bytes
 * (inference/load/engine/spool_impl.h), to which the offsets refer. Files are read only
 * on machines of the same byte order and by builds with the same record.
 */
#ifndef TARE_INFERENCE_LOAD_LOAD_RECORDS_H
#define TARE_INFERENCE_LOAD_LOAD_RECORDS_H

#include "core/base/err.h"
#include "inference/load/load_result.h"
#include "inference/load/load_run.h"

#define RECORDS_SCHEMA "tare.records/1"

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
