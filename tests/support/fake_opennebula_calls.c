/* The fake front-end's calls: who asks, with which types, and what comes of it. */
#include "tests/support/fake_opennebula_impl.h"

#include "core/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARGS_MAX = 8 };

struct request {
	struct fake_world *w;
	const char *method;
	const struct fake_user *user;
	long number[ARGS_MAX];
	char *text[ARGS_MAX]; /* libxml2's */
	size_t nr;
	struct buf *ret;
};

static const struct fake_user users[] = {
	{0, 0, "oneadmin", "oneadmin", "oneadmin:lab-opennebula", -1},
	{2, 100, "alice", "tenant-a", "alice:alicepw", 1},
};

static void refuse(struct request *q, int code, int object, const char *text)
{
	fake_reply_refusal(q->ret, q->method, code, object, text);
}

static void refuse_missing(struct request *q, const char *what, long id)
{
	char text[100];

	snprintf(text, sizeof(text), "Error getting %s [%ld].", what, id);
	refuse(q, 1024, (int)id, text);
}

static bool is_admin(const struct request *q)
{
	return q->user->gid == 0;
}

static void denied(struct request *q, const char *what)
{
	char text[160];

	snprintf(text, sizeof(text), "User [%d] : Not authorized to perform %.100s.",
		 q->user->id, what);
	refuse(q, 512, -1, text);
}

static struct fake_vm *find_vm(struct request *q, long id)
{
	if (id >= 0 && (size_t)id < q->w->vms_nr)
		return &q->w->vms[id];
	refuse_missing(q, "virtual machine", id);
	return NULL;
}

static void reply_document(struct request *q, struct buf *doc)
{
	fake_reply_text(q->ret, doc->data);
	buf_release(doc);
}

static void system_version(struct request *q)
{
	fake_reply_text(q->ret, "7.4.0");
}

static void take_attribute(void *ctx, const char *name, const struct fake_section *s)
{
	struct fake_vm *vm = ctx;
	const char *value = s->pairs[0].value;

	if (!strcmp(name, "TARE_RUN_ID"))
		snprintf(vm->run_id, sizeof(vm->run_id), "%.79s", value);
	else if (!strcmp(name, "SCHED_REQUIREMENTS") && !strncmp(value, "ID=", 3))
		vm->wanted_host_id = (int)strtol(value + 3, NULL, 10);
	else if (!strcmp(name, "SCHED_REQUIREMENTS") && !strncmp(value, "NAME=\"", 6))
		snprintf(vm->wanted_host, sizeof(vm->wanted_host), "%.*s",
			 (int)strcspn(value + 6, "\""), value + 6);
	else if (!strcmp(name, "PCI") && vm->pci_nr < SECTIONS_MAX) {
		if (!vm->pci)
			vm->pci = x_calloc(SECTIONS_MAX, sizeof(*vm->pci));
		vm->pci[vm->pci_nr++] = *s;
	}
}

static void has_pci(void *ctx, const char *name, const struct fake_section *s)
{
	(void)s;
	*(bool *)ctx |= !strcmp(name, "PCI");
}

static int over_quota(struct request *q, size_t more)
{
	char text[100];
	int used = 0;

	for (size_t i = 0; i < q->w->vms_nr; i++)
		if (q->w->vms[i].uid == q->user->id && q->w->vms[i].state != 6)
			used += (int)q->w->vms[i].pci_nr;
	if (q->user->pci_limit < 0 || used + (int)more <= q->user->pci_limit)
		return 0;
	snprintf(text, sizeof(text),
		 "User [%d] : user [%d] limit of %d reached for PCI_DEV quota in VM.",
		 q->user->id, q->user->id, q->user->pci_limit);
	refuse(q, 512, -1, text);
	return -1;
}

