#include "core/document/json_keys.h"

#include "core/base/mem.h"
#include "core/base/strvec.h"

#include <stdlib.h>
#include <string.h>

enum { LEVELS_MAX = 32 };

/* The keys that each open object has so far; a list has none. */
struct levels {
	struct strvec keys[LEVELS_MAX];
	int nr;
};

static const char *skip_blank_and_comments(const char *s, const char *end)
{
	while (s < end) {
		if (strchr(" \t\r\n", *s) && *s) {
			s++;
		} else if (end - s > 1 && s[0] == '/' && s[1] == '/') {
			while (s < end && *s != '\n')
				s++;
		} else if (end - s > 1 && s[0] == '/' && s[1] == '*') {
			for (s += 2; s < end && !(s[0] == '/' && s[-1] == '*'); s++)
				;
			s += s < end;
		} else {
			break;
		}
	}
	return s;
}

/* Behind the closing quote of the text that begins at 's'. */
static const char *skip_text(const char *s, const char *end)
{
	char quote = *s++;

	while (s < end && *s != quote)
		s += *s == '\\' && end - s > 1 ? 2 : 1;
	return s < end ? s + 1 : end;
}

static int take_key(struct levels *l, const char *key, size_t len, const char *name,
		    size_t line, struct err *err)
{
	struct strvec *keys = &l->keys[l->nr - 1];
	char *text = x_strndup(key, len);
	int rc = 0;

	if (strvec_has(keys, text))
		rc = err_set(err, ERR_USAGE,
			     "%s:%zu: the key '%.80s' is there twice, and one of them "
			     "would be lost: take one away, or call it otherwise",
			     name, line, text);
	strvec_add(keys, text);
	free(text);
	return rc;
}

static size_t count_lines(const char *from, const char *to)
{
	size_t nr = 0;

	for (; from < to; from++)
		nr += *from == '\n';
	return nr;
}

static int look(struct levels *l, const char *text, size_t len, const char *name,
		struct err *err)
{
	const char *s = text, *end = text + len;

	while ((s = skip_blank_and_comments(s, end)) < end) {
		const char *behind = s + 1;

		if (*s == '"' || *s == '\'') {
			const char *next;

			behind = skip_text(s, end);
			next = skip_blank_and_comments(behind, end);
			if (next < end && *next == ':' && l->nr &&
			    take_key(l, s + 1, (size_t)(behind - s) - 2, name,
				     1 + count_lines(text, s), err))
				return -1;
		} else if ((*s == '{' || *s == '[') && l->nr < LEVELS_MAX) {
			l->nr++;
		} else if ((*s == '}' || *s == ']') && l->nr) {
			strvec_release(&l->keys[--l->nr]);
		}
		s = behind;
	}
	return 0;
}

int json_check_keys(const char *text, size_t len, const char *name, struct err *err)
{
	struct levels l = {.nr = 0};
	int rc = look(&l, text, len, name, err);

	while (l.nr)
		strvec_release(&l.keys[--l.nr]);
	return rc;
}
