/* The database behind reports/history/history.h, for the history_*.c files; the door to SQLite. */
#ifndef TARE_REPORTS_HISTORY_HISTORY_IMPL_H
#define TARE_REPORTS_HISTORY_HISTORY_IMPL_H

#include "reports/history/history.h"

#include <sqlite3.h>

struct history {
	sqlite3 *db;
	char *path;
};

/* ERR_USAGE for a file that is no database, else ERR_ENVIRONMENT, in SQLite's words. */
int history_fail(struct history *h, const char *doing, struct err *err);
int history_exec(struct history *h, const char *sql, const char *doing, struct err *err);
/* NULL with err filled; sqlite3_finalize() it. */
sqlite3_stmt *history_prepare(struct history *h, const char *sql, struct err *err);
/* Binds a text; NULL stays NULL. */
void history_bind(sqlite3_stmt *st, int at, const char *text);
/* A text column, "" for NULL; good until the next step. */
const char *history_text(sqlite3_stmt *st, int at);

/* Finds the change points of gating series that were added to, and keeps them. */
int history_look(struct history *h, struct err *err);

#endif
