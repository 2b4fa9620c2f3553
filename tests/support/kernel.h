/*
 * What the kernel under a test can do. Every Linux that tare runs on can do all of it; an
 * emulator of one (tests/cross/run, qemu-user) cannot. Each question is asked by doing the
 * thing, never by name, and a 'no' is printed with its reason, so that no test leaves
 * something out in silence.
 */
#ifndef TARE_TESTS_SUPPORT_KERNEL_H
#define TARE_TESTS_SUPPORT_KERNEL_H

#include <stdbool.h>

/*
 * Does execve() start this file? False only when the file is there and the kernel does
 * not know its format: of another architecture, with nothing registered for it. Any
 * other trouble is the test's to find, and true. It runs the program as
 * "PATH --version".
 */
bool kernel_starts(const char *path);

/*
 * The same of a program's loader ("/lib64/ld-linux...", elf_read()): also false when it is
 * not there, since the program that asks was started by one that only its emulator sees.
 */
bool kernel_starts_loader(const char *path);

/* Does vfork() share its memory, so that posix_spawn() tells why a program failed? */
bool kernel_shares_vfork(void);

/* Do orphans come to a process that asks for them (PR_SET_CHILD_SUBREAPER)? */
bool kernel_has_subreaper(void);

/* Does a TCP receiver on the loopback get SO_TIMESTAMPING's software stamps? */
bool kernel_stamps_arrivals(void);

#endif
