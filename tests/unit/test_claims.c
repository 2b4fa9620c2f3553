/*
 * The table of lies: honest measurements of one GPU on bare metal and in a guest, whose figures
 * are equal, and each staged lie about them. None may be called equivalent or improved, with its
 * claim named; honest pairs with harmless differences stay judged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "tests/support/staged.h"

#define SAME_BOOT                                                        \
	{FACTS, VM, 0, "identity/boot", "\"000000000000b000\""},         \
	{                                                                \
		EVIDENCE, VM, 0, "identity/boot", "\"000000000000b000\"" \
	}

static const struct staged lies[] = {
	/* who */
	{"one host, two names", HONEST_GPU, {SAME_BOOT}, "same-machine"},
	{"one host, for a processor", HONEST_CPU, {SAME_BOOT}, "same-machine"},
	{"one host, for a server", HONEST_SERVER, {SAME_BOOT}, "same-machine"},
	{"one board under two systems",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "identity/board", "\"000000000000c000\""}},
	 "same-machine"},
	{"one machine-id, and nothing else known",
	 HONEST_GPU,
	 {{FACTS, BOTH, 0, "identity", "{\"machine\": \"1\"}"},
	  {EVIDENCE, BOTH, 0, "identity", "{\"machine\": \"1\"}"}},
	 "who"},
	{"declared one machine, and two",
	 HONEST_GPU,
	 {{PLAN, 0, 0, "arms/vm",
	   "{\"target\": \"ssh\", \"same_machine_as\": \"metal\"}"}},
	 "same-machine"},
	{"facts of another machine than the result's",
	 HONEST_GPU,
	 {{FACTS, VM, 2, "identity/boot", "\"00000000deadbeef\""}},
	 "other-machine"},
	{"facts of both arms swapped in round 2",
	 HONEST_GPU,
	 {{FACTS, VM, 2, "identity/boot", "\"000000000000b000\""},
	  {FACTS, VM, 2, "identity/machine", "\"000000000000a000\""},
	  {FACTS, METAL, 2, "identity/boot", "\"000000000000b001\""},
	  {FACTS, METAL, 2, "identity/machine", "\"000000000000a001\""}},
	 "other-machine"},
	{"another GPU",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "gpus/0/uuid", "\"GPU-2\""},
	  {EVIDENCE, VM, 0, "computed/uuid", "\"GPU-2\""}},
	 "GPU (GPU-1, GPU-2)"},
	{"another GPU in round 3",
	 HONEST_GPU,
	 {{FACTS, VM, 3, "gpus/0/uuid", "\"GPU-2\""}},
	 "in round 3"},
	{"another serial number",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "gpus/0/serial", "\"1655\""}},
	 "serial"},
	{"another model",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "gpus/0/name", "\"NVIDIA H100\""}},
	 "GPU model"},
	{"one host whose boot is another's by its letters alone",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "identity/boot", "\" 000000000000B000 \""},
	  {EVIDENCE, VM, 0, "identity/boot", "\"000000000000B000\""}},
	 "same-machine"},
	{"identities of nothing",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "identity",
	   "{\"machine\": \"0\", \"boot\": \"\", \"board\": \"none\"}"},
	  {EVIDENCE, VM, 0, "identity",
	   "{\"machine\": \"0\", \"boot\": \"\", \"board\": \"none\"}"}},
	 "not shown: who"},
	{"another machine-id and no boot",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "identity", "{\"machine\": \"12\"}"},
	  {EVIDENCE, VM, 0, "identity", "{\"machine\": \"12\"}"}},
	 "not shown: who"},
	{"another host in round 3",
	 HONEST_GPU,
	 {{FACTS, METAL, 3, "identity",
	   "{\"machine\": \"5\", \"boot\": \"6\", \"board\": \"7\"}"},
	  {EVIDENCE, METAL, 3, "identity",
	   "{\"machine\": \"5\", \"boot\": \"6\", \"board\": \"7\"}"}},
	 "another machine (5) than in its first round"},
	/* boundary */
	{"a VM by the plan that is bare metal",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "hypervisor/kind", "\"none\""}},
	 "virtual machine"},
	{"a container for a VM",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "hypervisor/kind", "\"none\""},
	  {FACTS, VM, 0, "container/kind", "\"docker\""}},
	 "virtual machine"},
	{"bare metal in round 2 alone",
	 HONEST_GPU,
	 {{FACTS, METAL, 3, "hypervisor/kind", "\"kvm\""}},
	 "boundary"},
	{"a container in round 2 alone",
	 HONEST_GPU,
	 {{FACTS, VM, 2, "container/kind", "\"podman\""}},
	 "boundary"},
	{"a vGPU called whole",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "gpus/0/virtualization", "\"vgpu\""}},
	 "gpu-share"},
	{"a vGPU of another type",
	 HONEST_GPU,
	 {{FACTS, METAL, 0, "gpus/0/vgpu_type", "\"H200-141C\""},
	  {FACTS, VM, 0, "gpus/0/vgpu_type", "\"H200-70C\""}},
	 "vGPU type"},
	{"MPS on one side", HONEST_GPU, {{FACTS, VM, 0, "gpus/0/mps", "true"}}, "MPS"},
	{"confidential computing on one side",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "gpus/0/cc_mode", "\"on\""}},
	 "Confidential"},
	{"NVLink encrypted on one side",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "gpus/0/nvlink_encryption", "true"}},
	 "NVLink"},
	{"a slice against a whole GPU",
	 HONEST_GPU,
	 {{DETAILS, VM, 0, "mig", "{\"profile\": \"1g.18gb\", \"route\": \"host\"}"}},
	 "mig-part"},
	{"slices of two routes",
	 HONEST_GPU,
	 {{DETAILS, METAL, 0, "mig", "{\"profile\": \"1g.18gb\", \"route\": \"host\"}"},
	  {DETAILS, VM, 0, "mig", "{\"profile\": \"1g.18gb\", \"route\": \"guest\"}"}},
	 "mig-route"},
	{"two profiles",
	 HONEST_GPU,
	 {{DETAILS, METAL, 0, "mig", "{\"profile\": \"1g.18gb\", \"route\": \"host\"}"},
	  {DETAILS, VM, 0, "mig", "{\"profile\": \"2g.35gb\", \"route\": \"host\"}"}},
	 "mig-part"},
	{"MIG mode on one side",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "gpus/0/mig", "{\"enabled\": true, \"pending\": true}"}},
	 "MIG mode"},
	/* computed */
	{"a processor for a GPU",
	 HONEST_GPU,
	 {{EVIDENCE, VM, 0, "computed/kind", "\"cpu\""}},
	 "fallback"},
	{"a processor for a GPU on both sides",
	 HONEST_GPU,
	 {{EVIDENCE, BOTH, 0, "computed/kind", "\"cpu\""}},
	 "fallback"},
	{"OpenBLAS for cuBLAS, unasked",
	 HONEST_GPU,
	 {{PARAMS, BOTH, 0, "backend", "\"auto\""},
	  {EVIDENCE, BOTH, 0, "computed/kind", "\"cpu\""},
	  {EVIDENCE, BOTH, 0, "computed/backend", "\"openblas\""}},
	 "fallback"},
	{"a GPU for a processor",
	 HONEST_CPU,
	 {{EVIDENCE, VM, 0, "computed/kind", "\"gpu\""}},
	 "fallback"},
	{"another backend",
	 HONEST_GPU,
	 {{EVIDENCE, BOTH, 0, "computed/backend", "\"openblas\""}},
	 "fallback"},
	{"kernels of another architecture",
	 HONEST_GPU,
	 {{EVIDENCE, VM, 0, "computed/kernels", "\"sm_80\""}},
	 "kernels"},
	{"another device in the context",
	 HONEST_GPU,
	 {{EVIDENCE, VM, 0, "computed/device", "\"NVIDIA H100\""}},
	 "device"},
	{"another GPU of the same host",
	 HONEST_GPU,
	 {{EVIDENCE, METAL, 0, "computed/uuid", "\"GPU-7\""}},
	 "other-gpu"},
	{"another architecture of the processor",
	 HONEST_CPU,
	 {{FACTS, VM, 0, "cpu/architecture", "\"aarch64\""}},
	 "CPU architecture"},
	{"details of another GPU",
	 HONEST_GPU,
	 {{DETAILS, VM, 0, "gpu", "{\"uuid\": \"GPU-7\"}"}},
	 "other-gpu"},
	{"details of half of the GPU",
	 HONEST_GPU,
	 {{DETAILS, BOTH, 0, "gpu", "{\"multiprocessors_used\": 66}"}},
	 "used 66 multiprocessors of the 132"},
	/* the whole device */
	{"half of the multiprocessors",
	 HONEST_GPU,
	 {{EVIDENCE, VM, 0, "computed/multiprocessors", "66"}},
	 "66 of the GPU's 132"},
	{"half of them on both sides",
	 HONEST_GPU,
	 {{EVIDENCE, BOTH, 0, "computed/multiprocessors", "66"}},
	 "66 of the GPU's 132"},
	{"a whole that is smaller than NVML's",
	 HONEST_GPU,
	 {{EVIDENCE, BOTH, 0, "computed/multiprocessors", "66"},
	  {EVIDENCE, BOTH, 0, "computed/multiprocessors_whole", "66"}},
	 "whole-device"},
	{"half of the memory",
	 HONEST_GPU,
	 {{EVIDENCE, VM, 0, "computed/memory_bytes", "70000000000"}},
	 "memory"},
	{"half of the memory by NVML",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "gpus/0/memory_bytes", "75000000000"}},
	 "GPU memory"},
	{"ECC off on one side",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "gpus/0/ecc", "{\"enabled\": false, \"pending\": false}"}},
	 "ECC"},
	/* clocks, power */
	{"slower clocks",
	 HONEST_GPU,
	 {{TELEMETRY, VM, 0, "sm_clock_hz/mean", "1.70e9"}},
	 "clocks delivered differ by 3.1 %"},
	{"slower clocks in one round",
	 HONEST_GPU,
	 {{TELEMETRY, METAL, 2, "sm_clock_hz/mean", "1.70e9"}},
	 "in round 2"},
	{"heat on one side",
	 HONEST_GPU,
	 {{TELEMETRY, BOTH, 0, "throttle_s", "{\"sw_thermal\": 0}"},
	  {TELEMETRY, VM, 0, "throttle_s", "{\"sw_thermal\": 4}"}},
	 "throttled"},
	{"another maximum clock",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "gpus/0/max_sm_clock_hz", "1.755e9"}},
	 "maximum clock"},
	{"another power limit",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "gpus/0/power_limit_w", "600"}},
	 "power limit"},
	{"another power limit in round 4",
	 HONEST_GPU,
	 {{FACTS, METAL, 4, "gpus/0/power_limit_w", "600"}},
	 "in round 4"},
	{"no reading within the span",
	 HONEST_GPU,
	 {{TELEMETRY, BOTH, 0, "series/t_s", "[-2, -1]"}},
	 "not shown: clocks"},
	{"no reading within a short span of one side",
	 HONEST_GPU,
	 {{TELEMETRY, VM, 2, "span_s", "0.02"}},
	 "not shown: clocks"},
	{"a mean and no readings",
	 HONEST_GPU,
	 {{TELEMETRY, BOTH, 0, "series", "{\"t_s\": []}"}},
	 "not shown: clocks"},
	{"clocks of another GPU",
	 HONEST_GPU,
	 {{TELEMETRY, VM, 0, "uuid", "\"GPU-7\""}},
	 "the GPU watched is GPU-7"},
	{"a mean that its readings do not have",
	 HONEST_GPU,
	 {{TELEMETRY, VM, 0, "series/sm_clock_hz", "[3e8, 1.2e9]"}},
	 "that of its readings"},
	{"a mean outside its least and most",
	 HONEST_GPU,
	 {{TELEMETRY, VM, 0, "sm_clock_hz/least", "1.76e9"}},
	 "not between its least and most"},
	{"clocks above the greatest",
	 HONEST_GPU,
	 {{FACTS, BOTH, 0, "gpus/0/max_sm_clock_hz", "1.7e9"}},
	 "above the GPU's greatest clock"},
	{"fewer others than nobody",
	 HONEST_GPU,
	 {{EVIDENCE, BOTH, 0, "others/processes", "-1"}},
	 "not shown: alone"},
	/* alone */
	{"another process on the GPU",
	 HONEST_GPU,
	 {{EVIDENCE, VM, 0, "others/processes", "1"}},
	 "alone"},
	{"another process in one round, on both sides",
	 HONEST_GPU,
	 {{EVIDENCE, BOTH, 3, "others/processes", "2"}},
	 "alone"},
	/* the CPU side */
	{"a quota that held back",
	 HONEST_SERVER,
	 {{EVIDENCE, VM, 0, "cpu/periods", "62"},
	  {EVIDENCE, VM, 0, "cpu/throttled_periods", "53"}},
	 "53 of 62 periods"},
	{"a quota that held back both",
	 HONEST_CPU,
	 {{EVIDENCE, BOTH, 0, "cpu/periods", "62"},
	  {EVIDENCE, BOTH, 0, "cpu/throttled_periods", "53"}},
	 "53 of 62 periods"},
	{"a quota on one side",
	 HONEST_CPU,
	 {{FACTS, VM, 0, "confinement/cpu_quota", "2"}},
	 "cpu-quota"},
	{"fewer processors by affinity",
	 HONEST_CPU,
	 {{EVIDENCE, VM, 0, "cpu/affinity", "\"0-3\""}},
	 "cpu-affinity"},
	{"an affinity that changed",
	 HONEST_GPU,
	 {{EVIDENCE, METAL, 1, "cpu/affinity", "\"0-143, then 0\""}},
	 "cpu-affinity"},
	{"steal", HONEST_CPU, {{EVIDENCE, VM, 0, "cpu/steal_s", "9000"}}, "cpu-steal"},
	{"time that was given back",
	 HONEST_CPU,
	 {{EVIDENCE, VM, 0, "cpu/steal_s", "-5"}},
	 "not shown: cpu-free"},
	{"held back in no period",
	 HONEST_CPU,
	 {{EVIDENCE, VM, 0, "cpu/throttled_s", "300"}},
	 "cpu-quota"},
	{"container limits on one side",
	 HONEST_GPU,
	 {{FACTS, METAL, 0, "confinement/cpu_quota", "0.5"}},
	 "cpu-quota"},
	/* path */
	{"a link of x8",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "gpus/0/link_path/0/width", "8"}},
	 "x16 on metal and x8 on vm"},
	{"a link of 8 GT/s",
	 HONEST_GPU,
	 {{FACTS, METAL, 0, "gpus/0/link_path/0/speed_gts", "8"}},
	 "8 GT/s on metal"},
	/* health */
	{"a change of ECC pending",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "gpus/0/ecc_pending", "true"}},
	 "ECC is pending"},
	{"a change of ECC pending on both, by the pair",
	 HONEST_GPU,
	 {{FACTS, BOTH, 0, "gpus/0/ecc", "{\"enabled\": true, \"pending\": false}"}},
	 "ECC is pending"},
	{"a row remap pending",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "gpus/0/remap/pending", "true"}},
	 "row remap is pending"},
	{"a row remap that failed, on both",
	 HONEST_GPU,
	 {{FACTS, BOTH, 0, "gpus/0/remap/failed", "true"}},
	 "row remap failed"},
	{"pages to be retired",
	 HONEST_GPU,
	 {{FACTS, METAL, 2, "gpus/0/retired_pages/pending", "true"}},
	 "retirement"},
	{"an Xid",
	 HONEST_GPU,
	 {{FACTS, METAL, 0, "xid", "{\"count\": 1, \"last\": 79}"}},
	 "Xid"},
	/* the same work, the same software */
	{"other parameters",
	 HONEST_GPU,
	 {{PARAMS, VM, 0, "n", "4096"}},
	 "other parameters"},
	{"other parameters in round 2 of both",
	 HONEST_GPU,
	 {{PARAMS, BOTH, 2, "n", "4096"}},
	 "other parameters"},
	{"another C",
	 HONEST_GPU,
	 {{EVIDENCE, VM, 0, "digest_c", "\"00c2\""}},
	 "other-product"},
	{"another model",
	 HONEST_SERVER,
	 {{DETAILS, VM, 0, "server/model", "\"gpt\""}},
	 "server-model"},
	{"another revision",
	 HONEST_SERVER,
	 {{DETAILS, VM, 0, "server/revision", "\"b\""}},
	 "model-revision"},
	{"another greatest length",
	 HONEST_SERVER,
	 {{DETAILS, VM, 0, "server/max_model_len", "1024"}},
	 "server-limit"},
	{"a mock on one side",
	 HONEST_SERVER,
	 {{DETAILS, METAL, 0, "server/is_mock", "false"},
	  {DETAILS, VM, 0, "server/is_mock", "true"}},
	 "server-mock"},
	{"another server",
	 HONEST_SERVER,
	 {{DETAILS, VM, 0, "server/version", "\"0.12\""}},
	 "server-version"},
	{"another library",
	 HONEST_GPU,
	 {{EVIDENCE, VM, 0, "computed/library", "\"cuBLAS 12.8.4\""}},
	 "other-library"},
	{"another OpenBLAS",
	 HONEST_CPU,
	 {{EVIDENCE, VM, 0, "computed/library", "\"OpenBLAS 0.3.29\""}},
	 "other-library"},
	{"another driver",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "gpus/0/driver_version", "\"570.1\""}},
	 "GPU driver"},
	{"another driver in round 2",
	 HONEST_GPU,
	 {{FACTS, VM, 2, "gpus/0/driver_version", "\"570.1\""}},
	 "in round 2"},
	{"another VBIOS",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "gpus/0/vbios", "\"97\""}},
	 "VBIOS"},
	{"another cuBLAS by the machine",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "libraries/cublas", "\"12.8\""}},
	 "cuBLAS"},
	{"another CUDA",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "libraries/cuda", "\"570\""}},
	 "CUDA"},
	{"another build of tare",
	 HONEST_GPU,
	 {{TOOL, BOTH, 0, "commit", "\"aaaa\""}, {TOOL, VM, 0, "commit", "\"bbbb\""}},
	 "other-program"},
	/* time */
	{"a clock that was moved",
	 HONEST_GPU,
	 {{EVIDENCE, VM, 0, "span/wall_step_s", "-30"}},
	 "was moved"},
	{"a clock in 1970",
	 HONEST_GPU,
	 {{EVIDENCE, VM, 0, "span/started", "\"1970-01-01T00:00:00.000Z\""},
	  {EVIDENCE, VM, 0, "span/ended", "\"1970-01-01T00:10:00.000Z\""}},
	 "time"},
	{"a clock in 2099",
	 HONEST_GPU,
	 {{EVIDENCE, VM, 2, "span/started", "\"2099-01-01T00:00:00.000Z\""},
	  {EVIDENCE, VM, 2, "span/ended", "\"2099-01-01T00:10:00.000Z\""}},
	 "time"},
	{"rounds out of order",
	 HONEST_GPU,
	 {{EVIDENCE, VM, 3, "span/started", "\"2026-11-01T00:20:00.000Z\""},
	  {EVIDENCE, VM, 3, "span/ended", "\"2026-11-01T00:30:00.000Z\""}},
	 "began before"},
	{"a clock that runs slow from round to round",
	 HONEST_GPU,
	 {{EVIDENCE, VM, 4, "span/started", "\"2026-11-01T04:05:00.000Z\""},
	  {EVIDENCE, VM, 4, "span/ended", "\"2026-11-01T04:15:00.000Z\""}},
	 "the harness's by"},
	{"a clock that ran fast within a turn",
	 HONEST_GPU,
	 {{EVIDENCE, VM, 2, "span/ended", "\"2026-11-01T02:26:40.000Z\""},
	  {EVIDENCE, VM, 2, "span/seconds", "700"}},
	 "in a turn that took 610 s"},
	{"labels that do not fit the length",
	 HONEST_GPU,
	 {{EVIDENCE, VM, 0, "span/seconds", "300"}},
	 "time"},
};

