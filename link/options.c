#include "link/options.h"

#include "core/base/mem.h"
#include "core/document/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(member) offsetof(struct link_options, member)
#define SIZE_MIN 4096
#define SIZE_MAX_BYTES 0x1p30

const char *const link_part_names[LINK_PARTS] = {
	[PART_COPIES] = "copies",
	[PART_LATENCY] = "latency",
	[PART_PEERS] = "peers",
	[PART_MEMORY] = "memory",
};

static const struct field fields[] = {
	{"what", FIELD_TEXT, AT(what), .arg = "LIST",
	 .help = "Parts to measure, with commas between them: copies (host and GPU), "
		 "latency (launches, waits, loads, allocations), "
		 "peers (GPUs and each other's memory) and memory (a triad in the "
		 "host's memory). Without it all of them, and "
		 "without a GPU those that need none."},
	{"device", FIELD_TEXT, AT(device), .arg = "GPU",
	 .help = "UUID of a GPU or MIG device (GPU-..., MIG-...), PCI address, or "
		 "number; without it every GPU, one after the other."},
	{"sizes", FIELD_INTS, AT(sizes), .min = SIZE_MIN, .max = SIZE_MAX_BYTES,
	 .arg = "LIST",
	 .help = "Bytes of a copy, multiples of 4Ki; the largest gates. Without it 4Ki, "
		 "64Ki, 1Mi, 16Mi, 128Mi and 512Mi, with --quick 1Mi and 256Mi."},
	{"samples", FIELD_INT, AT(samples), .max = 10000, .arg = "N",
	 .help = "Values of each cell; 0 for 10, and with --quick 3."},
	{"launches", FIELD_INT, AT(launches), .max = 1e7, .arg = "N",
	 .help = "Repeats of each latency; of the slower ones a tenth, a hundredth and "
		 "so on. 0 for 100000, and with --quick 20000."},
	{"memory", FIELD_BYTES, AT(memory_bytes), .arg = "BYTES",
	 .help = "Use no more of a GPU's memory than this for buffers; 0 for what the "
		 "sizes need, which is twice the largest."},
	{"triad-bytes", FIELD_BYTES, AT(triad_bytes), .max = 0x1p36, .arg = "BYTES",
	 .help = "Bytes of each of the three arrays of a NUMA node's triad, which should "
		 "be four times its caches; 0 for 256Mi, and with --quick 64Mi."},
	{"seed", FIELD_INT, AT(seed), .unset = "1", .max = 0x1p62, .arg = "NUMBER",
	 .help = "What is copied follows from it."},
	{"quick", FIELD_FLAG, AT(quick),
	 .help = "Fewer samples and sizes: some 20 seconds on one GPU."},
	{"telemetry", FIELD_FLAG, AT(telemetry), .unset = "true",
	 .help = "Sample clocks, power, temperature and errors of each GPU 10 times a "
		 "second."},
	{"exclusive", FIELD_FLAG, AT(exclusive), .unset = "true",
	 .help = "Make the result invalid when another process uses a GPU."},
	{"json", FIELD_FLAG, AT(json),
	 .help = "Print the result document instead of a summary."},
	{"output", FIELD_TEXT, AT(output), .arg = "FILE", .letter = 'o',
	 .help = "Keep the result document in FILE; what is there is replaced."},
	{0},
};

static const struct opt_text examples[] = {
	{"tare-link", "Everything, on every GPU of this machine."},
	{"tare-link --what copies --sizes 64Mi,1Gi --device 0",
	 "Copies of two sizes between the host and the first GPU."},
	{"tare-link --what memory --json -o memory.json",
	 "The host's memory alone; the document is printed and kept in a file."},
	{0},
};

static const struct opt_text sections[] = {
	{"VERIFICATION",
	 "What is copied is a pattern that follows from the seed and the place of each "
	 "word. Before every cell the target is cleared, after it all of it is compared: "
	 "on the GPU by a kernel there, in the host's memory by the processor. A word "
	 "that differs makes the result invalid. Before two GPUs are timed, each stores a "
	 "pattern in the other's memory and the owner reads it there, both ways: access "
	 "that is granted and false has no bandwidth and makes the result invalid."},
	{"TIMING",
	 "Copies of pinned memory are queued behind a kernel that waits for the host, and "
	 "timed by events on the GPU, so that queueing is not inside. Pageable memory "
	 "cannot be queued so, and is timed by the host's clock, and so are latencies, "
	 "each repeat by itself: their quantiles are absent where the repeats do not "
	 "support them."},
	{"EXIT STATUS", "0 measured and right; 2 wrong usage; 4 invalid measurement; 5 "
			"no such device, out "
			"of memory or another failure of the machine; 6 a bug in tare; "
			"130 interrupted."},
	{0},
};

