/* The parts that core/machine/machine.c puts together; each gives an object or an array. */
#ifndef TARE_CORE_MACHINE_MACHINE_IMPL_H
#define TARE_CORE_MACHINE_MACHINE_IMPL_H

#include "core/document/json.h"

struct json_object *machine_identity(const char *root); /* texts are hashed */
struct json_object *machine_container(const char *root);
struct json_object *machine_confinement(const char *root);
struct json_object *machine_cpu(const char *root);
struct json_object *machine_mitigations(const char *root);
struct json_object *machine_power(const char *root);
struct json_object *machine_numa(const char *root);
struct json_object *machine_memory(const char *root);
struct json_object *machine_kernel(const char *root);
struct json_object *machine_clock(const char *root);
struct json_object *machine_hypervisor(const char *root);
struct json_object *machine_pci(const char *root); /* display and accelerator devices */
struct json_object *machine_iommu(const char *root);
struct json_object *machine_libraries(const char *root);
struct json_object *machine_xid(const char *root); /* NULL: no log can be read */
struct json_object *machine_time(const char *root);

/* Puts 'gpus' (null: there are some, and none can be asked) and 'gpu_count'. */
void machine_put_gpus(struct json_object *o, const char *root);

/*
 * The PCI device and the ports above it up to the root port, [{address, kind, width,
 * width_max, speed_gts, speed_max}]; NULL where the bus does not show it.
 */
struct json_object *machine_link_path(const char *root, const char *address);

/*
 * Time that the hypervisor gave to others and all time, since boot over all processors, in
 * ticks (sysconf(_SC_CLK_TCK)). False where it is not told.
 */
bool machine_steal_ticks(const char *root, int64_t *ret_steal, int64_t *ret_all);
/* The processors that this process may run on, "0-3"; free(). NULL: not told. */
char *machine_affinity(const char *root);

#endif