/* Facts taken away one by one, from one side: never greener than with them. */
static const struct {
	enum part part;
	enum honest_kind kind;
	const char *path;
} facts[] = {
	{FACTS, HONEST_GPU, "identity"},
	{FACTS, HONEST_GPU, "gpus"},
	{FACTS, HONEST_GPU, "gpus/0/uuid"},
	{FACTS, HONEST_GPU, "gpus/0/serial"},
	{FACTS, HONEST_GPU, "gpus/0/name"},
	{FACTS, HONEST_GPU, "gpus/0/driver_version"},
	{FACTS, HONEST_GPU, "gpus/0/vbios"},
	{FACTS, HONEST_GPU, "gpus/0/power_limit_w"},
	{FACTS, HONEST_GPU, "gpus/0/ecc"},
	{FACTS, HONEST_GPU, "gpus/0/ecc_pending"},
	{FACTS, HONEST_GPU, "gpus/0/mig"},
	{FACTS, HONEST_GPU, "gpus/0/max_sm_clock_hz"},
	{FACTS, HONEST_GPU, "gpus/0/memory_bytes"},
	{FACTS, HONEST_GPU, "gpus/0/multiprocessors"},
	{FACTS, HONEST_GPU, "gpus/0/virtualization"},
	{FACTS, HONEST_GPU, "gpus/0/mps"},
	{FACTS, HONEST_GPU, "gpus/0/cc_mode"},
	{FACTS, HONEST_GPU, "gpus/0/nvlink_encryption"},
	{FACTS, HONEST_GPU, "gpus/0/remap"},
	{FACTS, HONEST_GPU, "gpus/0/retired_pages"},
	{FACTS, HONEST_GPU, "gpus/0/link_path"},
	{FACTS, HONEST_GPU, "xid"},
	{FACTS, HONEST_GPU, "cpu/architecture"},
	{FACTS, HONEST_GPU, "hypervisor"},
	{FACTS, HONEST_GPU, "container"},
	{EVIDENCE, HONEST_GPU, "computed"},
	{EVIDENCE, HONEST_GPU, "computed/kind"},
	{EVIDENCE, HONEST_GPU, "computed/device"},
	{EVIDENCE, HONEST_GPU, "computed/uuid"},
	{EVIDENCE, HONEST_GPU, "computed/backend"},
	{EVIDENCE, HONEST_GPU, "computed/kernels"},
	{EVIDENCE, HONEST_GPU, "computed/library"},
	{EVIDENCE, HONEST_GPU, "computed/multiprocessors"},
	{EVIDENCE, HONEST_GPU, "computed/multiprocessors_whole"},
	{EVIDENCE, HONEST_GPU, "computed/memory_bytes"},
	{EVIDENCE, HONEST_GPU, "span"},
	{EVIDENCE, HONEST_GPU, "span/seconds"},
	{EVIDENCE, HONEST_GPU, "span/started"},
	{EVIDENCE, HONEST_GPU, "span/wall_step_s"},
	{EVIDENCE, HONEST_GPU, "others"},
	{EVIDENCE, HONEST_GPU, "cpu"},
	{EVIDENCE, HONEST_GPU, "cpu/steal_s"},
	{EVIDENCE, HONEST_GPU, "cpu/periods"},
	{EVIDENCE, HONEST_GPU, "digest_c"},
	{TELEMETRY, HONEST_GPU, "sm_clock_hz"},
	{TELEMETRY, HONEST_GPU, "series"},
	{TELEMETRY, HONEST_GPU, "series/t_s"},
	{TELEMETRY, HONEST_GPU, "span_s"},
	{EVIDENCE, HONEST_CPU, "computed"},
	{EVIDENCE, HONEST_CPU, "computed/library"},
	{EVIDENCE, HONEST_CPU, "cpu"},
	{FACTS, HONEST_CPU, "identity"},
	{FACTS, HONEST_CPU, "hypervisor"},
	{FACTS, HONEST_CPU, "cpu/architecture"},
	{EVIDENCE, HONEST_SERVER, "computed"},
	{EVIDENCE, HONEST_SERVER, "cpu"},
	{EVIDENCE, HONEST_SERVER, "span"},
	{DETAILS, HONEST_SERVER, "server/version"},
	{DETAILS, HONEST_SERVER, "server/model"},
	{DETAILS, HONEST_SERVER, "server/revision"},
	{DETAILS, HONEST_SERVER, "server"},
};

