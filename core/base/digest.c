#include "core/base/digest.h"

#include "core/base/mem.h"

#include <sys/types.h>

#include <errno.h>
#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct digest {
	SHA2_CTX sha;
};

struct digest *digest_new(void)
{
	struct digest *d = x_malloc(sizeof(*d));

	SHA256Init(&d->sha);
	return d;
}

void digest_add(struct digest *d, const void *data, size_t len)
{
	SHA256Update(&d->sha, data, len);
}

void digest_end(struct digest *d, char hex[DIGEST_SIZE])
{
	SHA256End(&d->sha, hex);
	free(d);
}

void digest_of(const void *data, size_t len, char hex[DIGEST_SIZE])
{
	struct digest *d = digest_new();

	digest_add(d, data, len);
	digest_end(d, hex);
}

int digest_of_file(const char *path, char hex[DIGEST_SIZE], struct err *err)
{
	struct digest *d;
	char chunk[65536];
	size_t got;
	FILE *f = fopen(path, "rb");

	if (!f)
		return err_errno(err, "%s", path);
	d = digest_new();
	while ((got = fread(chunk, 1, sizeof(chunk), f)) > 0)
		digest_add(d, chunk, got);
	digest_end(d, hex);
	if (ferror(f)) {
		fclose(f);
		return err_errno(err, "%s", path);
	}
	fclose(f);
	return 0;
}
