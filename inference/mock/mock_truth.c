#include "inference/mock/mock_impl.h"

#include "core/base/clock.h"

#include <inttypes.h>

static void put_instant(FILE *to, const char *key, int64_t ns)
{
	if (ns)
		fprintf(to, ",\"%s\":%" PRId64, key, ns);
	else
		fprintf(to, ",\"%s\":null", key);
}

static void put_pieces(FILE *to, const struct mock_stream *st, const char *key,
		       size_t member)
{
	fprintf(to, ",\"%s\":[", key);
	for (size_t i = 0; i < st->truth_nr; i++) {
		const char *piece = (const char *)&st->truth[i];

		fprintf(to, "%s%" PRId64, i ? "," : "",
			*(const int64_t *)(const void *)(piece + member));
	}
	fputc(']', to);
}

static void put_text(FILE *to, const char *key, const char *text)
{
	/* What comes here has no character that JSON escapes: see take_request_id(). */
	if (text && *text)
		fprintf(to, ",\"%s\":\"%s\"", key, text);
	else
		fprintf(to, ",\"%s\":null", key);
}

void mock_truth_write(struct mock_server *s, const struct mock_stream *st,
		      const char *outcome)
{
	FILE *to = s->truth;

	if (!to)
		return;
	fprintf(to, "{\"request\":%" PRId64 ",\"response_id\":\"%s-mock-%" PRId64 "\"",
		st->answer.serial, st->answer.is_chat ? "chatcmpl" : "cmpl",
		st->answer.serial);
	put_text(to, "request_id", st->request_id);
	fprintf(to,
		",\"connection\":%" PRId64
		",\"endpoint\":\"%s\",\"stream\":%s,\"status\":%d",
		st->conn->serial, st->answer.is_chat ? "chat" : "completions",
		st->streams ? "true" : "false",
		st->fault_fired && st->fault.kind == FAULT_STATUS ? (int)st->fault.value
								  : 200);
	put_text(to, "fault", st->fault_fired ? mock_fault_name(st->fault.kind) : NULL);
	put_text(to, "outcome", outcome);
	fprintf(to,
		",\"prompt_tokens\":%" PRId64 ",\"cached_tokens\":%" PRId64
		",\"output_tokens\":%" PRId64 ",\"running\":%" PRId64,
		st->prompt_tokens, st->cached_tokens, st->tokens, st->running);
	put_instant(to, "arrival_kernel_ns", st->kernel_wall_ns);
	put_instant(to, "arrival_ns", st->arrival_ns + st->wall_offset_ns);
	put_pieces(to, st, "due_ns", offsetof(struct mock_truth_piece, due_ns));
	put_pieces(to, st, "sent_ns", offsetof(struct mock_truth_piece, sent_ns));
	put_pieces(to, st, "tokens", offsetof(struct mock_truth_piece, tokens));
	put_instant(to, "role_sent_ns", st->role_sent_ns);
	put_instant(to, "usage_sent_ns", st->usage_sent_ns);
	put_instant(to, "done_ns", clock_wall_ns());
	fputs("}\n", to);
}
