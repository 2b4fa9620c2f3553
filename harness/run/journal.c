#include "harness/run/journal.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/document/run_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static const size_t journal_max_bytes = (size_t)256 << 20;

static const char *const step_names[] = {
	[STEP_RUN] = "run",         [STEP_SWEEP] = "sweep",   [STEP_BIND] = "bind",
	[STEP_LEASE] = "lease",     [STEP_REACH] = "reach",   [STEP_PROBE] = "probe",
	[STEP_PLACE] = "place",     [STEP_MIG] = "mig",       [STEP_SLICE] = "slice",
	[STEP_MEASURE] = "measure", [STEP_LEAVE] = "leave",   [STEP_RELEASE] = "release",
	[STEP_JUDGE] = "judge",     [STEP_REPORT] = "report",
};

static const char *const event_names[] = {[JOURNAL_BEGIN] = "begin",
					  [JOURNAL_END] = "end",
					  [JOURNAL_FAIL] = "fail",
					  [JOURNAL_NOTE] = "note"};

struct journal {
	int fd;
	int64_t seq;
	char *path;
	bool was_cut; /* the last line has no end yet */
};

/* Ends a line that was cut short; whatever it ends in, the blank says that it is torn. */
static const char tear[] = " \n";

static int index_of(const char *name, const char *const *names, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -1;
}

/* False for an entry of a step or event that this version does not know. */
static bool read_entry(struct journal_entry *e, struct json_object *o)
{
	int event = index_of(json_get_text(o, "event", ""), event_names,
			     ARRAY_SIZE(event_names));
	int step = index_of(json_get_text(o, "step", ""), step_names, STEP_NR);

	if (event < 0 || step < 0)
		return false;
	*e = (struct journal_entry){
		.seq = json_get_int(o, "seq", 0),
		.event = (enum journal_event)event,
		.step = (enum step)step,
		.round = (int)json_get_int(o, "round", 0),
		.arm = json_get_text(o, "arm", ""),
		.workload = json_get_text(o, "workload", ""),
		.data = json_member(o, "data"),
		.json = o,
	};
	return true;
}

static int read_line(struct journal_entries *ret, const char *path, const char *line,
		     size_t len, struct err *err)
{
	struct json_object *o = json_parse(line, len, path, err);
	struct journal_entry e;

	if (!o)
		return -1;
	if (!read_entry(&e, o)) {
		json_object_put(o);
		return 0;
	}
	GROW(ret->items, ret->nr, ret->alloc);
	ret->items[ret->nr++] = e;
	return 0;
}

/* What a crash left in the middle: a line without its end, or a page never written. */
static bool is_torn(const char *line, size_t len)
{
	return line[len - 1] != '}' || memchr(line, '\0', len);
}

static int read_lines(struct journal_entries *ret, const char *path,
		      const struct buf *text, struct err *err)
{
	size_t at = 0, nr = 0; /* of the file's lines, known entries or not */

	while (at < text->len) {
		const char *line = text->data + at;
		const char *end = memchr(line, '\n', text->len - at);
		size_t len = end ? (size_t)(end - line) : text->len - at;
		struct err bad = ERR_INIT;

		ret->was_cut = !end;
		if (!end) /* what a crash cut short never happened */
			return 0;
		at += len + 1;
		nr++;
		if (len && read_line(ret, path, line, len, &bad) && !is_torn(line, len)) {
			if (err)
				*err = bad;
			return err_wrap(err, "line %zu", nr);
		}
	}
	return 0;
}

int journal_read(struct journal_entries *ret, const char *dir, struct err *err)
{
	char *path = path_join(dir, RUNDIR_JOURNAL);
	struct buf text;
	int rc = 0;

	*ret = (struct journal_entries){0};
	if (file_exists(path)) {
		rc = file_read(path, journal_max_bytes, &text, err);
		if (!rc) {
			rc = read_lines(ret, path, &text, err);
			buf_release(&text);
		}
	}
	if (rc)
		journal_entries_release(ret);
	free(path);
	return rc;
}

void journal_entries_release(struct journal_entries *e)
{
	for (size_t i = 0; i < e->nr; i++)
		json_object_put(e->items[i].json);
	free(e->items);
	*e = (struct journal_entries){0};
}

const struct journal_entry *journal_last(const struct journal_entries *e,
					 enum journal_event event, enum step step,
					 const char *arm)
{
	for (size_t i = e->nr; i-- > 0;)
		if (e->items[i].event == event && e->items[i].step == step &&
		    (!arm || strcmp(e->items[i].arm, arm) == 0))
			return &e->items[i];
	return NULL;
}

