#include "inference/http/transport.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/stop.h"
#include "inference/http/transport_impl.h"

static char *url_part(CURLU *u, CURLUPart part, unsigned flags)
{
	char *text = NULL, *copy;

	if (curl_url_get(u, part, &text, flags))
		return NULL;
	copy = x_strdup(text);
	curl_free(text);
	return copy;
}

/* "/v1" and slashes at the end are ours to add: people paste either form. */
static void cut_path(char *path)
{
	size_t len = strlen(path);

	while (len && path[len - 1] == '/')
		path[--len] = '\0';
	if (len >= 3 && !strcmp(path + len - 3, "/v1"))
		path[len - 3] = '\0';
}

/* NULL: nothing. A user may come with a password, so that URL is not repeated. */
static const char *fault_of(CURLU *u, CURLUcode code)
{
	char *scheme, *user, *query;
	const char *fault = NULL;

	if (code)
		return code == CURLUE_BAD_SCHEME || code == CURLUE_UNSUPPORTED_SCHEME
			       ? "it must begin with http:// or https://"
			       : curl_url_strerror(code);
	scheme = url_part(u, CURLUPART_SCHEME, 0);
	user = url_part(u, CURLUPART_USER, 0);
	query = url_part(u, CURLUPART_QUERY, 0);
	if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
		fault = "it must begin with http:// or https://";
	else if (user)
		fault = "a user cannot be in it (--api-key-env, --api-key-file)";
	else if (query)
		fault = "a query cannot be in it";
	free(scheme), free(user), free(query);
	return fault;
}

static int split(CURLU *u, const char *url, struct url_parts *ret, struct err *err)
{
	char *scheme, *host, *port;
	const char *fault = fault_of(u, curl_url_set(u, CURLUPART_URL, url, 0));

	if (fault)
		return err_set(err, ERR_USAGE,
			       "--target '%s': is no URL like http://127.0.0.1:8000: %s",
			       strchr(url, '@') ? "..." : url, fault);
	scheme = url_part(u, CURLUPART_SCHEME, 0);
	host = url_part(u, CURLUPART_HOST, 0);
	port = url_part(u, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	ret->base = url_part(u, CURLUPART_PATH, 0);
	ret->is_tls = !strcmp(scheme, "https");
	ret->authority = x_asprintf("%s:%s", host, port);
	ret->origin = x_asprintf("%s://%s:%s", scheme, host, port);
	cut_path(ret->base);
	free(scheme), free(host), free(port);
	return 0;
}

int url_split(const char *url, struct url_parts *ret, struct err *err)
{
	CURLU *u = curl_url();
	int rc;

	*ret = (struct url_parts){.is_tls = false};
	rc = split(u, url, ret, err);
	curl_url_cleanup(u);
	return rc;
}

void url_parts_release(struct url_parts *p)
{
	free(p->authority);
	free(p->base);
	free(p->origin);
	*p = (struct url_parts){.is_tls = false};
}

void transport_redact(const struct transport *t, char *text, size_t len)
{
	size_t key = t->bearer ? strlen(t->bearer) : 0;

	for (size_t at = 0; key && at < len; at++) {
		size_t n = len - at < key ? len - at : key;

		if (!memcmp(text + at, t->bearer, n))
			memset(text + at, '*', n);
	}
}

static size_t on_body(char *bytes, size_t size, size_t nr, void *ctx)
{
	return buf_add(ctx, bytes, size * nr) ? size * nr : 0;
}

static struct curl_slist *headers(const struct transport *t, const struct fetch *f)
{
	struct curl_slist *list = NULL;

	if (f->body)
		list = curl_slist_append(list, "Content-Type: application/json");
	list = curl_slist_append(list, "Expect:");
	if (t->bearer) {
		char *line = x_asprintf("Authorization: Bearer %s", t->bearer);

		list = curl_slist_append(list, line);
		explicit_bzero(line, strlen(line));
		free(line);
	}
	return list;
}

/* libcurl's own words, which say what is wrong with a certificate, and what helps. */
static int fetch_failed(const struct fetch *f, const char *url, CURLcode code,
			const char *words, struct err *err)
{
	bool is_untrusted =
		code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_ISSUER_ERROR;

	if (code == CURLE_ABORTED_BY_CALLBACK)
		return err_set(err, ERR_INTERRUPTED, "interrupted");
	return err_set_code(err, ERR_ENVIRONMENT, "curl", code, "%s %s: %s%s", f->method,
			    url, *words ? words : curl_easy_strerror(code),
			    is_untrusted ? "; --ca-file names the authority to trust, "
					   "--insecure believes whoever answers"
					 : "");
}

static int on_progress(void *ctx, curl_off_t down_total, curl_off_t down,
		       curl_off_t up_total, curl_off_t up)
{
	(void)ctx, (void)down_total, (void)down, (void)up_total, (void)up;
	return stop_requested();
}

int transport_fetch(const struct transport *t, const struct fetch *f, struct buf *ret,
		    int *ret_status, struct err *err)
{
	char words[CURL_ERROR_SIZE] = "";
	CURL *easy = curl_easy_init();
	char *url = x_asprintf("%s%s", t->url, f->path);
	struct curl_slist *list = headers(t, f);
	long status = 0;
	CURLcode code;

	buf_init(ret, f->max);
	*ret_status = 0;
	curl_easy_setopt(easy, CURLOPT_URL, url);
	transport_set_common(easy, t);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, f->method);
	if (f->body) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
				 (curl_off_t)f->body_len);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, f->body);
	}
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(f->timeout_ns / NS_PER_MS));
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, ret);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, words);
	curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
	code = curl_easy_perform(easy);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	curl_slist_free_all(list);
	curl_easy_cleanup(easy);
	*ret_status = (int)status;
	transport_redact(t, ret->data, ret->len);
	if (code)
		fetch_failed(f, url, code, ret->dropped ? "the reply is too long" : words,
			     err);
	free(url);
	return code ? -1 : 0;
}
