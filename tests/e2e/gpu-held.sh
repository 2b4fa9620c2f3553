#!/bin/bash
# A host whose GPU is not as it was stays out of scheduling until 'tare clean' has put that
# right: first a MIG layout that cannot be put back, then a driver. Bare metal over SSH; the
# front-end, the machine's kernel and its GPU are FAKES, and no real GPU's settings are
# touched.
. tests/support/e2e.sh
. tests/support/gpu_lab.sh
[ ! -e /proc/driver/nvidia/version ] || skip "a real NVIDIA driver is here, which a fake is not to stand beside"
fakes=$PWD/$BUILD/tests/fakes
[ -e "$fakes/libnvidia-ml.so.1" ] && [ -e "$fakes/libcuda.so.1" ] || fail "$fakes is not built"
export LD_LIBRARY_PATH=$fakes TARE_FAKE_NVML_STATE=$scratch/gpu TARE_FAKE_CUDA_EVENT_MS=1
lab_env="LD_LIBRARY_PATH=$fakes TARE_FAKE_NVML_STATE=$TARE_FAKE_NVML_STATE TARE_FAKE_CUDA_EVENT_MS=1"
start_lab "$scratch/lab"
python3 - "$lab/plan.json" "$lab/cut.json" <<'PY'
import json, sys
plan = json.load(open(sys.argv[1]))
plan["arms"]["metal"]["mig"] = {"slices": 2}
plan["workloads"] = [{"gemm": {"n": 32, "iterations": 3, "warmup_seconds": 0, "telemetry": False}}]
json.dump(plan, open(sys.argv[2], "w"))
PY
layout() { "$tare" mig list --json | python3 -c '
import json, sys
l = json.load(sys.stdin)["gpus"][0]["layout"]
print(l["enabled"], [(i["profile"], i["start"], i["size"]) for i in l["instances"]])'; }
host_is() { local now; now=$(at_front_end)
	[ "$now" = "0 leftovers, 0 devices held, host $1" ] || fail "$2: $now"; }
# held DIR WHAT: one line of error names the host, what is not as before, and the remedy.
held() { local lines
	lines=$(grep -c "error: host 'gb200-a' stays out of scheduling until 'tare clean $1' has put back $2" "$scratch/err") || :
	[ "$lines" = 1 ] || { cat "$scratch/err"; fail "$lines lines tell that the host is held"; }; }
enable_by_hand() { python3 - "$endpoint" <<'PY'
import sys, xmlrpc.client
import xml.etree.ElementTree as tree
one = xmlrpc.client.ServerProxy(sys.argv[1])
auth = "oneadmin:lab-opennebula"
hosts = tree.fromstring(one.one.hostpool.info(auth)[1])
host, = [int(h.findtext("ID")) for h in hosts if h.findtext("NAME") == "gb200-a"]
done = one.one.host.status(auth, host, 0)
assert done[0], done
PY
}
set_driver vfio-pci '(null)'
was="vfio-pci (null)"

echo "- MIG: what the run made cannot be taken away"
check 0 "$tare" mig apply --switch-mode 1g.18gb 3g.71gb
before=$(layout)
uuid=$("$tare" mig list --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["gpus"][0]["uuid"])')
check 3 "$tare" run -q --arm metal --rounds 1 -o "$lab/well" "$lab/cut.json" # one arm is no comparison
[ "$(layout)" = "$before" ] || fail "an undisturbed run left $(layout)"
as_before "an undisturbed run"
: >"$lab/tree/busy-mig"
check 5 "$tare" run -q --arm metal --rounds 1 -o "$lab/cut" "$lab/cut.json"
[ "$(layout)" != "$before" ] || fail "the fake did not refuse"
host_is disabled "the GPU is cut"
held "$lab/cut" "the MIG layout of $uuid"
check 5 "$tare" clean "$lab/cut"
host_is disabled "'tare clean' could not put it back"
held "$lab/cut" "the MIG layout of $uuid"
check 5 "$tare" run -q --arm metal --resume "$lab/cut"
host_is disabled "nor could --resume"
held "$lab/cut" "the MIG layout of $uuid"
# Who enables the host by hand meanwhile gets it out of scheduling again.
enable_by_hand
host_is enabled "by hand"
check 5 "$tare" clean "$lab/cut"
host_is disabled "enabled by hand"
held "$lab/cut" "the MIG layout of $uuid"
rm "$lab/tree/busy-mig"
check 0 "$tare" clean "$lab/cut"
printed "the GPUs of 1 host bound as before, 1 GPU cut by MIG as before"
[ "$(layout)" = "$before" ] || fail "'tare clean' left $(layout)"
as_before "'tare clean'"

echo "- a driver that cannot be put back"
echo 'it stays where it is' >"$lab/tree/fail-back"
check 5 "$tare" run -q --arm metal --rounds 1 -o "$lab/bound" "$lab/plan.json"
host_is disabled "the driver is another"
held "$lab/bound" "the driver of $gpu: tare-probe: .*it stays where it is"
check 5 "$tare" clean "$lab/bound"
host_is disabled "'tare clean' could not put it back"
held "$lab/bound" "the driver of $gpu"
rm "$lab/tree/fail-back"
check 0 "$tare" clean "$lab/bound"
as_before "'tare clean'"

echo "- a driver that cannot be seen, after a crash in the VM's turn"
"$tare" run -q --rounds 1 -o "$lab/seen" "$lab/plan.json" >"$scratch/out" 2>"$scratch/err" || [ $? -lt 5 ] ||
	{ cat "$scratch/err"; fail "the undisturbed run"; }
at=$(grep -n '"begin","step":"measure".*"vm"' "$lab/seen/journal.jsonl" | head -n 1 | cut -d: -f1)
{ kill_at "$at" "$tare" run -q --rounds 1 -o "$lab/unseen" "$lab/plan.json" >/dev/null 2>&1 || :; } 2>/dev/null
rm -rf "$lab/sshd/home/.cache"
: >"$lab/sshd/home/.cache" # no program of ours finds room there
check 5 "$tare" clean "$lab/unseen"
host_is disabled "the driver is unknown"
held "$lab/unseen" "the driver of $gpu"
rm "$lab/sshd/home/.cache"
check 0 "$tare" clean "$lab/unseen"
as_before "'tare clean'"
end_front_end
