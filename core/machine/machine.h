/*
 * Facts about the machine this process runs on, as JSON: CPU, NUMA, memory, kernel,
 * hypervisor as the guest sees it, clock source, frequency governor, steal time, huge
 * pages, PCI display and accelerator devices, GPUs through NVML where there are any, and
 * the versions of the libraries in use. A fact that cannot be read is null, never a
 * guess.
 *
 * 'root' is put in front of /proc, /sys and /etc, so that tests read a recorded machine;
 * "" is the real one. Only the real one asks NVML.
 */
#ifndef TARE_CORE_MACHINE_MACHINE_H
#define TARE_CORE_MACHINE_MACHINE_H

#include "core/document/json.h"

#define MACHINE_SCHEMA "tare.machine/1"

struct json_object *machine_read(const char *root);

#endif
