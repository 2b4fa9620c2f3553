#include "harness/run/probe_call.h"

#include "core/base/clock.h"

/* A Grace GPU trains its links for up to 30 s when a driver takes it. */
static const int64_t timeout_ns = 300 * NS_PER_S;
static const size_t max_bytes = (size_t)16 << 20;

/* Why tare-probe refused: its document says it in full, its last line at least. */
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
		       "tare-probe: %s: %s", proc_end_text(out, how, sizeof(how)),
		       json_get_text(document, "error",
				     proc_last_line(&out->diag, line, sizeof(line))));
}

int probe_call(struct session *s, struct target *t, const char *const *args,
	       int also_fine, struct json_object **ret, struct err *err)
{
	struct proc_spec spec = {.timeout_ns = timeout_ns, .output_max = max_bytes};
	struct json_object *document = NULL;
	struct strvec argv = {0};
	struct proc_outcome out;
	const char *program;
	int rc;

	if (session_place(s, t, "tare-probe", NULL, &program, NULL, err))
		return -1;
	strvec_add(&argv, program);
	strvec_add_all(&argv, args);
	spec.argv = strvec_argv(&argv);
	rc = target_run(t, &spec, &out, err);
	strvec_release(&argv);
	if (rc)
		return -1;
	if (out.end == PROC_EXITED && (out.code == 0 || out.code == also_fine)) {
		document = json_parse(out.out.data, out.out.len, "tare-probe", err);
		rc = document ? 0 : -1;
	} else {
		document = json_parse(out.out.data, out.out.len, "tare-probe", NULL);
		rc = refused(&out, document, err);
		json_object_put(document);
	}
	proc_outcome_release(&out);
	if (!rc)
		*ret = document;
	return rc;
}
