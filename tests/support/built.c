#include "tests/support/built.h"

#include "core/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

char *built_path(const char *name)
{
	const char *build = getenv("BUILD");

	return x_asprintf("%s/%s", build ? build : "build", name);
}

int built_start_on_fakes(char **argv)
{
	char *fakes = built_path("tests/fakes");
	char *fake = x_asprintf("%s/libnvidia-ml.so.1", fakes);
	int rc = access(fake, R_OK);

	if (rc)
		fprintf(stderr, "%s is not built: make tests\n", fake);
	if (!rc && !getenv("TARE_TEST_STARTED")) {
		setenv("TARE_TEST_STARTED", "1", 1);
		setenv("LD_LIBRARY_PATH", fakes, 1);
		rc = execv(argv[0], argv);
		perror(argv[0]);
	}
	free(fake);
	free(fakes);
	return rc;
}
