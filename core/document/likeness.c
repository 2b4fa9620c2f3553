#include "core/document/likeness.h"

#include "core/base/mem.h"
#include "core/document/metric.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MUST LIKENESS_MUST
#define NOTE LIKENESS_NOTE
#define NATURE LIKENESS_NATURE

/* Passing a GPU through may cost a guest 1 GiB of its memory; the smallest with HBM has 40. */
#define MEMORY_TOLERANCE 0.03

static const struct likeness_field fields[] = {
	{"gpus/0/uuid", "GPU", MUST, 0, "two GPUs of one kind differ by several percent",
	 CLAIM_WHO},
	{"gpus/0/serial", "GPU serial number", MUST, 0,
	 "two GPUs of one kind differ by several percent", CLAIM_WHO},
	{"gpus/0/name", "GPU model", MUST, 0, "another model is another machine",
	 CLAIM_WHO},
	{"gpus/0/driver_version", "GPU driver", MUST, 0, "drivers differ in speed",
	 CLAIM_SAME_SOFTWARE},
	{"gpus/0/vbios", "GPU firmware (VBIOS)", MUST, 0, "it sets clocks and limits",
	 CLAIM_SAME_SOFTWARE},
	{"gpus/0/power_limit_w", "GPU power limit", MUST, 0.001,
	 "power bounds sustained clocks", CLAIM_POWER},
	{"gpus/0/ecc", "GPU ECC", MUST, 0, "ECC costs memory and bandwidth on some GPUs",
	 CLAIM_WHOLE_DEVICE},
	{"gpus/0/mig", "MIG mode", MUST, 0, "it changes the memory configuration",
	 CLAIM_WHOLE_DEVICE},
	{"gpus/0/multiprocessors", "GPU multiprocessors", MUST, 0,
	 "the peak scales with them", CLAIM_WHOLE_DEVICE},
	{"gpus/0/memory_bytes", "GPU memory", MUST, MEMORY_TOLERANCE,
	 "less memory means other batch sizes", CLAIM_WHOLE_DEVICE},
	{"gpus/0/max_sm_clock_hz", "GPU maximum clock", MUST, 0.001,
	 "the peak scales with it", CLAIM_CLOCKS},
	{"gpus/0/vgpu_type", "vGPU type", MUST, 0, "each type has a share of its own",
	 CLAIM_BOUNDARY},
	{"gpus/0/mps", "CUDA MPS", MUST, 0, "it shares the GPU among processes",
	 CLAIM_BOUNDARY},
	{"gpus/0/cc_mode", "Confidential computing", MUST, 0,
	 "what crosses the bus is encrypted", CLAIM_BOUNDARY},
	{"gpus/0/nvlink_encryption", "NVLink encryption", MUST, 0,
	 "what crosses NVLink is encrypted", CLAIM_BOUNDARY},
	{"gpus/0/compute_mode", "GPU compute mode", NOTE, 0,
	 "it says how many processes may use the GPU", CLAIM_NONE},
	{"gpus/0/persistence", "GPU persistence mode", NOTE, 0,
	 "without it the first calls pay for start-up", CLAIM_NONE},
	{"cpu/architecture", "CPU architecture", MUST, 0, "other code runs",
	 CLAIM_COMPUTED},
	{"cpu/model", "CPU model", NOTE, 0,
	 "launch paths and CPU work run at another speed; a VM may also hide the name",
	 CLAIM_NONE},
	{"cpu/isa", "CPU instruction sets", NOTE, 0,
	 "libraries choose their kernels by them", CLAIM_NONE},
	{"cpu/threads", "CPU threads", NOTE, 0, "a VM often has fewer", CLAIM_NONE},
	{"cpu/threads_per_core", "Threads per core", NOTE, 0,
	 "a VM that sees no siblings schedules two busy threads on one core", CLAIM_NONE},
	{"numa/count", "NUMA nodes", NOTE, 0, "memory of another node is slower",
	 CLAIM_NONE},
	{"memory/total_bytes", "Memory", NOTE, 0.05, "a VM often has less", CLAIM_NONE},
	{"memory/page_size_bytes", "Page size", NOTE, 0,
	 "4 KiB and 64 KiB differ in TLB cost", CLAIM_NONE},
	{"memory/thp_enabled", "Transparent huge pages", NOTE, 0, "TLB misses",
	 CLAIM_NONE},
	{"numa/balancing", "Automatic NUMA balancing", NOTE, 0,
	 "it moves pages under a running program", CLAIM_NONE},
	{"kernel/release", "Kernel", NOTE, 0, "kernels differ in scheduling and memory",
	 CLAIM_NONE},
	{"kernel/os", "Distribution", NOTE, 0, "user space libraries differ", CLAIM_NONE},
	{"libraries/glibc", "C library", NOTE, 0, "memory copies and locks are in it",
	 CLAIM_NONE},
	{"libraries/openblas", "OpenBLAS", NOTE, 0, "products on the CPU are its speed",
	 CLAIM_NONE},
	{"libraries/cublas", "cuBLAS", MUST, 0, "products on the GPU are its speed",
	 CLAIM_SAME_SOFTWARE},
	{"libraries/cuda", "CUDA driver library", MUST, 0,
	 "it compiles and launches kernels", CLAIM_SAME_SOFTWARE},
	{"mitigations", "CPU mitigations", NOTE, 0, "system calls and exits cost more",
	 CLAIM_NONE},
	{"power/governor", "Frequency governor", NOTE, 0,
	 "a VM sees none; the host decides", CLAIM_NONE},
	{"hypervisor/kind", "Hypervisor", NATURE, 0, "what is being compared",
	 CLAIM_NONE},
	{"clock/source", "Clock source", NATURE, 0, "a VM has one of its own",
	 CLAIM_NONE},
	{"kernel/cmdline", "Kernel command line", NATURE, 0, "boot disks are named in it",
	 CLAIM_NONE},
	{0},
};

