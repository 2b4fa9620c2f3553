/*
 * Files and folders. What is written appears whole or not at all: temporary name in the
 * same folder, fsync, rename. Reads are bounded.
 */
#ifndef TARE_CORE_BASE_FILE_H
#define TARE_CORE_BASE_FILE_H

#include "core/base/buf.h"
#include "core/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

/* Reads all of it into 'ret' (initialised here); more than 'max' bytes is an error. */
int file_read(const char *path, size_t max, struct buf *ret, struct err *err);
/*
 * For a file that the user named, before it is opened: ERR_USAGE with what was 'expected'
 * there ("a plan") where it is missing or a folder, ERR_ENVIRONMENT where it may not be
 * read.
 */
int file_check_given(const char *path, const char *expected, struct err *err);
/* mode: 0600 where a secret could be inside, else 0644. Replaces what was there. */
int file_write(const char *path, const void *data, size_t len, mode_t mode,
	       struct err *err);

/*
 * The same for what is written piece by piece, to 'fd' or to the stream. A pipe or a device
 * (/dev/stdout) is written to as it is: nothing takes its place. A link stays one, and its
 * file is replaced.
 */
struct file_out {
	int fd;
	FILE *stream; /* of that descriptor; use one or the other */
	char *path, *tmp;
	mode_t mode;
};

int file_out_open(struct file_out *f, const char *path, mode_t mode, struct err *err);
/*
 * Ends it, and releases it: what was written takes its name or, where 'good' is false or
 * something failed, is gone. With 'good' false *err stays as the caller filled it.
 */
int file_out_close(struct file_out *f, bool good, struct err *err);

/*
 * Whether a file can be written there, without leaving one: for whoever is going to measure
 * first. 'option' is what the user called it ("--output").
 */
int file_can_write(const char *path, const char *option, struct err *err);

int file_copy(const char *from, const char *to, mode_t mode, struct err *err);
bool file_exists(const char *path);

/* mkdir -p; an existing folder is fine. */
int dir_make(const char *path, mode_t mode, struct err *err);
/* rm -r without following links; a missing one is fine. */
int dir_remove(const char *path, struct err *err);
/* A fresh folder (0700) under $TMPDIR or /tmp: "<tmp>/<prefix>.XXXXXX"; free(). */
char *dir_make_temporary(const char *prefix, struct err *err);

char *path_join(const char *dir, const char *name); /* "dir/name"; free() */
const char *path_base(const char *path);            /* behind the last '/' */
/* "~/x" becomes "$HOME/x"; anything else is copied. free() */
char *path_expand(const char *path);
/* The folder this program's executable lies in ("/proc/self/exe"); free() */
char *path_program_dir(struct err *err);

#endif