static const struct staged honest[] = {
	{"nothing changed", HONEST_GPU, {{0}}, NULL},
	{"nothing changed, a processor", HONEST_CPU, {{0}}, NULL},
	{"nothing changed, a server", HONEST_SERVER, {{0}}, NULL},
	{"another kernel patch",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "kernel/release", "\"6.1.0-99\""}},
	 NULL},
	{"another kernel",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "kernel/release", "\"6.8.0-1\""}},
	 NULL},
	{"another hostname",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "kernel/hostname", "\"guest-with-a-name\""}},
	 NULL},
	{"another distribution",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "kernel/os", "\"Ubuntu 24.04\""}},
	 NULL},
	{"another command line",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "kernel/cmdline", "\"root=/dev/vda1\""}},
	 NULL},
	{"another NIC",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "pci",
	   "[{\"address\": \"0000:00:03.0\", \"vendor\": \"0x1af4\"}]"}},
	 NULL},
	{"less memory of the guest",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "memory/total_bytes", "64000000000"}},
	 NULL},
	{"much more memory of the guest",
	 HONEST_CPU,
	 {{FACTS, VM, 0, "memory/total_bytes", "900000000000"}},
	 NULL},
	{"an emulated root port",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "gpus/0/link_path/1/width", "1"},
	  {FACTS, VM, 0, "gpus/0/link_path/1/speed_gts", "2.5"}},
	 NULL},
	{"no port above in the guest",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "gpus/0/link_path", "[{\"width\": 16, \"speed_gts\": 32}]"}},
	 NULL},
	{"a link at rest",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "gpus/0/link_path/0/speed_gts", "2.5"}},
	 NULL},
	{"1 GiB of HBM that passthrough reserves",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "gpus/0/memory_bytes", "149681078272"}},
	 NULL},
	{"1 GiB of the 40 of a smaller GPU",
	 HONEST_GPU,
	 {{FACTS, METAL, 0, "gpus/0/memory_bytes", "42949672960"},
	  {FACTS, VM, 0, "gpus/0/memory_bytes", "41875931136"},
	  {EVIDENCE, BOTH, 0, "computed/memory_bytes", "41000000000"}},
	 NULL},
	{"another mapping of BARs",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "gpus/0/bar1_bytes", "1"}},
	 NULL},
	{"other NUMA nodes", HONEST_GPU, {{FACTS, VM, 0, "numa/count", "8"}}, NULL},
	{"another NUMA node of the GPU",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "gpus/0/numa_node", "3"}},
	 NULL},
	{"another PCI address",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "gpus/0/pci_address", "\"0000:06:10.0\""}},
	 NULL},
	{"another PCI domain",
	 HONEST_GPU,
	 {{FACTS, METAL, 0, "gpus/0/pci_address", "\"00000008:01:00.0\""}},
	 NULL},
	{"the host has four GPUs",
	 HONEST_GPU,
	 {{FACTS, METAL, 0, "gpus/1",
	   "{\"uuid\": \"GPU-2\", \"name\": \"NVIDIA H200\"}"}},
	 NULL},
	{"fewer processors of the guest",
	 HONEST_CPU,
	 {{FACTS, VM, 0, "cpu/threads", "8"},
	  {EVIDENCE, VM, 0, "cpu/affinity", "\"0-7\""}},
	 NULL},
	{"pinned to as many processors as the guest has",
	 HONEST_CPU,
	 {{EVIDENCE, METAL, 0, "cpu/affinity", "\"0-63\""}},
	 NULL},
	{"a hidden model of the processor",
	 HONEST_CPU,
	 {{FACTS, VM, 0, "cpu/model", "\"QEMU Virtual CPU\""}},
	 NULL},
	{"kernels of another generation of the processor",
	 HONEST_CPU,
	 {{EVIDENCE, VM, 0, "computed/kernels", "\"Haswell\""},
	  {EVIDENCE, VM, 0, "digest_c", "\"00c9\""}},
	 NULL},
	{"other mitigations",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "mitigations", "{\"meltdown\": \"PTI\"}"}},
	 NULL},
	{"another clock source",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "clock/source", "\"hyperv\""}},
	 NULL},
	{"another governor",
	 HONEST_GPU,
	 {{FACTS, METAL, 0, "power", "{\"governor\": \"powersave\"}"}},
	 NULL},
	{"huge pages",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "memory/thp_enabled", "\"never\""}},
	 NULL},
	{"another hypervisor",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "hypervisor/kind", "\"xen\""}},
	 NULL},
	{"clocks 0.9 % apart",
	 HONEST_GPU,
	 {{TELEMETRY, VM, 0, "sm_clock_hz/mean", "1.74e9"}},
	 NULL},
	{"more power drawn",
	 HONEST_GPU,
	 {{TELEMETRY, VM, 0, "power_w/mean", "600"}},
	 NULL},
	{"a power cap met on both",
	 HONEST_GPU,
	 {{TELEMETRY, BOTH, 0, "throttle_s", "{\"sw_power_cap\": 5}"}},
	 NULL},
	{"a moment of heat",
	 HONEST_GPU,
	 {{TELEMETRY, BOTH, 0, "throttle_s", "{\"sw_thermal\": 0}"},
	  {TELEMETRY, VM, 0, "throttle_s", "{\"sw_thermal\": 0.2}"}},
	 NULL},
	{"NTP slewed the clock",
	 HONEST_GPU,
	 {{EVIDENCE, VM, 0, "span/wall_step_s", "0.3"}},
	 NULL},
	{"a VBIOS with a blank behind it",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "gpus/0/vbios", "\"96.00 \""}},
	 NULL},
	{"a link that the guest cannot tell",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "gpus/0/link_path", "null"}},
	 NULL},
	{"retired pages that the guest cannot tell",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "gpus/0/retired_pages", "null"}},
	 NULL},
	{"modes that the guest cannot tell",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "gpus/0/nvlink_encryption", "null"},
	  {FACTS, VM, 0, "gpus/0/mps", "null"},
	  {FACTS, VM, 0, "gpus/0/cc_mode", "null"}},
	 NULL},
	{"a UUID in capitals",
	 HONEST_GPU,
	 {{EVIDENCE, VM, 0, "computed/uuid", "\"gpu-1\""}},
	 NULL},
	{"a guest that is leased anew each round",
	 HONEST_GPU,
	 {{FACTS, VM, 3, "identity",
	   "{\"machine\": \"5\", \"boot\": \"6\", \"board\": \"7\"}"},
	  {EVIDENCE, VM, 3, "identity",
	   "{\"machine\": \"5\", \"boot\": \"6\", \"board\": \"7\"}"}},
	 NULL},
	{"a little steal", HONEST_CPU, {{EVIDENCE, VM, 0, "cpu/steal_s", "40"}}, NULL},
	{"a quota that nothing reaches",
	 HONEST_CPU,
	 {{FACTS, VM, 0, "confinement/cpu_quota", "64"}},
	 NULL},
	{"a guest that was booted anew each round",
	 HONEST_GPU,
	 {{FACTS, VM, 2, "identity/boot", "\"00000000000b0002\""},
	  {EVIDENCE, VM, 2, "identity/boot", "\"00000000000b0002\""}},
	 NULL},
	{"a clone of the host's disk",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "identity/machine", "\"000000000000a000\""},
	  {EVIDENCE, VM, 0, "identity/machine", "\"000000000000a000\""}},
	 NULL},
	{"a guest without a machine-id",
	 HONEST_CPU,
	 {{FACTS, VM, 0, "identity/machine", "null"},
	  {EVIDENCE, VM, 0, "identity/machine", "null"},
	  {FACTS, BOTH, 0, "identity/board", "null"},
	  {EVIDENCE, BOTH, 0, "identity/board", "null"}},
	 NULL},
	{"boards that root alone may read",
	 HONEST_GPU,
	 {{FACTS, BOTH, 0, "identity/board", "null"},
	  {EVIDENCE, BOTH, 0, "identity/board", "null"}},
	 NULL},
	{"a slice on both sides by one route",
	 HONEST_GPU,
	 {{DETAILS, BOTH, 0, "mig", "{\"profile\": \"1g.18gb\", \"route\": \"host\"}"},
	  {EVIDENCE, BOTH, 0, "computed/multiprocessors", "16"},
	  {EVIDENCE, BOTH, 0, "computed/uuid", "\"MIG-1\""}},
	 NULL},
	{"one machine on purpose",
	 HONEST_CPU,
	 {{PLAN, 0, 0, "arms/vm",
	   "{\"target\": \"ssh\", \"same_machine_as\": \"metal\"}"},
	  SAME_BOOT},
	 NULL},
	{"no Xid can be read on either side",
	 HONEST_GPU,
	 {{FACTS, BOTH, 0, "xid", "null"}},
	 NULL},
	{"no link is known on either side",
	 HONEST_GPU,
	 {{FACTS, BOTH, 0, "gpus/0/link_path", "null"}},
	 NULL},
	{"containers on both sides",
	 HONEST_GPU,
	 {{FACTS, BOTH, 0, "container/kind", "\"docker\""}},
	 NULL},
	{"a log of another kernel source",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "xid/source", "\"journal\""}},
	 NULL},
	{"a GPU of another persistence mode",
	 HONEST_GPU,
	 {{FACTS, VM, 0, "gpus/0/persistence", "\"disabled\""}},
	 NULL},
};

