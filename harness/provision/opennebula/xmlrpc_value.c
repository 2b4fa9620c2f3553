#include "harness/provision/opennebula/xmlrpc_value.h"

#include "core/base/mem.h"
#include "harness/provision/opennebula/xml_push.h"
#include "harness/provision/xml_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void xmlrpc_value_release(struct xmlrpc_value *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < v->nr; i++)
		xmlrpc_value_release(&v->items[i]);
	free(v->items);
	free(v->text);
	free(v->name);
	*v = (struct xmlrpc_value){.type = XMLRPC_NIL};
}

const struct xmlrpc_value *xmlrpc_member(const struct xmlrpc_value *v, const char *name)
{
	if (v->type != XMLRPC_STRUCT)
		return NULL;
	for (size_t i = 0; i < v->nr; i++)
		if (v->items[i].name && !strcmp(v->items[i].name, name))
			return &v->items[i];
	return NULL;
}

int xmlrpc_encode(struct buf *ret, const char *method, const struct xmlrpc_arg *args,
		  size_t nr, struct err *err)
{
	buf_puts(ret,
		 "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<methodCall><methodName>");
	if (xml_text_add(ret, method, false, err))
		return -1;
	buf_puts(ret, "</methodName><params>");
	for (size_t i = 0; i < nr; i++) {
		const struct xmlrpc_arg *a = &args[i];

		buf_puts(ret, "<param><value>");
		if (a->type == XMLRPC_INT) {
			buf_printf(ret, "<i4>%d</i4>", (int)a->integer);
		} else if (a->type == XMLRPC_BOOL) {
			buf_printf(ret, "<boolean>%d</boolean>", a->integer != 0);
		} else {
			buf_puts(ret, "<string>");
			if (xml_text_add(ret, a->text ? a->text : "", false, err))
				return err_wrap(err, "%s: argument %zu", method, i);
			buf_puts(ret, "</string>");
		}
		buf_puts(ret, "</value></param>");
	}
	buf_puts(ret, "</params></methodCall>\n");
	if (ret->dropped)
		return err_set(err, ERR_USAGE, "%s: the call is larger than %zu bytes",
			       method, ret->max);
	return 0;
}

/* What an element is to the grammar. */
enum role {
	ROLE_RESPONSE,
	ROLE_PARAMS,
	ROLE_PARAM,
	ROLE_FAULT,
	ROLE_VALUE,
	ROLE_SCALAR,
	ROLE_ARRAY,
	ROLE_DATA,
	ROLE_STRUCT,
	ROLE_MEMBER,
	ROLE_NAME,
	ROLE_NONE
};

#define IN(role) (1u << (role))

static const struct element {
	const char *name;
	enum role role;
	enum xmlrpc_type type; /* of a SCALAR */
	unsigned parents;      /* roles that may hold it */
} elements[] = {
	{"methodResponse", ROLE_RESPONSE, 0, IN(ROLE_NONE)},
	{"params", ROLE_PARAMS, 0, IN(ROLE_RESPONSE)},
	{"fault", ROLE_FAULT, 0, IN(ROLE_RESPONSE)},
	{"param", ROLE_PARAM, 0, IN(ROLE_PARAMS)},
	{"value", ROLE_VALUE, 0,
	 IN(ROLE_PARAM) | IN(ROLE_FAULT) | IN(ROLE_DATA) | IN(ROLE_MEMBER)},
	{"array", ROLE_ARRAY, 0, IN(ROLE_VALUE)},
	{"data", ROLE_DATA, 0, IN(ROLE_ARRAY)},
	{"struct", ROLE_STRUCT, 0, IN(ROLE_VALUE)},
	{"member", ROLE_MEMBER, 0, IN(ROLE_STRUCT)},
	{"name", ROLE_NAME, 0, IN(ROLE_MEMBER)},
	{"i4", ROLE_SCALAR, XMLRPC_INT, IN(ROLE_VALUE)},
	{"int", ROLE_SCALAR, XMLRPC_INT, IN(ROLE_VALUE)},
	{"i8", ROLE_SCALAR, XMLRPC_INT, IN(ROLE_VALUE)},
	{"boolean", ROLE_SCALAR, XMLRPC_BOOL, IN(ROLE_VALUE)},
	{"string", ROLE_SCALAR, XMLRPC_TEXT, IN(ROLE_VALUE)},
};

/* Each array or struct adds at most four elements to the depth. */
#define FRAMES_MAX (XMLRPC_DEPTH_MAX * 4 + 6)

struct frame {
	const struct element *e;
	unsigned children;
	bool has_name;         /* MEMBER */
	char *name;            /* MEMBER: owned until its value takes it */
	struct xmlrpc_value v; /* VALUE, ARRAY, STRUCT */
};

struct xmlrpc_reader {
	struct xml_push push;
	const struct xmlrpc_stream *stream;
	struct frame frames[FRAMES_MAX];
	size_t depth, values;
	struct buf text;
	bool is_streaming;
	struct xmlrpc_reply reply;
};

