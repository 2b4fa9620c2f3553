#include "core/options/opt.h"

#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/document/version.h"
#include "core/options/opt_standard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct parse {
	const struct opt_command *c;
	int argc, at;
	char **argv;
	void *obj;
	struct opt_standard std;
	struct strvec *rest;
	struct strvec given; /* names of the fields that were set here */
};

/* A field and the struct it lives in. */
struct found {
	const struct field *field;
	void *obj;
	bool negated;
};

static size_t collect(const struct parse *p, const char *name, size_t len,
		      struct found *ret, bool *exact)
{
	const struct field *tables[] = {p->c->fields, opt_standard_fields};
	void *objs[] = {p->obj, (void *)(uintptr_t)&p->std};
	size_t nr = 0;

	*exact = false;
	for (size_t t = 0; t < 2; t++) {
		for (const struct field *f = tables[t]; f && f->name; f++) {
			if (strncmp(f->name, name, len) != 0)
				continue;
			if (!f->name[len]) {
				*ret = (struct found){.field = f, .obj = objs[t]};
				*exact = true;
				return 1;
			}
			*ret = (struct found){.field = f, .obj = objs[t]};
			nr++;
		}
	}
	return nr;
}

static int unknown_option(const struct parse *p, const char *shown, size_t len,
			  struct err *err)
{
	struct strvec names = {0};
	char *name = x_asprintf("--%.*s", (int)len, shown);
	char *help = x_asprintf("; '%s --help' lists them", p->c->name);
	char meant[DID_YOU_MEAN_SIZE];

	for (const struct field *f = p->c->fields; f && f->name; f++)
		strvec_addf(&names, "--%s", f->name);
	for (const struct field *f = opt_standard_fields; f->name; f++)
		strvec_addf(&names, "--%s", f->name);
	err_set(err, ERR_USAGE, "unknown option '%.82s'%s", name,
		did_you_mean(meant, name, strvec_argv(&names), names.nr, help));
	free(help);
	free(name);
	strvec_release(&names);
	return -1;
}

static int find_long(const struct parse *p, const char *name, size_t len,
		     struct found *ret, struct err *err)
{
	bool exact;
	size_t nr = collect(p, name, len, ret, &exact);

	if (nr == 1)
		return 0;
	if (nr > 1)
		return err_set(err, ERR_USAGE,
			       "option '--%.*s' is short for several; write more of it",
			       (int)len, name);
	if (len > 3 && strncmp(name, "no-", 3) == 0) {
		nr = collect(p, name + 3, len - 3, ret, &exact);
		if (nr == 1 && ret->field->kind == FIELD_FLAG) {
			ret->negated = true;
			return 0;
		}
	}
	return unknown_option(p, name, len, err);
}

static int find_short(const struct parse *p, char letter, struct found *ret,
		      struct err *err)
{
	const struct field *tables[] = {p->c->fields, opt_standard_fields};
	void *objs[] = {p->obj, (void *)(uintptr_t)&p->std};

	for (size_t t = 0; t < 2; t++) {
		for (const struct field *f = tables[t]; f && f->name; f++) {
			if (f->letter == letter) {
				*ret = (struct found){.field = f, .obj = objs[t]};
				return 0;
			}
		}
	}
	return err_set(err, ERR_USAGE, "unknown option '-%c'; '%s --help' lists them",
		       letter, p->c->name);
}

static int store(struct parse *p, const struct found *f, const char *value,
		 const char *shown, struct err *err)
{
	/* A list given on the command line replaces the default and then grows. */
	if (f->field->kind == FIELD_TEXTS && !strvec_has(&p->given, f->field->name))
		strvec_release((struct strvec *)((char *)f->obj + f->field->offset));
	if (field_set_text(f->field, f->obj, value, shown, err))
		return -1;
	strvec_add(&p->given, f->field->name);
	return 0;
}

static int take_value(struct parse *p, const struct found *f, const char *attached,
		      const char *shown, struct err *err)
{
	const char *value = attached;

	if (f->field->kind == FIELD_FLAG) {
		if (attached)
			return err_set(err, ERR_USAGE,
				       "option '%s' takes no value; '--no-%s' is its "
				       "opposite",
				       shown, f->field->name);
		return store(p, f, f->negated ? "false" : "true", shown, err);
	}
	if (!value) {
		if (p->at + 1 >= p->argc)
			return err_set(err, ERR_USAGE, "option '%s' needs a value: %s",
				       shown, f->field->help);
		value = p->argv[++p->at];
	}
	return store(p, f, value, shown, err);
}

