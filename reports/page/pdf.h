/*
 * A page as a PDF, printed by a browser that is there (Chromium, Chrome): a program started
 * by its argument vector, without a profile of the user's and without the network. pdf.c is
 * its only door.
 */
#ifndef TARE_REPORTS_PAGE_PDF_H
#define TARE_REPORTS_PAGE_PDF_H

#include "core/base/err.h"

/*
 * Prints 'page' (a file, HTML) to 'pdf', which is replaced whole or not at all. The tables
 * below plots are unfolded. ERR_ENVIRONMENT, with what to install, where there is no
 * browser.
 */
int pdf_print(const char *page, const char *pdf, struct err *err);

#endif
