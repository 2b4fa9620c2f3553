/*
 * A fault for tests: loaded with LD_PRELOAD, it kills its process (SIGKILL, so that no
 * handler runs) in front of the n-th line that is about to be put on disk, where n is
 * TARE_TEST_KILL_AT and a line is a call of fdatasync() - which in tare is the journal
 * alone. Everything written before stays written: a crash at exactly that place. With
 * TARE_TEST_KILL_WITH=INT it is Ctrl-C instead; with FULL that line and all behind it fail,
 * as on a full disk.
 */
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int fdatasync(int fd)
{
	static int calls;
	const char *at = getenv("TARE_TEST_KILL_AT");
	const char *with = getenv("TARE_TEST_KILL_WITH");
	int (*real)(int);

	*(void **)&real = dlsym(RTLD_NEXT, "fdatasync"); /* as dlsym(3) advises */

	calls++;
	if (at && with && strcmp(with, "FULL") == 0 && calls >= strtol(at, NULL, 10)) {
		errno = ENOSPC;
		return -1;
	}
	if (at && calls == strtol(at, NULL, 10))
		kill(getpid(), with && strcmp(with, "INT") == 0 ? SIGINT : SIGKILL);
	return real(fd);
}
