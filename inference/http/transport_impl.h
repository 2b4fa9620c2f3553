/* What transport.c and transport_fetch.c have in common. */
#ifndef TARE_INFERENCE_HTTP_TRANSPORT_IMPL_H
#define TARE_INFERENCE_HTTP_TRANSPORT_IMPL_H

#include "inference/http/transport.h"

#include <curl/curl.h>

/* Limits, certificates and protocols that hold for every handle. */
void transport_set_common(CURL *easy, const struct transport *t);

#endif
