/*
 * A connection to this computer's libvirt whose silence is noticed. libvirt's calls have no
 * deadline of their own, so:
 *
 * - opening, which waits for the daemon's first answers, is done aside
 *   (core/base/detached_call.h), by a thread that is left behind when it takes longer than
 *   LIBVIRT_OPEN_TIME;
 * - once open, libvirt's keepalive asks the daemon every few seconds, and every call ends
 *   with an error when it was silent for about LIBVIRT_SILENCE. That needs libvirt's event
 *   loop, which a thread runs as long as the connection is there.
 *
 * A daemon that lives but does not finish one call (QEMU's monitor hangs, say) is bounded
 * by libvirt's own time limits alone.
 */
#ifndef TARE_HARNESS_PROVISION_LIBVIRT_LIBVIRT_CONNECTION_H
#define TARE_HARNESS_PROVISION_LIBVIRT_LIBVIRT_CONNECTION_H

#include "core/base/clock.h"
#include "core/base/err.h"

#include <libvirt/libvirt.h>
#include <pthread.h>
#include <stdbool.h>

#define LIBVIRT_OPEN_TIME (30 * NS_PER_S)
#define LIBVIRT_SILENCE (20 * NS_PER_S)

struct libvirt_connection {
	virConnectPtr conn;
	bool is_system; /* the system's daemon, not a user's own */
	bool has_loop;
	pthread_t loop;
	int wake[2]; /* a pipe: ends the loop */
	int watch;   /* libvirt's on that pipe, while has_loop */
};

/*
 * Connects unless it is connected. 'uri' NULL: qemu:///system, or qemu:///session for a
 * user who may not use that. 'starts_daemon': where the system's daemon does not run, starts
 * it, as root and without systemd alone; else the error says which command does.
 */
int libvirt_connect(struct libvirt_connection *c, const char *uri, bool starts_daemon,
		    struct err *err);
/* A connection that never was one (all zero) is fine. */
void libvirt_disconnect(struct libvirt_connection *c);

/* libvirt's last error in this thread, behind 'what'. Always -1. */
int libvirt_failed(struct err *err, const char *what);

#endif
