#include "harness/provision/opennebula/opennebula_state.h"

#include "core/base/mem.h"

#include <stddef.h>

#define ACTIVE 3
#define BOOT_LOG                                                                       \
	"read the VM's log on the front-end (/var/log/one/<id>.log): libvirt refused " \
	"the "                                                                         \
	"machine, or the device could not be bound to vfio-pci"
#define PROLOG_LOG                                                                       \
	"see that the image exists, that the datastore has room and that the front-end " \
	"reaches the host by SSH"
#define MOVED "somebody else acted on this VM: leave tare's machines alone while it runs"

static const struct one_state states[] = {
	{0, -1, ONE_WAIT, "INIT", NULL},
	{1, -1, ONE_WAIT, "PENDING", NULL},
	{2, -1, ONE_HELD, "HOLD", "deploy or release it"},
	{4, -1, ONE_FAILED, "STOPPED", MOVED},
	{5, -1, ONE_FAILED, "SUSPENDED", MOVED},
	{6, -1, ONE_GONE, "DONE", "somebody else terminated it"},
	{8, -1, ONE_LOST, "POWEROFF", "the guest shut itself down, or somebody did"},
	{9, -1, ONE_FAILED, "UNDEPLOYED", MOVED},
	{10, -1, ONE_WAIT, "CLONING", NULL},
	{11, -1, ONE_FAILED, "CLONING_FAILURE",
	 "the image could not be copied: see its state (oneimage show) and the "
	 "datastore"},
	{ACTIVE, 0, ONE_WAIT, "ACTIVE/LCM_INIT", NULL},
	{ACTIVE, 1, ONE_WAIT, "ACTIVE/PROLOG", NULL},
	{ACTIVE, 2, ONE_WAIT, "ACTIVE/BOOT", NULL},
	{ACTIVE, 3, ONE_READY, "ACTIVE/RUNNING", NULL},
	{ACTIVE, 4, ONE_WAIT, "ACTIVE/MIGRATE", MOVED},
	{ACTIVE, 5, ONE_ENDING, "ACTIVE/SAVE_STOP", MOVED},
	{ACTIVE, 6, ONE_ENDING, "ACTIVE/SAVE_SUSPEND", MOVED},
	{ACTIVE, 7, ONE_ENDING, "ACTIVE/SAVE_MIGRATE", MOVED},
	{ACTIVE, 8, ONE_WAIT, "ACTIVE/PROLOG_MIGRATE", MOVED},
	{ACTIVE, 9, ONE_WAIT, "ACTIVE/PROLOG_RESUME", NULL},
	{ACTIVE, 10, ONE_ENDING, "ACTIVE/EPILOG_STOP", MOVED},
	{ACTIVE, 11, ONE_ENDING, "ACTIVE/EPILOG", MOVED},
	{ACTIVE, 12, ONE_ENDING, "ACTIVE/SHUTDOWN", MOVED},
	{ACTIVE, 15, ONE_ENDING, "ACTIVE/CLEANUP_RESUBMIT", MOVED},
	{ACTIVE, 16, ONE_LOST, "ACTIVE/UNKNOWN",
	 "the host no longer reports this VM: see that the host is up (onehost list) and "
	 "that its monitoring works (onehost forceupdate)"},
	{ACTIVE, 17, ONE_WAIT, "ACTIVE/HOTPLUG", NULL},
	{ACTIVE, 18, ONE_ENDING, "ACTIVE/SHUTDOWN_POWEROFF", MOVED},
	{ACTIVE, 19, ONE_WAIT, "ACTIVE/BOOT_UNKNOWN", NULL},
	{ACTIVE, 20, ONE_WAIT, "ACTIVE/BOOT_POWEROFF", NULL},
	{ACTIVE, 23, ONE_ENDING, "ACTIVE/CLEANUP_DELETE", MOVED},
	{ACTIVE, 25, ONE_WAIT, "ACTIVE/HOTPLUG_NIC", NULL},
	{ACTIVE, 29, ONE_ENDING, "ACTIVE/SHUTDOWN_UNDEPLOY", MOVED},
	{ACTIVE, 31, ONE_WAIT, "ACTIVE/PROLOG_UNDEPLOY", NULL},
	{ACTIVE, 32, ONE_WAIT, "ACTIVE/BOOT_UNDEPLOY", NULL},
	{ACTIVE, 36, ONE_FAILED, "ACTIVE/BOOT_FAILURE", BOOT_LOG},
	{ACTIVE, 37, ONE_FAILED, "ACTIVE/BOOT_MIGRATE_FAILURE", BOOT_LOG},
	{ACTIVE, 38, ONE_FAILED, "ACTIVE/PROLOG_MIGRATE_FAILURE", PROLOG_LOG},
	{ACTIVE, 39, ONE_FAILED, "ACTIVE/PROLOG_FAILURE", PROLOG_LOG},
	{ACTIVE, 40, ONE_FAILED, "ACTIVE/EPILOG_FAILURE",
	 "the host's datastore could not be cleaned: see the VM's log on the front-end"},
	{ACTIVE, 41, ONE_FAILED, "ACTIVE/EPILOG_STOP_FAILURE", MOVED},
	{ACTIVE, 42, ONE_FAILED, "ACTIVE/EPILOG_UNDEPLOY_FAILURE", MOVED},
	{ACTIVE, 44, ONE_FAILED, "ACTIVE/PROLOG_MIGRATE_POWEROFF_FAILURE", PROLOG_LOG},
	{ACTIVE, 46, ONE_FAILED, "ACTIVE/PROLOG_MIGRATE_SUSPEND_FAILURE", PROLOG_LOG},
	{ACTIVE, 47, ONE_FAILED, "ACTIVE/BOOT_UNDEPLOY_FAILURE", BOOT_LOG},
	{ACTIVE, 48, ONE_FAILED, "ACTIVE/BOOT_STOPPED_FAILURE", BOOT_LOG},
	{ACTIVE, 49, ONE_FAILED, "ACTIVE/PROLOG_RESUME_FAILURE", PROLOG_LOG},
	{ACTIVE, 50, ONE_FAILED, "ACTIVE/PROLOG_UNDEPLOY_FAILURE", PROLOG_LOG},
	{ACTIVE, 61, ONE_FAILED, "ACTIVE/PROLOG_MIGRATE_UNKNOWN_FAILURE", PROLOG_LOG},
	/* Disk and hotplug work of later releases: the machine runs meanwhile. */
	{ACTIVE, 62, ONE_WAIT, "ACTIVE/DISK_RESIZE", NULL},
	{ACTIVE, 65, ONE_WAIT, "ACTIVE/HOTPLUG_NIC_POWEROFF", NULL},
	{ACTIVE, 66, ONE_WAIT, "ACTIVE/HOTPLUG_RESIZE", NULL},
	{ACTIVE, 69, ONE_WAIT, "ACTIVE/BACKUP", MOVED},
	{ACTIVE, 71, ONE_WAIT, "ACTIVE/RESTORE", MOVED},
};

static const struct one_state unknown = {
	-1, -1, ONE_FAILED, "a state that tare does not know",
	"look at it with 'onevm show'; this front-end may be newer than tare"};

const struct one_state *one_state_find(int64_t state, int64_t lcm)
{
	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		if (states[i].state == state &&
		    (states[i].lcm < 0 || states[i].lcm == lcm))
			return &states[i];
	return &unknown;
}
