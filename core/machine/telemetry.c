#include "core/machine/telemetry.h"

#include "core/base/clock.h"
#include "core/base/detached_call.h"
#include "core/base/mem.h"
#include "core/machine/nvml_impl.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Even: where there are more, each two become one. */
enum { STRETCHES_MAX = 3000 };

enum quantity { SM_CLOCK, MEMORY_CLOCK, POWER, TEMPERATURE, QUANTITIES };

static const char *const quantity_keys[] = {"sm_clock_hz", "memory_clock_hz", "power_w",
					    "temperature_c"};

struct spread {
	double sum, least, most;
	size_t nr; /* 0: not told */
};

/* Readings one after another. A single one is the shortest. */
struct stretch {
	int64_t from_ns, to_ns;
	struct spread of[QUANTITIES];
	unsigned long long reasons;
	bool is_told; /* the reasons */
};

/* What the GPU counts by itself. */
static const struct counter {
	const char *group, *key;
	unsigned field, scope;
	double scale;
	bool is_state; /* shown as it is at the end, not as a difference */
} counters[] = {
	{"throttle_s", "sw_power_cap", NVML_FIELD_SW_POWER_CAP_NS, 0, 1e-9, false},
	{"throttle_s", "sync_boost", NVML_FIELD_SYNC_BOOST_NS, 0, 1e-9, false},
	{"throttle_s", "sw_thermal", NVML_FIELD_SW_THERMAL_NS, 0, 1e-9, false},
	{"throttle_s", "hw_thermal", NVML_FIELD_HW_THERMAL_NS, 0, 1e-9, false},
	{"throttle_s", "hw_power_brake", NVML_FIELD_HW_POWER_BRAKE_NS, 0, 1e-9, false},
	{NULL, "energy_j", NVML_FIELD_ENERGY_MJ, 0, 1e-3, false},
	{"remapped_rows", "correctable", NVML_FIELD_REMAPPED_CORRECTABLE, 0, 1, true},
	{"remapped_rows", "uncorrectable", NVML_FIELD_REMAPPED_UNCORRECTABLE, 0, 1, true},
	{"remapped_rows", "pending", NVML_FIELD_REMAPPED_PENDING, 0, 1, true},
	{"remapped_rows", "failure", NVML_FIELD_REMAPPED_FAILURE, 0, 1, true},
	{"pcie", "replays", NVML_FIELD_PCIE_REPLAYS, 0, 1, false},
	{"nvlink", "tx_bytes", NVML_FIELD_NVLINK_TX_KIB, UINT32_MAX, 1024, false},
	{"nvlink", "rx_bytes", NVML_FIELD_NVLINK_RX_KIB, UINT32_MAX, 1024, false},
	{"nvlink", "crc_errors", NVML_FIELD_NVLINK_CRC_ERRORS, 0, 1, false},
	{"nvlink", "replays", NVML_FIELD_NVLINK_REPLAYS, 0, 1, false},
	{"nvlink", "recoveries", NVML_FIELD_NVLINK_RECOVERIES, 0, 1, false},
	{"c2c", "links", NVML_FIELD_C2C_LINKS, 0, 1, true},
	{"c2c", "status", NVML_FIELD_C2C_STATUS, 0, 1, true},
	{"c2c", "replays", NVML_FIELD_C2C_REPLAYS, 0, 1, false},
};

enum { COUNTERS = ARRAY_SIZE(counters), ECC_COUNTERS = 4 };

static const char *const ecc_keys[ECC_COUNTERS] = {"corrected", "uncorrected",
						   "corrected_ever", "uncorrected_ever"};

struct counted {
	double values[COUNTERS], ecc[ECC_COUNTERS]; /* NaN: not told */
	unsigned pcie_generation, pcie_width;
};

struct telemetry {
	struct nvml *nvml;
	struct nvml_gpu *gpu;
	char uuid[NVML_UUID_SIZE];
	pthread_t thread;
	bool is_running;
	atomic_bool wants_stop;
	pthread_mutex_t lock; /* for 'wake' alone */
	pthread_cond_t wake;
	struct stretch *stretches;
	size_t nr, each, last;      /* stretches; readings in each; in the last so far */
	uint64_t taken, failed;     /* readings; those without a clock */
	unsigned long long reasons; /* every throttle reason that was ever seen */
	int64_t started_ns, ended_ns, span_from_ns, span_to_ns;
	struct counted before, after;
};

static struct spread told(int code, unsigned value, double scale)
{
	double v = value * scale;

	/* A GPU that computes has a clock, draws power and is not at 0 C. */
	return code == NVML_SUCCESS && value ? (struct spread){v, v, v, 1}
					     : (struct spread){0};
}