/* "spec_store_bypass: Vulnerable; tsx: Not affected" */
static char *members_text(struct json_object *o)
{
	struct buf b;
	char *text;

	buf_init(&b, 4096);
	json_object_object_foreach(o, key, value)
	{
		buf_printf(&b, "%s%s: %s", b.len ? "; " : "", key,
			   value ? json_object_get_string(value) : "not known");
	}
	text = x_strdup(b.data);
	buf_release(&b);
	return text;
}

/* The value for people; NULL when there is none. Numbers as short as they go. */
static char *value_text(const struct likeness_field *f, struct json_object *o)
{
	size_t len = strlen(f->path);
	char text[48];

	if (!o)
		return NULL;
	if (json_object_is_type(o, json_type_string))
		return x_strdup(json_object_get_string(o));
	if (json_object_is_type(o, json_type_boolean))
		return x_strdup(json_object_get_boolean(o) ? "on" : "off");
	if (json_is_number(o) && len > 6 && strcmp(f->path + len - 6, "_bytes") == 0)
		return x_strdup(unit_human(json_object_get_double(o), "byte", text,
					   sizeof(text)));
	if (json_is_number(o))
		return x_asprintf("%.15g", json_object_get_double(o));
	if (json_object_is_type(o, json_type_object))
		return members_text(o);
	return x_strdup(json_line(o));
}

bool likeness_same_text(const char *a, const char *b)
{
	static const char blanks[] = " \t\r\n";
	size_t len_a, len_b;

	a += strspn(a, blanks);
	b += strspn(b, blanks);
	len_a = strlen(a);
	len_b = strlen(b);
	while (len_a && strchr(blanks, a[len_a - 1]))
		len_a--;
	while (len_b && strchr(blanks, b[len_b - 1]))
		len_b--;
	return len_a == len_b && strncasecmp(a, b, len_a) == 0;
}

static bool same_number(const struct likeness_field *f, double a, double b)
{
	double larger = fmax(fabs(a), fabs(b));

	return fabs(a - b) <= f->tolerance * larger;
}

static bool same(const struct likeness_field *f, struct json_object *a,
		 struct json_object *b)
{
	if (json_is_number(a) && json_is_number(b))
		return same_number(f, json_object_get_double(a),
				   json_object_get_double(b));
	if (json_object_is_type(a, json_type_string) &&
	    json_object_is_type(b, json_type_string))
		return likeness_same_text(json_object_get_string(a),
					  json_object_get_string(b));
	return json_object_equal(a, b);
}

static enum likeness_state judge(const struct likeness_field *f, struct json_object *a,
				 struct json_object *b)
{
	static const enum likeness_state when_different[] = {
		[LIKENESS_MUST] = LIKENESS_BREAKS,
		[LIKENESS_NOTE] = LIKENESS_DIFFERS,
		[LIKENESS_NATURE] = LIKENESS_EXPECTED,
	};

	if (!a && !b)
		return LIKENESS_ABSENT;
	if (!a || !b)
		return LIKENESS_UNKNOWN;
	return same(f, a, b) ? LIKENESS_SAME : when_different[f->weight];
}

/*
 * Objects (mitigations) are cut down to the members that differ, so that the row shows
 * the difference. New objects; NULL stays NULL.
 */
static struct json_object *only_different(struct json_object *a, struct json_object *b)
{
	struct json_object *ret = json_object_new_object();

