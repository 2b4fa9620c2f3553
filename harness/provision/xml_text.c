#include "harness/provision/xml_text.h"

#include <string.h>

/* The length of the UTF-8 sequence at 's' that XML 1.0 allows, or 0. */
static size_t xml_char(const unsigned char *s)
{
	if (s[0] < 0x20)
		return s[0] == '\t' || s[0] == '\n' || s[0] == '\r';
	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] < 0xe0)
		return (s[1] & 0xc0) == 0x80 ? 2 : 0;
	if ((s[0] & 0xf0) == 0xe0) {
		if ((s[1] & 0xc0) != 0x80 || (s[2] & 0xc0) != 0x80)
			return 0;
		if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f))
			return 0;
		return s[0] == 0xef && s[1] == 0xbf && s[2] >= 0xbe ? 0 : 3;
	}
	if (s[0] >= 0xf0 && s[0] < 0xf5) {
		if ((s[1] & 0xc0) != 0x80 || (s[2] & 0xc0) != 0x80 ||
		    (s[3] & 0xc0) != 0x80)
			return 0;
		return (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f) ? 0
										      : 4;
	}
	return 0;
}

int xml_text_add(struct buf *to, const char *text, bool is_attribute, struct err *err)
{
	static const char all[] = "&<>\r\"'\t\n";
	static const char *const names[] = {"&amp;",  "&lt;",   "&gt;", "&#13;",
					    "&quot;", "&apos;", "&#9;", "&#10;"};
	size_t of_attributes = strcspn(all, "\"");
	const char *s = text;

	for (size_t n; *s; s += n) {
		const char *at = strchr(all, *s);

		n = xml_char((const unsigned char *)s);
		if (!n)
			return err_set(
				err, ERR_USAGE,
				"byte 0x%02x at offset %td of a text cannot stand in "
				"XML: write plain UTF-8 without control characters",
				(unsigned char)*s, s - text);
		if (at && (is_attribute || (size_t)(at - all) < of_attributes))
			buf_puts(to, names[at - all]);
		else
			buf_add(to, s, n);
	}
	return 0;
}
