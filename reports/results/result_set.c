#include "reports/results/result_set.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/digest.h"
#include "core/base/file.h"
#include "core/base/mem.h"

void result_set_init(struct result_set *s, const char *source)
{
	*s = (struct result_set){.source = x_strdup(source)};
}

void result_set_release(struct result_set *s)
{
	for (size_t i = 0; i < s->nr; i++) {
		result_release(&s->results[i]);
		free(s->paths[i]);
	}
	for (size_t i = 0; i < s->machines_nr; i++) {
		free(s->machines[i].arm);
		json_object_put(s->machines[i].facts);
	}
	for (size_t i = 0; i < s->steps_nr; i++) {
		free(s->steps[i].arm);
		free(s->steps[i].workload);
	}
	free(s->steps);
	free(s->results);
	free(s->paths);
	free(s->machines);
	free(s->source);
	free(s->baseline);
	free(s->digest_at_run);
	json_object_put(s->plan);
	strvec_release(&s->arms);
	strvec_release(&s->workloads);
	strvec_release(&s->places);
	*s = (struct result_set){0};
}

static size_t index_of(const struct strvec *v, const char *s)
{
	for (size_t i = 0; i < v->nr; i++)
		if (strcmp(v->items[i], s) == 0)
			return i;
	return v->nr;
}

void result_set_add(struct result_set *s, struct result *r, const char *path)
{
	size_t alloc = s->alloc;

	GROW(s->results, s->nr, s->alloc);
	if (s->alloc != alloc)
		s->paths = x_realloc_array(s->paths, s->alloc, sizeof(*s->paths));
	/* Made by hand: the place it lies in is all the name it has. */
	if (!r->arm) {
		r->arm = x_strdup(path_base(s->source));
		if (!strvec_has(&s->places, r->arm))
			strvec_add(&s->places, r->arm);
	}
	if (!strvec_has(&s->arms, r->arm))
		strvec_add(&s->arms, r->arm);
	if (!strvec_has(&s->workloads, r->name))
		strvec_add(&s->workloads, r->name);
	s->paths[s->nr] = x_strdup(path);
	s->results[s->nr++] = *r;
	*r = (struct result){0};
}

struct sort_key {
	size_t arm, workload, at;
	int64_t round;
	const char *created;
};

static int by_key(const void *va, const void *vb)
{
	const struct sort_key *a = va, *b = vb;
	int texts = strcmp(a->created, b->created);

	if (a->arm != b->arm)
		return a->arm < b->arm ? -1 : 1;
	if (a->workload != b->workload)
		return a->workload < b->workload ? -1 : 1;
	if (a->round != b->round)
		return a->round < b->round ? -1 : 1;
	return texts ? texts : (a->at > b->at) - (a->at < b->at);
}

void result_set_sort(struct result_set *s)
{
	struct sort_key *keys = x_calloc(s->nr + 1, sizeof(*keys));
	struct result *results = x_calloc(s->nr + 1, sizeof(*results));
	char **paths = x_calloc(s->nr + 1, sizeof(*paths));

	for (size_t i = 0; i < s->nr; i++)
		keys[i] = (struct sort_key){
			.arm = index_of(&s->arms, s->results[i].arm),
			.workload = index_of(&s->workloads, s->results[i].name),
			.at = i,
			.round = s->results[i].round,
			.created = s->results[i].created};
	qsort(keys, s->nr, sizeof(*keys), by_key);
	for (size_t i = 0; i < s->nr; i++) {
		results[i] = s->results[keys[i].at];
		paths[i] = s->paths[keys[i].at];
	}
	free(keys);
	free(s->results);
	free(s->paths);
	s->results = results;
	s->paths = paths;
	s->alloc = s->nr + 1;
}

const struct result *result_set_range(const struct result_set *s, const char *arm,
				      const char *workload, size_t *ret_nr)
{
	const struct result *first = NULL;

	*ret_nr = 0;
	for (size_t i = 0; i < s->nr; i++) {
		const struct result *r = &s->results[i];

		if (strcmp(r->arm, arm) == 0 && strcmp(r->name, workload) == 0) {
			first = first ? first : r;
			(*ret_nr)++;
		}
	}
	return first;
}

struct json_object *result_set_planned(const struct result_set *s, const char *workload)
{
	struct json_object *list = json_member(s->plan, "workloads");

	for (size_t i = 0; i < json_length(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);
		const char *name = json_get_text(o, "name", "");
		size_t len = strlen(name);

		if (len && strncmp(name, workload, len) == 0 &&
		    (!workload[len] || workload[len] == '@'))
			return o;
	}
	return NULL;
}

char *result_set_plan_digest(const struct result_set *s)
{
	char hex[DIGEST_SIZE];
	const char *text;

	if (!s->plan)
		return NULL;
	text = json_line(s->plan);
	digest_of(text, strlen(text), hex);
	return x_strdup(hex);
}

void result_set_add_step(struct result_set *s, const char *arm, const char *workload,
			 int64_t round, int64_t end_ns, double workload_s)
{
	GROW(s->steps, s->steps_nr, s->steps_alloc);
	s->steps[s->steps_nr++] = (struct measured_step){.arm = x_strdup(arm),
							 .workload = x_strdup(workload),
							 .round = round,
							 .end_ns = end_ns,
							 .workload_s = workload_s};
}

const struct measured_step *result_set_step(const struct result_set *s,
					    const struct result *r)
{
	for (size_t i = s->steps_nr; i-- > 0;)
		if (s->steps[i].round == r->round &&
		    strcmp(s->steps[i].arm, r->arm) == 0 &&
		    strcmp(s->steps[i].workload, r->name) == 0)
			return &s->steps[i];
	return NULL;
}

void result_set_add_machine(struct result_set *s, const char *arm, int64_t round,
			    struct json_object *facts)
{
	GROW(s->machines, s->machines_nr, s->machines_alloc);
	s->machines[s->machines_nr++] = (struct machine_facts){
		.arm = x_strdup(arm), .round = round, .facts = facts};
}

struct json_object *result_facts(const struct result *r)
{
	return json_object_is_type(r->machine, json_type_object) &&
			       json_object_object_length(r->machine) > 0
		       ? r->machine
		       : NULL;
}

/* 'round' NULL: the first that there are. */
static struct json_object *find_facts(const struct result_set *s, const char *arm,
				      const int64_t *round)
{
	for (size_t i = 0; i < s->machines_nr; i++)
		if ((!round || s->machines[i].round == *round) &&
		    strcmp(s->machines[i].arm, arm) == 0)
			return s->machines[i].facts;
	for (size_t i = 0; i < s->nr; i++)
		if ((!round || s->results[i].round == *round) &&
		    strcmp(s->results[i].arm, arm) == 0 && result_facts(&s->results[i]))
			return s->results[i].machine;
	return NULL;
}

struct json_object *result_set_facts(const struct result_set *s, const char *arm)
{
	return find_facts(s, arm, NULL);
}

struct json_object *result_set_facts_of_round(const struct result_set *s, const char *arm,
					      int64_t round)
{
	return find_facts(s, arm, &round);
}
