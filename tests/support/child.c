#include "tests/support/child.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

int child_outcome(void (*body)(void **state), void **state, char *text, size_t size)
{
	size_t len = 0;
	int diag[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(diag), 0);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(diag[1], STDERR_FILENO);
		close(diag[0]);
		close(diag[1]);
		/* A failed assertion ends the process (cmocka's documentation). */
		setenv("CMOCKA_TEST_ABORT", "1", 1);
		body(state);
		fflush(NULL);
		_exit(0);
	}
	close(diag[1]);
	while ((n = read(diag[0], text + len, size - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	close(diag[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void child_run(void (*body)(void **state), void **state)
{
	char text[8192];
	int status = child_outcome(body, state, text, sizeof(text));

	if (status)
		fail_msg("the child ended with %d: %s", status, text);
}
