/*
 * tare-serve: starts a model server, waits until it answers, and stops it with everything
 * that it started. Runs on the machine under test, in one of two ways.
 *
 * Held open: tare-serve --kind vllm --model facebook/opt-2.7b ...
 *   Prints one JSON line on stdout when the server is healthy, then waits until its own
 *   stdin closes, SIGTERM or SIGINT; so a lost SSH connection leaves no server behind.
 *
 * With a client: tare-serve [OPTION]... -- tare-load --target {url} --model {model}
 *   Starts the server, waits for health, runs the command, stops the server. stdout and
 *   exit status are the client's. In each argument of the command "{url}" becomes the
 *   server's base URL without a slash at its end and "{model}" the model's name. The
 *   client finds the line below in the file that the environment variable
 *   TARE_SERVER_JSON (SERVE_FACTS_ENV) names; tare-load puts it into its result as
 *   details.server.tare_serve. This is how a plan's 'load' workload with a "server"
 *   object runs: with one remote command.
 *
 * The line (keys may be added):
 *   {"kind": "vllm|command|external|mock", "address": "http://127.0.0.1:8000",
 *    "model": "facebook/opt-2.7b", "version": "0.11.0", "revision": "905a...",
 *    "arguments": [argv...],
 *    "log": "/path", "pid": 1234, "ready_s": 41.2, "is_mock": false,
 *    "max_model_len": 2048}
 * What is not known is null. 'version' is what GET /version says, 'revision' what
 * inference/serve/model_revision.h finds. Secrets in 'arguments'
 * read "***". With kind mock also "mock": its complete parameters.
 *
 * The end: SIGTERM to every descendant (found through PR_SET_CHILD_SUBREAPER, so
 * daemonised ones too), --grace later SIGKILL, until none is left; also when tare-serve
 * itself is killed. A server that dies by itself is an error (status 5) that quotes its
 * last log lines; so is one that is not healthy in time.
 */
#ifndef TARE_INFERENCE_SERVE_SERVE_H
#define TARE_INFERENCE_SERVE_SERVE_H

#include <stddef.h>

#define SERVE_FACTS_ENV "TARE_SERVER_JSON"
#define SERVE_FACTS_MAX ((size_t)1 << 20)

#endif