static bool is_green(enum verdict v)
{
	return v == VERDICT_EQUIVALENT || v == VERDICT_IMPROVED;
}

static void no_lie_is_believed(void **state)
{
	size_t believed = 0, unnamed = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		char *reason;

		if (is_green(staged_judge(&lies[i], &reason))) {
			print_message("believed: %s\n", lies[i].name);
			believed++;
		} else if (!strstr(reason, lies[i].reason)) {
			print_message("%s: not '%s' but: %s\n", lies[i].name,
				      lies[i].reason, reason);
			unnamed++;
		}
		free(reason);
	}
	print_message("%zu lies: %zu believed, %zu under another name\n",
		      ARRAY_SIZE(lies), believed, unnamed);
	assert_true(ARRAY_SIZE(lies) >= 60);
	assert_int_equal(believed + unnamed, 0);
}

static void a_fact_taken_away_is_missed(void **state)
{
	size_t believed = 0, tried = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
		for (int k = 0; k < 6; k++) {
			/* From either side or both, in all rounds or in one. */
			struct staged t = {.kind = facts[i].kind,
					   .edits = {{facts[i].part, k % 2, k / 2,
						      facts[i].path, NULL}}};
			char *reason;

			tried++;
			if (is_green(staged_judge(&t, &reason))) {
				print_message(
					"believed without %s of side %d, round %d\n",
					facts[i].path, k % 2, k / 2);
				believed++;
			}
			free(reason);
		}
	}
	print_message("%zu facts taken away: %zu believed\n", tried, believed);
	assert_int_equal(believed, 0);
}

