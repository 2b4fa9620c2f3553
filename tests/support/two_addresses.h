/*
 * A name with two addresses, of which the first answers nobody: a listener whose queue is
 * full, so that Linux drops what else comes. A test that uses it resolves every name there:
 * it defines getaddrinfo() and freeaddrinfo() itself and hands them on, so that no other
 * test gets them with the archive. One set at a time.
 */
#ifndef TARE_TESTS_SUPPORT_TWO_ADDRESSES_H
#define TARE_TESTS_SUPPORT_TWO_ADDRESSES_H

#include <netdb.h>
#include <netinet/in.h>

enum { TWO_ADDRESSES_FILLERS = 4 };

struct two_addresses {
	struct sockaddr_in places[2]; /* deaf, live */
	struct addrinfo answers[2];
	int deaf, live; /* listeners; nobody accepts on 'deaf' */
	int fillers[TWO_ADDRESSES_FILLERS];
};

void two_addresses_open(struct two_addresses *t);
void two_addresses_close(struct two_addresses *t);

/* For the test's getaddrinfo() and freeaddrinfo(). */
int two_addresses_answer(struct two_addresses *t, struct addrinfo **ret);
void two_addresses_forget(const struct two_addresses *t, const struct addrinfo *list);

#endif