static void spread_add(struct spread *to, const struct spread *more)
{
	if (!more->nr)
		return;
	to->least = to->nr ? fmin(to->least, more->least) : more->least;
	to->most = to->nr ? fmax(to->most, more->most) : more->most;
	to->sum += more->sum;
	to->nr += more->nr;
}

static double spread_mean(const struct spread *s)
{
	return s->nr ? s->sum / (double)s->nr : NAN;
}

static struct stretch read_now(struct telemetry *t)
{
	struct stretch r = {.from_ns = clock_mono_ns()};
	struct nvml *n = t->nvml;
	unsigned value = 0;
	int code;

	r.to_ns = r.from_ns;
	if (n->nvmlDeviceGetClockInfo) {
		code = n->nvmlDeviceGetClockInfo(t->gpu, NVML_CLOCK_SM, &value);
		r.of[SM_CLOCK] = told(code, value, 1e6);
		code = n->nvmlDeviceGetClockInfo(t->gpu, NVML_CLOCK_MEMORY, &value);
		r.of[MEMORY_CLOCK] = told(code, value, 1e6);
	}
	if (n->nvmlDeviceGetPowerUsage) {
		code = n->nvmlDeviceGetPowerUsage(t->gpu, &value);
		r.of[POWER] = told(code, value, 1e-3);
	}
	if (n->nvmlDeviceGetTemperature) {
		code = n->nvmlDeviceGetTemperature(t->gpu, NVML_TEMPERATURE_GPU, &value);
		r.of[TEMPERATURE] = told(code, value, 1);
	}
	r.is_told = n->nvmlDeviceGetCurrentClocksThrottleReasons &&
		    n->nvmlDeviceGetCurrentClocksThrottleReasons(t->gpu, &r.reasons) ==
			    NVML_SUCCESS;
	if (!r.is_told)
		r.reasons = 0;
	return r;
}

/* 'more' follows 'to'. */
static void stretch_add(struct stretch *to, const struct stretch *more)
{
	to->to_ns = more->to_ns;
	for (int q = 0; q < QUANTITIES; q++)
		spread_add(&to->of[q], &more->of[q]);
	to->reasons |= more->reasons;
	to->is_told |= more->is_told;
}

static void halve(struct telemetry *t)
{
	for (size_t i = 0; i < t->nr / 2; i++) {
		struct stretch first = t->stretches[2 * i];

		stretch_add(&first, &t->stretches[2 * i + 1]);
		t->stretches[i] = first;
	}
	t->nr /= 2;
	t->each *= 2;
	t->last = t->each;
}

static void sample(struct telemetry *t)
{
	struct stretch r = read_now(t);

	t->taken++;
	t->failed += !r.of[SM_CLOCK].nr;
	t->reasons |= r.reasons;
	if (t->nr == STRETCHES_MAX && t->last == t->each)
		halve(t);
	if (t->last == t->each) {
		t->stretches[t->nr++] = r;
		t->last = 1;
	} else {
		stretch_add(&t->stretches[t->nr - 1], &r);
		t->last++;
	}
}

static void count(struct telemetry *t, struct counted *c)
{
	struct nvml *n = t->nvml;
	struct nvml_field fields[COUNTERS];

	memset(fields, 0, sizeof(fields));
	for (size_t i = 0; i < COUNTERS; i++) {
		fields[i].field = counters[i].field;
		fields[i].scope = counters[i].scope;
		c->values[i] = NAN;
	}
	if (n->nvmlDeviceGetFieldValues &&
	    n->nvmlDeviceGetFieldValues(t->gpu, COUNTERS, fields) == NVML_SUCCESS)
		for (size_t i = 0; i < COUNTERS; i++)
			if (!nvml_field_number(&fields[i], &c->values[i]))
				c->values[i] = NAN;
	for (int i = 0; i < ECC_COUNTERS; i++) {
		unsigned long long errors = 0;
		bool is_told = n->nvmlDeviceGetTotalEccErrors &&
			       n->nvmlDeviceGetTotalEccErrors(t->gpu, i & 1, i >> 1,
							      &errors) == NVML_SUCCESS;

		c->ecc[i] = is_told ? (double)errors : NAN;
	}
	if (n->nvmlDeviceGetCurrPcieLinkGeneration)
		n->nvmlDeviceGetCurrPcieLinkGeneration(t->gpu, &c->pcie_generation);
	if (n->nvmlDeviceGetCurrPcieLinkWidth)
		n->nvmlDeviceGetCurrPcieLinkWidth(t->gpu, &c->pcie_width);
}

