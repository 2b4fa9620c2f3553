/*
 * Everything that a program started, and its end. The caller is a subreaper
 * (serve_tree_adopt()): a descendant whose parent has gone becomes its child, so no
 * daemon escapes. Linux's /proc tells who is there.
 */
#ifndef TARE_INFERENCE_SERVE_SERVE_TREE_H
#define TARE_INFERENCE_SERVE_SERVE_TREE_H

#include "core/base/err.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

int serve_tree_adopt(struct err *err);

/* All living descendants of 'root', zombies left out; free() *ret. */
size_t serve_tree_list(pid_t root, pid_t **ret);

/*
 * Ends all descendants of this process: SIGTERM to each, SIGKILL after 'grace_ns', and
 * waits until none is left. An error names those that will not die within ten seconds.
 * 'ret_status' gets the wait status of 'watched' when it is among them; may be NULL.
 */
int serve_tree_end(int64_t grace_ns, pid_t watched, int *ret_status, struct err *err);

#endif
