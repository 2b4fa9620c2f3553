/* The "metrics" and the counts of one benchmark in GuideLLM's report. */
#ifndef TARE_INFERENCE_LOAD_FORMATS_PEERS_GUIDELLM_METRICS_H
#define TARE_INFERENCE_LOAD_FORMATS_PEERS_GUIDELLM_METRICS_H

#include "core/document/json.h"
#include "inference/load/engine/request_record.h"

enum peers_status { PEERS_SUCCESSFUL, PEERS_ERRORED, PEERS_INCOMPLETE, PEERS_STATUSES };

const char *peers_status_key(enum peers_status s); /* "successful" ... */
enum peers_status peers_status_of(const struct request_record *r);
/* Whether the report lists the request: it was sent inside the window. */
bool peers_is_listed(const struct load_stage *s, const struct request_record *r);

struct peers_counts {
	int64_t by_status[PEERS_STATUSES], all; /* listed ones; all of the stage */
	double first_sent_s, last_end_s;        /* Unix seconds */
	double delay_sum_s, time_sum_s; /* due to sent, sent to end; listed ones */
	int64_t delay_nr, time_nr;
};

/* {successful, errored, incomplete, total} of whole numbers. */
struct json_object *peers_totals(const struct peers_counts *c);

/* The "metrics" object; 'ret_counts' comes with it. */
struct json_object *peers_guidellm_metrics(const struct load_stage *stage,
					   struct record_source *source,
					   struct peers_counts *ret_counts);

#endif
