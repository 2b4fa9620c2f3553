/*
 * What the mock answers, over real sockets on the loopback address. Instants that are
 * compared are those of its schedule, which no load of the machine can move; of the clock
 * only the order is asserted.
 */
#include "tests/support/mock_client.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "tests/support/kernel.h"

enum { DEADLINE_S = 20 }; /* only for a broken mock */

static void a_stream_keeps_its_schedule(void **state)
{
	struct mock_config c;
	struct mock *m;
	struct buf reply;
	struct mock_events e;

	(void)state;
	mock_client_config(&c);
	c.prefill_per_token_ns = 100 * NS_PER_US;
	m = mock_client_start(&c);
	mock_stream(m, NULL, &reply, &e);
	assert_int_equal(mock_status_of(&reply), 200);
	assert_non_null(strstr(reply.data, "Server: tare-mock\r\n"));
	assert_int_equal(e.nr, 6); /* five tokens and usage */
	assert_int_equal(e.done, 1);
	for (size_t i = 0; i < 5; i++) {
		struct json_object *choice = mock_choice_of(e.items[i]);
		int64_t due = mock_tare_of(e.items[i], "due_ns");

		assert_int_equal(mock_tare_of(e.items[i], "index"), i);
		assert_int_equal(mock_tare_of(e.items[i], "tokens"), 1);
		assert_int_equal(due - mock_tare_of(e.items[0], "due_ns"),
				 (int64_t)i * NS_PER_MS);
		assert_true(mock_tare_of(e.items[i], "sent_ns") >= due);
		assert_string_equal(json_get_text(choice, "finish_reason", "none"),
				    i < 4 ? "none" : "length");
		assert_true(strlen(json_get_text(choice, "text", "")) > 0);
		assert_string_equal(json_get_text(e.items[i], "model", ""), "tare-mock");
	}
	assert_null(mock_choice_of(e.items[5]));
	assert_int_equal(json_get_int(json_at(e.items[5], "usage"), "prompt_tokens", 0),
			 3);
	assert_int_equal(
		json_get_int(json_at(e.items[5], "usage"), "completion_tokens", 0), 5);
	mock_events_release(&e);
	buf_release(&reply);
	mock_stop(m);
	fields_release(mock_fields, &c);
}

static void chunks_carry_several_tokens(void **state)
{
	struct mock_config c;
	struct mock *m;
	struct buf reply;
	struct mock_events e;
	int64_t total = 0;

	(void)state;
	mock_client_config(&c);
	c.tokens_per_chunk = 2;
	m = mock_client_start(&c);
	mock_exchange(m, "POST", "/v1/chat/completions", "",
		      "{\"messages\":[{\"role\":\"user\",\"content\":\"a "
		      "b\"}],\"max_tokens\":5,"
		      "\"stream\":true,\"return_token_ids\":true,\"stream_options\":{"
		      "\"include_usage\":true,\"continuous_usage_stats\":true}}",
		      &reply);
	mock_events_of(&reply, &e);
	assert_int_equal(e.nr, 5); /* role, 2 + 2 + 1 tokens, usage */
	assert_string_equal(
		json_get_text(json_at(mock_choice_of(e.items[0]), "delta"), "role", ""),
		"assistant");
	assert_int_equal(mock_tare_of(e.items[0], "tokens"), 0);
	for (size_t i = 1; i < 4; i++) {
		struct json_object *ids =
			json_member(mock_choice_of(e.items[i]), "token_ids");

		total += mock_tare_of(e.items[i], "tokens");
		assert_int_equal(json_object_array_length(ids),
				 mock_tare_of(e.items[i], "tokens"));
		assert_int_equal(json_get_int(json_at(e.items[i], "usage"),
					      "completion_tokens", 0),
				 total);
	}
	assert_int_equal(total, 5);
	/* 4 for the message, 2 words, 3 to answer: what /tokenize says too. */
	assert_int_equal(json_get_int(json_at(e.items[4], "usage"), "prompt_tokens", 0),
			 9);
	mock_events_release(&e);
	buf_release(&reply);
	mock_exchange(m, "POST", "/tokenize", "",
		      "{\"messages\":[{\"role\":\"user\",\"content\":\"a b\"}]}", &reply);
	struct json_object *o = mock_body_of(&reply);
	assert_int_equal(json_get_int(o, "count", 0), 9);
	json_object_put(o);
	buf_release(&reply);
	mock_stop(m);
	fields_release(mock_fields, &c);
}