	json_object_object_foreach(a, key, value)
	{
		struct json_object *other = json_member(b, key);

		if (!json_object_equal(value, other))
			json_put(ret, key, json_object_get(value));
	}
	return ret;
}

static struct likeness_row compare_one(const struct likeness_field *f,
				       struct json_object *a, struct json_object *b)
{
	struct likeness_row row = {.field = f, .state = judge(f, a, b)};

	if (row.state > LIKENESS_SAME && json_object_is_type(a, json_type_object) &&
	    json_object_is_type(b, json_type_object)) {
		struct json_object *x = only_different(a, b), *y = only_different(b, a);

		row.baseline = value_text(f, x);
		row.candidate = value_text(f, y);
		json_object_put(x);
		json_object_put(y);
		return row;
	}
	row.baseline = value_text(f, a);
	row.candidate = value_text(f, b);
	return row;
}

/*
 * The GPU of 'machine' that 'other' also has, by UUID, else its first: a host shows four
 * where the VM that got one of them shows that one. NULL when it has none.
 */
struct json_object *likeness_gpu(struct json_object *machine, struct json_object *other)
{
	struct json_object *mine = json_at(machine, "gpus");
	struct json_object *theirs = json_at(other, "gpus");

	if (!mine || !json_object_is_type(mine, json_type_array))
		return NULL;
	for (size_t i = 0; i < json_object_array_length(mine); i++) {
		struct json_object *gpu = json_object_array_get_idx(mine, i);
		const char *uuid = json_get_text(gpu, "uuid", NULL);

		for (size_t k = 0; uuid && theirs && k < json_object_array_length(theirs);
		     k++) {
			struct json_object *it = json_object_array_get_idx(theirs, k);

			if (strcmp(json_get_text(it, "uuid", ""), uuid) == 0)
				return gpu;
		}
	}
	return json_object_array_get_idx(mine, 0);
}

static struct json_object *fact(const struct likeness_field *f,
				struct json_object *machine, struct json_object *other)
{
	static const char first_gpu[] = "gpus/0/";
	size_t len = sizeof(first_gpu) - 1;

	if (!machine)
		return NULL;
	if (strncmp(f->path, first_gpu, len) == 0)
		return json_at(likeness_gpu(machine, other), f->path + len);
	return json_at(machine, f->path);
}

void likeness_compare(struct likeness *ret, struct json_object *baseline,
		      struct json_object *candidate)
{
	*ret = (struct likeness){
		.rows = x_calloc(ARRAY_SIZE(fields), sizeof(*ret->rows))};
	for (const struct likeness_field *f = fields; f->path; f++) {
		struct json_object *a = fact(f, baseline, candidate);
		struct json_object *b = fact(f, candidate, baseline);
		struct likeness_row row = compare_one(f, a, b);

		ret->breaks += row.state == LIKENESS_BREAKS;
		ret->differs += row.state == LIKENESS_DIFFERS;
		ret->unknown +=
			row.state == LIKENESS_UNKNOWN && f->weight == LIKENESS_MUST;
		ret->rows[ret->nr++] = row;
	}
}

void likeness_release(struct likeness *l)
{
	for (size_t i = 0; i < l->nr; i++) {
		free(l->rows[i].baseline);
		free(l->rows[i].candidate);
	}
	free(l->rows);
	*l = (struct likeness){0};
}

bool likeness_holds(const struct likeness *l)
{
	return l->breaks == 0;
}

const char *likeness_state_name(enum likeness_state state)
{
	static const char *const names[] = {
		[LIKENESS_SAME] = "same",       [LIKENESS_EXPECTED] = "expected",
		[LIKENESS_DIFFERS] = "differs", [LIKENESS_BREAKS] = "breaks",
		[LIKENESS_UNKNOWN] = "unknown", [LIKENESS_ABSENT] = "absent",
	};

	return names[state];
}

struct json_object *likeness_to_json(const struct likeness *l)
{
	struct json_object *o = json_object_new_object();
	struct json_object *rows = json_object_new_array();

	for (size_t i = 0; i < l->nr; i++) {
		const struct likeness_row *r = &l->rows[i];
		struct json_object *row = json_object_new_object();

		json_put_text(row, "path", r->field->path);
		json_put_text(row, "label", r->field->label);
		json_put_text(row, "state", likeness_state_name(r->state));
		json_put_text(row, "baseline", r->baseline);
		json_put_text(row, "candidate", r->candidate);
		json_put_text(row, "why", r->field->why);
		json_object_array_add(rows, row);
	}
	json_put_bool(o, "like_for_like", likeness_holds(l));
	json_put(o, "rows", rows);
	return o;
}