static void honest_pairs_stay_judged(void **state)
{
	size_t lost = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(honest); i++) {
		char *reason;

		if (!is_green(staged_judge(&honest[i], &reason))) {
			print_message("lost: %s: %s\n", honest[i].name, reason);
			lost++;
		}
		free(reason);
	}
	print_message("%zu honest pairs: %zu lost\n", ARRAY_SIZE(honest), lost);
	assert_true(ARRAY_SIZE(honest) >= 40);
	assert_int_equal(lost, 0);
}

static void judge_trusting(const struct staged *t, const char *trust, struct judgement *j)
{
	struct strvec names = {0};
	struct judge_options o = {.trust = &names};
	struct err err = ERR_INIT;
	struct result_set s;

	staged_make(&s, t->kind);
	for (const struct edit *e = t->edits; e->path; e++)
		staged_apply(&s, e);
	if (trust)
		strvec_add(&names, trust);
	if (judge_run(j, &s, NULL, &o, &err))
		fail_msg("%s", err.text);
	strvec_release(&names);
	result_set_release(&s);
}

static char *line_of(const struct judgement *j)
{
	struct claims c;
	char *line;

	judgement_claims(j, SIZE_MAX, &c);
	line = claims_line(&c);
	claims_release(&c);
	return line;
}