/* Sleeps to 'until' or to telemetry_stop(), whichever is first. */
static void rest(struct telemetry *t, int64_t until_ns)
{
	struct timespec at = {.tv_sec = until_ns / NS_PER_S,
			      .tv_nsec = until_ns % NS_PER_S};

	pthread_mutex_lock(&t->lock);
	if (!atomic_load(&t->wants_stop))
		pthread_cond_clockwait(&t->wake, &t->lock, CLOCK_MONOTONIC, &at);
	pthread_mutex_unlock(&t->lock);
}

static void *watch(void *arg)
{
	struct telemetry *t = arg;
	int64_t next = t->started_ns;

	while (!atomic_load(&t->wants_stop)) {
		/* A reading that took longer than a period is not made up for. */
		next += TELEMETRY_PERIOD_NS;
		if (next < clock_mono_ns())
			next = clock_mono_ns();
		rest(t, next);
		if (!atomic_load(&t->wants_stop))
			sample(t);
	}
	return NULL;
}

static int start_thread(struct telemetry *t, struct err *err)
{
	int rc;

	pthread_cond_init(&t->wake, NULL);
	pthread_mutex_init(&t->lock, NULL);
	rc = detached_start(&t->thread, watch, t);
	t->is_running = rc == 0;
	return rc == 0 ? 0
		       : err_set_code(err, ERR_ENVIRONMENT, "errno", rc,
				      "no thread for telemetry: %s", strerror(rc));
}

struct telemetry *telemetry_start(const char *which, struct err *err)
{
	struct telemetry *t = x_calloc(1, sizeof(*t));

	t->nvml = nvml_open(err);
	if (!t->nvml || nvml_gpu_find(t->nvml, which, &t->gpu, err) != 0 ||
	    nvml_gpu_uuid(t->nvml, t->gpu, t->uuid, err) != 0) {
		nvml_close(t->nvml);
		free(t);
		return NULL;
	}
	t->stretches = x_calloc(STRETCHES_MAX, sizeof(*t->stretches));
	t->each = t->last = 1;
	count(t, &t->before);
	t->started_ns = clock_mono_ns();
	sample(t); /* a span may be over before the thread is awake */
	if (start_thread(t, err) != 0) {
		telemetry_free(t);
		return NULL;
	}
	return t;
}

void telemetry_mark(struct telemetry *t, bool begins)
{
	if (begins && t->span_from_ns == 0) {
		count(t, &t->before);
		t->span_from_ns = clock_mono_ns();
	}
	if (!begins) {
		t->span_to_ns = clock_mono_ns();
		count(t, &t->after);
	}
}

void telemetry_stop(struct telemetry *t)
{
	if (!t->is_running)
		return;
	pthread_mutex_lock(&t->lock);
	atomic_store(&t->wants_stop, true);
	pthread_cond_signal(&t->wake);
	pthread_mutex_unlock(&t->lock);
	pthread_join(t->thread, NULL);
	t->is_running = false;
	t->ended_ns = clock_mono_ns();
	if (t->span_from_ns == 0)
		t->span_from_ns = t->started_ns;
	if (t->span_to_ns == 0) {
		t->span_to_ns = t->ended_ns;
		count(t, &t->after);
	}
}

void telemetry_free(struct telemetry *t)
{
	if (!t)
		return;
	telemetry_stop(t);
	pthread_cond_destroy(&t->wake);
	pthread_mutex_destroy(&t->lock);
	nvml_close(t->nvml);
	free(t->stretches);
	free(t);
}

static int64_t stretch_ns(const struct telemetry *t)
{
	return TELEMETRY_PERIOD_NS * (int64_t)t->each;
}

static struct spread spread_within(const struct telemetry *t, enum quantity q,
				   int64_t slack)
{
	struct spread s = {0};

	for (size_t i = 0; i < t->nr; i++)
		if (t->stretches[i].from_ns >= t->span_from_ns - slack &&
		    t->stretches[i].to_ns <= t->span_to_ns + slack)
			spread_add(&s, &t->stretches[i].of[q]);
	return s;
}

/* Over the span. One that no reading fell into has what was just before and after. */
static struct spread spread_of(const struct telemetry *t, enum quantity q)
{
	struct spread s = spread_within(t, q, 0);

	return s.nr ? s : spread_within(t, q, stretch_ns(t));
}

double telemetry_mean_sm_clock_hz(const struct telemetry *t)
{
	struct spread s = spread_of(t, SM_CLOCK);

	return s.nr ? spread_mean(&s) : 0;
}

static double counted(const struct telemetry *t, size_t i)
{
	double value = counters[i].is_state ? t->after.values[i]
					    : t->after.values[i] - t->before.values[i];

	/* A GPU always draws power: no energy is a span shorter than the counter's step. */
	if (counters[i].field == NVML_FIELD_ENERGY_MJ && !(value > 0))
		return NAN;
	return value * counters[i].scale;
}

