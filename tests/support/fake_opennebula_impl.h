/* Inside the fake OpenNebula front-end. */
#ifndef TARE_TESTS_SUPPORT_FAKE_OPENNEBULA_IMPL_H
#define TARE_TESTS_SUPPORT_FAKE_OPENNEBULA_IMPL_H

#include "core/base/buf.h"
#include "tests/support/fake_opennebula.h"

#include <libxml/tree.h>

enum {
	DEVICES_MAX = 8,
	HOSTS_NR = 4,
	TEMPLATES_NR = 7,
	SECTIONS_MAX = 16,
	PAIRS_MAX = 24
};

/* One "NAME=value" of a template, or of a section of it. */
struct fake_pair {
	char name[40], value[200];
};

struct fake_section {
	struct fake_pair pairs[PAIRS_MAX];
	size_t nr;
};

struct fake_device {
	const char *address, *short_address, *vendor, *device, *name, *numa;
	const char *profiles; /* a vGPU's, or NULL */
	int vm;               /* -1: free */
};

struct fake_host {
	const char *name, *arch;
	int state, running;
	struct fake_device devices[DEVICES_MAX];
	size_t devices_nr;
};

struct fake_template {
	const char *name, *text;
};

struct fake_vm {
	int id, uid, state, lcm, host; /* host -1 */
	enum fake_one_fate fate;
	bool is_ending, was_lost;
	char name[128], run_id[80], message[200], error[200], wanted_host[64];
	char address[64], host_key[80];
	int wanted_host_id;       /* -1 */
	struct fake_section *pci; /* SECTIONS_MAX of them, or NULL */
	int device[SECTIONS_MAX]; /* index in the host's list, -1 none */
	size_t pci_nr;
};

struct fake_world {
	struct fake_host hosts[HOSTS_NR];
	struct fake_vm *vms;
	size_t vms_nr, vms_alloc;
	enum fake_one_fate fate;
	char address[64], host_key[80];
	bool is_granted, is_restricted;
};

struct fake_user {
	int id, gid;
	const char *name, *group, *session;
	int pci_limit; /* -1: none */
};

void fake_world_init(struct fake_world *w);
void fake_world_release(struct fake_world *w);
unsigned fake_world_living(const struct fake_world *w);
unsigned fake_world_held(const struct fake_world *w);
int fake_world_place(struct fake_world *w, struct fake_vm *vm, int host,
		     bool is_enforced);
void fake_world_step(struct fake_world *w, struct fake_vm *vm);
void fake_world_free_devices(struct fake_world *w, struct fake_vm *vm);
struct fake_vm *fake_world_add_vm(struct fake_world *w, int uid, const char *name);

/* Carries out a <methodCall>; 'ret' gets the whole reply document. */
void fake_world_call(struct fake_world *w, const char *method, xmlNode *params,
		     struct buf *ret);

void fake_reply_int(struct buf *ret, int64_t v);
void fake_reply_text(struct buf *ret, const char *text);
void fake_reply_refusal(struct buf *ret, const char *method, int code, int object,
			const char *text);
void fake_reply_fault(struct buf *ret, int code, const char *text);

/* Text with <, > and & escaped, once more for what is inside a string. */
void fake_escape(struct buf *ret, const char *text);
/* <NAME><![CDATA[value]]></NAME> */
void fake_leaf(struct buf *b, const char *name, const char *value);
void fake_number(struct buf *b, const char *name, int64_t v);

void fake_print_vm(struct buf *b, const struct fake_world *w, const struct fake_vm *vm);
void fake_print_host(struct buf *b, const struct fake_host *h, int id,
		     const struct fake_world *w);
void fake_print_template(struct buf *b, const struct fake_template *t, int id,
			 bool is_whole);
void fake_print_account(struct buf *b, const struct fake_world *w,
			const struct fake_user *u, bool is_group);

/*
 * Template syntax: NAME="value" and NAME=[ A="x", B="y" ], a line each. Calls 'each' with
 * the section (nr 1 and an empty pair name for a plain value); -1 on a syntax error.
 */
typedef void fake_each(void *ctx, const char *name, const struct fake_section *s);
int fake_template_parse(const char *text, fake_each *each, void *ctx);
const char *fake_section_get(const struct fake_section *s,
			     const char *name); /* or NULL */

extern const struct fake_template fake_templates[TEMPLATES_NR];

#endif
