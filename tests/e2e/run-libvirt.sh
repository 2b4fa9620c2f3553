#!/bin/bash
# lane: libvirt
# The main job on real parts: this machine against a guest under software emulation, which
# is far slower and must be called degraded. The run is killed (SIGKILL) while its machine
# is up: 'tare clean' leaves no domain behind, and the run, resumed, ends with every result.
. tests/support/e2e.sh
[ "$(id -u)" = 0 ] || skip "needs root to start libvirt"
need virsh mmdebstrap xorrisofs qemu-img python3
[ -x /usr/sbin/libvirtd ] || skip "no libvirtd here"
guest=$(tests/guest/build) || skip "the guest cannot be built here"
export LIBVIRT_DEFAULT_URI=qemu:///system
run=$scratch/run
cat >"$scratch/plan.json" <<JSON
{ "name": "emulated",
  "provisioners": { "here": { "kind": "libvirt" } },
  "arms": {
    "host": { "target": "local" },
    "vm": { "target": "vm", "provisioner": "here", "virt": "qemu", "vcpus": 2, "memory": "1Gi",
            "image": "$guest/disk.img", "kernel": "$guest/vmlinuz", "initrd": "$guest/initrd" } },
  "baseline": "host",
  "workloads": [ { "gemm": { "backend": "openblas", "n": 256, "threads": 1, "iterations": 10, "warmup_seconds": 0 } } ],
  "schedule": { "rounds": { "min": 3, "max": 3 } },
  "margins": { "gemm.flops": 0.05 } }
JSON
domains() { virsh -q list --all --name | grep -F "tare-$id-" || true; }
end_of_test() { "$tare" clean "$run" >/dev/null 2>&1 || true; cleanup; }
trap end_of_test EXIT

"$tare" run -q -o "$run" "$scratch/plan.json" >"$scratch/out" 2>"$scratch/err" &
runner=$!
until_true 600 grep -q '"event":"end","step":"lease"' "$run/journal.jsonl" ||
	{ cat "$scratch/err"; fail "no machine was lent"; }
kill -KILL $runner
wait $runner 2>/dev/null || true
id=$(sed -n 's/.*"run_id":"\([^"]*\)".*/\1/p' "$run/journal.jsonl" | head -1)
[ -n "$id" ] || fail "the journal does not name the run"
[ -n "$(domains)" ] || fail "the machine of the killed run is gone by itself: the test shows nothing"
check 0 "$tare" clean "$run"
printed "1 machine given back"
[ -z "$(domains)" ] || fail "'tare clean' left $(domains)"

check 1 "$tare" run --resume "$run"
printed degraded
printed "software emulation"
[ -z "$(domains)" ] || fail "the run left $(domains)"
for r in 1 2 3; do for a in host vm; do
	[ -s "$run/results/r00$r-$a-gemm.json" ] || fail "no result of $a in round $r"
done; done
[ "$(json "$run/verdict.json" '[m["verdict"] for m in d["comparisons"] if m["metric"] == "gemm.flops" and m["gate"]][0]')" = degraded ] ||
	fail "verdict.json does not say degraded"
python3 - "$run/verdict.json" <<-'PY' || fail "the ratio is not far below 1"
	import json, sys
	m = [m for m in json.load(open(sys.argv[1]))["comparisons"] if m["metric"] == "gemm.flops" and m["gate"]][0]
	sys.exit(not m["ratio"] < 0.5)
PY
grep -q 'lease.boot_time' "$run/results/r001-vm-lease.json" || fail "the boot time is no metric"
