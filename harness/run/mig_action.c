#include "harness/run/mig_action.h"

#include "core/clock.h"
#include "core/mem.h"

#include <stdlib.h>

static const int64_t act_timeout_ns = 300 * NS_PER_S;
static const size_t document_max_bytes = (size_t)4 << 20;

int mig_seat_open(struct mig_seat *m, struct err *err)
{
	return session_place(m->s, m->target, "tare-probe", NULL, &m->probe, NULL, err);
}

static int refused(const struct proc_outcome *out, struct json_object *document,
		   struct err *err)
{
	char how[80], line[400];

	if (out->end == PROC_STOPPED)
		return err_set(err, ERR_INTERRUPTED, "interrupted");
	return err_set(err,
		       out->end == PROC_EXITED && out->code == EXIT_USAGE
			       ? ERR_USAGE
			       : ERR_ENVIRONMENT,
		       "tare-probe --mig: %s: %s", proc_end_text(out, how, sizeof(how)),
		       json_get_text(document, "error",
				     proc_last_line(&out->diag, line, sizeof(line))));
}

struct json_object *mig_ask(struct mig_seat *m, const char *const *options,
			    const char *gpu, struct err *err)
{
	struct proc_spec spec = {.timeout_ns = act_timeout_ns,
				 .output_max = document_max_bytes};
	struct json_object *document = NULL;
	struct strvec argv = {0};
	struct proc_outcome out;
	int rc;

	strvec_add(&argv, m->probe);
	strvec_add_all(&argv, options);
	if (gpu)
		strvec_addf(&argv, "--device=%s", gpu);
	spec.argv = strvec_argv(&argv);
	rc = target_run(m->target, &spec, &out, err);
	strvec_release(&argv);
	if (rc)
		return NULL;
	document = json_parse(out.out.data, out.out.len, "tare-probe", NULL);
	if (out.end != PROC_EXITED || out.code != 0 || !document) {
		refused(&out, document, err);
		json_object_put(document);
		document = NULL;
	}
	proc_outcome_release(&out);
	return document;
}

/* Between begin and end, so that whoever reads the journal knows what is still open. */
int mig_step_close(struct mig_seat *m, int rc, const char *gpu, struct err *err)
{
	struct json_object *data = json_object_new_object();
	struct err later = ERR_INIT;

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
