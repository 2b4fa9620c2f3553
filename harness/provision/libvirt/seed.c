#include "harness/provision/libvirt/seed.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/document/json.h"
#include "core/base/mem.h"
#include "core/base/proc.h"

#include <stdlib.h>
#include <string.h>

#define TOOL_TIME (60 * NS_PER_S)
#define TOOL_OUTPUT_MAX ((size_t)65536)
#define KEY_FILE_MAX ((size_t)16384)

enum { HOST_NAME_LEN_MAX = 63 };

static int run_tool(const char *const *argv, const char *dir, struct buf *ret_out,
		    struct err *err)
{
	struct proc_spec spec = {
		.argv = argv,
		.dir = dir,
		.timeout_ns = TOOL_TIME,
		.output_max = TOOL_OUTPUT_MAX,
	};
	struct proc_outcome outcome;

	if (proc_run_ok(&spec, &outcome, err))
		return -1;
	if (ret_out) {
		*ret_out = outcome.out;
		buf_init(&outcome.out, 0);
	}
	proc_outcome_release(&outcome);
	return 0;
}

static int make_key(const char *dir, const char *name, const char *comment,
		    struct err *err)
{
	const char *const argv[] = {"ssh-keygen", "-q",    "-t", "ed25519", "-N", "",
				    "-C",         comment, "-f", name,      NULL};

	return run_tool(argv, dir, NULL, err);
}

/* ssh-keygen -l prints "256 SHA256:... comment (ED25519)". */
static char *fingerprint(const char *dir, const char *public_key, struct err *err)
{
	const char *const argv[] = {"ssh-keygen", "-l",       "-E", "sha256",
				    "-f",         public_key, NULL};
	struct buf out;
	char *text = NULL;
	const char *at;

	if (run_tool(argv, dir, &out, err))
		return NULL;
	at = strstr(out.data, "SHA256:");
	if (at)
		text = x_strndup(at, strcspn(at, " \n"));
	else
		err_set(err, ERR_ENVIRONMENT,
			"ssh-keygen -l gave no SHA256 fingerprint of %s/%s", dir,
			public_key);
	buf_release(&out);
	return text;
}

static struct json_object *list_of(struct json_object *one)
{
	struct json_object *list = json_object_new_array();

	json_object_array_add(list, one);
	return list;
}

static struct json_object *new_user(const char *name, const char *key)
{
	struct json_object *o = json_object_new_object();

	json_put_text(o, "name", name);
	json_put_text(o, "shell", "/bin/bash");
	json_put_text(o, "sudo", "ALL=(ALL) NOPASSWD:ALL");
	json_put(o, "ssh_authorized_keys", list_of(json_new_text(key)));
	return o;
}

char *seed_user_data(const char *user, const char *host_private, const char *host_public,
		     const char *login_public)
{
	struct json_object *o = json_object_new_object();
	struct json_object *keys = json_object_new_object();
	char *key = x_strndup(login_public, strcspn(login_public, "\n"));
	char *text;

	json_put_text(keys, "ed25519_private", host_private);
	json_put_text(keys, "ed25519_public", host_public);
	json_put(o, "ssh_keys", keys);
	json_put_bool(o, "ssh_deletekeys", true);
	json_put_bool(o, "ssh_pwauth", false);
	/* Cloud images forbid root's login unless told otherwise. */
	json_put_bool(o, "disable_root", strcmp(user, "root") != 0);
	json_put(o, "ssh_authorized_keys", list_of(json_new_text(key)));
	if (strcmp(user, "root") != 0)
		json_put(o, "users", list_of(new_user(user, key)));
	text = x_asprintf("#cloud-config\n%s", json_text(o));
	json_object_put(o);
	free(key);
	return text;
}

char *seed_meta_data(const char *name)
{
	struct json_object *o = json_object_new_object();
	char *host = x_strndup(name, HOST_NAME_LEN_MAX), *text;

	/* RFC 1123: letters, digits and '-', and the last one is not a '-'. */
	for (char *c = host; *c; c++)
		if (*c == '.' || *c == '_')
			*c = '-';
	for (size_t len = strlen(host); len && host[len - 1] == '-'; len--)
		host[len - 1] = 0;
	json_put_text(o, "instance-id", name);
	json_put_text(o, "local-hostname", host);
	text = x_strdup(json_text(o));
	json_object_put(o);
	free(host);
	return text;
}

static int read_key(const char *dir, const char *name, struct buf *ret, struct err *err)
{
	char *path = path_join(dir, name);
	int rc = file_read(path, KEY_FILE_MAX, ret, err);

	free(path);
	return rc;
}

static int write_text(const char *dir, const char *name, const char *text,
		      struct err *err)
{
	char *path = path_join(dir, name);
	int rc = file_write(path, text, strlen(text), 0600, err);

	free(path);
	return rc;
}

static int write_documents(const char *dir, const char *name, const char *user,
			   struct err *err)
{
	struct buf host = {0}, host_public = {0}, login = {0};
	char *user_data = NULL, *meta_data = seed_meta_data(name);
	int rc = -1;

	if (read_key(dir, "host_key", &host, err) == 0 &&
	    read_key(dir, "host_key.pub", &host_public, err) == 0 &&
	    read_key(dir, "id.pub", &login, err) == 0) {
		user_data = seed_user_data(user, host.data, host_public.data, login.data);
		rc = write_text(dir, "user-data", user_data, err);
		if (!rc)
			rc = write_text(dir, "meta-data", meta_data, err);
		explicit_bzero(user_data, strlen(user_data));
	}
	if (host.data)
		explicit_bzero(host.data, host.len);
	buf_release(&host);
	buf_release(&host_public);
	buf_release(&login);
	free(user_data);
	free(meta_data);
	return rc;
}

int seed_make(struct seed *ret, const char *dir, const char *name, const char *user,
	      struct err *err)
{
	static const char *const volume[] = {"xorrisofs", "-quiet",    "-o", "seed.iso",
					     "-V",        "cidata",    "-J", "-r",
					     "user-data", "meta-data", NULL};

	*ret = (struct seed){0};
	if (make_key(dir, "host_key", name, err) || make_key(dir, "id", name, err) ||
	    write_documents(dir, name, user, err) || run_tool(volume, dir, NULL, err))
		return err_wrap(err, "make the keys of the machine");
	ret->host_key_sha256 = fingerprint(dir, "host_key.pub", err);
	if (!ret->host_key_sha256)
		return -1;
	ret->volume = path_join(dir, "seed.iso");
	ret->key_file = path_join(dir, "id");
	return 0;
}

void seed_release(struct seed *s)
{
	free(s->volume);
	free(s->key_file);
	free(s->host_key_sha256);
	*s = (struct seed){0};
}
