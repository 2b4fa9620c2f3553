/* nvbandwidth -j and nccl-tests -J. */
#ifndef TARE_REPORTS_IMPORT_IMPORT_BANDWIDTH_H
#define TARE_REPORTS_IMPORT_IMPORT_BANDWIDTH_H

#include "reports/import/import_result.h"

extern const struct import_format import_nvbandwidth, import_nccl;

#endif
