/*
 * What the mock answers, by method and path: the table that its connections call. The owner
 * of the connections must be a struct mock_engine.
 */
#ifndef TARE_INFERENCE_MOCK_MOCK_ROUTES_H
#define TARE_INFERENCE_MOCK_MOCK_ROUTES_H

#include "inference/mock/mock_conn.h"

extern const struct mock_conn_ops mock_routes;

#endif
