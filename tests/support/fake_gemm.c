#include "tests/support/fake_gemm.h"

#include "core/base/file.h"
#include "harness/plan/workload_kind.h"

#include <stdlib.h>
#include <string.h>

static const char script[] =
	"#!/bin/sh\n"
	"echo asked >>\"${0%/*}/" FAKE_GEMM_ASKED "\"\n"
	"cat <<'JSON'\n"
	"{\"name\": \"tare-gemm\", \"options\": [\n"
	" {\"name\": \"n\", \"kind\": \"int\", \"min\": 1, \"max\": 100000, \"help\": "
	"\"order\"},\n"
	" {\"name\": \"precision\", \"kind\": \"choice\", \"choices\": [\"fp32\", "
	"\"fp64\"],\n"
	"  \"help\": \"type\"},\n"
	" {\"name\": \"warmup-seconds\", \"kind\": \"seconds\", \"help\": \"warm-up\"},\n"
	" {\"name\": \"output\", \"kind\": \"text\", \"help\": \"file\"}]}\n"
	"JSON\n";

int fake_gemm_set_up(void **state)
{
	char *dir = dir_make_temporary("tare-fake-gemm", NULL), *program;
	int rc;

	if (!dir)
		return -1;
	program = path_join(dir, "tare-gemm");
	rc = file_write(program, script, strlen(script), 0755, NULL);
	setenv(PROGRAM_DIR_VARIABLE, dir, 1);
	free(program);
	*state = dir;
	return rc;
}

int fake_gemm_tear_down(void **state)
{
	int rc = dir_remove(*state, NULL);

	unsetenv(PROGRAM_DIR_VARIABLE);
	free(*state);
	return rc;
}
