/* Texts inside XML (https://www.w3.org/TR/xml/), for whoever writes a document. */
#ifndef TARE_HARNESS_PROVISION_XML_TEXT_H
#define TARE_HARNESS_PROVISION_XML_TEXT_H

#include "core/base/buf.h"
#include "core/base/err.h"

#include <stdbool.h>

/*
 * Adds 'text' so that it reads back the same from an element, or from an attribute, whose
 * quotes, tabs and line feeds are escaped too. -1 (ERR_USAGE)
 * for what XML 1.0 cannot hold: bytes that are not UTF-8, and control characters. *err does
 * not quote the text, for it may be a secret.
 */
int xml_text_add(struct buf *to, const char *text, bool is_attribute, struct err *err);

#endif
