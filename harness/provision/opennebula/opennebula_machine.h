/*
 * What a plan says of an OpenNebula provisioner and of an arm that takes its machines.
 *
 *	"vm": { "target": "vm", "provisioner": "cloud", "template": "gb200-1gpu",
 *	        "pin": { "host": "gb200-07", "gpu": "0008:01:00.0" },
 *	        "gpu": { "count": 1, "device": "2941", "profile": "..." } }
 *
 * 'pin.gpu' names devices by address; 'gpu' by kind. Neither: the template's own PCI
 * sections decide. Either way the template's other attributes of a section (ROOT, IOMMU,
 * ACPI_NODES ...) stay.
 */
#ifndef TARE_HARNESS_PROVISION_OPENNEBULA_OPENNEBULA_MACHINE_H
#define TARE_HARNESS_PROVISION_OPENNEBULA_OPENNEBULA_MACHINE_H

#include "core/options/field.h"
#include "harness/provision/opennebula/opennebula_model.h"
#include "harness/provision/provisioner.h"

struct one_config {
	char *endpoint, *auth_file, *auth_env, *ca_file;
	bool verify_tls;
	int64_t call_timeout_ns, pool_timeout_ns, release_timeout_ns, poll_ns;
	int64_t read_retries;
};

enum one_pin_by { ONE_PIN_DEPLOY, ONE_PIN_SCHEDULER };
enum one_host_key { ONE_KEY_PLAN, ONE_KEY_ONEGATE };

struct one_machine {
	char *template_name; /* or its id */
	char *address;       /* where SSH answers instead of at the VM's first card */
	int host_key;        /* enum one_host_key */
	bool is_shared_host;
	struct {
		char *host; /* name or id */
		struct strvec gpus;
		int by; /* enum one_pin_by */
	} pin;
	struct {
		int64_t count;
		char *vendor, *device, *class_id, *profile;
	} gpu;
	bool has_gpu; /* the plan has the object "gpu" */
};

extern const struct field one_config_fields[], one_machine_fields[];
extern const struct machine_object one_machine_objects[];

/* 'file' and 'pointer' are what errors call the place. Safe to release either way. */
int one_machine_bind(struct one_machine *ret, struct json_object *o, const char *file,
		     const char *pointer, struct err *err);
void one_machine_release(struct one_machine *m);
int one_machine_check(struct json_object *machine, const char *file, const char *pointer,
		      struct err *err);

/* The pinned host and its devices: see struct provisioner_kind. */
void one_machine_devices(struct json_object *machine, struct strvec *ret_gpus,
			 char **ret_host);

/* True when the plan itself chooses devices, so that the template's sections give way. */
bool one_machine_chooses(const struct one_machine *m);

/*
 * The attributes that go with one.template.instantiate, in the syntax of templates: the
 * run's id, PCI sections when the plan chooses, SCHED_REQUIREMENTS when the scheduler is
 * to pin. 't' is the template, host the pinned host's id or -1. free() the result.
 */
int one_machine_extra(const struct one_machine *m, const struct one_template *t,
		      int64_t host, const char *run_id, char **ret, struct err *err);

/* Does this device of a host answer to what the plan asks ('gpu' or 'pin.gpu')? */
bool one_machine_wants(const struct one_machine *m, const struct one_template *t,
		       const struct one_pci *device);
/* How many devices a machine of this plan and template must have. */
size_t one_machine_gpus(const struct one_machine *m, const struct one_template *t);
/* True when the host's comma-separated list holds exactly this type. */
bool one_profile_offered(const char *profiles, const char *profile);

#endif
