#!/bin/bash
# 'tare run' with two arms from two provisioners, a fixed list and the FAKE OpenNebula
# front-end, whose machine is a real sshd: a verdict, and nothing left at the front-end.
# Then the same run killed (SIGKILL) while it holds a machine: 'tare clean' ends it.
. tests/support/e2e.sh
need python3
start_sshd
printf 'oneadmin:lab-opennebula\n' >"$scratch/one_auth"
chmod 600 "$scratch/one_auth"
"$BUILD/tests/support/fake_opennebula" --host-key "$ssh_fingerprint" >"$scratch/front-end" 2>"$scratch/front-end.err" &
front_end=$!
pids="$pids $front_end"
until_true 10 grep -q http "$scratch/front-end" || fail "the fake front-end did not start"
cat >"$scratch/plan.json" <<JSON
{ "name": "cloud",
  "provisioners": {
    "cloud": { "kind": "opennebula", "endpoint": "$(head -n 1 "$scratch/front-end")", "auth_file": "$scratch/one_auth", "poll": "20ms" },
    "rack": { "kind": "list", "lock_dir": "$scratch/locks",
              "machines": [ { "address": "127.0.0.1", "port": $ssh_port, "user": "$(id -un)", "key_file": "$ssh_key", "host_key_sha256": "$ssh_fingerprint" } ] } },
  "arms": {
    "metal": { "target": "vm", "provisioner": "rack" },
    "vm": { "target": "vm", "provisioner": "cloud", "template": "gb200-1gpu", "host_key": "onegate", "same_machine_as": "metal",
            "pin": { "host": "gb200-a", "gpu": "0018:01:00.0" },
            "ssh": { "port": $ssh_port, "user": "$(id -un)", "key_file": "$ssh_key" } } },
  "baseline": "metal",
  "workloads": [ { "gemm": { "backend": "openblas", "n": 64, "iterations": 3, "warmup_seconds": 0 } } ],
  "schedule": { "rounds": { "min": 2, "max": 2 } } }
JSON
check 0 "$tare" check "$scratch/plan.json"
printed "7 GPUs in the pool, 7 free; 0 of"
sed 's/0018:01:00.0/0020:01:00.0/' "$scratch/plan.json" >"$scratch/wrong.json"
check 5 "$tare" check --arm vm --json "$scratch/wrong.json"
printed "has no device 0020:01:00.0"
"$tare" run -q -o "$scratch/run" "$scratch/plan.json" >"$scratch/out" 2>"$scratch/err" || [ $? -lt 4 ] ||
	{ cat "$scratch/err"; fail "the run failed"; }
[ "$(ls "$scratch"/run/results/*-vm-gemm.json | wc -l)" = 2 ] || fail "not two results of the arm 'vm'"
grep -q '0018:01:00:0' "$scratch/run/journal.jsonl" || fail "the journal does not name the device"
! grep -rq lab-opennebula "$scratch/run" || fail "the account's secret is in the run's folder"

# Killed behind the request of the machine: it is there, and nobody holds it any more.
at=$(grep -n '"lease"' "$scratch/run/journal.jsonl" | grep cloud | head -n 1 | cut -d: -f1)
status=0
{ LD_PRELOAD=$PWD/$BUILD/tests/support/kill_at.so TARE_TEST_KILL_AT=$((at + 1)) \
	"$tare" run -q -o "$scratch/killed" "$scratch/plan.json" >/dev/null 2>&1 || status=$?; } 2>/dev/null
[ $status = 137 ] || fail "exit status $status, not killed"
check 0 "$tare" clean "$scratch/killed"
"$tare" run -q --resume "$scratch/killed" >/dev/null 2>"$scratch/err" || [ $? -lt 4 ] ||
	{ cat "$scratch/err"; fail "could not be resumed"; }

# A MIG-backed slice that the platform gives: the result says so, and a whole GPU is not alike.
python3 - "$scratch/plan.json" "$scratch/slice.json" <<'PY'
import json, sys
plan = json.load(open(sys.argv[1]))
arm = plan["arms"]["slice"] = plan["arms"].pop("vm")
arm.update(template="mig-slice", pin={"host": "h100-mig"}, gpu={"profile": "1127 (NVIDIA H100XM-1-10C)", "device": "2330"})
json.dump(plan, open(sys.argv[2], "w"))
PY
check 4 "$tare" run -q -o "$scratch/slice" "$scratch/slice.json"
for key in route:opennebula "profile:1127 (NVIDIA H100XM-1-10C)"; do
	got=$(json "$scratch/slice/results/r001-slice-gemm.json" "d['details']['mig']['${key%%:*}']")
	[ "$got" = "${key#*:}" ] || fail "details.mig: $got, not ${key#*:}"
done
grep -q "mig-part: metal ran on a whole GPU and slice on 1127" "$scratch/slice/verdict.json" || fail "no reason"

status=0
kill "$front_end"
wait "$front_end" || status=$?
[ $status = 0 ] || { cat "$scratch/front-end"; fail "something was left at the front-end"; }
tail -n 1 "$scratch/front-end"
