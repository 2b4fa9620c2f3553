/* Placing a bundle: ask what is there, send what is missing, put it together. */
#include "harness/target/ssh_target.h"

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "harness/target/remote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct survey {
	char machine[32];
	char *folder;
	bool is_ready;
	struct strvec need;
};

static void read_survey(char *text, struct survey *ret)
{
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (strncmp(line, "machine ", 8) == 0) {
			snprintf(ret->machine, sizeof(ret->machine), "%s", line + 8);
		} else if (strncmp(line, "folder /", 8) == 0) {
			free(ret->folder);
			ret->folder = x_strdup(line + 7);
		} else if (strncmp(line, "need ", 5) == 0) {
			strvec_add(&ret->need, line + 5);
		} else if (strcmp(line, "ready") == 0) {
			ret->is_ready = true;
		}
	}
}

static int survey(struct ssh_target *s, const struct bundle *b, int64_t deadline_ns,
		  struct survey *ret, struct err *err)
{
	struct proc_outcome o;
	struct buf script;
	int rc;

	buf_init(&script, BUF_UNBOUNDED);
	remote_survey_script(&script, b);
	rc = ssh_target_script(s, &script, deadline_ns, &o, err);
	buf_release(&script);
	if (rc)
		return -1;
	read_survey(o.out.data, ret);
	proc_outcome_release(&o);
	if (!ret->folder || !ret->machine[0])
		return err_set(err, ERR_ENVIRONMENT,
			       "the shell there prints something else than it was asked "
			       "for; does its start-up file write to standard output?");
	if (strcmp(ret->machine, b->machine) != 0)
		return err_set(err, ERR_ENVIRONMENT,
			       "that machine is %s and this program is for %s: run tare "
			       "from a machine of the same architecture, or build it "
			       "there",
			       ret->machine, b->machine);
	return 0;
}

static int send_objects(struct ssh_target *s, const struct bundle *b,
			const struct survey *v, int64_t deadline_ns, struct err *err)
{
	for (size_t i = 0; i < b->nr; i++) {
		const struct bundle_file *f = &b->files[i];
		char *remote;
		int rc;

		if (!strvec_has(&v->need, f->sha256))
			continue;
		remote = x_asprintf("%s/objects/%s", v->folder, f->sha256);
		rc = ssh_send_file(s, f->local, f->sha256, remote, f->mode, deadline_ns,
				   err);
		free(remote);
		if (rc)
			return err_wrap(err, "%s", f->remote);
	}
	return 0;
}

static int assemble(struct ssh_target *s, const struct bundle *b, int64_t deadline_ns,
		    struct err *err)
{
	struct proc_outcome o;
	struct buf script;
	int rc;

	buf_init(&script, BUF_UNBOUNDED);
	remote_assemble_script(&script, b);
	rc = ssh_target_script(s, &script, deadline_ns, &o, err);
	buf_release(&script);
	if (!rc)
		proc_outcome_release(&o);
	return rc;
}

int ssh_place(struct target *t, const struct bundle *b, int64_t timeout_ns,
	      const char **ret_path, struct err *err)
{
	struct ssh_target *s = ssh_target_of(t);
	int64_t deadline = clock_deadline_ns(timeout_ns);
	struct survey v = {0};
	int rc = survey(s, b, deadline, &v, err);

	if (!rc && !v.is_ready)
		rc = send_objects(s, b, &v, deadline, err);
	if (!rc && !v.is_ready)
		rc = assemble(s, b, deadline, err);
	if (!rc) {
		strvec_addf(&s->placed, "%s/bundles/%s/%s", v.folder, b->digest,
			    b->files[0].remote);
		*ret_path = s->placed.items[s->placed.nr - 1];
	}
	free(v.folder);
	strvec_release(&v.need);
	return rc;
}
