/*
 * NVML's functions and structures, for the files behind the door (nvml*.c, telemetry.c,
 * mig*.c) and the fake library in tests/. The library is opened at run time and its
 * header is not needed; the declarations follow NVML's API of driver 580 (nvml.h, "NVML
 * API Reference Guide"), whose numbers and versioned structures are stable.
 */
#ifndef TARE_CORE_MACHINE_NVML_IMPL_H
#define TARE_CORE_MACHINE_NVML_IMPL_H

#include "core/machine/nvml.h"

#include <stddef.h>

struct nvml_gpu_instance;
struct nvml_compute_instance;

enum {
	NVML_SUCCESS = 0,
	NVML_INVALID_ARGUMENT = 2,
	NVML_NOT_SUPPORTED = 3,
	NVML_NO_PERMISSION = 4,
	NVML_NOT_FOUND = 6,
	NVML_INSUFFICIENT_SIZE = 7,
	NVML_DRIVER_NOT_LOADED = 9,
	NVML_GPU_IS_LOST = 15,
	NVML_RESET_REQUIRED = 16,
	NVML_VERSION_MISMATCH = 18,
	NVML_IN_USE = 19,
	NVML_INSUFFICIENT_RESOURCES = 23,
	NVML_P2P_READ = 0,
	NVML_P2P_WRITE = 1,
	NVML_P2P_NVLINK = 2,
	NVML_P2P_ATOMICS = 3,
	NVML_LINKS_MAX = 36, /* more than any GPU has; NVML refuses what is not there */
	NVML_CLOCK_SM = 1,
	NVML_CLOCK_MEMORY = 2,
	NVML_TEMPERATURE_GPU = 0,
	NVML_ECC_CORRECTED = 0,
	NVML_ECC_UNCORRECTED = 1,
	NVML_ECC_VOLATILE = 0,
	NVML_ECC_AGGREGATE = 1,
	NVML_RETIRED_SINGLE = 0, /* pages, for several single-bit errors */
	NVML_RETIRED_DOUBLE = 1,
	NVML_PROFILES = 32, /* more than any driver has; unknown ones answer so */
	NVML_TEXT = 96
};

/* Field identifiers of nvmlDeviceGetFieldValues() (NVML_FI_DEV_...). */
enum {
	NVML_FIELD_SW_POWER_CAP_NS = 74,
	NVML_FIELD_SYNC_BOOST_NS = 76,
	NVML_FIELD_ENERGY_MJ = 83,
	NVML_FIELD_NVLINK_COUNT = 91,
	NVML_FIELD_PCIE_REPLAYS = 94,
	NVML_FIELD_NVLINK_TX_KIB = 138,
	NVML_FIELD_NVLINK_RX_KIB = 139,
	NVML_FIELD_REMAPPED_CORRECTABLE = 142,
	NVML_FIELD_REMAPPED_UNCORRECTABLE = 143,
	NVML_FIELD_REMAPPED_PENDING = 144,
	NVML_FIELD_REMAPPED_FAILURE = 145,
	NVML_FIELD_NVLINK_CRC_ERRORS = 45,
	NVML_FIELD_NVLINK_REPLAYS = 52,
	NVML_FIELD_NVLINK_RECOVERIES = 59,
	NVML_FIELD_C2C_LINKS = 170,
	NVML_FIELD_C2C_STATUS = 171,
	NVML_FIELD_POWER_AVERAGE_MW = 185,
	NVML_FIELD_POWER_INSTANT_MW = 186,
	NVML_FIELD_C2C_REPLAYS = 232,
	NVML_FIELD_SW_THERMAL_NS = 269,
	NVML_FIELD_HW_THERMAL_NS = 270,
	NVML_FIELD_HW_POWER_BRAKE_NS = 271
};

struct nvml_pci {
	char legacy[16];
	unsigned domain, bus, device, id, subsystem;
	char address[32];
};

