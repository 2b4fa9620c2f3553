#include "tests/support/honest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/mem.h"

struct json_object *honest_json(const char *text)
{
	struct err err = ERR_INIT;
	struct json_object *o = json_parse(text, strlen(text), "honest", &err);

	if (!o) {
		fprintf(stderr, "honest: %s\n", err.text);
		abort();
	}
	return o;
}

static struct json_object *formatted(char *text)
{
	struct json_object *o = honest_json(text);

	free(text);
	return o;
}

/* Where a list's index or an object's key is meant. */
static void put_at(struct json_object *in, const char *key, struct json_object *value)
{
	if (json_object_is_type(in, json_type_array))
		json_object_array_put_idx(in, strtoul(key, NULL, 10), value);
	else
		json_put(in, key, value);
}

void honest_edit(struct json_object *o, const char *path, const char *value)
{
	const char *last = strrchr(path, '/');
	char *parent = last ? x_strndup(path, (size_t)(last - path)) : NULL;
	struct json_object *in = parent ? json_at(o, parent) : o;

	if (!in) {
		fprintf(stderr, "honest: nothing at '%s'\n", path);
		abort();
	}
	last = last ? last + 1 : path;
	if (value)
		put_at(in, last, strcmp(value, "null") == 0 ? NULL : honest_json(value));
	else if (json_object_is_type(in, json_type_object))
		json_object_object_del(in, last);
	else
		put_at(in, last, NULL);
	free(parent);
}

static struct json_object *identity(int side)
{
	return formatted(x_asprintf("{\"machine\": \"%016x\", \"boot\": \"%016x\", "
				    "\"board\": \"%016x\"}",
				    0xa000 + side, 0xb000 + side, 0xc000 + side));
}

/* As NVML tells of an H200 and of the same in a guest, for which passthrough keeps some memory. */
static struct json_object *gpus(int side)
{
	return formatted(x_asprintf(
		"[{\"index\": 0, \"uuid\": \"GPU-1\", \"serial\": \"1654\", \"name\": "
		"\"NVIDIA H200\", \"pci_address\": \"%s\", \"driver_version\": "
		"\"580.65.06\", \"vbios\": \"96.00\", \"power_limit_w\": 700, \"ecc\": "
		"{\"enabled\": true, \"pending\": true}, \"mig\": {\"enabled\": false, "
		"\"pending\": false}, \"ecc_pending\": false, \"max_sm_clock_hz\": 1.98e9, "
		"\"memory_bytes\": %lld, \"multiprocessors\": 132, \"persistence\": "
		"\"enabled\", \"virtualization\": \"%s\", \"mps\": false, \"cc_mode\": "
		"\"off\", \"compute_mode\": \"default\", \"nvlink_encryption\": false, "
		"\"vgpu_type\": null, \"remap\": {\"pending\": false, \"failed\": false, "
		"\"correctable\": 0, \"uncorrectable\": 0}, \"retired_pages\": "
		"{\"pending\": false, \"single\": 0, \"double\": 0}, \"link_path\": "
		"[{\"address\": \"%s\", \"kind\": \"endpoint\", \"width\": 16, "
		"\"width_max\": 16, \"speed_gts\": 32, \"speed_max\": 32}, {\"address\": "
		"\"%s\", \"kind\": \"root port\", \"width\": %d, \"width_max\": %d, "
		"\"speed_gts\": %g, \"speed_max\": %g}]}]",
		side ? "0000:01:00.0" : "0000:a1:00.0",
		side ? 149500000000LL : 150754820096LL, side ? "passthrough" : "none",
		side ? "0000:01:00.0" : "0000:a1:00.0",
		side ? "0000:00:01.0" : "0000:a0:01.0", side ? 1 : 16, side ? 1 : 16,
		side ? 2.5 : 32.0, side ? 2.5 : 32.0));
}

