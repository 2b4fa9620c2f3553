/*
 * libvirt's description of a machine (https://libvirt.org/formatdomain.html), written
 * from an arm of the plan, or filled into the user's own file. Nothing here needs libvirt.
 *
 * Every domain carries the run's id where a crash cannot separate the two: in the
 * document that creates it. There are two metadata elements with namespaces of their own,
 * DOMAIN_LEASE_URI and DOMAIN_RUN_URI_PREFIX followed by the run's id, so that asking
 * libvirt for the element of that namespace says whose domain it is and nobody needs to
 * parse XML. The description is the folder with the lease's files.
 */
#ifndef TARE_HARNESS_PROVISION_LIBVIRT_DOMAIN_XML_H
#define TARE_HARNESS_PROVISION_LIBVIRT_DOMAIN_XML_H

#include "core/base/buf.h"
#include "harness/provision/libvirt/vm_machine.h"

#define DOMAIN_LEASE_URI "urn:tare:lease"
#define DOMAIN_RUN_URI_PREFIX "urn:tare:run:"

struct domain_spec {
	const struct vm_machine *machine;
	const char *name, *run_id;
	const char *folder;                /* of the lease */
	const char *disk, *seed, *console; /* files in it; seed may be NULL */
	const char *nvram;                 /* UEFI's variables, where firmware is efi */
	const char *arch;                  /* "x86_64" */
	bool is_kvm;
	const char *owner;      /* "+0:+0": QEMU runs as that user; NULL: libvirt says */
	const char *unconfined; /* "apparmor", "selinux": switched off; or NULL */
};

/* The whole document; free(). Errors: a text that XML cannot hold. */
char *domain_xml(const struct domain_spec *s, struct err *err);

/*
 * The same from a user's text: @NAME@ and @TARE@ (metadata and description), which it
 * must hold, and @DISK@ @SEED@ @CONSOLE@ @KERNEL@ @INITRD@ @CMDLINE@ @TYPE@ @ARCH@
 * @MACHINE@ @VCPUS@ @MEMORY_BYTES@, which it may. "@@" is an at sign. 'where' is the
 * file's name for messages.
 */
char *domain_xml_fill(const struct domain_spec *s, const char *text, const char *where,
		      struct err *err);

#endif
