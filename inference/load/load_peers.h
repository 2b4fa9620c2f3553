/* A finished run in the formats of other tools (inference/load/formats/peers.h), as asked for. */
#ifndef TARE_INFERENCE_LOAD_LOAD_PEERS_H
#define TARE_INFERENCE_LOAD_LOAD_PEERS_H

#include "core/base/err.h"
#include "inference/load/load_run.h"

/* --guidellm and --vllm; nothing when neither was given. */
int load_write_peers(const struct load_run *r, struct err *err);

#endif
