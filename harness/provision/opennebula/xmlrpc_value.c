#include "harness/provision/opennebula/xmlrpc_value.h"

#include "core/base/mem.h"

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

const char *xmlrpc_type_name(enum xmlrpc_type t)
{
	static const char *const names[] = {
		[XMLRPC_NIL] = "nil",      [XMLRPC_INT] = "integer",
		[XMLRPC_BOOL] = "boolean", [XMLRPC_DOUBLE] = "double",
		[XMLRPC_TEXT] = "string",  [XMLRPC_OTHER] = "date or base64",
		[XMLRPC_ARRAY] = "array",  [XMLRPC_STRUCT] = "struct",
	};

	return names[t];
}

/* The length of the UTF-8 sequence at 's' that XML 1.0 allows, or 0. */
static size_t xml_char(const unsigned char *s)
{
	if (s[0] < 0x20)
		return s[0] == '\t' || s[0] == '\n' || s[0] == '\r';
	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] < 0xe0)
		return (s[1] & 0xc0) == 0x80 ? 2 : 0;
	if ((s[0] & 0xf0) == 0xe0) {
		if ((s[1] & 0xc0) != 0x80 || (s[2] & 0xc0) != 0x80)
			return 0;
		if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f))
			return 0;
		return s[0] == 0xef && s[1] == 0xbf && s[2] >= 0xbe ? 0 : 3;
	}
	if (s[0] >= 0xf0 && s[0] < 0xf5) {
		if ((s[1] & 0xc0) != 0x80 || (s[2] & 0xc0) != 0x80 ||
		    (s[3] & 0xc0) != 0x80)
			return 0;
		return (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f) ? 0
										      : 4;
	}
	return 0;
}

static int add_text(struct buf *b, const char *text, struct err *err)
{
	const unsigned char *s = (const unsigned char *)text;

	for (size_t n; *s; s += n) {
		n = xml_char(s);
		if (!n)
			return err_set(err, ERR_USAGE,
				       "byte 0x%02x at offset %td of an argument is not "
				       "allowed in XML: write plain UTF-8 text",
				       *s, (const char *)s - text);
		if (*s == '<')
			buf_puts(b, "&lt;");
		else if (*s == '>')
			buf_puts(b, "&gt;");
		else if (*s == '&')
			buf_puts(b, "&amp;");
		else if (*s == '\r') /* a bare one would be read back as a line feed */
			buf_puts(b, "&#13;");
		else
			buf_add(b, s, n);
	}
	return 0;
}

int xmlrpc_encode(struct buf *ret, const char *method, const struct xmlrpc_arg *args,
		  size_t nr, struct err *err)
{
	buf_puts(ret,
		 "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<methodCall><methodName>");
	if (add_text(ret, method, err))
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
			if (add_text(ret, a->text ? a->text : "", err))
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
