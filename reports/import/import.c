#include "reports/import/import.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/mem.h"
#include "reports/import/import_bandwidth.h"
#include "reports/import/import_load.h"

static const struct import_format *const formats[] = {&import_guidellm, &import_vllm,
						      &import_nvbandwidth, &import_nccl};

static const struct import_format *recognise(struct json_object *o)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (formats[i]->matches(o))
			return formats[i];
	return NULL;
}

const char *import_recognise(struct json_object *o)
{
	const struct import_format *f = recognise(o);

	return f ? f->name : NULL;
}

int import_json(struct result_set *s, struct json_object *o, const char *path,
		struct err *err)
{
	const struct import_format *f = recognise(o);
	size_t before = s->nr;

	if (!f)
		return err_set(err, ERR_USAGE,
			       "%s: neither a result nor a report that tare "
			       "reads",
			       path);
	if (f->read(s, o, path, err))
		return err_wrap(err, "%s (%s)", path, f->name);
	if (s->nr == before)
		return err_set(err, ERR_USAGE, "%s: a report of %s without figures", path,
			       f->name);
	return 0;
}

/* More than one line, each of them a whole object: nothing else is meant by that. */
static bool is_lines(const char *text)
{
	size_t objects = 0;

	while (*text) {
		size_t len = strcspn(text, "\n"), end = len;

		while (end && strchr(" \t\r", text[end - 1]))
			end--;
		if (end && (text[0] != '{' || text[end - 1] != '}'))
			return false;
		objects += end > 0;
		text += len + (text[len] == '\n');
	}
	return objects > 1;
}

static int import_line(struct result_set *s, const char *line, const char *path,
		       size_t number, struct err *err)
{
	char *where = x_asprintf("%s:%zu", path, number);
	struct json_object *o = json_parse(line, strlen(line), where, err);
	int rc = -1;

	if (o)
		rc = import_json(s, o, where, err);
	json_object_put(o);
	free(where);
	return rc;
}

int import_lines(struct result_set *s, const char *path, bool *ret_is_lines,
		 struct err *err)
{
	struct buf b;
	char *rest, *line;
	size_t number = 0;
	int rc = file_read(path, JSON_FILE_MAX, &b, err);

	*ret_is_lines = !rc && is_lines(b.data);
	rest = *ret_is_lines ? b.data : NULL;
	while (!rc && (line = strsep(&rest, "\n"))) {
		number++;
		if (line[strspn(line, " \t\r")])
			rc = import_line(s, line, path, number, err);
	}
	buf_release(&b);
	return rc;
}

/* One line of CSV without quotes, in place: up to 'max' cells, blanks around them cut. */
static size_t csv_cells(char *line, char **cells, size_t max)
{
	char *save = line, *cell;
	size_t nr = 0;

	while (nr < max && (cell = strsep(&save, ","))) {
		size_t len;

		cell += strspn(cell, " \t\"");
		len = strlen(cell);
		while (len && strchr(" \t\r\"", cell[len - 1]))
			cell[--len] = '\0';
		cells[nr++] = cell;
	}
	return nr;
}

enum csv_column { CSV_METRIC, CSV_VALUE, CSV_UNIT, CSV_BETTER, CSV_COLUMNS };
static const char *const csv_names[] = {"metric", "value", "unit", "better"};

struct csv_metric {
	char *name, *unit;
	enum metric_better better;
	double *values;
	size_t nr, alloc;
};

struct csv_file {
	int columns[CSV_COLUMNS]; /* where each is; -1: not there */
	size_t cells;             /* of the first line */
	struct csv_metric *items;
	size_t nr, alloc;
};

static int csv_header(struct csv_file *f, char *line, const char *path, struct err *err)
{
	char *cells[16];
	size_t nr = csv_cells(line, cells, ARRAY_SIZE(cells));

	f->cells = nr;
	for (int c = 0; c < CSV_COLUMNS; c++) {
		f->columns[c] = -1;
		for (size_t i = 0; i < nr; i++)
			if (strcasecmp(cells[i], csv_names[c]) == 0)
				f->columns[c] = (int)i;
	}
	if (f->columns[CSV_METRIC] >= 0 && f->columns[CSV_VALUE] >= 0)
		return 0;
	return err_set(
		err, ERR_USAGE,
		"%s:1: the first line must name the columns 'metric' and 'value' (and "
		"may name 'unit' and 'better')",
		path);
}

static const char *csv_cell(const struct csv_file *f, enum csv_column c, char **cells,
			    size_t nr, const char *fallback)
{
	int at = f->columns[c];

	return at >= 0 && (size_t)at < nr && *cells[at] ? cells[at] : fallback;
}

