/* What was measured besides the cells: evidence, the GPUs' facts, the summary for a person. */
#ifndef TARE_LINK_REPORT_H
#define TARE_LINK_REPORT_H

#include "cuda/surroundings.h"
#include "link/gpu.h"
#include "link/options.h"

#include <stdio.h>

struct rig {
	struct gpu *gpus; /* NULL: none is here, or none is needed */
	int nr;
	bool has_none; /* looked for, and not there */
	bool hangs;    /* a GPU did not come back: its context is left to the driver */
	struct surroundings *around; /* a GPU's each; one without a GPU */
	struct json_object *facts;   /* details.gpus, a member a GPU */
};

/* 'ret' is initialised here: result_release(). Cells are added as they are measured. */
void link_report_begin(const struct link_options *o, const struct rig *rig,
		       struct result *ret);
void link_report_end(const struct rig *rig, struct result *r);
void link_report_summary(const struct rig *rig, const struct result *r, FILE *to);

#endif
