/*
 * Rows of option tables (struct field) for what people write of an SSH login: into a plan's
 * arm, into a list of machines. 'at' is the offset of the member in the table's own struct.
 */
#ifndef TARE_HARNESS_PROVISION_SSH_LOGIN_FIELDS_H
#define TARE_HARNESS_PROVISION_SSH_LOGIN_FIELDS_H

#include "core/options/field.h"

/* int64_t */
#define ROW_SSH_PORT(at)                                                          \
	{                                                                         \
		.name = "port", .kind = FIELD_INT, .offset = (at), .unset = "22", \
		.min = 1, .max = 65535, .help = "Its SSH port."                   \
	}

/* char *; these three */
#define ROW_SSH_USER(at)                                            \
	{                                                           \
		.name = "user", .kind = FIELD_TEXT, .offset = (at), \
		.help = "Who logs in."                              \
	}
#define ROW_SSH_KEY_FILE(at)                                                          \
	{                                                                             \
		.name = "key_file", .kind = FIELD_TEXT, .offset = (at),               \
		.help = "Private key; without it the agent and the default keys are " \
			"tried."                                                      \
	}
/* For host_key_check() (host_key.h). */
#define ROW_SSH_HOST_KEY(at)                                                         \
	{                                                                            \
		.name = "host_key_sha256", .kind = FIELD_TEXT, .offset = (at),       \
		.help = "Fingerprint of the host key, \"SHA256:...\", instead of a " \
			"known-hosts file."                                          \
	}

#endif
