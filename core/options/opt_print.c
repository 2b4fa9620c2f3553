/* What a table of options looks like: help, manual page, completion, JSON. */
#include "core/options/opt.h"

#include "core/base/mem.h"
#include "core/document/version.h"
#include "core/options/opt_standard.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static const int help_column = 26;
static const int help_width = 80;

static const struct field *visible(const struct field *f)
{
	while (f && f->name && f->is_hidden)
		f++;
	return f && f->name ? f : NULL;
}

/*
 * Breaks 'text' at blanks so that it stands in the right-hand column, where the caller
 * has printed 'indent' columns of the first line; no line ends in a blank.
 */
static void print_wrapped(const char *text, int indent, FILE *to)
{
	bool is_indented = true; /* this line has its margin */
	int column = indent;

	for (; *text; text += *text != '\0') {
		int len = (int)strcspn(text, " \n");

		if (len && column > indent && column + 1 + len > help_width) {
			fputc('\n', to);
			is_indented = false;
		} else if (len && column > indent) {
			fputc(' ', to);
			column++;
		}
		if (len && !is_indented) {
			fprintf(to, "%*s", indent, "");
			column = indent;
			is_indented = true;
		}
		fprintf(to, "%.*s", len, text);
		column += len;
		text += len;
		if (*text == '\n') {
			fputc('\n', to);
			column = indent;
			is_indented = false;
		}
	}
	fputc('\n', to);
}

static const char *arg_of(const struct field *f)
{
	static const char *const by_kind[] = {
		[FIELD_FLAG] = NULL,      [FIELD_INT] = "N",      [FIELD_REAL] = "X",
		[FIELD_SECONDS] = "TIME", [FIELD_BYTES] = "SIZE", [FIELD_TEXT] = "TEXT",
		[FIELD_CHOICE] = "NAME",  [FIELD_TEXTS] = "TEXT", [FIELD_INTS] = "N,...",
	};

	return f->arg ? f->arg : by_kind[f->kind];
}

/* A flag that is set unless its opposite is given. */
static bool is_on(const struct field *f)
{
	return f->kind == FIELD_FLAG && f->unset && strcmp(f->unset, "true") == 0;
}

static void print_help_field(const struct field *f, FILE *to)
{
	struct buf left, right;
	const char *arg = arg_of(f);

	buf_init(&left, 400);
	buf_init(&right, 4000);
	buf_printf(&left, "  %c%c%s--%s%s%s", f->letter ? '-' : ' ',
		   f->letter ? f->letter : ' ', f->letter ? ", " : "  ", f->name,
		   arg ? " " : "", arg ? arg : "");
	buf_puts(&right, f->help);
	if (f->kind == FIELD_CHOICE) {
		buf_puts(&right, " One of ");
		for (size_t i = 0; f->choices[i]; i++)
			buf_printf(&right, "%s%s", i ? ", " : "", f->choices[i]);
		buf_puts(&right, ".");
	}
	if (is_on(f))
		buf_printf(&right, " On by default; --no-%s turns it off.", f->name);
	else if (f->unset)
		buf_printf(&right, " Default: %s.", f->unset);
	if (f->is_required)
		buf_puts(&right, " Must be given.");
	if ((int)left.len + 1 >= help_column)
		fprintf(to, "%s\n%*s", left.data, help_column, "");
	else
		fprintf(to, "%-*s", help_column, left.data);
	print_wrapped(right.data, help_column, to);
	buf_release(&left);
	buf_release(&right);
}

void opt_print_help(const struct opt_command *c, FILE *to)
{
	fprintf(to, "Usage: %s %s\n\n", c->name, c->usage);
	print_wrapped(c->about ? c->about : c->summary, 0, to);
	if (visible(c->fields)) {
		fputs("\nOptions:\n", to);
		for (const struct field *f = visible(c->fields); f; f = visible(f + 1))
			print_help_field(f, to);
	}
	fputs("\nIn every command:\n", to);
	for (const struct field *f = visible(opt_standard_fields); f; f = visible(f + 1))
		print_help_field(f, to);
	for (const struct opt_text *s = c->sections; s && s->head; s++) {
		fprintf(to, "\n%s:\n", s->head);
		fputs("  ", to);
		print_wrapped(s->text, 2, to);
	}
	if (c->examples)
		fputs("\nExamples:\n", to);
	for (const struct opt_text *e = c->examples; e && e->head; e++) {
		fprintf(to, "  %s\n      ", e->head);
		print_wrapped(e->text, 6, to);
	}
}

