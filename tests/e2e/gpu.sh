#!/bin/bash
# On a machine with an NVIDIA GPU: the programs as they are on the real driver. No setting of
# the GPU is changed. Elsewhere: skipped.
. tests/support/e2e.sh
need python3
gemm=$PWD/$BUILD/tare-gemm probe=$PWD/$BUILD/tare-probe
"$probe" --mig=list >"$scratch/mig.json" 2>"$scratch/why" || skip "skipped: no GPU ($(tail -n 1 "$scratch/why"))"
[ "$(json "$scratch/mig.json" 'len(d["gpus"])')" -gt 0 ] || skip "skipped: no GPU"
gpu=$(json "$scratch/mig.json" 'd["gpus"][0]["uuid"]')
[ "$(json "$scratch/mig.json" '(d["gpus"][0]["layout"] or {}).get("enabled")')" != True ] ||
	skip "skipped: the first GPU is in MIG mode"
[ "$(json "$scratch/mig.json" 'd["gpus"][0]["processes"]')" = 0 ] || skip "skipped: somebody computes on $gpu"

# The same work twice: verified, below the peak, the same digest, the GPU by its UUID.
for i in 1 2; do
	check 0 "$gemm" -q --device "$gpu" --n 4096 --warmup-seconds 1 -o "$scratch/$i.json"
done
digest() { json "$scratch/$1.json" 'd["details"]["c"]["digest"]'; }
[ "$(digest 1)" = "$(digest 2)" ] || fail "two digests: $(digest 1), $(digest 2)"
[ "$(json "$scratch/1.json" 'd["details"]["gpu"]["uuid"]')" = "$gpu" ] || fail "another GPU"
for name in c-is-right below-peak gpu-is-alone gpu-not-slowed; do
	[ "$(json "$scratch/1.json" "[c['passed'] for c in d['checks'] if c['name'] == '$name']")" = "[True]" ] ||
		fail "check $name"
done
[ "$(json "$scratch/1.json" 'bool(d["telemetry"]["power_w"]["mean"])')" = True ] || fail "no telemetry"

# Multiprocessors as NVML and CUDA count them; the parts that MIG could make.
[ "$(json "$scratch/mig.json" 'd["gpus"][0]["multiprocessors"]')" = \
	"$(json "$scratch/1.json" 'd["details"]["gpu"]["multiprocessors"]')" ] || fail "NVML and CUDA differ"
if [ "$(json "$scratch/mig.json" 'bool(d["gpus"][0]["profiles"])')" = True ]; then
	check 0 "$gemm" -q --device "$gpu" --n 4096 --warmup-seconds 0.5 --sweep-profiles -o "$scratch/sweep.json"
	[ "$(json "$scratch/sweep.json" 'all(0 < p["throughput_share"] < 1.1 for p in d["details"]["sweep"])')" = True ] ||
		fail "shares of the sweep: $(json "$scratch/sweep.json" 'd["details"]["sweep"]')"
fi
"$probe" --mig=list >"$scratch/after.json"
[ "$(json "$scratch/after.json" 'd["gpus"][0]["layout"]')" = "$(json "$scratch/mig.json" 'd["gpus"][0]["layout"]')" ] ||
	fail "the GPU is not as before"
echo "$gpu: $(json "$scratch/1.json" 'd["details"]["gpu"]["name"]')"