#define TWO_OF_ONE_GPU                                                    \
	"two machines, same GPU by serial, bare metal against VM (kvm), " \
	"clocks within 0.1 %"

static void the_line_says_what_was_shown(void **state)
{
	static const struct {
		struct staged t;
		const char *trust, *line;
		enum verdict verdict;
	} cases[] = {
		{{"", HONEST_GPU, {{0}}, NULL},
		 NULL,
		 TWO_OF_ONE_GPU ", nobody else",
		 VERDICT_EQUIVALENT},
		{{"", HONEST_CPU, {{0}}, NULL},
		 NULL,
		 "two machines, bare metal against VM (kvm), the CPU side free",
		 VERDICT_EQUIVALENT},
		{{"", HONEST_GPU, {{FACTS, BOTH, 0, "gpus/0/link_path", "null"}}, NULL},
		 NULL,
		 TWO_OF_ONE_GPU ", nobody else; not shown: path",
		 VERDICT_EQUIVALENT},
		{{"", HONEST_GPU, {{EVIDENCE, VM, 2, "others", NULL}}, NULL},
		 "alone",
		 TWO_OF_ONE_GPU "; taken on trust: alone",
		 VERDICT_EQUIVALENT},
		{{"",
		  HONEST_GPU,
		  {{DETAILS, BOTH, 0, "mig",
		    "{\"profile\": \"1g.18gb\", \"route\": \"host\"}"}},
		  NULL},
		 NULL,
		 "two machines, same GPU by serial, bare metal against VM (kvm), a slice "
		 "of a GPU, 1g.18gb, on both, clocks within 0.1 %, nobody else",
		 VERDICT_EQUIVALENT},
		/* Another name helps nothing, and no name helps what is contradicted. */
		{{"", HONEST_GPU, {{EVIDENCE, VM, 2, "others", NULL}}, NULL},
		 "who",
		 TWO_OF_ONE_GPU "; not shown: alone",
		 VERDICT_INVALID},
		{{"", HONEST_GPU, {{EVIDENCE, VM, 2, "others/processes", "1"}}, NULL},
		 "alone",
		 TWO_OF_ONE_GPU "; contradicted: alone",
		 VERDICT_INVALID},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct judgement j;
		char *line;

		judge_trusting(&cases[i].t, cases[i].trust, &j);
		line = line_of(&j);
		assert_string_equal(line, cases[i].line);
		assert_int_equal(j.overall, cases[i].verdict);
		free(line);
		judgement_release(&j);
	}
}