static bool is_blank(const struct buf *b)
{
	return strspn(b->data, " \t\r\n") == b->len;
}

static void send_piece(struct xmlrpc_reader *r)
{
	if (r->text.len &&
	    r->stream->text(r->stream->ctx, r->text.data, r->text.len, &r->push.why))
		xml_push_end(&r->push);
	buf_clear(&r->text);
}

static bool wants_stream(struct xmlrpc_reader *r)
{
	/* methodResponse params param value array data value [string] */
	return r->stream && r->depth >= 7 && r->depth <= 8 &&
	       r->frames[4].e->role == ROLE_ARRAY &&
	       r->stream->wants(r->stream->ctx, &r->frames[4].v);
}

static int refuse(struct xmlrpc_reader *r, const char *why, const char *name)
{
	xml_push_fail(&r->push, "%s <%.60s>", why, name);
	return -1;
}

/* May this element stand here? */
static int admit(struct xmlrpc_reader *r, const struct frame *up, const char *name,
		 const struct element **ret)
{
	const struct element *e = NULL;
	enum role in = up ? up->e->role : ROLE_NONE;
	bool takes_more = in == ROLE_DATA || in == ROLE_STRUCT;

	for (size_t i = 0; i < ARRAY_SIZE(elements); i++)
		if (!strcmp(elements[i].name, name))
			e = &elements[i];
	if (!e || !(e->parents & IN(in)))
		return refuse(r, "unexpected element", name);
	if (r->is_streaming || !is_blank(&r->text))
		return refuse(r, "text before element", name);
	if (in == ROLE_MEMBER) {
		takes_more = up->children == 1 && up->has_name && e->role == ROLE_VALUE;
		if (!up->children && e->role != ROLE_NAME)
			return refuse(r, "a struct's member begins with", name);
	}
	if (up && up->children && !takes_more)
		return refuse(r, "one too many of", name);
	if (r->depth == FRAMES_MAX)
		return refuse(r, "values nested too deeply at", name);
	if (e->role == ROLE_VALUE && ++r->values > XMLRPC_VALUES_MAX)
		return refuse(r, "more than tare reads of", name);
	*ret = e;
	return 0;
}

static void on_start(void *ctx, const xmlChar *name, const xmlChar *prefix,
		     const xmlChar *uri, int ns_nr, const xmlChar **ns, int attr_nr,
		     int default_nr, const xmlChar **attrs)
{
	struct xmlrpc_reader *r = xml_push_owner(ctx);
	struct frame *up = r->depth ? &r->frames[r->depth - 1] : NULL;
	const struct element *e;

	(void)prefix, (void)uri, (void)ns_nr, (void)ns;
	(void)attr_nr, (void)default_nr, (void)attrs;
	if (r->push.has_failed || admit(r, up, (const char *)name, &e))
		return;
	if (up)
		up->children++;
	buf_clear(&r->text);
	r->frames[r->depth++] = (struct frame){.e = e};
	if (e->role == ROLE_SCALAR && e->type == XMLRPC_TEXT)
		r->is_streaming = wants_stream(r);
}

static int whole_number(const char *text, int64_t min, int64_t max, int64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoll(text, &end, 10);
	if (end == text || errno)
		return -1;
	end += strspn(end, " \t\r\n");
	return *end || *ret < min || *ret > max ? -1 : 0;
}

static void take_scalar(struct xmlrpc_reader *r, const struct element *e,
			struct xmlrpc_value *v)
{
	bool is_narrow = strcmp(e->name, "i8");
	int bad = 0;

	v->type = e->type;
	if (e->type == XMLRPC_INT)
		bad = whole_number(r->text.data, is_narrow ? INT32_MIN : INT64_MIN,
				   is_narrow ? INT32_MAX : INT64_MAX, &v->integer);
	else if (e->type == XMLRPC_BOOL)
		bad = whole_number(r->text.data, 0, 1, &v->integer);
	else if (r->is_streaming)
		send_piece(r);
	else
		v->text = x_strndup(r->text.data, r->text.len);
	if (bad)
		xml_push_fail(&r->push, "a <%s> that is not one", e->name);
	r->is_streaming = false;
}

static void append(struct xmlrpc_value *to, struct xmlrpc_value *v)
{
	GROW(to->items, to->nr, to->alloc);
	to->items[to->nr++] = *v;
}

/* A finished value goes to whatever holds it. */
static void place_value(struct xmlrpc_reader *r, struct frame *done)
{
	struct frame *up = &r->frames[r->depth - 1];

	if (!done->children) {
		done->v.type = XMLRPC_TEXT;
		if (r->is_streaming)
			send_piece(r);
		else
			done->v.text = x_strndup(r->text.data, r->text.len);
		r->is_streaming = false;
	}
	if (up->e->role == ROLE_DATA) {
		append(&r->frames[r->depth - 2].v, &done->v);
	} else if (up->e->role == ROLE_MEMBER) {
		done->v.name = up->name;
		up->name = NULL;
		append(&r->frames[r->depth - 2].v, &done->v);
	} else {
		r->reply.is_fault = up->e->role == ROLE_FAULT;
		r->reply.value = done->v;
	}
}

