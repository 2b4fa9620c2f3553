/*
 * A command line and a plan's object against one table of every kind of field. What JSON
 * set, JSON gives back the same.
 */
#include "core/options/opt.h"

#include "core/base/mem.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct thing {
	bool flag;
	int64_t n, size, wait_ns;
	double part;
	char *text;
	int colour;
	struct strvec names;
	struct int_list counts;
};

static const char *const colours[] = {"red", "green", NULL};

#define AT(member) .offset = offsetof(struct thing, member), .help = ""

static const struct field fields[] = {
	{.name = "flag", .kind = FIELD_FLAG, .letter = 'f', AT(flag)},
	{.name = "n", .kind = FIELD_INT, .letter = 'n', AT(n), .min = 1, .max = 1e9},
	{.name = "block-size", .kind = FIELD_BYTES, AT(size)},
	{.name = "wait", .kind = FIELD_SECONDS, AT(wait_ns)},
	{.name = "part", .kind = FIELD_REAL, AT(part)},
	{.name = "text", .kind = FIELD_TEXT, .letter = 't', AT(text)},
	{.name = "colour", .kind = FIELD_CHOICE, AT(colour), .choices = colours},
	{.name = "name", .kind = FIELD_TEXTS, AT(names)},
	{.name = "counts", .kind = FIELD_INTS, AT(counts), .min = -5, .max = 1e6},
	{0},
};

static const struct opt_command command = {
	.name = "fuzz",
	.usage = "",
	.summary = "",
	.fields = fields,
	.positional_max = -1,
};

static bool is_printing(const struct strvec *argv)
{
	for (size_t i = 0; i < argv->nr; i++)
		if (strncmp(argv->items[i], "--h", 3) == 0 ||
		    strncmp(argv->items[i], "--v", 3) == 0 ||
		    strncmp(argv->items[i], "--d", 3) == 0 ||
		    (argv->items[i][0] == '-' && argv->items[i][1] != '-' &&
		     strchr(argv->items[i], 'h')))
			return true;
	return false;
}

/* Arguments are separated by line ends. */
static void try_command_line(const char *text)
{
	struct strvec argv = {0}, rest = {0};
	struct thing t;
	struct err err = ERR_INIT;
	char *copy = x_strdup(text), *save = NULL;

	strvec_add(&argv, "fuzz");
	for (char *w = strtok_r(copy, "\n", &save); w; w = strtok_r(NULL, "\n", &save))
		strvec_add(&argv, w);
	if (!is_printing(&argv)) {
		if (opt_parse(&command, (int)argv.nr, argv.items, &t, &rest, &err) ==
			    OPT_ERROR &&
		    err.kind != ERR_USAGE)
			abort();
		fields_release(fields, &t);
	}
	strvec_release(&rest);
	strvec_release(&argv);
	free(copy);
}

static void try_object(const char *text, size_t len)
{
	struct err err = ERR_INIT;
	struct json_object *o = json_parse(text, len, "fuzz", &err), *a, *b;
	struct thing t, u;

	if (!o)
		return;
	fields_init(fields, &t);
	fields_init(fields, &u);
	if (fields_bind_json(fields, &t, o, "fuzz", "", NULL, &err) == 0) {
		a = fields_to_json(fields, &t);
		/* A value inside a member's bounds is inside them again. */
		if (t.n && fields_bind_json(fields, &u, a, "again", "", NULL, &err))
			abort();
		b = fields_to_json(fields, &u);
		if (t.n && strcmp(json_line(a), json_line(b)) != 0)
			abort();
		json_object_put(a);
		json_object_put(b);
	}
	fields_release(fields, &t);
	fields_release(fields, &u);
	json_object_put(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = x_strndup((const char *)data, size);

	if (text[0] == '{')
		try_object(text, strlen(text));
	else
		try_command_line(text);
	free(text);
	return 0;
}