static void an_answer_need_not_be_streamed(void **state)
{
	struct mock_config c;
	struct mock *m;
	struct buf reply;
	struct json_object *o;

	(void)state;
	mock_client_config(&c);
	m = mock_client_start(&c);
	mock_exchange(m, "POST", "/v1/completions", "X-Request-Id: r-1\r\n",
		      "{\"prompt\":\"one two\",\"max_tokens\":3}", &reply);
	assert_non_null(strstr(reply.data, "X-Request-Id: r-1\r\n"));
	o = mock_body_of(&reply);
	assert_int_equal(json_get_int(json_at(o, "usage"), "total_tokens", 0), 5);
	assert_true(mock_tare_of(o, "sent_ns") >= mock_tare_of(o, "due_ns"));
	json_object_put(o);
	buf_release(&reply);
	mock_stop(m);
	fields_release(mock_fields, &c);
}

static double metric(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	assert_non_null(at);
	at = strstr(at, "} ");
	assert_non_null(at);
	return strtod(at + 2, NULL);
}

static void metrics_count_what_was_served(void **state)
{
	struct mock_config c;
	struct mock *m;
	struct buf reply;
	struct mock_events e;
	const char body[] = "{\"prompt\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17],"
			    "\"max_tokens\":2}";

	(void)state;
	mock_client_config(&c);
	m = mock_client_start(&c);
	mock_stream(m, NULL, &reply, &e);
	mock_events_release(&e);
	buf_release(&reply);
	for (int i = 0; i < 2; i++) {
		mock_exchange(m, "POST", "/v1/completions", "", body, &reply);
		buf_release(&reply);
	}
	mock_exchange(m, "GET", "/metrics", "", "", &reply);
	assert_float_equal(metric(reply.data, "\nvllm:prompt_tokens_total{"), 3 + 34, 0);
	assert_float_equal(metric(reply.data, "\nvllm:generation_tokens_total{"), 9, 0);
	assert_float_equal(metric(reply.data, "\nvllm:prefix_cache_queries_total{"), 37,
			   0);
	assert_float_equal(metric(reply.data, "\nvllm:prefix_cache_hits_total{"), 16, 0);
	assert_float_equal(metric(reply.data, "\nvllm:num_requests_running{"), 0, 0);
	assert_float_equal(
		metric(reply.data, "\nvllm:time_to_first_token_seconds_count{"), 3, 0);
	buf_release(&reply);
	mock_stop(m);
	fields_release(mock_fields, &c);
}

/* The truth file says the same as the stream, and has the kernel's stamp. */
static void the_truth_is_written(void **state)
{
	struct err err = ERR_INIT;
	char *dir = dir_make_temporary("tare-test", &err), *path;
	struct mock_config c;
	struct mock *m;
	struct buf reply, text;
	struct mock_events e;
	struct json_object *o, *sent;
	bool stamps;

	(void)state;
	assert_non_null(dir);
	path = path_join(dir, "truth.jsonl");
	mock_client_config(&c);
	c.truth_file = strdup(path);
	m = mock_start(&c, MOCK_PROCESS, &err);
	assert_non_null(m);
	assert_true(mock_pid(m) > 0);
	stamps = kernel_stamps_arrivals(); /* on, as long as the mock wants them */
	mock_stream(m, NULL, &reply, &e);
	mock_stop(m);
	assert_int_equal(file_read(path, 1 << 20, &text, &err), 0);
	o = json_parse(text.data, text.len, "truth", &err);
	assert_non_null(o);
	sent = json_member(o, "sent_ns");
	assert_int_equal(json_object_array_length(sent), 5);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(
			json_object_get_int64(json_object_array_get_idx(sent, i)),
			mock_tare_of(e.items[i], "sent_ns"));
	assert_string_equal(json_get_text(o, "outcome", ""), "done");
	assert_string_equal(json_get_text(o, "response_id", ""),
			    json_get_text(e.items[0], "id", "-"));
	assert_int_equal(json_get_int(o, "arrival_kernel_ns", 0) > 0, stamps);
	assert_true(json_get_int(o, "arrival_kernel_ns", 0) <=
		    json_get_int(o, "arrival_ns", 0));
	json_object_put(o);
	mock_events_release(&e);
	buf_release(&reply);
	buf_release(&text);
	dir_remove(dir, NULL);
	free(path);
	free(dir);
	fields_release(mock_fields, &c);
}

