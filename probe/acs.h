/*
 * Access Control Services of the PCI ports above a device (PCI Express Base Specification
 * 6.0, 7.7.11): whether functions below one port can reach each other behind the IOMMU's
 * back. Read from the ports' extended configuration space, which only root sees in full.
 */
#ifndef TARE_PROBE_ACS_H
#define TARE_PROBE_ACS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	ACS_SOURCE_VALIDATION = 0x01,
	ACS_REQUEST_REDIRECT = 0x04,
	ACS_COMPLETION_REDIRECT = 0x08,
	ACS_UPSTREAM_FORWARDING = 0x10
};

/*
 * The control register of a port from its configuration space. False: no ACS there, or
 * 'len' is too short to tell (then *ret_is_cut is true).
 */
bool acs_control(const unsigned char *config, size_t len, uint16_t *ret,
		 bool *ret_is_cut);

#endif
