/*
 * What tare-link on one GPU is measured against: bare loops with CUDA's runtime, and nothing of
 * ours in them. The figures have tare-link's names, a line a value: "link.h2d.gpu0 5.54e10".
 *   nvcc -O2 tests/bench/link_bare.cu -o build/bench/link_bare
 *   build/bench/link_bare [LAUNCHES [LARGEST_MIB]]
 */
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <vector>

#include <cuda_runtime.h>

#define MUST(call)                                                                      \
	do {                                                                            \
		cudaError_t status = (call);                                            \
		if (status != cudaSuccess) {                                            \
			fprintf(stderr, "%s: %s\n", #call, cudaGetErrorString(status)); \
			exit(5);                                                        \
		}                                                                       \
	} while (0)

enum { SAMPLES = 10, LOADS = 100000, LINE = 128, CHAIN = 2 << 20 };

static __global__ void wait_for(volatile int *flag, int value)
{
	while (*flag != value)
		;
}

static __global__ void nothing(void)
{
}

static __global__ void chase(volatile unsigned long long *at, int loads,
			     unsigned long long *last)
{
	for (int i = 0; i < loads; i++)
		at = (volatile unsigned long long *)*at;
	*last = (unsigned long long)at;
}

static cudaStream_t stream, other;
static cudaEvent_t begin, end, joined;
static volatile int *flag;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* The seconds that so much work takes, queued behind a kernel that waits. */
template <typename Work> static double behind_a_wait(Work work)
{
	static int turn;
	float ms;

	wait_for<<<1, 1, 0, stream>>>(flag, ++turn);
	MUST(cudaEventRecord(begin, stream));
	work();
	MUST(cudaEventRecord(end, stream));
	*flag = turn;
	MUST(cudaEventSynchronize(end));
	MUST(cudaEventElapsedTime(&ms, begin, end));
	return ms / 1e3;
}

/* Every way at every size in the same two pairs of buffers, a way after the other. */
static void copies(size_t largest)
{
	const struct {
		const char *suffix;
		size_t bytes;
	} sizes[] = {
		{"@4Ki", 4 << 10}, {"@1Mi", 1 << 20}, {"@16Mi", 16 << 20}, {"", largest}};
	static const char *const ways[] = {"h2d", "d2h", "both", "local"};
	void *from, *to, *gpu[2];

	MUST(cudaMallocHost(&from, largest));
	MUST(cudaMallocHost(&to, largest));
	MUST(cudaMalloc(&gpu[0], largest));
	MUST(cudaMalloc(&gpu[1], largest));
	memset(from, 1, largest);
	memset(to, 1, largest);
	for (int way = 0; way < 4; way++) {
		for (const auto &size : sizes) {
			int loops = (int)std::min<size_t>(
				120, std::max<size_t>(4, (1u << 30) / size.bytes));
			auto work = [&] {
				if (way == 2)
					MUST(cudaStreamWaitEvent(other, begin, 0));
				for (int i = 0; i < loops; i++) {
					if (way == 0 || way == 2)
						MUST(cudaMemcpyAsync(
							gpu[0], from, size.bytes,
							cudaMemcpyHostToDevice, stream));
					if (way == 1 || way == 2)
						MUST(cudaMemcpyAsync(
							to, gpu[1], size.bytes,
							cudaMemcpyDeviceToHost,
							way == 2 ? other : stream));
					if (way == 3)
						MUST(cudaMemcpyAsync(
							gpu[0], gpu[1], size.bytes,
							cudaMemcpyDeviceToDevice,
							stream));
				}
				if (way == 2) {
					MUST(cudaEventRecord(joined, other));
					MUST(cudaStreamWaitEvent(stream, joined, 0));
				}
			};
			behind_a_wait(work);
			for (int s = 0; s < SAMPLES; s++)
				printf("link.%s.gpu0%s %.9g\n", ways[way], size.suffix,
				       (way == 2 ? 2 : 1) * (double)size.bytes * loops /
					       behind_a_wait(work));
		}
	}
	MUST(cudaFreeHost(from));
	MUST(cudaFreeHost(to));
	MUST(cudaFree(gpu[0]));
	MUST(cudaFree(gpu[1]));
}

static void quantiles(const char *name, std::vector<double> v)
{
	std::sort(v.begin(), v.end());
	printf("link.%s_p50_s.gpu0 %.9g\n", name, v[v.size() / 2]);
	printf("link.%s_p99_s.gpu0 %.9g\n", name, v[v.size() * 99 / 100]);
	printf("link.%s_p999_s.gpu0 %.9g\n", name, v[v.size() * 999 / 1000]);
}

static void launches(int nr)
{
	std::vector<double> alone(nr), whole(nr);

	for (int i = -1000; i < nr; i++) {
		double t = now();

		nothing<<<1, 1, 0, stream>>>();
		if (i >= 0)
			alone[i] = now() - t;
		MUST(cudaStreamSynchronize(stream));
	}
	for (int i = 0; i < nr; i++) {
		double t = now();

		nothing<<<1, 1, 0, stream>>>();
		MUST(cudaStreamSynchronize(stream));
		whole[i] = now() - t;
	}
	quantiles("launch", alone);
	quantiles("launch_sync", whole);
	for (int s = -1; s < SAMPLES; s++) {
		double t = behind_a_wait([&] {
			for (int i = 0; i < 200; i++)
				nothing<<<1, 1, 0, stream>>>();
		});
		if (s >= 0)
			printf("link.launch_in_a_row_s.gpu0 %.9g\n", t / 200);
	}
}

static void loads(const char *name, bool of_host)
{
	std::vector<unsigned long long> words(CHAIN / 8);
	unsigned long long *chain, *last;

	if (of_host)
		MUST(cudaMallocHost(&chain, CHAIN));
	else
		MUST(cudaMalloc(&chain, CHAIN));
	MUST(cudaMalloc(&last, 8));
	for (size_t i = 0; i < CHAIN / LINE; i++)
		words[i * LINE / 8] =
			(unsigned long long)chain + (i + 1) % (CHAIN / LINE) * LINE;
	MUST(cudaMemcpy(chain, words.data(), CHAIN, cudaMemcpyDefault));
	for (int s = -1; s < SAMPLES; s++) {
		double t = behind_a_wait(
			[&] { chase<<<1, 1, 0, stream>>>(chain, LOADS, last); });
		if (s >= 0)
			printf("%s %.9g\n", name, t / LOADS);
	}
}

int main(int argc, char **argv)
{
	int nr = argc > 1 ? atoi(argv[1]) : 100000;
	size_t largest = (size_t)(argc > 2 ? atoi(argv[2]) : 512) << 20;

	MUST(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
	MUST(cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking));
	MUST(cudaEventCreate(&begin));
	MUST(cudaEventCreate(&end));
	MUST(cudaEventCreate(&joined));
	MUST(cudaMallocHost((void **)&flag, 4096));
	*flag = 0;
	nothing<<<1, 1, 0, stream>>>(); /* every kernel is loaded before one waits */
	loads("warm-up", false);
	copies(largest);
	launches(nr);
	loads("link.load_local_s.gpu0", false);
	loads("link.load_host_s.gpu0", true);
	return 0;
}
