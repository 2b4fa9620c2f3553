/*
 * Which machine this is, in a way that may be published: the first 16 digits of SHA-256
 * over "tare" and what the machine is called by. Two results are of one machine when one of
 * them is equal, and of one boot when 'boot' is.
 */
#include "core/machine/machine_impl.h"

#include "core/base/digest.h"
#include "core/base/mem.h"
#include "core/machine/sysfs.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What firmware says where its maker has filled in nothing. */
static const char *const fillers[] = {"",
				      "None",
				      "Default string",
				      "Not Specified",
				      "Not Available",
				      "To be filled by O.E.M.",
				      "System Serial Number",
				      "0123456789",
				      "00000000-0000-0000-0000-000000000000",
				      "03000200-0400-0500-0006-000700080009"};

static bool is_filler(const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(fillers); i++)
		if (strcasecmp(text, fillers[i]) == 0)
			return true;
	return false;
}

/* Null where nothing but "tare" is in 'b'. */
static void put_hashed(struct json_object *o, const char *key, const struct buf *b)
{
	char hex[DIGEST_SIZE];

	digest_of(b->data, b->len, hex);
	hex[16] = '\0';
	json_put_text(o, key, b->len > strlen("tare") ? hex : NULL);
}

static void put_hash_of(struct json_object *o, const char *key, const char *root,
			const char *const paths[], size_t nr)
{
	struct buf b;

	buf_init(&b, 4096);
	buf_printf(&b, "tare");
	for (size_t i = 0; i < nr; i++) {
		char *text = sysfs_text(root, "%s", paths[i]);

		if (text && !is_filler(text))
			buf_printf(&b, "%s", text);
		free(text);
	}
	put_hashed(o, key, &b);
	buf_release(&b);
}

struct json_object *machine_identity(const char *root)
{
	static const char *const machine[] = {"/etc/machine-id"};
	static const char *const boot[] = {"/proc/sys/kernel/random/boot_id"};
	/* Root alone may read them. */
	static const char *const board[] = {
		"/sys/class/dmi/id/board_serial", "/sys/class/dmi/id/product_serial",
		"/sys/class/dmi/id/product_uuid", "/proc/device-tree/serial-number"};
	struct json_object *o = json_object_new_object();

	put_hash_of(o, "machine", root, machine, ARRAY_SIZE(machine));
	put_hash_of(o, "boot", root, boot, ARRAY_SIZE(boot));
	put_hash_of(o, "board", root, board, ARRAY_SIZE(board));
	return o;
}
