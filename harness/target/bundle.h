/*
 * A program with the shared libraries that it needs beside it (in lib/, found through its
 * RPATH $ORIGIN/lib), so that a machine with nothing but the C library runs it. RPATH and
 * not RUNPATH, because the loader uses the first also for what the libraries need in turn
 * (ld.so(8)).
 *
 * What it needs is asked of the dynamic loader itself (ld.so --list). The C library's own
 * parts (libc, libm, the loader ...) stay out: they belong to the target's system. A
 * program may also open libraries at run time; it names those that must come along in an
 * ELF-independent way: 'extra', sonames such as "libopenblas.so.0", taken with all that
 * they need in turn where this machine has them, and left out where it has not.
 */
#ifndef TARE_HARNESS_TARGET_BUNDLE_H
#define TARE_HARNESS_TARGET_BUNDLE_H

#include "core/base/digest.h"
#include "core/base/err.h"

#include <stddef.h>

struct bundle_file {
	char *local;  /* path here */
	char *remote; /* relative to the bundle's folder: "tare-gemm",
			 "lib/libjson-c.so.5" */
	unsigned mode;
	char sha256[DIGEST_SIZE];
};

struct bundle {
	char *program;    /* absolute path here; also files[0] */
	char machine[16]; /* architecture as 'uname -m' says it */
	struct bundle_file *files;
	size_t nr, alloc;
	char digest[DIGEST_SIZE]; /* over names and contents of all files */
};

/* 'extra': NULL-terminated sonames, or NULL. */
int bundle_make(struct bundle *ret, const char *program, const char *const *extra,
		struct err *err);
void bundle_release(struct bundle *b);

#endif