struct json_object *honest_machine(int side, enum honest_kind kind)
{
	struct json_object *o = formatted(x_asprintf(
		"{\"schema\": \"tare.machine/1\", \"cpu\": {\"architecture\": \"x86_64\", "
		"\"model\": \"Xeon\", \"threads\": %d}, \"memory\": {\"total_bytes\": "
		"%lld}, \"numa\": {\"count\": %d}, \"kernel\": {\"release\": \"6.1.0-%d\", "
		"\"hostname\": \"host-%d\"}, \"hypervisor\": {\"kind\": \"%s\", "
		"\"is_guest\": %s}, \"container\": {\"kind\": \"none\", \"source\": "
		"\"/proc/self/ns/pid\"}, \"confinement\": {\"affinity\": \"0-%d\", "
		"\"source\": \"cgroup v2\", \"cpu_quota\": null, \"cpuset\": null, "
		"\"memory_max_bytes\": null}, \"xid\": {\"count\": 0, \"last\": null, "
		"\"source\": \"/dev/kmsg\"}, \"time\": {\"synchronised\": true}, "
		"\"libraries\": {\"cublas\": \"13.0.2\", \"cuda\": \"580.65.06\", "
		"\"openblas\": \"0.3.21\"}, \"clock\": {\"source\": \"%s\"}}",
		side ? 64 : 144, side ? 256000000000LL : 1024000000000LL, side ? 1 : 2,
		side + 9, side, side ? "kvm" : "none", side ? "true" : "false",
		side ? 63 : 143, side ? "kvm-clock" : "tsc"));

	json_put(o, "identity", identity(side));
	json_put(o, "gpus", kind == HONEST_CPU ? json_object_new_array() : gpus(side));
	return o;
}

static const char *const computed[] = {
	[HONEST_GPU] =
		"{\"kind\": \"gpu\", \"device\": \"NVIDIA H200\", \"uuid\": \"GPU-1\", "
		"\"backend\": \"cublas\", \"library\": \"cuBLAS 13.0.2\", \"kernels\": "
		"\"sm_90\", \"multiprocessors\": 132, \"multiprocessors_whole\": 132, "
		"\"memory_bytes\": 149000000000}",
	[HONEST_CPU] = "{\"kind\": \"cpu\", \"device\": \"Xeon\", \"backend\": "
		       "\"openblas\", \"library\": \"OpenBLAS 0.3.21\", \"kernels\": "
		       "\"SkylakeX\"}",
	[HONEST_SERVER] = "{\"kind\": \"server\", \"device\": \"http://127.0.0.1:8000\"}",
};

/* Each arm for ten minutes of each round's hour. */
static void put_span(struct json_object *o, int side, int round)
{
	int64_t from;
	char started[CLOCK_LABEL_SIZE], ended[CLOCK_LABEL_SIZE];

	clock_from_label("2026-11-01T00:00:00.000Z", &from);
	from += (round * 3600 + side * 900) * NS_PER_S;
	clock_label(from, started);
	clock_label(from + 600 * NS_PER_S, ended);
	json_put(o, "span",
		 formatted(x_asprintf("{\"started\": \"%s\", \"ended\": \"%s\", "
				      "\"seconds\": 600, \"wall_step_s\": 0.001}",
				      started, ended)));
}

void honest_result(struct result *r, int side, int round, enum honest_kind kind)
{
	struct json_object *o = json_object_new_object();

	json_put(o, "computed", honest_json(computed[kind]));
	put_span(o, side, round);
	json_put(o, "cpu",
		 formatted(x_asprintf("{\"affinity\": \"0-%d\", \"steal_s\": 0, "
				      "\"throttled_s\": 0, \"throttled_periods\": 0, "
				      "\"periods\": 0}",
				      side ? 63 : 143)));
	json_put(o, "others", honest_json("{\"known\": true, \"processes\": 0}"));
	json_put(o, "identity", identity(side));
	if (kind != HONEST_SERVER)
		json_put_text(o, "digest_c", "00c1");
	json_object_put(r->evidence);
	r->evidence = o;
	if (!json_object_object_length(r->params))
		result_set_params(r, honest_json("{\"seed\": 1}"));
	if (!json_object_object_length(r->machine))
		result_set_machine(r, honest_machine(side, kind));
	if (kind != HONEST_GPU || json_object_object_length(r->telemetry))
		return;
	json_object_put(r->telemetry);
	r->telemetry = honest_json(
		side ? "{\"span_s\": 10, \"sm_clock_hz\": {\"mean\": 1.7535e9}, "
		       "\"power_w\": {\"mean\": 688}, \"series\": {\"t_s\": [-1, 1], "
		       "\"sm_clock_hz\": [3e8, 1.7535e9], \"power_w\": [90, 688]}}"
		     : "{\"span_s\": 10, \"sm_clock_hz\": {\"mean\": 1.755e9}, "
		       "\"power_w\": {\"mean\": 690}, \"series\": {\"t_s\": [-1, 1], "
		       "\"sm_clock_hz\": [3e8, 1.755e9], \"power_w\": [90, 690]}}");
}
