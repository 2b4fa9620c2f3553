#include "gemm/peak.h"

#include "core/base/mem.h"

/*
 * A100: 64 FP32 lanes, so 128 FLOP; H100, H200 and Blackwell: 128 lanes, so 256. Tensor
 * cores double from one column to the next. B300 and GB300 gave up most of their FP64 and
 * INT8, at rates that NVIDIA gives for the whole board only.
 */
static const struct {
	int major, minor;
	double per_clock[RATE_BF16X9]; /* by enum rate, but for bf16x9 */
} architectures[] = {
	/*         fp64 fp32  tf32  half   fp8   int8 */
	{8, 0, {128, 128, 1024, 2048, 0, 4096}}, /* A100 */
	{8, 6, {0, 256, 0, 0, 0, 0}},
	{8, 9, {0, 256, 0, 0, 0, 0}},
	{9, 0, {256, 256, 2048, 4096, 8192, 8192}},    /* H100, H200, GH200 */
	{10, 0, {128, 256, 4096, 8192, 16384, 16384}}, /* B200, GB200 */
	{10, 3, {0, 256, 4096, 8192, 16384, 0}},       /* B300, GB300 */
	{12, 0, {0, 256, 0, 0, 0, 0}},
};

double peak_rate(int major, int minor, enum rate rate, int multiprocessors,
		 double clock_hz)
{
	/* Nine products in BF16 for one in FP32. */
	double share = rate == RATE_BF16X9 ? 1.0 / 9 : 1;
	enum rate of = rate == RATE_BF16X9 ? RATE_HALF : rate;

	for (size_t i = 0; i < ARRAY_SIZE(architectures); i++)
		if (architectures[i].major == major && architectures[i].minor == minor)
			return architectures[i].per_clock[of] * share * multiprocessors *
			       clock_hz;
	return 0;
}