struct nvml_memory {
	unsigned long long total, available, used;
};

struct nvml_field {
	unsigned field, scope;
	long long timestamp_us, latency_us;
	int type, result;
	union {
		double real;
		unsigned u;
		unsigned long ul;
		unsigned long long ull;
		long long sll;
		int i;
		unsigned short us;
	} value;
};

struct nvml_process {
	unsigned pid;
	unsigned long long memory_bytes;
	unsigned gpu_instance, compute_instance;
};

/* nvmlGpuFabricInfo_v2_t */
struct nvml_fabric {
	unsigned version;
	unsigned char cluster[16];
	int status;
	unsigned clique;
	unsigned char state;
	unsigned health;
};
#define NVML_FABRIC_VERSION ((unsigned)sizeof(struct nvml_fabric) | 2u << 24)

/* nvmlNvLinkInfo_v1_t */
struct nvml_nvlink_info {
	unsigned version, is_encrypted;
};
#define NVML_NVLINK_INFO_VERSION ((unsigned)sizeof(struct nvml_nvlink_info) | 1u << 24)

/* nvmlConfComputeSystemState_t */
struct nvml_confidential {
	unsigned environment, feature, developer_tools;
};

struct nvml_placement {
	unsigned start, size;
};

/* nvmlGpuInstanceProfileInfo_v2_t */
struct nvml_gi_profile {
	unsigned version, id, is_p2p, slices, instances, multiprocessors, copy_engines,
		decoders, encoders, jpegs, ofas;
	unsigned long long memory_mib;
	char name[NVML_TEXT];
};
#define NVML_GI_PROFILE_VERSION ((unsigned)sizeof(struct nvml_gi_profile) | 2u << 24)

struct nvml_gi_info {
	struct nvml_gpu *gpu;
	unsigned id, profile;
	struct nvml_placement placement;
};

struct nvml_ci_profile {
	unsigned id, slices, instances, multiprocessors, copy_engines, decoders, encoders,
		jpegs, ofas;
};

/* nvmlDeviceAttributes_t, of a MIG device */
struct nvml_attributes {
	unsigned multiprocessors, copy_engines, decoders, encoders, jpegs, ofas,
		gi_slices, ci_slices;
	unsigned long long memory_mib;
};

#define NVML_FUNCTIONS(X)                                                         \
	X(nvmlInit_v2, (void))                                                    \
	X(nvmlShutdown, (void))                                                   \
	X(nvmlDeviceGetCount_v2, (unsigned *ret))                                 \
	X(nvmlDeviceGetHandleByIndex_v2, (unsigned index, struct nvml_gpu **ret)) \
	X(nvmlDeviceGetUUID, (struct nvml_gpu * g, char *text, unsigned size))    \
	X(nvmlDeviceGetName, (struct nvml_gpu * g, char *text, unsigned size))    \
	X(nvmlDeviceGetPciInfo_v3, (struct nvml_gpu * g, struct nvml_pci * ret))