static const char *incomplete(const struct frame *f)
{
	switch (f->e->role) {
	case ROLE_RESPONSE:
	case ROLE_PARAMS:
	case ROLE_PARAM:
	case ROLE_FAULT:
	case ROLE_ARRAY:
		return f->children == 1 ? NULL : f->e->name;
	case ROLE_MEMBER:
		return f->children == 2 ? NULL : f->e->name;
	default:
		return NULL;
	}
}

static void on_end(void *ctx, const xmlChar *name, const xmlChar *prefix,
		   const xmlChar *uri)
{
	struct xmlrpc_reader *r = xml_push_owner(ctx);
	struct frame done;

	(void)name, (void)prefix, (void)uri;
	if (r->push.has_failed || !r->depth)
		return;
	if (incomplete(&r->frames[r->depth - 1])) {
		xml_push_fail(&r->push, "<%s> is empty",
			      incomplete(&r->frames[r->depth - 1]));
		return;
	}
	done = r->frames[--r->depth];
	switch (done.e->role) {
	case ROLE_SCALAR:
		take_scalar(r, done.e, &r->frames[r->depth - 1].v);
		break;
	case ROLE_NAME:
		r->frames[r->depth - 1].name = x_strndup(r->text.data, r->text.len);
		r->frames[r->depth - 1].has_name = true;
		break;
	case ROLE_ARRAY:
	case ROLE_STRUCT:
		done.v.type = done.e->role == ROLE_ARRAY ? XMLRPC_ARRAY : XMLRPC_STRUCT;
		r->frames[r->depth - 1].v = done.v;
		break;
	case ROLE_VALUE:
		place_value(r, &done);
		break;
	case ROLE_RESPONSE:
		r->push.is_complete = true;
		break;
	default:
		break;
	}
	buf_clear(&r->text);
}

static void on_text(void *ctx, const xmlChar *data, int len)
{
	struct xmlrpc_reader *r = xml_push_owner(ctx);
	const struct frame *f = r->depth ? &r->frames[r->depth - 1] : NULL;
	bool is_bare; /* text of a <value> without a type */

	if (r->push.has_failed || !f || len <= 0)
		return;
	if (!buf_add(&r->text, data, (size_t)len)) {
		xml_push_fail(&r->push, "a <%s> longer than tare reads", f->e->name);
		return;
	}
	is_bare = f->e->role == ROLE_VALUE && !f->children;
	if (!is_bare && f->e->role != ROLE_SCALAR && f->e->role != ROLE_NAME) {
		if (!is_blank(&r->text))
			xml_push_fail(&r->push, "text inside <%s>", f->e->name);
		buf_clear(&r->text);
		return;
	}
	if (is_bare && !r->is_streaming && !is_blank(&r->text))
		r->is_streaming = wants_stream(r);
	if (r->is_streaming && r->text.len >= XML_PUSH_PIECE_MAX)
		send_piece(r);
}

static void on_instruction(void *ctx, const xmlChar *target, const xmlChar *data)
{
	(void)data;
	xml_push_fail(xml_push_owner(ctx), "processing instruction '%.60s'",
		      (const char *)target);
}

struct xmlrpc_reader *xmlrpc_reader_new(const struct xmlrpc_stream *stream)
{
	struct xmlrpc_reader *r = x_calloc(1, sizeof(*r));
	xmlSAXHandler sax = {
		.startElementNs = on_start,
		.endElementNs = on_end,
		.characters = on_text,
		.cdataBlock = on_text,
		.processingInstruction = on_instruction,
	};

	r->stream = stream;
	buf_init(&r->text, XMLRPC_TEXT_MAX);
	xml_push_open(&r->push, "the reply is not XML-RPC", &sax);
	return r;
}

int xmlrpc_reader_feed(struct xmlrpc_reader *r, const char *data, size_t len,
		       struct err *err)
{
	return xml_push_feed(&r->push, data, len, err);
}

int xmlrpc_reader_finish(struct xmlrpc_reader *r, struct xmlrpc_reply *ret,
			 struct err *err)
{
	if (xml_push_finish(&r->push, err))
		return -1;
	*ret = r->reply;
	r->reply = (struct xmlrpc_reply){.is_fault = false};
	return 0;
}

void xmlrpc_reader_free(struct xmlrpc_reader *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->depth; i++) {
		free(r->frames[i].name);
		xmlrpc_value_release(&r->frames[i].v);
	}
	xmlrpc_value_release(&r->reply.value);
	buf_release(&r->text);
	xml_push_close(&r->push);
	free(r);
}
