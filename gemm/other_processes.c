#include "gemm/other_processes.h"

#include "core/machine/nvml.h"

#include <strings.h>

/* Those beside us. */
static unsigned without_us(unsigned nr)
{
	return nr > 0 ? nr - 1 : 0;
}

static int look_at_part(struct nvml *n, const char *uuid, struct isolation *ret,
			struct err *err)
{
	struct nvml_gpu *gpu, *part;
	unsigned whole = 0, here = 0;

	if (nvml_mig_find(n, uuid, &gpu, &part, err) != 0 ||
	    nvml_processes(n, part, NULL, 0, &here, err) != 0 ||
	    nvml_processes(n, gpu, NULL, 0, &whole, err) != 0)
		return -1;
	*ret = (struct isolation){.others = without_us(here),
				  .neighbours = whole > here ? whole - here : 0};
	return 0;
}

static int look_at_whole(struct nvml *n, const char *which, struct isolation *ret,
			 struct err *err)
{
	struct nvml_gpu *gpu;
	unsigned nr = 0;

	if (nvml_gpu_find(n, which, &gpu, err) != 0 ||
	    nvml_processes(n, gpu, NULL, 0, &nr, err) != 0)
		return -1;
	*ret = (struct isolation){.others = without_us(nr)};
	return 0;
}

int isolation_look(const char *which, struct isolation *ret, struct err *err)
{
	struct nvml *n = nvml_open(err);
	int rc = -1;

	if (n)
		rc = strncasecmp(which, "MIG-", 4) == 0
			     ? look_at_part(n, which, ret, err)
			     : look_at_whole(n, which, ret, err);
	nvml_close(n);
	return rc;
}
