/* Is the server ready, and what does it say that it is? */
#ifndef TARE_INFERENCE_SERVE_SERVE_HEALTH_H
#define TARE_INFERENCE_SERVE_SERVE_HEALTH_H

#include "core/base/err.h"
#include "core/document/json.h"
#include "inference/http/transport.h"

#include <stdbool.h>

/*
 * One question, at most two seconds. Ready: 'health_path' answers 200, or has nothing
 * there (404, 405, 501) while /v1/models answers 200. Otherwise false, and err says what
 * it looked like.
 */
bool serve_is_ready(const struct transport *t, const char *health_path, struct err *err);

/* Facts that the server itself tells; NULL and 0 where it does not. Texts: free(). */
struct serve_identity {
	char *model, *version;
	int64_t max_model_len;
};
void serve_identify(const struct transport *t, struct serve_identity *ret);
void serve_identity_release(struct serve_identity *i);

#endif