static int parse_long(struct parse *p, const char *arg, struct err *err)
{
	const char *name = arg + 2, *equals = strchr(name, '=');
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	struct found f = {0};
	char *shown;
	int rc;

	if (find_long(p, name, len, &f, err))
		return -1;
	shown = x_asprintf("--%s%s", f.negated ? "no-" : "", f.field->name);
	rc = take_value(p, &f, equals ? equals + 1 : NULL, shown, err);
	free(shown);
	return rc;
}

static int parse_short(struct parse *p, const char *arg, struct err *err)
{
	for (const char *letter = arg + 1; *letter; letter++) {
		char shown[] = {'-', *letter, '\0'};
		struct found f = {0};
		const char *attached = NULL;

		if (find_short(p, *letter, &f, err))
			return -1;
		if (f.field->kind != FIELD_FLAG && letter[1])
			attached = letter + 1;
		if (take_value(p, &f, attached, shown, err))
			return -1;
		if (f.field->kind != FIELD_FLAG)
			break;
	}
	return 0;
}

static int parse_all(struct parse *p, struct err *err)
{
	for (p->at = 1; p->at < p->argc; p->at++) {
		const char *arg = p->argv[p->at];
		int rc = 0;

		if (strcmp(arg, "--") == 0) {
			while (++p->at < p->argc)
				strvec_add(p->rest, p->argv[p->at]);
			break;
		}
		if (strncmp(arg, "--", 2) == 0)
			rc = parse_long(p, arg, err);
		else if (arg[0] == '-' && arg[1])
			rc = parse_short(p, arg, err);
		else
			strvec_add(p->rest, arg);
		if (rc)
			return -1;
		if (p->std.help || p->std.version)
			return 0;
	}
	return 0;
}

static bool print_instead(const struct parse *p)
{
	if (p->std.help) {
		opt_print_help(p->c, stdout);
	} else if (p->std.version) {
		printf("%s %s (%s; %s)\n", p->c->name, TARE_VERSION, version_commit(),
		       version_build());
	} else if (p->std.describe == DESCRIBE_JSON) {
		struct json_object *o = opt_describe(p->c);

		fputs(json_text(o), stdout);
		putchar('\n');
		json_object_put(o);
	} else if (p->std.describe == DESCRIBE_MAN) {
		opt_print_man(p->c, stdout);
	} else if (p->std.describe == DESCRIBE_BASH) {
		opt_print_bash(p->c, stdout);
	} else {
		return false;
	}
	return true;
}

static int check_given(const struct parse *p, struct err *err)
{
	const struct opt_command *c = p->c;
	size_t nr = p->rest->nr;

	for (const struct field *f = c->fields; f && f->name; f++)
		if (f->is_required && !strvec_has(&p->given, f->name))
			return err_set(err, ERR_USAGE, "option '--%s' must be given: %s",
				       f->name, f->help);
	if (nr < (size_t)c->positional_min)
		return err_set(err, ERR_USAGE, "too few arguments; usage: %s %s", c->name,
			       c->usage);
	if (c->positional_max >= 0 && nr > (size_t)c->positional_max)
		return err_set(err, ERR_USAGE,
			       "unexpected argument '%.200s'; usage: %s %s",
			       p->rest->items[c->positional_max], c->name, c->usage);
	return 0;
}

enum opt_result opt_parse(const struct opt_command *c, int argc, char **argv, void *obj,
			  struct strvec *rest, struct err *err)
{
	struct parse p = {.c = c, .argc = argc, .argv = argv, .obj = obj, .rest = rest};
	enum opt_result result = OPT_RUN;

	if (c->fields)
		fields_init(c->fields, obj);
	if (parse_all(&p, err))
		result = OPT_ERROR;
	else if (print_instead(&p))
		result = OPT_DONE;
	else if (check_given(&p, err))
		result = OPT_ERROR;
	if (p.std.quiet)
		log_set_level(LOG_QUIET);
	else if (p.std.verbose)
		log_set_level(LOG_VERBOSE);
	strvec_release(&p.given);
	return result;
}
