/* GuideLLM's report, versions 1 and 2, and the JSON of 'vllm bench serve'. */
#ifndef TARE_REPORTS_IMPORT_IMPORT_LOAD_H
#define TARE_REPORTS_IMPORT_IMPORT_LOAD_H

#include "reports/import/import_result.h"

extern const struct import_format import_guidellm, import_vllm;

#endif
