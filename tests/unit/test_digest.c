#include "core/base/digest.h"

#include "core/base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* NIST's examples for FIPS 180-4: one block, two blocks, the empty message. */
static const struct {
	const char *message, *digest;
} vectors[] = {
	{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
};
/* The same source: a million times the letter 'a'. */
static const char million_a[] =
	"cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

static void published_messages_have_their_digests(void **state)
{
	char hex[DIGEST_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		digest_of(vectors[i].message, strlen(vectors[i].message), hex);
		assert_string_equal(hex, vectors[i].digest);
	}
}

static void pieces_of_any_size_add_up(void **state)
{
	static const size_t sizes[] = {1, 63, 64, 65, 1000, 65536};
	char *piece = malloc(65536);
	char hex[DIGEST_SIZE];

	(void)state;
	memset(piece, 'a', 65536);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct digest *d = digest_new();
		size_t left = 1000000;

		while (left) {
			size_t take = left < sizes[i] ? left : sizes[i];

			digest_add(d, piece, take);
			left -= take;
		}
		digest_end(d, hex);
		assert_string_equal(hex, million_a);
	}
	free(piece);
}

static void a_file_has_the_digest_of_its_bytes(void **state)
{
	struct err err = ERR_INIT;
	char hex[DIGEST_SIZE], *bytes = malloc(1000000);
	char *dir = dir_make_temporary("tare-test", &err);
	char *path = path_join(dir, "a");

	(void)state;
	memset(bytes, 'a', 1000000);
	assert_int_equal(file_write(path, bytes, 1000000, 0600, &err), 0);
	assert_int_equal(digest_of_file(path, hex, &err), 0);
	assert_string_equal(hex, million_a);
	free(bytes);
	assert_int_equal(dir_remove(dir, &err), 0);
	assert_int_equal(digest_of_file(path, hex, &err), -1);
	assert_int_equal(err.kind, ERR_ENVIRONMENT);
	assert_non_null(strstr(err.text, path));
	assert_int_equal(digest_of_file("/", hex, &err), -1); /* opens, cannot be read */
	assert_string_equal(err.text, "/: Is a directory");
	free(path);
	free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_messages_have_their_digests),
		cmocka_unit_test(pieces_of_any_size_add_up),
		cmocka_unit_test(a_file_has_the_digest_of_its_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