/* The blank behind a full stop: in mdoc a sentence begins on a line of its own. */
static bool is_between_sentences(const char *text, const char *start)
{
	return *text == ' ' && text > start && strchr(".?!", text[-1]) && text[1] != ' ';
}

/* mdoc: a line must not begin with '.' or ''', and '\' is written '\e'. */
static void print_mdoc_text(const char *text, FILE *to)
{
	const char *start = text;
	bool at_start = true;

	for (; *text; text++) {
		bool next = is_between_sentences(text, start);

		if (at_start && (*text == '.' || *text == '\''))
			fputs("\\&", to);
		if (*text == '\\')
			fputs("\\e", to);
		else if (*text == '\n' && text[1] == '\n')
			fputs("\n.Pp\n", to);
		else if (*text == '\n' && at_start)
			continue;
		else if (*text == '-')
			fputs("\\-", to);
		else
			fputc(next ? '\n' : *text, to);
		at_start = *text == '\n' || next;
		while (at_start && text[1] == ' ')
			text++;
	}
	fputc('\n', to);
}

/* Macros end an argument at a blank, so an argument with blanks is quoted. */
static void print_mdoc_field(const struct field *f, FILE *to)
{
	const char *arg = arg_of(f);

	fputs(".It ", to);
	if (f->letter)
		fprintf(to, "Fl %c , ", f->letter);
	fprintf(to, "Fl \\-%s", f->name);
	if (arg)
		fprintf(to, " Ar %s", arg);
	fputc('\n', to);
	print_mdoc_text(f->help, to);
	if (f->kind == FIELD_CHOICE) {
		fputs("One of", to);
		for (size_t i = 0; f->choices[i]; i++)
			fprintf(to, "%s %s", i ? "," : "", f->choices[i]);
		fputs(".\n", to);
	}
	if (is_on(f)) {
		fprintf(to, "On by default;\n.Fl \\-no\\-%s\nturns it off.\n", f->name);
	} else if (f->unset) {
		fputs("Default:\n.Ql ", to);
		print_mdoc_text(f->unset, to);
	}
}

/* "tare run" is the page tare-run(1). */
static void page_name(const char *name, bool upper, FILE *to)
{
	for (; *name; name++)
		fputc(*name == ' ' ? '-'
		      : upper      ? toupper((unsigned char)*name)
				   : *name,
		      to);
}

static void print_man_head(const struct opt_command *c, FILE *to)
{
	fputs(".Dd November 22, 2026\n.Dt ", to);
	page_name(c->name, true, to);
	fprintf(to, " 1\n.Os tare %s\n.Sh NAME\n.Nm ", TARE_VERSION);
	page_name(c->name, false, to);
	fputs("\n.Nd ", to);
	print_mdoc_text(c->summary, to);
	fprintf(to, ".Sh SYNOPSIS\n.Nm %s\n", c->name);
	print_mdoc_text(c->usage, to);
	fputs(".Sh DESCRIPTION\n", to);
	print_mdoc_text(c->about ? c->about : c->summary, to);
}

static const char exit_status_text[] =
	".Sh EXIT STATUS\n"
	".Bl -tag -width 4n -compact\n"
	".It 0\npass: every gating metric is equivalent or improved\n"
	".It 1\ndegraded\n"
	".It 2\nwrong usage, plan or input file\n"
	".It 3\ninconclusive\n"
	".It 4\ninvalid measurement\n"
	".It 5\nthe environment failed: machine, network, driver, permission\n"
	".It 6\na bug in tare\n"
	".It 130\ninterrupted\n"
	".El\n";

