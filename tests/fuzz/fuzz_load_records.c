/*
 * A file of records (tare load merge reads them from other machines): read record by
 * record, and as a whole file with its head.
 */
#include "inference/load/load_records.h"
#include "inference/load/engine/spool.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("records", MFD_CLOEXEC);
	struct spool_part part = {.fd = fd, .len = size};
	struct spool_reader *reader;
	struct request_record r;
	struct records_file f;
	struct err err = ERR_INIT;
	char path[64];

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	reader = spool_reader_new(&part, 1);
	while (spool_reader_next(reader, &r, NULL) > 0)
		for (uint32_t i = 0; i < r.chunks_nr; i++)
			if (i && r.chunks[i].arrival_ns < r.chunks[i - 1].arrival_ns)
				abort();
	spool_reader_free(reader);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (!records_open(path, &f, &err))
		records_close(&f);
	else if (err.kind == ERR_NONE)
		abort();
	close(fd);
	return 0;
}