double telemetry_hardware_slowdown_s(const struct telemetry *t)
{
	double sum = 0;

	for (size_t i = 0; i < COUNTERS; i++) {
		if (counters[i].field != NVML_FIELD_HW_THERMAL_NS &&
		    counters[i].field != NVML_FIELD_HW_POWER_BRAKE_NS)
			continue;
		if (isnan(counted(t, i)))
			return -1;
		sum += counted(t, i);
	}
	return sum;
}

double telemetry_uncorrected_errors(const struct telemetry *t)
{
	double errors = t->after.ecc[1] - t->before.ecc[1];

	return isnan(errors) ? -1 : errors;
}

static struct json_object *group(struct json_object *o, const char *key)
{
	struct json_object *at = json_member(o, key);

	if (at)
		return at;
	at = json_object_new_object();
	json_put(o, key, at);
	return at;
}

/* NaN is written as null. */
static void put_counted(const struct telemetry *t, struct json_object *o)
{
	struct json_object *ecc = group(o, "ecc");

	for (size_t i = 0; i < COUNTERS; i++)
		json_put_real(counters[i].group ? group(o, counters[i].group) : o,
			      counters[i].key, counted(t, i));
	for (int i = 0; i < ECC_COUNTERS; i++)
		json_put_real(ecc, ecc_keys[i],
			      i >> 1 ? t->after.ecc[i]
				     : t->after.ecc[i] - t->before.ecc[i]);
	/* A link that is there has a generation: 0 is 'not told'. */
	json_put_real(group(o, "pcie"), "generation",
		      t->after.pcie_generation ? t->after.pcie_generation : NAN);
	json_put_real(group(o, "pcie"), "width",
		      t->after.pcie_width ? t->after.pcie_width : NAN);
}

static void put_reasons(const struct telemetry *t, struct json_object *o)
{
	static const struct {
		unsigned long long bit;
		const char *name;
	} names[] = {
		{0x1, "idle"},
		{0x2, "application-clocks"},
		{0x4, "sw-power-cap"},
		{0x8, "hw-slowdown"},
		{0x10, "sync-boost"},
		{0x20, "sw-thermal"},
		{0x40, "hw-thermal"},
		{0x80, "hw-power-brake"},
		{0x100, "display-clocks"},
	};
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (t->reasons & names[i].bit)
			json_object_array_add(list,
					      json_object_new_string(names[i].name));
	json_put(o, "reasons_seen", list);
}

static void put_series(const struct telemetry *t, struct json_object *o)
{
	struct json_object *series = group(o, "series"), *values;

	json_put_real(series, "period_s", (double)stretch_ns(t) / 1e9);
	json_put(series, "t_s", values = json_object_new_array());
	for (size_t i = 0; i < t->nr; i++)
		json_object_array_add(values,
				      json_new_real((double)(t->stretches[i].from_ns -
							     t->span_from_ns) /
						    1e9));
	json_put(series, "reasons", values = json_object_new_array());
	for (size_t i = 0; i < t->nr; i++) {
		const struct stretch *s = &t->stretches[i];

		json_object_array_add(
			values,
			s->is_told ? json_object_new_int64((int64_t)s->reasons) : NULL);
	}
	for (int q = 0; q < QUANTITIES; q++) {
		json_put(series, quantity_keys[q], values = json_object_new_array());
		for (size_t i = 0; i < t->nr; i++)
			json_object_array_add(values, json_new_real(spread_mean(
							      &t->stretches[i].of[q])));
	}
}

struct json_object *telemetry_json(const struct telemetry *t)
{
	struct json_object *o = json_object_new_object();

	json_put_text(o, "uuid", t->uuid);
	json_put_real(o, "period_s", (double)TELEMETRY_PERIOD_NS / 1e9);
	json_put_real(o, "span_s", (double)(t->span_to_ns - t->span_from_ns) / 1e9);
	json_put_int(o, "samples", (int64_t)t->taken);
	json_put_int(o, "samples_failed", (int64_t)t->failed);
	for (int q = 0; q < QUANTITIES; q++) {
		struct spread s = spread_of(t, (enum quantity)q);
		struct json_object *of = group(o, quantity_keys[q]);

		json_put_real(of, "mean", spread_mean(&s));
		json_put_real(of, "least", s.nr ? s.least : NAN);
		json_put_real(of, "most", s.nr ? s.most : NAN);
	}
	put_counted(t, o);
	put_reasons(t, o);
	put_series(t, o);
	return o;
}
