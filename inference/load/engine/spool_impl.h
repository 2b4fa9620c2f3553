/*
 * The encoding that spool.c writes and spool_reader.c reads. One record is
 *	uint32 bytes of the chunk part, struct request_record, chunk part
 * and a chunk is two numbers of seven bits a byte, lowest first, 0x80 meaning more:
 *	ns since the chunk before (the first: since first_token_ns), tokens * 2 +
 *coalesced
 */
#ifndef TARE_INFERENCE_LOAD_ENGINE_SPOOL_IMPL_H
#define TARE_INFERENCE_LOAD_ENGINE_SPOOL_IMPL_H

#include <stdint.h>

enum { SPOOL_NUMBER_MAX = 10 };

static inline unsigned spool_put_number(unsigned char *to, uint64_t n)
{
	unsigned len = 0;

	for (; n >= 0x80; n >>= 7)
		to[len++] = (unsigned char)(n | 0x80);
	to[len++] = (unsigned char)n;
	return len;
}

#endif
