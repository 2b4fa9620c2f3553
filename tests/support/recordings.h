/*
 * The exchanges recorded from a real OpenNebula 7.4.0 front-end, which lie where
 * tests/support/recordings.path says, from the root of the repository (TARE_RECORDINGS
 * names another place); tests skip without them. What is to be expected of each stands in
 * their own INDEX.md, written when they were recorded. Whatever goes wrong in here fails
 * the test.
 */
#ifndef TARE_TESTS_SUPPORT_RECORDINGS_H
#define TARE_TESTS_SUPPORT_RECORDINGS_H

#include "harness/provision/opennebula/xmlrpc.h"

#include <stdbool.h>
#include <stddef.h>

#define RECORDING_MAX ((size_t)8 << 20)

/* A row of INDEX.md: 'ok' is "True", "False" or "FAULT"; 'value' may be cut short. */
struct recording {
	char name[100], method[60], ok[8], value[400];
	long code;
};

struct recordings {
	char *dir;
	struct recording *cases;
	size_t nr, alloc;
};

bool recordings_missing(void); /* which it has said: exit 77 */
/* Around a group of tests, whose *state then is struct recordings. */
int recordings_set_up(void **state);
int recordings_tear_down(void **state);

const struct recording *recording_find(const struct recordings *r, const char *name);

/* The file NAME + suffix (".request.xml", ".response.xml" ...); free(). NULL: no such. */
char *recording_text(const struct recordings *r, const char *name, const char *suffix,
		     size_t *ret_len);

/* A recorded request, taken apart by libxml2's tree and not by code of ours. */
struct recorded_request {
	struct _xmlDoc *doc;
	char *method;
	char *content[8];
	struct xmlrpc_arg args[8];
	size_t nr;
	bool is_plain; /* only numbers, booleans and texts */
};

void recorded_request_read(struct recorded_request *q, const char *text, size_t len);
void recorded_request_release(struct recorded_request *q);

#endif
