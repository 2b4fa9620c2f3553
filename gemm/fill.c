#include "gemm/fill.h"

#include "core/base/mem.h"
#include "gemm/problem.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

/* A run of elements that one thread fills or digests. */
struct part {
	void (*work)(struct part *p);
	void *matrix;
	int64_t from, to;
	enum element_type type;
	enum element_fill fill;
	uint64_t seed, sums[2];
	pthread_t id;
	bool is_running;
};

static void fill_part(struct part *p)
{
	for (int64_t i = p->from; i < p->to; i++)
		element_store(p->type, p->matrix, (uint64_t)i, p->fill,
			      element_value(p->fill, p->seed, (uint64_t)i));
}

static void digest_part(struct part *p)
{
	int bytes = (int)element_bytes(p->type);

	for (int64_t i = p->from; i < p->to; i++) {
		uint64_t word = element_word(bytes, p->matrix, (uint64_t)i);

		p->sums[0] += element_digest(word, (uint64_t)i, 0);
		p->sums[1] += element_digest(word, (uint64_t)i, 1);
	}
}

static void *work_part(void *arg)
{
	struct part *p = arg;

	p->work(p);
	return NULL;
}

/* Copies of 'like' over parts of nr elements; the sums of all are added into like's. */
static void work_in_parts(struct part *like, int64_t nr, int threads)
{
	int64_t nr_parts = threads > 1 && nr > 65536 ? threads : 1;
	struct part *parts = x_calloc((size_t)nr_parts, sizeof(*parts));

	for (int64_t i = 0; i < nr_parts; i++) {
		parts[i] = *like;
		parts[i].from = nr / nr_parts * i;
		parts[i].to = i + 1 == nr_parts ? nr : nr / nr_parts * (i + 1);
		parts[i].is_running = i > 0 && pthread_create(&parts[i].id, NULL,
							      work_part, &parts[i]) == 0;
	}
	for (int64_t i = 0; i < nr_parts; i++) {
		/* Where no thread could be had, the part is done here. */
		if (parts[i].is_running)
			pthread_join(parts[i].id, NULL);
		else
			parts[i].work(&parts[i]);
		like->sums[0] += parts[i].sums[0];
		like->sums[1] += parts[i].sums[1];
	}
	free(parts);
}

void fill_matrix(void *matrix, int64_t nr, enum element_type type, enum element_fill fill,
		 uint64_t seed, int threads)
{
	struct part like = {.work = fill_part,
			    .matrix = matrix,
			    .type = type,
			    .fill = fill,
			    .seed = seed};

	work_in_parts(&like, nr, threads);
}

double fill_stored(enum element_type type, enum element_fill fill, uint64_t seed,
		   uint64_t at)
{
	double stored[1] = {0};

	element_store(type, stored, 0, fill, element_value(fill, seed, at));
	return element_load(type, stored, 0);
}

void fill_digest(const void *matrix, int64_t nr, enum element_type type, int threads,
		 uint64_t sums[2])
{
	struct part like = {
		.work = digest_part, .matrix = (void *)(uintptr_t)matrix, .type = type};

	work_in_parts(&like, nr, threads);
	sums[0] = like.sums[0];
	sums[1] = like.sums[1];
}
