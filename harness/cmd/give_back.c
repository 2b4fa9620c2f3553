#include "harness/cmd/give_back.h"

#include "core/document/run_directory.h"
#include "harness/run/session.h"

#include <stdio.h>
#include <stdlib.h>

static void say(const struct session *s)
{
	printf("%s: %zu machine%s given back", s->dir, s->swept,
	       s->swept == 1 ? "" : "s");
	if (s->restored)
		printf(", the GPUs of %zu host%s bound as before", s->restored,
		       s->restored == 1 ? "" : "s");
	if (s->layouts)
		printf(", %zu GPU%s cut by MIG as before", s->layouts,
		       s->layouts == 1 ? "" : "s");
	putchar('\n');
}

int give_back_run(const char *dir, struct err *err)
{
	char *path = rundir_plan_path(dir, err);
	struct plan plan;
	struct session s;
	int rc = path ? plan_read(&plan, path, err) : -1;

	free(path);
	if (rc)
		return -1;
	/* Continuing a run begins with giving back what is left: that is all we want. */
	rc = session_begin(&s, &plan, dir, true, err);
	if (!rc) {
		say(&s);
		(void)journal_write(s.journal, JOURNAL_NOTE, STEP_RUN, NULL, NULL, NULL);
		session_end(&s);
	}
	plan_release(&plan);
	return rc;
}
