/*
 * Which revision of a model lies on this machine: servers do not tell, and one name may be
 * another commit on the next host.
 *
 * A model by name ("facebook/opt-2.7b"): the commit that the Hugging Face cache names for
 * it (hub/models--ORG--NAME/refs/REVISION; huggingface_hub's documentation, "Understand
 * caching"). A folder: the commit where it is a snapshot of that cache, else "files:" and
 * SHA-256 of config.json and of the names and sizes of all files in it, which differs for
 * another model but does not read the weights.
 */
#ifndef TARE_INFERENCE_SERVE_MODEL_REVISION_H
#define TARE_INFERENCE_SERVE_MODEL_REVISION_H

#include "core/base/strvec.h"

/*
 * 'wanted': what the server was told ("main" for NULL). 'environment' ("NAME=value", the
 * server's additions to ours; may be NULL) says where the cache is: HF_HUB_CACHE, HF_HOME,
 * XDG_CACHE_HOME, HOME. NULL where it cannot be known; free().
 */
char *model_revision(const char *model, const char *wanted,
		     const struct strvec *environment);

/* The value of an option in an argument vector, "--x v" or "--x=v"; NULL: not there. */
const char *argument_value(const struct strvec *argv, const char *option);

#endif
