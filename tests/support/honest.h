/*
 * What an honest measurement says of itself, written by hand: facts of a bare-metal machine and
 * of a virtual machine that got its GPU, and the evidence of a result on either. A verdict about
 * the two rests on every claim being shown (reports/verdict/claims.h); tests take a fact away or
 * change it and see what follows.
 */
#ifndef TARE_TESTS_SUPPORT_HONEST_H
#define TARE_TESTS_SUPPORT_HONEST_H

#include "core/document/result.h"

enum honest_kind { HONEST_GPU, HONEST_CPU, HONEST_SERVER };

/* tare.machine/1; 'side' 0 is bare metal, 1 a KVM guest, 2 and on further guests. */
struct json_object *honest_machine(int side, enum honest_kind kind);
/*
 * Gives 'r' evidence, telemetry and params as 'side' would have in that round (1 and on); and
 * facts of the machine, unless it has some.
 */
void honest_result(struct result *r, int side, int round, enum honest_kind kind);

/* json_parse() of what must be right. */
struct json_object *honest_json(const char *text);
/* Sets, or with NULL removes, the member at a '/'-separated path of 'o'; 'value' is JSON. */
void honest_edit(struct json_object *o, const char *path, const char *value);

#endif