/* NULL where the installed driver lacks one. */
#define NVML_OPTIONAL_FUNCTIONS(X)                                                       \
	X(nvmlSystemGetDriverVersion, (char *text, unsigned size))                       \
	X(nvmlSystemGetNVMLVersion, (char *text, unsigned size))                         \
	X(nvmlSystemGetCudaDriverVersion_v2, (int *ret))                                 \
	X(nvmlDeviceGetVbiosVersion, (struct nvml_gpu * g, char *text, unsigned size))   \
	X(nvmlDeviceGetBoardPartNumber,                                                  \
	  (struct nvml_gpu * g, char *text, unsigned size))                              \
	X(nvmlSystemGetConfComputeState, (struct nvml_confidential * ret))               \
	X(nvmlDeviceGetSerial, (struct nvml_gpu * g, char *text, unsigned size))         \
	X(nvmlDeviceGetRemappedRows,                                                     \
	  (struct nvml_gpu * g, unsigned *correctable, unsigned *uncorrectable,          \
	   unsigned *pending, unsigned *failed))                                         \
	X(nvmlDeviceGetRetiredPages,                                                     \
	  (struct nvml_gpu * g, int cause, unsigned *nr, unsigned long long *addresses)) \
	X(nvmlDeviceGetRetiredPagesPendingStatus, (struct nvml_gpu * g, int *ret))       \
	X(nvmlDeviceGetGpuFabricInfoV, (struct nvml_gpu * g, struct nvml_fabric * ret))  \
	X(nvmlDeviceGetNvLinkState, (struct nvml_gpu * g, unsigned link, int *ret))      \
	X(nvmlDeviceGetP2PStatus,                                                        \
	  (struct nvml_gpu * a, struct nvml_gpu * b, int what, int *ret))                \
	X(nvmlDeviceGetNvLinkInfo, (struct nvml_gpu * g, struct nvml_nvlink_info * ret)) \
	X(nvmlDeviceGetActiveVgpus, (struct nvml_gpu * g, unsigned *nr, unsigned *ids))  \
	X(nvmlDeviceGetMPSComputeRunningProcesses_v3,                                    \
	  (struct nvml_gpu * g, unsigned *nr, struct nvml_process *ret))                 \
	X(nvmlDeviceGetNumGpuCores, (struct nvml_gpu * g, unsigned *ret))                \
	X(nvmlDeviceGetCudaComputeCapability,                                            \
	  (struct nvml_gpu * g, int *major, int *minor))                                 \
	X(nvmlDeviceGetMemoryInfo, (struct nvml_gpu * g, struct nvml_memory * ret))      \
	X(nvmlDeviceGetEccMode, (struct nvml_gpu * g, int *current, int *pending))       \
	X(nvmlDeviceGetPersistenceMode, (struct nvml_gpu * g, int *ret))                 \
	X(nvmlDeviceGetComputeMode, (struct nvml_gpu * g, int *ret))                     \
	X(nvmlDeviceGetVirtualizationMode, (struct nvml_gpu * g, int *ret))              \
	X(nvmlDeviceGetEnforcedPowerLimit, (struct nvml_gpu * g, unsigned *ret_mw))      \
	X(nvmlDeviceGetPowerManagementDefaultLimit,                                      \
	  (struct nvml_gpu * g, unsigned *ret_mw))                                       \
	X(nvmlDeviceGetMaxClockInfo,                                                     \
	  (struct nvml_gpu * g, int clock, unsigned *ret_mhz))                           \
	X(nvmlDeviceGetClockInfo, (struct nvml_gpu * g, int clock, unsigned *ret_mhz))   \
	X(nvmlDeviceGetPowerUsage, (struct nvml_gpu * g, unsigned *ret_mw))              \
	X(nvmlDeviceGetTemperature, (struct nvml_gpu * g, int sensor, unsigned *ret_c))  \
	X(nvmlDeviceGetCurrentClocksThrottleReasons,                                     \
	  (struct nvml_gpu * g, unsigned long long *ret))                                \
	X(nvmlDeviceGetTotalEccErrors,                                                   \
	  (struct nvml_gpu * g, int kind, int counter, unsigned long long *ret))         \
	X(nvmlDeviceGetCurrPcieLinkGeneration, (struct nvml_gpu * g, unsigned *ret))     \
	X(nvmlDeviceGetCurrPcieLinkWidth, (struct nvml_gpu * g, unsigned *ret))          \
	X(nvmlDeviceGetMaxPcieLinkGeneration, (struct nvml_gpu * g, unsigned *ret))      \
	X(nvmlDeviceGetMaxPcieLinkWidth, (struct nvml_gpu * g, unsigned *ret))           \
	X(nvmlDeviceGetFieldValues,                                                      \
	  (struct nvml_gpu * g, int nr, struct nvml_field *values))                      \
	X(nvmlDeviceGetComputeRunningProcesses_v3,                                       \
	  (struct nvml_gpu * g, unsigned *nr, struct nvml_process *ret))                 \
	X(nvmlDeviceGetMigMode,                                                          \
	  (struct nvml_gpu * g, unsigned *current, unsigned *pending))                   \
	X(nvmlDeviceSetMigMode, (struct nvml_gpu * g, unsigned mode, int *activation))   \
	X(nvmlDeviceGetMaxMigDeviceCount, (struct nvml_gpu * g, unsigned *ret))          \
	X(nvmlDeviceGetMigDeviceHandleByIndex,                                           \
	  (struct nvml_gpu * g, unsigned index, struct nvml_gpu **ret))                  \
	X(nvmlDeviceGetGpuInstanceId, (struct nvml_gpu * mig, unsigned *ret))            \
	X(nvmlDeviceGetAttributes_v2,                                                    \
	  (struct nvml_gpu * mig, struct nvml_attributes * ret))                         \
	X(nvmlDeviceGetGpuInstanceProfileInfoV,                                          \
	  (struct nvml_gpu * g, unsigned profile, struct nvml_gi_profile *ret))          \
	X(nvmlDeviceGetGpuInstanceRemainingCapacity,                                     \
	  (struct nvml_gpu * g, unsigned id, unsigned *ret))                             \
	X(nvmlDeviceGetGpuInstancePossiblePlacements_v2,                                 \
	  (struct nvml_gpu * g, unsigned id, struct nvml_placement *ret, unsigned *nr))  \
	X(nvmlDeviceGetGpuInstances, (struct nvml_gpu * g, unsigned id,                  \
				      struct nvml_gpu_instance **ret, unsigned *nr))     \
	X(nvmlDeviceCreateGpuInstance,                                                   \
	  (struct nvml_gpu * g, unsigned id, struct nvml_gpu_instance **ret))            \
	X(nvmlDeviceCreateGpuInstanceWithPlacement,                                      \
	  (struct nvml_gpu * g, unsigned id, const struct nvml_placement *at,            \
	   struct nvml_gpu_instance **ret))                                              \
	X(nvmlGpuInstanceGetInfo,                                                        \
	  (struct nvml_gpu_instance * i, struct nvml_gi_info * ret))                     \
	X(nvmlGpuInstanceDestroy, (struct nvml_gpu_instance * i))                        \
	X(nvmlGpuInstanceGetComputeInstanceProfileInfo,                                  \
	  (struct nvml_gpu_instance * i, unsigned profile, unsigned engines,             \
	   struct nvml_ci_profile *ret))                                                 \
	X(nvmlGpuInstanceCreateComputeInstance,                                          \
	  (struct nvml_gpu_instance * i, unsigned id,                                    \
	   struct nvml_compute_instance **ret))                                          \
	X(nvmlGpuInstanceGetComputeInstances,                                            \
	  (struct nvml_gpu_instance * i, unsigned id,                                    \
	   struct nvml_compute_instance **ret, unsigned *nr))                            \
	X(nvmlComputeInstanceDestroy, (struct nvml_compute_instance * c))

#define NVML_POINTER(symbol, parameters) int(*symbol) parameters;

struct nvml {
	void *library;
	bool is_started;
	const char *(*nvmlErrorString)(int code);
	NVML_FUNCTIONS(NVML_POINTER)
	NVML_OPTIONAL_FUNCTIONS(NVML_POINTER)
};

/*
 * 0, or a sentence: what was tried, NVML's name for the failure, its code and words.
 * Missing permission names its remedy.
 */
int nvml_ok(const struct nvml *n, int code, struct err *err, const char *fmt, ...)
	ERR_PRINTF(4, 5);
/* The same for a function that the driver lacks. */
int nvml_lacks(struct err *err, const char *function);

/* A field as a number; false where it is not to be had. */
bool nvml_field_number(const struct nvml_field *f, double *ret);

#endif
