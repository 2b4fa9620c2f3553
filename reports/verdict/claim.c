#include "reports/verdict/claim.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"

void claim_release(struct claim *c)
{
	free(c->baseline);
	free(c->candidate);
	free(c->source);
	free(c->sentence);
	*c = (struct claim){0};
}

const char *claim_state_name(enum claim_state s)
{
	static const char *const names[] = {[CLAIM_SHOWN] = "shown",
					    [CLAIM_NOT_SHOWN] = "not shown",
					    [CLAIM_CONTRADICTED] = "contradicted"};

	return names[s];
}

void claim_keep_worse(struct claim *c, struct claim *other)
{
	bool is_needed = c->is_needed || other->is_needed;

	if (other->state > c->state ||
	    (other->state == c->state && other->difference > c->difference)) {
		claim_release(c);
		*c = *other;
		*other = (struct claim){0};
	} else {
		claim_release(other);
	}
	c->is_needed = is_needed;
}

void weighing_init(struct weighing *w)
{
	struct buf *const all[] = {&w->values[0], &w->values[1], &w->sources,
				   &w->shown,     &w->missing,   &w->against};

	*w = (struct weighing){0};
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		buf_init(all[i], BUF_UNBOUNDED);
}

static void add(struct buf *b, const char *text)
{
	buf_printf(b, "%s%s", b->len ? "; " : "", text);
}

void weigh_values(struct weighing *w, const char *label, const char *baseline,
		  const char *candidate)
{
	const char *const texts[] = {baseline, candidate};

	for (size_t i = 0; i < 2; i++)
		if (texts[i])
			buf_printf(&w->values[i], "%s%s%s%.120s",
				   w->values[i].len ? "; " : "", label, *label ? " " : "",
				   texts[i]);
}

void weigh_source(struct weighing *w, const char *source)
{
	if (!w->sources.len || !strstr(w->sources.data, source))
		buf_printf(&w->sources, "%s%s", w->sources.len ? ", " : "", source);
}

static void add_formatted(struct buf *b, const char *fmt, va_list ap)
{
	char *text = x_vasprintf(fmt, ap);

	add(b, text);
	free(text);
}

#define ADD_FORMATTED(b, fmt)                \
	do {                                 \
		va_list ap;                  \
                                             \
		va_start(ap, fmt);           \
		add_formatted((b), fmt, ap); \
		va_end(ap);                  \
	} while (0)

void weigh_shown(struct weighing *w, const char *fmt, ...)
{
	ADD_FORMATTED(&w->shown, fmt);
}

void weigh_missing(struct weighing *w, const char *fmt, ...)
{
	ADD_FORMATTED(&w->missing, fmt);
}

void weigh_one_sided(struct weighing *w, const char *fmt, ...)
{
	w->is_blocked = true;
	ADD_FORMATTED(&w->missing, fmt);
}

void weigh_against(struct weighing *w, const char *fmt, ...)
{
	ADD_FORMATTED(&w->against, fmt);
}

static char *take(struct buf *b)
{
	char *text = b->len ? buf_detach(b) : NULL;

	buf_release(b);
	return text;
}

struct claim weighing_end(struct weighing *w)
{
	bool is_against = w->against.len > 0;
	bool is_shown = !is_against && !w->missing.len && w->shown.len > 0;
	struct claim c = {.state = is_against ? CLAIM_CONTRADICTED
				   : is_shown ? CLAIM_SHOWN
					      : CLAIM_NOT_SHOWN,
			  .is_needed = w->is_blocked,
			  .difference = w->difference};

	c.baseline = take(&w->values[0]);
	c.candidate = take(&w->values[1]);
	c.source = take(&w->sources);
	c.sentence = is_against           ? take(&w->against)
		     : is_shown           ? take(&w->shown)
		     : w->missing.len > 0 ? take(&w->missing)
					  : x_strdup("nothing says so");
	buf_release(&w->shown);
	buf_release(&w->missing);
	buf_release(&w->against);
	return c;
}