static int lock_and_find_end(struct journal *j, const char *dir, struct err *err)
{
	struct journal_entries past;

	if (flock(j->fd, LOCK_EX | LOCK_NB)) {
		if (errno == EWOULDBLOCK)
			return err_set(err, ERR_USAGE,
				       "%s: another tare is at work on this run; wait "
				       "for it, or end it",
				       dir);
		return err_errno(err, "%s: lock", j->path);
	}
	if (journal_read(&past, dir, err))
		return -1;
	j->seq = past.nr ? past.items[past.nr - 1].seq : 0;
	j->was_cut = past.was_cut;
	journal_entries_release(&past);
	return 0;
}

struct journal *journal_open(const char *dir, struct err *err)
{
	struct journal *j = x_calloc(1, sizeof(*j));

	j->path = path_join(dir, RUNDIR_JOURNAL);
	j->fd = open(j->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	if (j->fd < 0)
		err_errno(err, "%s", j->path);
	if (j->fd < 0 || lock_and_find_end(j, dir, err)) {
		journal_close(j);
		return NULL;
	}
	return j;
}

void journal_close(struct journal *j)
{
	if (!j)
		return;
	if (j->fd >= 0)
		close(j->fd);
	free(j->path);
	free(j);
}

static struct json_object *entry_json(struct journal *j, enum journal_event event,
				      enum step step, const struct step_at *at,
				      struct json_object *data)
{
	struct json_object *o = json_object_new_object();
	char label[CLOCK_LABEL_SIZE];

	clock_label(clock_wall_ns(), label);
	json_put_int(o, "seq", ++j->seq);
	json_put_text(o, "time", label);
	json_put_text(o, "event", event_names[event]);
	json_put_text(o, "step", step_names[step]);
	json_put(o, "round", at && at->round ? json_object_new_int(at->round) : NULL);
	json_put_text(o, "arm", at ? at->arm : NULL);
	json_put_text(o, "workload", at ? at->workload : NULL);
	json_put(o, "data", data);
	return o;
}

int journal_write(struct journal *j, enum journal_event event, enum step step,
		  const struct step_at *at, struct json_object *data, struct err *err)
{
	struct json_object *o = entry_json(j, event, step, at, data);
	char *line = x_asprintf("%s%s\n", j->was_cut ? tear : "", json_line(o));
	ssize_t len = (ssize_t)strlen(line), put;
	int rc = 0;

	/* One write, so that a line is never mixed with another process's. */
	errno = ENOSPC; /* a write that takes a part sets none: the disk is full */
	put = write(j->fd, line, (size_t)len);
	if (put != len || fdatasync(j->fd))
		rc = err_errno(err, "%s: the journal cannot be written", j->path);
	/* Where a part was taken, the next line, if there is room again, ends it first. */
	if (put > 0)
		j->was_cut = put != len;
	free(line);
	json_object_put(o);
	return rc;
}

int journal_step_begin(struct journal_step *st, struct journal *j, enum step step,
		       const struct step_at *at, struct json_object *data,
		       struct err *err)
{
	*st = (struct journal_step){
		.journal = j, .step = step, .started_ns = clock_mono_ns()};
	if (at)
		st->at = *at;
	log_debug("%s%s%s%s%s", step_names[step], st->at.arm ? " " : "",
		  st->at.arm ? st->at.arm : "", st->at.workload ? " " : "",
		  st->at.workload ? st->at.workload : "");
	return journal_write(j, JOURNAL_BEGIN, step, &st->at, data, err);
}

int journal_step_end(struct journal_step *st, int rc, struct json_object *data,
		     struct err *err)
{
	struct err journal_err = ERR_INIT;
	enum journal_event event = rc ? JOURNAL_FAIL : JOURNAL_END;
	int64_t took_ns = clock_mono_ns() - st->started_ns;

	if (!data)
		data = json_object_new_object();
	json_put_real(data, "took_s", (double)took_ns / 1e9);
	if (rc && err)
		json_put_text(data, "error", err->text);
	if (!journal_write(st->journal, event, st->step, &st->at, data, &journal_err))
		return rc;
	if (!rc && err)
		*err = journal_err;
	return -1;
}

char *journal_run_id(const char *dir, struct err *err)
{
	struct journal_entries past;
	const struct journal_entry *begun;
	char *id = NULL;

	if (journal_read(&past, dir, err))
		return NULL;
	begun = journal_last(&past, JOURNAL_BEGIN, STEP_RUN, NULL);
	if (begun)
		id = x_strdup(json_get_text(begun->data, "run_id", NULL));
	journal_entries_release(&past);
	if (!id)
		err_set(err, ERR_USAGE,
			"%s: not the folder of a run: its journal names none", dir);
	return id;
}