static bool has_section(const struct opt_command *c, const char *head)
{
	for (const struct opt_text *s = c->sections; s && s->head; s++)
		if (strcasecmp(s->head, head) == 0)
			return true;
	return false;
}

void opt_print_man(const struct opt_command *c, FILE *to)
{
	print_man_head(c, to);
	fputs(".Sh OPTIONS\n.Bl -tag -width Ds\n", to);
	for (const struct field *f = visible(c->fields); f; f = visible(f + 1))
		print_mdoc_field(f, to);
	for (const struct field *f = visible(opt_standard_fields); f; f = visible(f + 1))
		print_mdoc_field(f, to);
	fputs(".El\n", to);
	for (const struct opt_text *s = c->sections; s && s->head; s++) {
		fputs(".Sh ", to);
		print_mdoc_text(s->head, to);
		print_mdoc_text(s->text, to);
	}
	if (!has_section(c, "EXIT STATUS"))
		fputs(exit_status_text, to);
	if (c->examples)
		fputs(".Sh EXAMPLES\n.Bl -tag -width Ds\n", to);
	for (const struct opt_text *e = c->examples; e && e->head; e++) {
		fputs(".It Li \"", to);
		for (const char *p = e->head; *p; p++)
			fputs(*p == '"'    ? "\\(dq"
			      : *p == '\\' ? "\\e"
					   : (char[]){*p, 0},
			      to);
		fputs("\"\n", to);
		print_mdoc_text(e->text, to);
	}
	if (c->examples)
		fputs(".El\n", to);
}

static void print_words(const struct opt_command *c, FILE *to)
{
	for (const struct field *f = visible(c->fields); f; f = visible(f + 1)) {
		fprintf(to, "--%s ", f->name);
		if (is_on(f))
			fprintf(to, "--no-%s ", f->name);
	}
	for (const struct field *f = visible(opt_standard_fields); f; f = visible(f + 1))
		fprintf(to, "--%s ", f->name);
}

/* "tare-gemm" completes through the function _tare_gemm. */
static void print_function_name(const char *name, FILE *to)
{
	fputc('_', to);
	for (; *name; name++)
		fputc(isalnum((unsigned char)*name) ? *name : '_', to);
}

static void print_complete(const char *name, FILE *to)
{
	fputs("complete -F ", to);
	print_function_name(name, to);
	fprintf(to, " %s\n", name);
}

void opt_print_bash(const struct opt_command *c, FILE *to)
{
	print_function_name(c->name, to);
	fputs("()\n{\n\tlocal cur=${COMP_WORDS[COMP_CWORD]} "
	      "prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	      "\tcase $prev in\n",
	      to);
	for (const struct field *f = visible(c->fields); f; f = visible(f + 1)) {
		if (f->kind != FIELD_CHOICE)
			continue;
		fprintf(to, "\t--%s) COMPREPLY=($(compgen -W '", f->name);
		for (size_t i = 0; f->choices[i]; i++)
			fprintf(to, "%s ", f->choices[i]);
		fputs("' -- \"$cur\")); return ;;\n", to);
	}
	fputs("\tesac\n\tif [[ $cur == -* ]]; then\n\t\tCOMPREPLY=($(compgen -W '", to);
	print_words(c, to);
	fputs("' -- \"$cur\"))\n\telse\n\t\t", to);
	if (c->positional_kind && strcmp(c->positional_kind, "dir") == 0)
		fputs("COMPREPLY=($(compgen -d -- \"$cur\"))\n", to);
	else
		fputs("COMPREPLY=($(compgen -f -- \"$cur\"))\n", to);
	fputs("\tfi\n}\n", to);
	if (!strchr(c->name, ' '))
		print_complete(c->name, to);
}

struct json_object *opt_describe(const struct opt_command *c)
{
	struct json_object *o = json_object_new_object();

	json_put_text(o, "name", c->name);
	json_put_text(o, "summary", c->summary);
	json_put_text(o, "usage", c->usage);
	json_put(o, "options", fields_describe(c->fields));
	return o;
}
