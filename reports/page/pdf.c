#include "reports/page/pdf.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/base/proc.h"
#include "core/base/strvec.h"

enum { page_max = 64 << 20, pdf_max = 256 << 20 };

static const char *const browsers[] = {"chromium", "chromium-browser", "google-chrome",
				       "google-chrome-stable"};

static bool is_in_path(const char *name)
{
	const char *path = getenv("PATH");
	char *copy = x_strdup(path ? path : "/usr/bin:/bin"), *save = NULL;
	bool is_there = false;

	for (char *dir = strtok_r(copy, ":", &save); dir && !is_there;
	     dir = strtok_r(NULL, ":", &save)) {
		char *file = path_join(dir, name);

		is_there = access(file, X_OK) == 0;
		free(file);
	}
	free(copy);
	return is_there;
}

static const char *find_browser(struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(browsers); i++)
		if (is_in_path(browsers[i]))
			return browsers[i];
	err_set(err, ERR_ENVIRONMENT,
		"no browser to print a PDF with: install Chromium (Debian: chromium), or "
		"open the page in any browser and print it there");
	return NULL;
}

/* Only what RFC 3986 lets stand in a path is left as it is. */
static char *file_url(const char *path)
{
	static const char hex[] = "0123456789ABCDEF";
	struct buf b;

	buf_init(&b, BUF_UNBOUNDED);
	buf_puts(&b, "file://");
	for (; *path; path++) {
		unsigned char c = (unsigned char)*path;
		const char escape[] = {'%', hex[c >> 4], hex[c & 15]};
		bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
				(c >= '0' && c <= '9') || strchr("/-._~", c);

		buf_add(&b, is_plain ? path : escape, is_plain ? 1 : sizeof(escape));
	}
	return buf_detach(&b);
}

/* On paper nothing unfolds. */
static int copy_unfolded(const char *page, const char *to, struct err *err)
{
	static const char folded[] = "<details class=\"figures\">";
	struct buf from, b;
	const char *s, *next;
	int rc;

	if (file_read(page, page_max, &from, err))
		return -1;
	buf_init(&b, BUF_UNBOUNDED);
	for (s = from.data; (next = strstr(s, folded)); s = next + strlen(folded)) {
		buf_add(&b, s, (size_t)(next - s));
		buf_puts(&b, "<details open>");
	}
	buf_puts(&b, s);
	rc = file_write(to, b.data, b.len, 0600, err);
	buf_release(&from);
	buf_release(&b);
	return rc;
}

static int run_browser(const char *browser, const char *dir, const char *page,
		       const char *pdf, struct err *err)
{
	char *url = file_url(page);
	struct proc_spec spec = {
		.dir = dir, .timeout_ns = 120 * NS_PER_S, .output_max = 8192};
	struct strvec argv = {0};
	struct proc_outcome out;
	int rc;

	strvec_add(&argv, browser);
	strvec_add(&argv, "--headless");
	strvec_add(&argv, "--disable-gpu");
	strvec_add(&argv, "--no-first-run");
	strvec_add(&argv, "--disable-extensions");
	strvec_add(&argv, "--disable-background-networking");
	/* Its sandbox refuses to be root's; what it opens is a file of ours without scripts. */
	if (geteuid() == 0)
		strvec_add(&argv, "--no-sandbox");
	strvec_addf(&argv, "--user-data-dir=%s/profile", dir);
	strvec_add(&argv, "--no-pdf-header-footer");
	strvec_addf(&argv, "--print-to-pdf=%s", pdf);
	strvec_add(&argv, url);
	spec.argv = strvec_argv(&argv);
	rc = proc_run_ok(&spec, &out, err);
	if (!rc)
		proc_outcome_release(&out);
	strvec_release(&argv);
	free(url);
	return rc;
}

/* Some browsers end well without having printed. */
static int take_pdf(const char *from, const char *to, struct err *err)
{
	struct buf b;
	int rc;

	if (!file_exists(from))
		return err_set(err, ERR_ENVIRONMENT, "the browser printed nothing");
	if (file_read(from, pdf_max, &b, err))
		return -1;
	if (b.len < 5 || memcmp(b.data, "%PDF-", 5) != 0)
		rc = err_set(err, ERR_ENVIRONMENT, "what the browser wrote is no PDF");
	else
		rc = file_write(to, b.data, b.len, 0644, err);
	buf_release(&b);
	return rc;
}

int pdf_print(const char *page, const char *pdf, struct err *err)
{
	const char *browser = find_browser(err);
	char *dir = browser ? dir_make_temporary("tare-pdf", err) : NULL;
	char *copy, *printed;
	int rc;

	if (!dir)
		return -1;
	copy = path_join(dir, "page.html");
	printed = path_join(dir, "page.pdf");
	rc = copy_unfolded(page, copy, err);
	if (!rc)
		rc = run_browser(browser, dir, copy, printed, err);
	if (!rc)
		rc = take_pdf(printed, pdf, err);
	dir_remove(dir, NULL);
	free(copy);
	free(printed);
	free(dir);
	return rc;
}
