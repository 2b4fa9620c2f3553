/*
 * The two facts about a program file that decide where it runs: its architecture and the
 * dynamic loader it asks for (ELF header and PT_INTERP, System V ABI; elf.h).
 */
#ifndef TARE_HARNESS_TARGET_ELF_H
#define TARE_HARNESS_TARGET_ELF_H

#include "core/base/err.h"

#define ELF_LOADER_MAX 256

struct elf_facts {
	char machine[16];            /* as 'uname -m' says it: "x86_64", "aarch64" */
	char loader[ELF_LOADER_MAX]; /* "" for a static program */
};

/* Only 64-bit little-endian files; anything else is an error that says what it is. */
int elf_read(const char *path, struct elf_facts *ret, struct err *err);

#endif