static bool csv_better(const char *text, enum metric_better *ret)
{
	static const char *const names[] = {[METRIC_HIGHER] = "higher",
					    [METRIC_LOWER] = "lower",
					    [METRIC_NONE] = "none"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcasecmp(names[i], text) == 0) {
			*ret = (enum metric_better)i;
			return true;
		}
	}
	return false;
}

static struct csv_metric *csv_metric(struct csv_file *f, const char *name,
				     const char *unit, enum metric_better better)
{
	for (size_t i = 0; i < f->nr; i++)
		if (strcmp(f->items[i].name, name) == 0)
			return &f->items[i];
	GROW(f->items, f->nr, f->alloc);
	f->items[f->nr] = (struct csv_metric){
		.name = x_strdup(name),
		.unit = x_strdup(unit),
		.better = better,
	};
	return &f->items[f->nr++];
}

static int csv_line(struct csv_file *f, char *line, const char *path, size_t number,
		    struct err *err)
{
	char *cells[16], *end;
	size_t nr = csv_cells(line, cells, ARRAY_SIZE(cells));
	const char *name, *text, *unit, *direction;
	enum metric_better better = METRIC_HIGHER;
	struct csv_metric *m;
	double value;

	if (!nr || (nr == 1 && !*cells[0]))
		return 0;
	/* "1,5" would be read as 1, whatever quotes stand around it. */
	if (nr > f->cells)
		return err_set(err, ERR_USAGE,
			       "%s:%zu: %zu cells where the first line has %zu; commas "
			       "part cells, and numbers have a decimal point",
			       path, number, nr, f->cells);
	name = csv_cell(f, CSV_METRIC, cells, nr, NULL);
	text = csv_cell(f, CSV_VALUE, cells, nr, NULL);
	errno = 0;
	value = text ? strtod(text, &end) : 0;
	if (!name || !text || *end || errno || !isfinite(value))
		return err_set(err, ERR_USAGE,
			       "%s:%zu: expected a metric's name and a finite number",
			       path, number);
	unit = csv_cell(f, CSV_UNIT, cells, nr, "1");
	direction = csv_cell(f, CSV_BETTER, cells, nr, NULL);
	if (direction && !csv_better(direction, &better))
		return err_set(err, ERR_USAGE,
			       "%s:%zu: better is '%s': expected higher, lower or none",
			       path, number, direction);
	m = csv_metric(f, name, unit, better);
	if (direction && m->better != better)
		return err_set(err, ERR_INVALID,
			       "%s:%zu: %s: '%s' is better, above it was not", path,
			       number, name, direction);
	if (strcmp(m->unit, unit) != 0)
		return err_set(err, ERR_INVALID, "%s:%zu: %s in '%s', above in '%s'",
			       path, number, name, unit, m->unit);
	GROW(m->values, m->nr, m->alloc);
	m->values[m->nr++] = value;
	return 0;
}

/*
 * The i-th value of a metric is its i-th repeat: each becomes a result of its own, for
 * only between repeats is there uncertainty that may be counted.
 */
static void csv_results(struct result_set *s, const struct csv_file *f, const char *path)
{
	size_t most = 0;

	for (size_t i = 0; i < f->nr; i++)
		most = f->items[i].nr > most ? f->items[i].nr : most;
	for (size_t k = 0; k < most; k++) {
		struct result r;

		import_begin(&r, "CSV", NULL, "csv");
		for (size_t i = 0; i < f->nr; i++)
			if (k < f->items[i].nr)
				import_value(&r, f->items[i].name, f->items[i].unit,
					     f->items[i].better, f->items[i].values[k]);
		result_set_add(s, &r, path);
	}
}

int import_csv(struct result_set *s, const char *path, struct err *err)
{
	struct csv_file f = {.nr = 0};
	struct buf b;
	char *rest, *line;
	size_t number = 0;
	int rc = file_read(path, JSON_FILE_MAX, &b, err);

	if (rc)
		return -1;
	rest = b.data;
	if (strncmp(rest, "\xef\xbb\xbf", 3) == 0) /* as spreadsheets write it */
		rest += 3;
	while (!rc && (line = strsep(&rest, "\n")))
		rc = ++number == 1 ? csv_header(&f, line, path, err)
				   : csv_line(&f, line, path, number, err);
	if (!rc && !f.nr)
		rc = err_set(err, ERR_USAGE, "%s: no values in it", path);
	if (!rc)
		csv_results(s, &f, path);
	for (size_t i = 0; i < f.nr; i++) {
		free(f.items[i].name);
		free(f.items[i].unit);
		free(f.items[i].values);
	}
	free(f.items);
	buf_release(&b);
	return rc;
}
