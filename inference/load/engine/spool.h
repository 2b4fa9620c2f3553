/*
 * Where finished requests go during a run: one lane for each worker, encoded compactly
 * (some five bytes a chunk) into blocks that a thread of its own writes to unnamed
 * temporary files, so that an hour of load costs disk and not memory. $TMPDIR, or
 * /var/tmp, must be on a disk for that to hold.
 *
 * spool_put() is for one thread a lane; it neither locks nor allocates. When the disk is
 * too slow for a lane's spare blocks, the lane writes itself.
 */
#ifndef TARE_INFERENCE_LOAD_ENGINE_SPOOL_H
#define TARE_INFERENCE_LOAD_ENGINE_SPOOL_H

#include "core/base/err.h"
#include "inference/load/engine/request_record.h"

#include <stdint.h>

/*
 * A record as it is written, on every machine alike; numbers are little-endian:
 *
 *	uint32  bytes of the chunks behind the head
 *	uint32  chunks_nr
 *	uint64  index
 *	int64   scheduled_ns, issued_ns, sent_ns, first_byte_ns, role_ns, first_token_ns,
 *	        last_token_ns, done_ns, end_ns; RECORD_NONE is -2^63
 *	int32   end (enum request_end), http_status, prompt_wanted, output_wanted,
 *	        prompt_tokens, output_tokens, cached_tokens, received_tokens
 *	uint32  events, worker
 *	int32   os_error
 *	uint8   reused_connection, 0 or 1
 *	64 bytes  response_id, ended and filled up with 0
 *
 * and each chunk is two numbers of seven bits a byte, lowest first, 0x80 meaning more: ns
 * since the chunk before (the first: since first_token_ns), then tokens * 2 + coalesced.
 */
enum { SPOOL_HEAD_BYTES = 197 };

/* More chunks or bytes than this in one record is a damaged file. */
enum { SPOOL_CHUNKS_MAX = 1 << 22, SPOOL_RECORD_MAX = 64 << 20 };

struct spool;

struct spool *spool_new(unsigned lanes, struct err *err);
void spool_put(struct spool *s, unsigned lane, const struct request_record *r);
/* Call once all lanes are quiet, and before reading. Fails when the disk did. */
int spool_finish(struct spool *s, struct err *err);
void spool_free(struct spool *s);

/* A stretch of a file that holds records. The descriptor stays its owner's. */
struct spool_part {
	int fd;
	uint64_t offset, len;
};

/* The parts of a finished spool, one for each lane; valid until spool_free(). */
const struct spool_part *spool_parts(const struct spool *s, unsigned *ret_nr);

/* A reader of a finished spool; parts in general, one after another. free with
 * spool_reader_free(). */
struct spool_reader *spool_read(const struct spool *s);
struct spool_reader *spool_reader_new(const struct spool_part *parts, unsigned nr);
/* 1: one more, its chunks valid until the next call. 0: the end. -1: unreadable, damaged. */
int spool_reader_next(struct spool_reader *r, struct request_record *ret, struct err *err)
	__attribute__((warn_unused_result));
void spool_reader_free(struct spool_reader *r);

/* The reader as what the summaries and formats take; the reader stays the caller's. */
struct record_source spool_reader_source(struct spool_reader *r);

#endif
