#include "reports/page/page_frame.h"

#include "reports/text/html.h"
#include "reports/content/report_impl.h"

void page_head(struct buf *b, const char *title, const char *word)
{
	buf_puts(b, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
		    "<meta name=\"viewport\" "
		    "content=\"width=device-width,initial-scale=1\">\n"
		    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
		    "'none'; style-src 'unsafe-inline'\">\n<title>");
	html_textf(b, "%.100s: %s", title, word);
	buf_puts(b, "</title>\n<style>\n");
	buf_puts(b, page_style);
	buf_puts(b, "</style></head>\n<body><main>\n<header>");
}
