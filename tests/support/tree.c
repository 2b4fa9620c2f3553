#include "tests/support/tree.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/machine/sysfs.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *below(const char *root, const char *path)
{
	struct err err = ERR_INIT;
	char *whole = x_asprintf("%s%s", root, path);
	char *dir = x_strndup(whole, (size_t)(strrchr(whole, '/') - whole));

	if (dir_make(dir, 0755, &err))
		fail_msg("%s", err.text);
	free(dir);
	return whole;
}

void tree_put(const char *root, const char *path, const char *text)
{
	struct err err = ERR_INIT;
	char *whole = below(root, path);

	if (file_write(whole, text, strlen(text), 0644, &err))
		fail_msg("%s", err.text);
	free(whole);
}

void tree_link(const char *root, const char *path, const char *target)
{
	char *whole = below(root, path);

	(void)unlink(whole);
	if (symlink(target, whole))
		fail_msg("symlink %s", whole);
	free(whole);
}

char *tree_get(const char *root, const char *path)
{
	return sysfs_text(root, "%s", path);
}

/* Lines up to END as one text; *next moves behind it. */
static char *take_lines(char **next)
{
	struct buf b;
	char *text, *line;

	buf_init(&b, BUF_UNBOUNDED);
	while ((line = strsep(next, "\n")) && strcmp(line, "END") != 0)
		buf_printf(&b, "%s\n", line);
	text = buf_detach(&b);
	buf_release(&b);
	return text;
}

static void take_entry(const char *root, char *line, char **next)
{
	char *value = strchr(line, ' '), *text = NULL;

	if (!value) {
		free(below(root, line)); /* ends with '/': the folder itself */
		return;
	}
	*value++ = '\0';
	if (strncmp(value, "-> ", 3) == 0) {
		tree_link(root, line, value + 3);
		return;
	}
	if (strcmp(value, "<<END") == 0)
		text = take_lines(next);
	else if (strncmp(value, "= ", 2) == 0 || strcmp(value, "=") == 0)
		text = x_asprintf("%s\n", value[1] ? value + 2 : "");
	else
		fail_msg("recorded machine: '%s %s' is not an entry", line, value);
	tree_put(root, line, text);
	free(text);
}

char *tree_make(const char *file)
{
	struct err err = ERR_INIT;
	struct buf text;
	char *root = dir_make_temporary("tare-tree", &err), *next, *line;

	if (!root || file_read(file, (size_t)1 << 20, &text, &err))
		fail_msg("%s", err.text);
	next = text.data;
	while ((line = strsep(&next, "\n"))) {
		if (line[0] == '/')
			take_entry(root, line, &next);
		else if (line[0] && line[0] != '#')
			fail_msg("%s: '%s' is not an entry", file, line);
	}
	buf_release(&text);
	return root;
}

void tree_remove(char *root)
{
	(void)dir_remove(root, NULL);
	free(root);
}