/* id, name, hold, extra, persistent */
static void instantiate(struct request *q)
{
	const char *extra = q->nr > 3 ? q->text[3] : "", *name = q->text[1];
	bool replaces = false;
	char text[100];
	struct fake_vm *vm, draft = {.wanted_host_id = -1};

	if (q->number[0] < 0 || q->number[0] >= TEMPLATES_NR) {
		refuse_missing(q, "virtual machine template", q->number[0]);
		return;
	}
	if (fake_template_parse(extra, has_pci, &replaces)) {
		refuse(q, 8192, -1, "Parse error: syntax error, unexpected $end");
		return;
	}
	if (*extra && !is_admin(q) && !q->w->is_granted) {
		denied(q, "CREATE TEMPLATE");
		return;
	}
	if (replaces && !is_admin(q) && q->w->is_restricted) {
		snprintf(text, sizeof(text),
			 "User [%d] : User Template includes a restricted attribute PCI.",
			 q->user->id);
		refuse(q, 512, -1, text);
		return;
	}
	if (strpbrk(name, "<>")) {
		refuse(q, 8192, -1, "Invalid NAME, char '<' is not allowed");
		return;
	}
	fake_template_parse(fake_templates[q->number[0]].text, take_attribute, &draft);
	if (replaces) /* a vector attribute replaces all sections of its name */
		draft.pci_nr = 0;
	fake_template_parse(extra, take_attribute, &draft);
	if (over_quota(q, draft.pci_nr)) {
		free(draft.pci);
		return;
	}
	vm = fake_world_add_vm(q->w, q->user->id, name);
	snprintf(vm->run_id, sizeof(vm->run_id), "%s", draft.run_id);
	snprintf(vm->wanted_host, sizeof(vm->wanted_host), "%s", draft.wanted_host);
	vm->wanted_host_id = draft.wanted_host_id;
	vm->pci = draft.pci;
	vm->pci_nr = draft.pci_nr;
	vm->state = q->nr > 2 && q->number[2] ? 2 : 1;
	fake_reply_int(q->ret, vm->id);
}

static void template_info(struct request *q)
{
	struct buf doc;

	if (q->number[0] < 0 || q->number[0] >= TEMPLATES_NR) {
		refuse_missing(q, "virtual machine template", q->number[0]);
		return;
	}
	buf_init(&doc, BUF_UNBOUNDED);
	fake_print_template(&doc, &fake_templates[q->number[0]], (int)q->number[0], true);
	reply_document(q, &doc);
}

static void template_pool(struct request *q)
{
	struct buf doc;

	buf_init(&doc, BUF_UNBOUNDED);
	buf_puts(&doc, "<VMTEMPLATE_POOL>");
	for (int i = TEMPLATES_NR - 1; i >= 0; i--) /* ids descend */
		fake_print_template(&doc, &fake_templates[i], i, false);
	buf_puts(&doc, "</VMTEMPLATE_POOL>");
	reply_document(q, &doc);
}

static void vm_info(struct request *q)
{
	struct fake_vm *vm = find_vm(q, q->number[0]);
	struct buf doc;

	if (!vm)
		return;
	buf_init(&doc, BUF_UNBOUNDED);
	fake_print_vm(&doc, q->w, vm);
	reply_document(q, &doc);
	fake_world_step(q->w, vm);
}

/* vm, host, enforce, datastore, network template */
static void vm_deploy(struct request *q)
{
	struct fake_vm *vm = find_vm(q, q->number[0]);
	char text[160];

	if (!vm)
		return;
	if (!is_admin(q)) {
		snprintf(text, sizeof(text), "ADMIN VM [%d]", vm->id);
		denied(q, text);
	} else if (q->number[1] < 0 || q->number[1] >= HOSTS_NR) {
		refuse_missing(q, "host", q->number[1]);
	} else if (vm->state != 1 && vm->state != 2) {
		refuse(q, 2048, vm->id,
		       "Deploy action is not available for state RUNNING");
	} else if (fake_world_place(q->w, vm, (int)q->number[1], q->number[2] != 0)) {
		snprintf(text, sizeof(text),
			 "virtual machine [%d] does not fit in host [%ld]. Unavailable "
			 "PCI "
			 "device.",
			 vm->id, q->number[1]);
		refuse(q, 2048, -1, text);
	} else {
		fake_reply_int(q->ret, vm->id);
	}
}

/* action, vm: in this order */
static void vm_action(struct request *q)
{
	struct fake_vm *vm = find_vm(q, q->number[1]);
	char text[100];

	if (!vm)
		return;
	if (strcmp(q->text[0], "terminate-hard") != 0) {
		snprintf(text, sizeof(text), "Action \"%.40s\" is not supported",
			 q->text[0]);
		refuse(q, 2048, -1, text);
		return;
	}
	if (vm->state == 3 && !vm->is_ending) {
		vm->is_ending = true;
		vm->lcm = 12;
	} else if (vm->state != 3) {
		vm->state = 6;
	}
	fake_reply_int(q->ret, vm->id);
}

