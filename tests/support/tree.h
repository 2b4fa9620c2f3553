/*
 * A recorded machine: a text file that becomes a folder with proc/, sys/ and etc/ in it,
 * which core/machine/sysfs.h reads through its root.
 *
 *	# a remark
 *	/path = text                a file with that text and a newline
 *	/path -> target             a symbolic link
 *	/path <<END ... END         a file of several lines
 *	/path/                      an empty folder
 */
#ifndef TARE_TESTS_SUPPORT_TREE_H
#define TARE_TESTS_SUPPORT_TREE_H

/* The new folder; free() and tree_remove(). Fails the test on a mistake in the file. */
char *tree_make(const char *file);
void tree_remove(char *root); /* frees it too */

/* One file below the root, made with its folders; what was there is replaced. */
void tree_put(const char *root, const char *path, const char *text);
void tree_link(const char *root, const char *path, const char *target);
/* Without the newline behind it; free(). NULL when it is not there. */
char *tree_get(const char *root, const char *path);

#endif
