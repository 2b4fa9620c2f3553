#include "tests/support/recordings.h"

#include "core/base/buf.h"
#include "core/base/file.h"
#include "core/base/mem.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

char *recording_text(const struct recordings *r, const char *name, const char *suffix,
		     size_t *ret_len)
{
	char *path = x_asprintf("%s/%s%s", r->dir, name, suffix), *text = NULL;
	struct buf b;

	if (!file_read(path, RECORDING_MAX, &b, NULL)) {
		text = x_malloc(b.len + 1);
		memcpy(text, b.data, b.len + 1);
		if (ret_len)
			*ret_len = b.len;
		buf_release(&b);
	}
	free(path);
	return text;
}

static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (!strncmp(s, "&lt;", 4)) {
			*to++ = '<';
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

static int read_index(struct recordings *r)
{
	char *text = recording_text(r, "INDEX", ".md", NULL), *save = NULL;

	if (!text)
		return -1;
	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		struct recording e;

		if (sscanf(l, "| %99[^ ] | %59[^| ] | %7[^ ] | %ld | %399[^\n]", e.name,
			   e.method, e.ok, &e.code, e.value) != 5 ||
		    strncmp(e.method, "one.", 4) != 0)
			continue;
		if (strlen(e.value) > 2)
			e.value[strlen(e.value) - 2] = '\0'; /* " |" */
		unescape(e.value);
		GROW(r->cases, r->nr, r->alloc);
		r->cases[r->nr++] = e;
	}
	free(text);
	return r->nr ? 0 : -1;
}

const struct recording *recording_find(const struct recordings *r, const char *name)
{
	for (size_t i = 0; i < r->nr; i++)
		if (!strcmp(r->cases[i].name, name))
			return &r->cases[i];
	fail_msg("no recording %s", name);
	return NULL;
}

static xmlNode *element(xmlNode *n, const char *name)
{
	for (n = n ? n->children : NULL; n; n = n->next)
		if (n->type == XML_ELEMENT_NODE &&
		    (!name || !strcmp((const char *)n->name, name)))
			return n;
	return NULL;
}

void recorded_request_read(struct recorded_request *q, const char *text, size_t len)
{
	xmlNode *root;

	*q = (struct recorded_request){.is_plain = true};
	q->doc = xmlReadMemory(text, (int)len, NULL, NULL, XML_PARSE_NONET);
	assert_non_null(q->doc);
	root = xmlDocGetRootElement(q->doc);
	q->method = (char *)xmlNodeGetContent(element(root, "methodName"));
	for (xmlNode *p = element(element(root, "params"), "param"); p; p = p->next) {
		xmlNode *v = element(element(p, "value"), NULL);
		struct xmlrpc_arg *a = &q->args[q->nr];
		const char *type = v ? (const char *)v->name : "";

		if (!v)
			continue;
		assert_true(q->nr < ARRAY_SIZE(q->args));
		q->content[q->nr] = (char *)xmlNodeGetContent(v);
		a->text = q->content[q->nr];
		a->integer = (int32_t)strtol(a->text, NULL, 10);
		a->type = !strcmp(type, "i4")        ? XMLRPC_INT
			  : !strcmp(type, "boolean") ? XMLRPC_BOOL
						     : XMLRPC_TEXT;
		q->is_plain &= !strcmp(type, "i4") || !strcmp(type, "boolean") ||
			       !strcmp(type, "string");
		q->nr++;
	}
}

void recorded_request_release(struct recorded_request *q)
{
	for (size_t i = 0; i < q->nr; i++)
		xmlFree(q->content[i]);
	xmlFree(q->method);
	xmlFreeDoc(q->doc);
}

/* Started elsewhere than in the root of the repository, a test finds no default. */
static char *place(void)
{
	const char *dir = getenv("TARE_RECORDINGS");
	struct buf b;
	char *ret;

	if (dir)
		return x_strdup(dir);
	if (file_read("tests/support/recordings.path", 4096, &b, NULL))
		return x_strdup(".");
	ret = x_strndup(b.data, strcspn(b.data, "\n"));
	buf_release(&b);
	return ret;
}

static struct recordings *recordings_open(void)
{
	struct recordings *r = x_calloc(1, sizeof(*r));

	r->dir = place();
	if (read_index(r))
		printf("skipped: no recorded exchanges in %s\n", r->dir);
	return r;
}

static void recordings_free(struct recordings *r)
{
	free(r->cases);
	free(r->dir);
	free(r);
}

bool recordings_missing(void)
{
	struct recordings *r = recordings_open();
	bool missing = !r->nr;

	recordings_free(r);
	return missing;
}

int recordings_set_up(void **state)
{
	*state = recordings_open();
	return 0;
}

int recordings_tear_down(void **state)
{
	recordings_free(*state);
	return 0;
}
