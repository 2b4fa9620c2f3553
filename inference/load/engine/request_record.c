#include "inference/load/engine/request_record.h"

static const char *const kinds[STAGE_KINDS] = {
	[STAGE_CONCURRENT] = "concurrent", [STAGE_THROUGHPUT] = "throughput",
	[STAGE_CONSTANT] = "constant",     [STAGE_POISSON] = "poisson",
	[STAGE_TRACE] = "trace",
};

static const char *const names[REQUEST_ENDS] = {
	[REQUEST_OK] = "ok",
	[REQUEST_REFUSED] = "refused",
	[REQUEST_CONNECT] = "connect",
	[REQUEST_TIMEOUT] = "timeout",
	[REQUEST_STALL] = "stall",
	[REQUEST_RESET] = "reset",
	[REQUEST_HTTP_STATUS] = "http_status",
	[REQUEST_STREAM_ERROR] = "stream_error",
	[REQUEST_TRUNCATED] = "truncated",
	[REQUEST_EMPTY] = "empty",
	[REQUEST_WRONG_LENGTH] = "wrong_length",
	[REQUEST_PROTOCOL] = "protocol",
	[REQUEST_CANCELLED] = "cancelled",
};

const char *stage_kind_name(enum stage_kind kind)
{
	return kinds[kind];
}

const char *request_end_name(enum request_end e)
{
	return names[e];
}

bool request_end_is_failure(enum request_end e)
{
	return e != REQUEST_OK && e != REQUEST_CANCELLED;
}
