#include "harness/run/mig_action.h"

#include "core/base/mem.h"
#include "harness/run/probe_call.h"

#include <stdlib.h>

struct json_object *mig_ask(struct mig_seat *m, const char *const *options,
			    const char *gpu, struct err *err)
{
	struct json_object *document = NULL;
	struct strvec args = {0};

	strvec_add_all(&args, options);
	if (gpu)
		strvec_addf(&args, "--device=%s", gpu);
	if (probe_call(m->s, m->target, strvec_argv(&args), EXIT_PASS, &document, err))
		err_wrap(err, "MIG");
	strvec_release(&args);
	return document;
}

/* Between begin and end, so that whoever reads the journal knows what is still open. */
int mig_step_close(struct mig_seat *m, int rc, const char *gpu, struct err *err)
{
	struct json_object *data = json_object_new_object();
	struct err later = ERR_INIT;

	if (m->stays) {
		if (!m->s->cut)
			m->s->cut = json_object_new_object();
		json_put_text(m->s->cut, m->at.arm, rc ? gpu : NULL);
	}
	json_put_text(data, "gpu", gpu);
	if (rc)
		json_put_text(data, "error", err->text);
	if (journal_write(m->s->journal, rc ? JOURNAL_FAIL : JOURNAL_END, STEP_MIG,
			  &m->at, data, &later) == 0)
		return rc;
	if (!rc)
		*err = later;
	return -1;
}

int mig_put_back(struct mig_seat *m, struct json_object *before, struct err *err)
{
	char *layout = x_asprintf("--layout=%s", json_line(before));
	const char *options[] = {"--mig=restore", layout, "--patience=120", NULL};
	struct json_object *document = mig_ask(m, options, NULL, err);
	const char *gpu = json_get_text(before, "gpu", "?");
	int rc = 0;

	free(layout);
	if (!document)
		rc = err_wrap(err, "the MIG layout of %s is not as before", gpu);
	json_object_put(document);
	return mig_step_close(m, rc, gpu, err);
}
