/*
 * The revision of a model on this machine. The cache's layout is huggingface_hub's: refs/
 * hold commits, snapshots/ the files of each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/mem.h"
#include "inference/serve/model_revision.h"

#define MAIN_COMMIT "905a4b602cda5c501f1b3a2650a4152680238254"
#define OTHER_COMMIT "40c1015d9a1a0b1c2f63d1b7c1dbe1ac0c9c4e57"

static char *place;
static struct strvec environment;

static void put(const char *path, const char *text)
{
	char *full = path_join(place, path), *dir = x_strdup(full);

	*strrchr(dir, '/') = '\0';
	assert_int_equal(dir_make(dir, 0755, NULL), 0);
	assert_int_equal(file_write(full, text, strlen(text), 0644, NULL), 0);
	free(full);
	free(dir);
}

static int make_place(void **state)
{
	(void)state;
	place = dir_make_temporary("test-revision", NULL);
	strvec_addf(&environment, "HF_HOME=%s", place);
	put("hub/models--facebook--opt/refs/main", MAIN_COMMIT);
	put("hub/models--facebook--opt/refs/v2", OTHER_COMMIT "\n");
	put("hub/models--facebook--opt/snapshots/" OTHER_COMMIT "/config.json", "{}");
	put("hub/models--facebook--bad/refs/main", "not a commit");
	put("own/config.json", "{\"layers\": 4}");
	put("own/model.safetensors", "weights");
	return 0;
}

static int remove_place(void **state)
{
	(void)state;
	dir_remove(place, NULL);
	strvec_release(&environment);
	free(place);
	return 0;
}

static void expect(const char *model, const char *wanted, const char *want)
{
	char *got = model_revision(model, wanted, &environment);

	if (!want)
		assert_null(got);
	else
		assert_string_equal(got, want);
	free(got);
}

static void a_name_is_the_cached_commit(void **state)
{
	(void)state;
	expect("facebook/opt", NULL, MAIN_COMMIT);
	expect("facebook/opt", "v2", OTHER_COMMIT);
	expect("facebook/opt", OTHER_COMMIT, OTHER_COMMIT);
	expect("facebook/opt", "v3", NULL);
	expect("facebook/other", NULL, NULL);
	expect("facebook/bad", NULL, NULL);
	expect("../hub/x", NULL, NULL);
	expect("facebook/opt", "../../x", NULL);
	expect("", NULL, NULL);
	expect(NULL, NULL, NULL);
}

static void a_folder_is_its_snapshot_or_its_files(void **state)
{
	char *snapshot =
		path_join(place, "hub/models--facebook--opt/snapshots/" OTHER_COMMIT);
	char *own = path_join(place, "own"), *before, *after;

	(void)state;
	expect(snapshot, NULL, OTHER_COMMIT);
	before = model_revision(own, NULL, &environment);
	assert_int_equal(strncmp(before, "files:", 6), 0);
	expect(own, NULL, before);
	put("own/model.safetensors", "other weights");
	after = model_revision(own, NULL, &environment);
	assert_string_not_equal(before, after);
	free(before);
	put("own/config.json", "{\"layers\": 5}");
	before = model_revision(own, NULL, &environment);
	assert_string_not_equal(before, after);
	free(before);
	free(after);
	free(snapshot);
	free(own);
}

static void an_argument_is_found_in_both_forms(void **state)
{
	struct strvec argv = {0};

	(void)state;
	strvec_add_all(&argv, (const char *const[]){"--seed", "1", "--revision=v2",
						    "--revisions", "x", "--last", NULL});
	assert_string_equal(argument_value(&argv, "--revision"), "v2");
	assert_string_equal(argument_value(&argv, "--seed"), "1");
	assert_null(argument_value(&argv, "--last"));
	assert_null(argument_value(&argv, "--none"));
	strvec_release(&argv);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_the_cached_commit),
		cmocka_unit_test(a_folder_is_its_snapshot_or_its_files),
		cmocka_unit_test(an_argument_is_found_in_both_forms),
	};

	return cmocka_run_group_tests(tests, make_place, remove_place);
}
