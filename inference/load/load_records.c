#include "inference/load/load_records.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/document/json.h"
#include "core/base/mem.h"
#include "inference/load/figures/client_figures.h"

#define RECORDS_EXPECTED "a file that 'tare load --records' wrote"

enum { HEAD_MAX = 8 << 20, COPY_BYTES = 1 << 20, PIECES_MAX = 4096 };

static struct json_object *instants(const struct load_stage *s)
{
	struct json_object *o = json_object_new_object();

	json_put_text(o, "kind", stage_kind_name(s->kind));
	json_put(o, "seed", json_object_new_uint64(s->seed));
	json_put_int(o, "concurrency", s->concurrency);
	json_put_real(o, "rate_per_s", s->rate_per_s);
	json_put_int(o, "wall_offset_ns", s->wall_offset_ns);
	json_put_int(o, "start_ns", s->start_ns);
	json_put_int(o, "measure_start_ns", s->measure_start_ns);
	json_put_int(o, "measure_end_ns", s->measure_end_ns);
	json_put_int(o, "end_ns", s->end_ns);
	return o;
}

static struct json_object *pieces(const struct spool *spool, uint64_t *offset)
{
	struct json_object *list = json_object_new_array();
	unsigned nr;
	const struct spool_part *parts = spool_parts(spool, &nr);

	for (unsigned i = 0; i < nr; i++) {
		struct json_object *piece = json_object_new_array();

		json_object_array_add(piece, json_object_new_int64((int64_t)*offset));
		json_object_array_add(piece,
				      json_object_new_int64((int64_t)parts[i].len));
		json_object_array_add(list, piece);
		*offset += parts[i].len;
	}
	return list;
}

static struct json_object *make_head(const struct load_run *r)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	uint64_t offset = 0;

	json_put_text(o, "schema", RECORDS_SCHEMA);
	json_put_text(o, "byte_order", "little");
	json_put_int(o, "head_bytes", SPOOL_HEAD_BYTES);
	json_put_int(o, "part", r->part);
	json_put_int(o, "parts", r->parts);
	json_put(o, "facts", load_result_facts(r));
	json_put_real(o, "prefix_cache_hit_ratio", load_result_counted_hits(r));
	json_put_real(o, "saturation_gain", r->options->saturation_gain);
	json_put_int(o, "slo_ttft_ns", r->options->slo_ttft_ns);
	json_put_int(o, "slo_tpot_ns", r->options->slo_tpot_ns);
	json_put_int(o, "slo_latency_ns", r->options->slo_latency_ns);
	for (size_t i = 0; i < r->stages_nr; i++) {
		const struct stage_report *report = &r->reports[i];
		struct json_object *s = instants(&r->outcomes[i].stage);

		json_put_text(s, "label", r->outcomes[i].stage.label);
		json_put(s, "pieces", pieces(r->outcomes[i].spool, &offset));
		json_put(s, "client", client_to_json(&report->client));
		json_put_bool(s, "is_aborted", report->is_aborted);
		json_put_text(s, "first_error", report->error_text);
		json_object_array_add(list, s);
	}
	json_put(o, "stages", list);
	return o;
}

static int put_all(int fd, const void *bytes, size_t len, const char *path,
		   struct err *err)
{
	const char *from = bytes;