static void a_client_that_leaves_is_forgotten(void **state)
{
	struct mock_config c;
	struct mock *m;
	struct buf reply;
	int64_t deadline = clock_deadline_ns(DEADLINE_S * NS_PER_S);
	double running = 1;

	(void)state;
	mock_client_config(&c);
	c.pace = MOCK_BATCH;
	m = mock_client_start(&c);
	for (int i = 0; i < 3; i++) {
		int fd = mock_dial(m);

		buf_init(&reply, 1 << 20);
		mock_say(fd, "POST /v1/completions HTTP/1.1\r\nContent-Length: 47\r\n\r\n"
			     "{\"prompt\":[1],\"stream\":true,\"max_tokens\":90000}");
		mock_hear(fd, &reply, "data: ");
		buf_release(&reply);
		close(fd);
	}
	while (running > 0) {
		assert_false(clock_passed(deadline));
		mock_exchange(m, "GET", "/metrics", "", "", &reply);
		running = metric(reply.data, "\nvllm:num_requests_running{");
		buf_release(&reply);
	}
	mock_stop(m);
	fields_release(mock_fields, &c);
}

static void a_full_queue_answers_503(void **state)
{
	struct mock_config c;
	struct mock *m;
	struct buf reply;
	int fds[2];

	(void)state;
	mock_client_config(&c);
	c.pace = MOCK_BATCH;
	c.max_num_seqs = 1;
	c.queue_max = 1;
	m = mock_client_start(&c);
	for (int i = 0; i < 2; i++) {
		fds[i] = mock_dial(m);
		buf_init(&reply, 1 << 20);
		mock_say(fds[i],
			 "POST /v1/completions HTTP/1.1\r\nContent-Length: 47\r\n\r\n"
			 "{\"prompt\":[1],\"stream\":true,\"max_tokens\":90000}");
		mock_hear(fds[i], &reply, i ? "\r\n\r\n" : "data: ");
		buf_release(&reply);
	}
	mock_exchange(m, "POST", "/v1/completions", "", "{\"prompt\":[1]}", &reply);
	assert_int_equal(mock_status_of(&reply), 503);
	buf_release(&reply);
	close(fds[0]);
	close(fds[1]);
	mock_stop(m);
	fields_release(mock_fields, &c);
}

static void it_must_say_that_it_is_a_mock(void **state)
{
	struct mock_config c;
	struct err err = ERR_INIT;

	(void)state;
	fields_init(mock_fields, &c);
	free(c.model);
	c.model = strdup("llama-3");
	assert_null(mock_start(&c, MOCK_THREAD, &err));
	assert_int_equal(err.kind, ERR_USAGE);
	fields_release(mock_fields, &c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stream_keeps_its_schedule),
		cmocka_unit_test(chunks_carry_several_tokens),
		cmocka_unit_test(an_answer_need_not_be_streamed),
		cmocka_unit_test(metrics_count_what_was_served),
		cmocka_unit_test(the_truth_is_written),
		cmocka_unit_test(a_client_that_leaves_is_forgotten),
		cmocka_unit_test(a_full_queue_answers_503),
		cmocka_unit_test(it_must_say_that_it_is_a_mock),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
