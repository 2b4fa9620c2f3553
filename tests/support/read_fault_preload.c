/*
 * A fault for tests: loaded with LD_PRELOAD, it lets pread() of a file without a name fail
 * (EIO) from call TARE_TEST_READ_FAULT_AT on, counted from 1: a temporary file on a disk
 * that no longer gives back what was written to it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

ssize_t pread(int fd, void *to, size_t len, off_t offset)
{
	static int calls;
	const char *at = getenv("TARE_TEST_READ_FAULT_AT");
	ssize_t (*real)(int, void *, size_t, off_t);
	struct stat st;

	*(void **)&real = dlsym(RTLD_NEXT, "pread"); /* as dlsym(3) advises */
	if (at && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 0 &&
	    ++calls >= strtol(at, NULL, 10)) {
		errno = EIO;
		return -1;
	}
	return real(fd, to, len, offset);
}