const struct opt_command link_command = {
	.name = "tare-link",
	.summary = "time copies and latencies between host and GPUs and check the data",
	.usage = "[OPTION]...",
	.about = "Times what lies between a host and its GPUs: copies by the copy "
		 "engines, latencies of small things, GPUs and each other's "
		 "memory, and the host's own memory, each at its own place (GPU, NUMA "
		 "node), so that one bad one is named. CUDA's driver is opened when "
		 "the program runs. Without a GPU the host's memory is measured, and "
		 "the result says so. Prints a summary, or with --json one "
		 "tare.result/1 document.",
	.fields = fields,
	.examples = examples,
	.sections = sections,
};

static int add_part(struct link_options *o, const char *name, struct err *err)
{
	for (int i = 0; i < LINK_PARTS; i++) {
		if (strcmp(link_part_names[i], name) == 0) {
			o->asked |= 1u << i;
			return 0;
		}
	}
	return err_set(err, ERR_USAGE,
		       "--what: there is no part '%.40s'; tare-link --help lists them",
		       name);
}

static int read_what(struct link_options *o, struct err *err)
{
	char *list, *rest, *name;
	int rc = 0;

	o->asked = (1u << LINK_PARTS) - 1;
	if (!o->what)
		return 0;
	o->asked = 0;
	list = x_strdup(o->what);
	for (name = strtok_r(list, ",", &rest); name && rc == 0;
	     name = strtok_r(NULL, ",", &rest))
		rc = add_part(o, name, err);
	free(list);
	if (rc == 0 && !o->asked)
		return err_set(err, ERR_USAGE, "--what names no part to measure");
	return rc;
}

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void default_sizes(struct link_options *o)
{
	static const int64_t all[] = {4 << 10,  64 << 10,  1 << 20,
				      16 << 20, 128 << 20, 512 << 20};
	static const int64_t few[] = {1 << 20, 256 << 20};
	const int64_t *from = o->quick ? few : all;
	size_t nr = o->quick ? ARRAY_SIZE(few) : ARRAY_SIZE(all);

	o->sizes.items = x_calloc(nr, sizeof(*o->sizes.items));
	for (size_t i = 0; i < nr; i++)
		if (i == 0 || !o->memory_bytes || 2 * from[i] <= o->memory_bytes)
			o->sizes.items[o->sizes.nr++] = from[i];
}

static int check_sizes(struct link_options *o, struct err *err)
{
	int64_t *items = o->sizes.items, largest;
	size_t nr = 1;

	qsort(items, o->sizes.nr, sizeof(*items), by_size);
	for (size_t i = 1; i < o->sizes.nr; i++) /* one cell has one name */
		if (items[i] != items[nr - 1])
			items[nr++] = items[i];
	o->sizes.nr = nr;
	for (size_t i = 0; i < nr; i++)
		if (items[i] % SIZE_MIN)
			return err_set(err, ERR_USAGE,
				       "--sizes: %lld is no multiple of 4Ki",
				       (long long)items[i]);
	largest = items[nr - 1];
	if (o->memory_bytes && 2 * largest > o->memory_bytes)
		return err_set(err, ERR_USAGE,
			       "--memory %lld has no room for two buffers of %lld bytes "
			       "(--sizes); ask for smaller ones",
			       (long long)o->memory_bytes, (long long)largest);
	return 0;
}

int link_options_resolve(struct link_options *o, struct err *err)
{
	if (o->sizes.nr == 0)
		default_sizes(o);
	if (o->samples == 0)
		o->samples = o->quick ? 3 : 10;
	if (o->launches == 0)
		o->launches = o->quick ? 20000 : 100000;
	if (o->triad_bytes == 0)
		o->triad_bytes = (int64_t)(o->quick ? 64 : 256) << 20;
	return read_what(o, err) != 0 ? -1 : check_sizes(o, err);
}

bool link_options_need_gpu(const struct link_options *o)
{
	return o->asked & ~(1u << PART_MEMORY);
}

void link_options_without_gpu(struct link_options *o)
{
	o->asked &= 1u << PART_MEMORY;
}

static struct json_object *parts_json(const struct link_options *o)
{
	struct json_object *list = json_object_new_array();

	for (int i = 0; i < LINK_PARTS; i++)
		if (link_options_has(o, (enum link_part)i))
			json_object_array_add(list, json_new_text(link_part_names[i]));
	return list;
}

struct json_object *link_options_params(const struct link_options *o, const char *backend)
{
	struct json_object *params = json_object_new_object();
	struct json_object *sizes = json_object_new_array();

	json_put_text(params, "backend", backend);
	json_put(params, "what", parts_json(o));
	for (size_t i = 0; i < o->sizes.nr; i++)
		json_object_array_add(sizes, json_object_new_int64(o->sizes.items[i]));
	json_put(params, "sizes", sizes);
	json_put_int(params, "samples", o->samples);
	json_put_int(params, "launches", o->launches);
	json_put_int(params, "triad_bytes", o->triad_bytes);
	json_put_int(params, "seed", o->seed);
	return params;
}