static void vm_pool(struct request *q)
{
	struct buf doc;

	if (q->number[0] < -4) {
		refuse(q, 4096, -1, "Incorrect filter_flag");
		return;
	}
	buf_init(&doc, BUF_UNBOUNDED);
	buf_puts(&doc, "<VM_POOL>");
	for (size_t i = q->w->vms_nr; i-- > 0;) {
		const struct fake_vm *vm = &q->w->vms[i];

		if (vm->state != 6 && (q->number[0] == -2 || vm->uid == q->user->id))
			fake_print_vm(&doc, q->w, vm);
	}
	buf_puts(&doc, "</VM_POOL>");
	reply_document(q, &doc);
}

static void host_info(struct request *q)
{
	struct buf doc;
	char text[60];

	if (!is_admin(q) && !q->w->is_granted) {
		snprintf(text, sizeof(text), "USE HOST [%ld]", q->number[0]);
		denied(q, text);
		return;
	}
	if (q->number[0] < 0 || q->number[0] >= HOSTS_NR) {
		refuse_missing(q, "host", q->number[0]);
		return;
	}
	buf_init(&doc, BUF_UNBOUNDED);
	fake_print_host(&doc, &q->w->hosts[q->number[0]], (int)q->number[0], q->w);
	reply_document(q, &doc);
}

static void host_pool(struct request *q)
{
	struct buf doc;

	buf_init(&doc, BUF_UNBOUNDED);
	buf_puts(&doc, "<HOST_POOL>");
	for (int i = HOSTS_NR - 1; i >= 0 && (is_admin(q) || q->w->is_granted); i--)
		fake_print_host(&doc, &q->w->hosts[i], i, q->w);
	buf_puts(&doc, "</HOST_POOL>");
	reply_document(q, &doc);
}

static void host_status(struct request *q)
{
	static const int states[] = {2, 4, 8};
	char text[60];

	if (!is_admin(q)) {
		snprintf(text, sizeof(text), "ADMIN HOST [%ld]", q->number[0]);
		denied(q, text);
	} else if (q->number[0] < 0 || q->number[0] >= HOSTS_NR) {
		refuse_missing(q, "host", q->number[0]);
	} else if (q->number[1] < 0 || q->number[1] > 2) {
		refuse(q, 8192, -1, "Wrong status code");
	} else {
		q->w->hosts[q->number[0]].state = states[q->number[1]];
		fake_reply_int(q->ret, q->number[0]);
	}
}

static void account_info(struct request *q, bool is_group)
{
	const struct fake_user *u = NULL;
	struct buf doc;

	for (size_t i = 0; i < ARRAY_SIZE(users); i++)
		if (q->number[0] == (is_group ? users[i].gid : users[i].id))
			u = &users[i];
	if (q->number[0] < 0)
		u = q->user;
	if (!u) {
		refuse_missing(q, is_group ? "group" : "user", q->number[0]);
		return;
	}
	buf_init(&doc, BUF_UNBOUNDED);
	fake_print_account(&doc, q->w, u, is_group);
	reply_document(q, &doc);
}

static void user_info(struct request *q)
{
	account_info(q, false);
}

static void group_info(struct request *q)
{
	account_info(q, true);
}

static void acl_info(struct request *q)
{
	struct buf doc;

	buf_init(&doc, BUF_UNBOUNDED);
	buf_puts(&doc,
		 "<ACL_POOL><ACL><ID>1</ID><USER>400000000</USER>"
		 "<RESOURCE>800400000000</RESOURCE><RIGHTS>1</RIGHTS>"
		 "<ZONE>400000000</ZONE><STRING>* ZONE/* USE *</STRING></ACL>"
		 "<ACL><ID>6</ID><USER>200000064</USER><RESOURCE>1000000000</RESOURCE>"
		 "<RIGHTS>8</RIGHTS><ZONE>100000000</ZONE><STRING>@100 VM/* CREATE #0"
		 "</STRING></ACL>");
	if (q->w->is_granted)
		buf_puts(&doc, "<ACL><ID>7</ID><USER>200000064</"
			       "USER><RESOURCE>2400000000</RESOURCE>"
			       "<RIGHTS>1</RIGHTS><ZONE>400000000</ZONE><STRING>@100 "
			       "HOST/* USE *"
			       "</STRING></ACL><ACL><ID>8</ID><USER>100000002</USER>"
			       "<RESOURCE>20400000000</RESOURCE><RIGHTS>8</RIGHTS>"
			       "<ZONE>400000000</ZONE><STRING>#2 TEMPLATE/* CREATE "
			       "*</STRING></ACL>");
	buf_puts(&doc, "</ACL_POOL>");
	reply_document(q, &doc);
}

