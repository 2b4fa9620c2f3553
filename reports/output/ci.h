/*
 * The verdict in the forms that pipelines read. Each is a whole file, built in memory.
 *
 * JUnit XML (as GitLab and Jenkins read it): a gating metric that is degraded or
 * inconclusive is a failure, an invalid one an error; informational metrics pass with
 * their figures; what is not judged is skipped.
 * CTRF (ctrf.io, specification 0.0.0): the same as passed, failed, skipped or other.
 * GitHub: workflow commands ("::error title=...::text") and a step summary in Markdown.
 * GitLab: code quality (degraded, invalid and inconclusive gating metrics) and metrics.
 * Prometheus: text exposition format 0.0.4, for the node exporter's textfile collector.
 */
#ifndef TARE_REPORTS_OUTPUT_CI_H
#define TARE_REPORTS_OUTPUT_CI_H

#include "core/base/buf.h"
#include "reports/content/report.h"

void ci_junit(const struct report *r, struct buf *to);
struct json_object *ci_ctrf(const struct report *r);
void ci_github_annotations(const struct report *r, struct buf *to);
void ci_github_summary(const struct report *r, struct buf *to);
struct json_object *ci_gitlab_quality(const struct report *r);
void ci_prometheus(const struct report *r, struct buf *to);

#endif