	while (len) {
		ssize_t n = write(fd, from, len);

		if (n < 0 && errno != EINTR)
			return err_errno(err, "%s", path);
		from += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static int put_part(int fd, const struct spool_part *p, const char *path, struct err *err)
{
	char *space = x_malloc(COPY_BYTES);
	int rc = 0;

	for (uint64_t at = 0; !rc && at < p->len;) {
		uint64_t left = p->len - at;
		ssize_t n = pread(p->fd, space, left < COPY_BYTES ? left : COPY_BYTES,
				  (off_t)(p->offset + at));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			rc = err_errno(err, "records of the run: reading them back");
		else if (!n)
			rc = err_set(err, ERR_ENVIRONMENT,
				     "records of the run: the temporary file is shorter "
				     "than what was written to it (TMPDIR)");
		else
			rc = put_all(fd, space, (size_t)n, path, err);
		at += n > 0 ? (uint64_t)n : 0;
	}
	free(space);
	return rc;
}

static int put_file(const struct load_run *r, int fd, const char *path, struct err *err)
{
	struct json_object *head = make_head(r);
	const char *line = json_line(head);
	int rc = put_all(fd, line, strlen(line), path, err);

	if (!rc)
		rc = put_all(fd, "\n", 1, path, err);
	json_object_put(head);
	for (size_t i = 0; !rc && i < r->stages_nr; i++) {
		unsigned nr;
		const struct spool_part *parts = spool_parts(r->outcomes[i].spool, &nr);

		for (unsigned k = 0; !rc && k < nr; k++)
			rc = put_part(fd, &parts[k], path, err);
	}
	return rc;
}

int load_write_records(const struct load_run *r, const char *path, struct err *err)
{
	struct file_out f;

	if (file_out_open(&f, path, 0644, err))
		return -1;
	return file_out_close(&f, put_file(r, f.fd, path, err) == 0, err);
}

/* The first line, as JSON; '*ret_len' is its length with the line break. */
static struct json_object *read_head(int fd, const char *path, uint64_t *ret_len,
				     struct err *err)
{
	struct json_object *o = NULL;
	char *space = x_malloc(HEAD_MAX), *nl;
	size_t len = 0;
	ssize_t n;

	while (len < HEAD_MAX &&
	       (n = pread(fd, space + len, HEAD_MAX - len, (off_t)len)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			err_errno(err, "%s", path);
			free(space);
			return NULL;
		}
		len += (size_t)n;
		if (memchr(space + len - (size_t)n, '\n', (size_t)n))
			break;
	}
	nl = memchr(space, '\n', len);
	if (nl) {
		*ret_len = (uint64_t)(nl - space) + 1;
		o = json_parse(space, (size_t)(nl - space), path, NULL);
	}
	if (!o)
		err_set(err, ERR_USAGE, "%s: is not " RECORDS_EXPECTED, path);
	free(space);
	return o;
}

static bool read_pieces(struct json_object *list, struct records_stage *s, int fd,
			uint64_t base, uint64_t size)
{
	size_t nr = json_length(list);

	if (!nr || nr > PIECES_MAX)
		return false;
	s->parts = x_calloc(nr, sizeof(*s->parts));
	for (size_t i = 0; i < nr; i++) {
		struct json_object *p = json_object_array_get_idx(list, i);
		int64_t offset, len;

		if (!json_object_is_type(p, json_type_array) || json_length(p) != 2)
			return false;
		offset = json_object_get_int64(json_object_array_get_idx(p, 0));
		len = json_object_get_int64(json_object_array_get_idx(p, 1));
		if (offset < 0 || len < 0 || (uint64_t)offset > size - base ||
		    (uint64_t)len > size - base - (uint64_t)offset)
			return false;
		s->parts[s->parts_nr++] = (struct spool_part){
			.fd = fd,
			.offset = base + (uint64_t)offset,
			.len = (uint64_t)len,
		};
	}
	return true;
}

static bool read_stage(struct json_object *o, struct records_stage *s, int fd,
		       uint64_t base, uint64_t size)
{
	struct load_stage *t = &s->stage;
	const char *kind = json_get_text(o, "kind", "");
	unsigned k = 0;
	struct json_object *seed = json_member(o, "seed");
	const char *text = json_get_text(o, "first_error", "");

	while (k < STAGE_KINDS && strcmp(stage_kind_name((enum stage_kind)k), kind) != 0)
		k++;
	if (k == STAGE_KINDS || !seed)
		return false;
	t->kind = (enum stage_kind)k;
	memccpy(t->label, json_get_text(o, "label", "?"), '\0', sizeof(t->label) - 1);
	memccpy(s->error_text, text, '\0', sizeof(s->error_text) - 1);
	t->seed = json_object_get_uint64(seed);
	t->concurrency = json_get_int(o, "concurrency", 0);
	t->rate_per_s = json_get_real(o, "rate_per_s", 0);
	t->wall_offset_ns = json_get_int(o, "wall_offset_ns", 0);
	t->start_ns = json_get_int(o, "start_ns", 0);
	t->measure_start_ns = json_get_int(o, "measure_start_ns", 0);
	t->measure_end_ns = json_get_int(o, "measure_end_ns", 0);
	t->end_ns = json_get_int(o, "end_ns", 0);
	s->is_aborted = json_get_bool(o, "is_aborted", false);
	client_from_json(&s->client, json_member(o, "client"));
	return read_pieces(json_member(o, "pieces"), s, fd, base, size);
}

static int read_stages(struct records_file *f, uint64_t base, struct err *err)
{
	struct json_object *list = json_member(f->head, "stages");
	size_t nr = json_length(list);
	struct stat st;

	if (fstat(f->fd, &st))
		return err_errno(err, "%s", f->path);
	if (!nr || nr > PROFILE_STAGES_MAX)
		return err_set(err, ERR_USAGE, "%s: holds no stages", f->path);
	f->stages = x_calloc(nr, sizeof(*f->stages));
	for (f->stages_nr = 0; f->stages_nr < nr;) {
		struct json_object *o = json_object_array_get_idx(list, f->stages_nr);

		if (!read_stage(o, &f->stages[f->stages_nr++], f->fd, base,
				(uint64_t)st.st_size))
			return err_set(err, ERR_USAGE, "%s: stage %zu is damaged",
				       f->path, f->stages_nr);
	}
	return 0;
}

static int check_head(const struct records_file *f, struct err *err)
{
	const char *schema = json_get_text(f->head, "schema", "");

	if (strcmp(schema, "tare.records/1") == 0)
		return err_set(
			err, ERR_USAGE,
			"%s: an earlier tare wrote it, in a form that only its own "
			"build reads: merge it with that one, or measure again",
			f->path);
	if (strcmp(schema, RECORDS_SCHEMA) != 0)
		return err_set(err, ERR_USAGE,
			       "%s: schema '%s' is not %s: is it %s, of this version?",
			       f->path, schema, RECORDS_SCHEMA, RECORDS_EXPECTED);
	if (strcmp(json_get_text(f->head, "byte_order", ""), "little") != 0 ||
	    json_get_int(f->head, "head_bytes", 0) != SPOOL_HEAD_BYTES)
		return err_set(err, ERR_USAGE,
			       "%s: its head is damaged: byte_order and head_bytes are "
			       "not those of %s",
			       f->path, RECORDS_SCHEMA);
	if (f->part >= f->parts)
		return err_set(err, ERR_USAGE, "%s: part %u of %u", f->path, f->part + 1,
			       f->parts);
	return 0;
}

int records_open(const char *path, struct records_file *ret, struct err *err)
{
	uint64_t base = 0;

	*ret = (struct records_file){.path = x_strdup(path), .fd = -1};
	if (file_check_given(path, RECORDS_EXPECTED, err))
		goto fail;
	ret->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (ret->fd < 0) {
		err_errno(err, "%s", path);
		goto fail;
	}
	ret->head = read_head(ret->fd, path, &base, err);
	if (!ret->head)
		goto fail;
	ret->part = (unsigned)json_get_int(ret->head, "part", 0);
	ret->parts = (unsigned)json_get_int(ret->head, "parts", 0);
	if (check_head(ret, err) || read_stages(ret, base, err))
		goto fail;
	return 0;
fail:
	records_close(ret);
	return -1;
}

void records_close(struct records_file *f)
{
	for (size_t i = 0; i < f->stages_nr; i++)
		free(f->stages[i].parts);
	free(f->stages);
	json_object_put(f->head);
	if (f->fd >= 0)
		close(f->fd);
	free(f->path);
	*f = (struct records_file){.fd = -1};
}