/* Types behind the session string: i number, s text, b boolean; small letters must be. */
static const struct call {
	const char *method, *types;
	size_t needed;
	void (*run)(struct request *q);
} calls[] = {
	{"one.system.version", "", 0, system_version},
	{"one.template.instantiate", "isbsb", 2, instantiate},
	{"one.template.info", "ibb", 1, template_info},
	{"one.templatepool.info", "iii", 3, template_pool},
	{"one.vm.info", "ib", 1, vm_info},
	{"one.vm.deploy", "iibis", 2, vm_deploy},
	{"one.vm.action", "si", 2, vm_action},
	{"one.vmpool.infoextended", "iiiis", 4, vm_pool},
	{"one.host.info", "ib", 1, host_info},
	{"one.hostpool.info", "", 0, host_pool},
	{"one.host.status", "ii", 2, host_status},
	{"one.user.info", "ib", 1, user_info},
	{"one.group.info", "ib", 1, group_info},
	{"one.acl.info", "", 0, acl_info},
};

static xmlNode *child(xmlNode *n, const char *name)
{
	for (n = n ? n->children : NULL; n; n = n->next)
		if (n->type == XML_ELEMENT_NODE &&
		    (!name || !strcmp((const char *)n->name, name)))
			return n;
	return NULL;
}

/* The typed element of the nr-th parameter, or NULL. */
static xmlNode *parameter(xmlNode *params, size_t nr)
{
	xmlNode *p = child(params, "param");

	while (p && nr--)
		for (p = p->next; p && p->type != XML_ELEMENT_NODE; p = p->next)
			;
	return child(child(p, "value"), NULL);
}

static bool take_argument(struct request *q, size_t i, char type, xmlNode *n)
{
	const char *name = (const char *)n->name;

	q->text[i] = (char *)xmlNodeGetContent(n);
	q->number[i] = strtol(q->text[i], NULL, 10);
	if (type == 'i')
		return !strcmp(name, "i4") || !strcmp(name, "int");
	return !strcmp(name, type == 'b' ? "boolean" : "string");
}

/* NULL, or what is wrong with the arguments, in the server's own words. */
static const char *take_arguments(struct request *q, const struct call *c,
				  xmlNode *params)
{
	for (size_t i = 0; i < strlen(c->types); i++) {
		xmlNode *n = parameter(params, i + 1);

		if (!n)
			return i < c->needed ? "Not enough parameters" : NULL;
		q->nr = i + 1;
		if (!take_argument(q, i, c->types[i], n))
			return "Parameter that is supposed to be integer is not";
	}
	return parameter(params, strlen(c->types) + 1) ? "Too many parameters" : NULL;
}

static const struct fake_user *authenticate(xmlNode *params)
{
	xmlNode *n = parameter(params, 0);
	char *session = n ? (char *)xmlNodeGetContent(n) : NULL;
	const struct fake_user *u = NULL;

	for (size_t i = 0; session && i < ARRAY_SIZE(users); i++)
		if (!strcmp(users[i].session, session))
			u = &users[i];
	xmlFree(session);
	return u;
}

void fake_world_call(struct fake_world *w, const char *method, xmlNode *params,
		     struct buf *ret)
{
	struct request q = {.w = w, .method = method, .ret = ret};
	const struct call *c = NULL;
	const char *wrong;
	char text[120];

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (!strcmp(calls[i].method, method))
			c = &calls[i];
	if (!c) {
		snprintf(text, sizeof(text), "Method '%.60s' not defined", method);
		fake_reply_fault(ret, -506, text);
		return;
	}
	wrong = take_arguments(&q, c, params);
	q.user = authenticate(params);
	if (wrong)
		fake_reply_fault(ret, -501, wrong);
	else if (!q.user)
		refuse(&q, 256, -1, "User couldn't be authenticated, aborting call.");
	else
		c->run(&q);
	for (size_t i = 0; i < ARGS_MAX; i++)
		xmlFree(q.text[i]);
}
