#include "harness/provision/host_key.h"

#include <stddef.h>
#include <string.h>

int host_key_check(const char *text, const char *file, const char *where, struct err *err)
{
	static const char prefix[] = "SHA256:";
	static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *digest = text;
	size_t len;

	if (!text)
		return 0;
	if (strncmp(digest, prefix, sizeof(prefix) - 1) == 0)
		digest += sizeof(prefix) - 1;
	len = strspn(digest, base64);
	if (len == 43 && !digest[len + (digest[len] == '=')])
		return 0;
	return err_set(
		err, ERR_USAGE,
		"%s: %s/host_key_sha256: '%.80s' is no SHA-256 fingerprint; on that "
		"machine 'ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub' prints "
		"it, 43 characters behind SHA256:",
		file, where, text);
}