/* As version 1 without evidence wrote them: read, and what they lack is named. */
static void old_results_are_read_and_lack_by_name(void **state)
{
	struct result_set s;
	struct judgement j;

	(void)state;
	staged_make(&s, HONEST_GPU);
	for (size_t i = 0; i < s.nr; i++) {
		result_set_evidence(&s.results[i], json_object_new_object());
		json_object_object_del(s.results[i].machine, "identity");
		json_object_object_del(s.results[i].machine, "container");
	}
	known_run_judge(&s, &j);
	assert_int_equal(j.overall, VERDICT_INVALID);
	assert_true(j.items[0].has_ratio);
	assert_non_null(strstr(j.items[0].reason, "not shown: who, boundary, computed, "
						  "whole-device, alone, cpu-free"));
	assert_non_null(strstr(j.items[0].reason, "measure again with this version"));
	assert_non_null(strstr(j.items[0].reason, "--trust who"));
	judgement_release(&j);
	result_set_release(&s);
}

/* Copies rest on the path to the GPU, and not on its clock. */
static void copies_need_the_path(void **state)
{
	(void)state;
	for (int lacks = 0; lacks < 2; lacks++) {
		struct result_set s;
		struct judgement j;

		staged_make(&s, HONEST_GPU);
		for (size_t i = 0; i < s.nr; i++) {
			struct result *r = &s.results[i];

			free(r->kind);
			r->kind = x_strdup("link");
			honest_edit(r->evidence, "computed/backend", "\"cuda\"");
			result_set_params(r, honest_json("{\"sizes\": [1]}"));
			json_object_object_del(r->telemetry, "sm_clock_hz");
			if (lacks)
				honest_edit(r->machine, "gpus/0/link_path", "null");
		}
		known_run_judge(&s, &j);
		assert_int_equal(j.overall, lacks ? VERDICT_INVALID : VERDICT_EQUIVALENT);
		if (lacks)
			assert_non_null(strstr(j.items[0].reason, "not shown: path"));
		judgement_release(&j);
		result_set_release(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_lie_is_believed),
		cmocka_unit_test(a_fact_taken_away_is_missed),
		cmocka_unit_test(honest_pairs_stay_judged),
		cmocka_unit_test(the_line_says_what_was_shown),
		cmocka_unit_test(old_results_are_read_and_lack_by_name),
		cmocka_unit_test(copies_need_the_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
