#!/bin/bash
# One GPU, both sides: bare metal over SSH against a VM of an OpenNebula host, with the
# host out of scheduling and the GPU on the host's driver for the one, on vfio for the
# other. The front-end is a FAKE, the machine's kernel is a FAKE (tests/support/fake_probe)
# and what answers as "machine" is a real sshd. What was there before must be there again:
# at the end, after a failure, after Ctrl-C, and after SIGKILL in front of every line of
# the journal and 'tare clean'; --resume then ends with the results of an undisturbed run.
. tests/support/e2e.sh
need python3
gpu=0008:01:00.0
mkdir "$scratch/bin"
ln -s "$PWD/$BUILD/tare-gemm" "$scratch/bin/tare-gemm"
ln -s "$PWD/$BUILD/tests/support/fake_probe" "$scratch/bin/tare-probe"
export TARE_PROGRAM_DIR=$scratch/bin
kill_at() { env LD_PRELOAD="$PWD/$BUILD/tests/support/kill_at.so" TARE_TEST_KILL_AT="$1" "${@:2}"; }

# A machine, a front-end and a plan in the folder $lab.
start_lab() {
	local scratch=$1
	lab=$1
	mkdir -p "$lab"
	make_tree tests/machines/binding.tree "$lab/tree"
	sshd_extra="SetEnv TARE_TEST_TREE=$lab/tree"
	export TARE_TEST_TREE=$lab/tree
	start_sshd
	printf 'oneadmin:lab-opennebula\n' >"$lab/one_auth"
	chmod 600 "$lab/one_auth"
	"$BUILD/tests/support/fake_opennebula" --host-key "$ssh_fingerprint" >"$lab/front-end" 2>"$lab/front-end.err" &
	front_end=$!
	pids="$pids $front_end"
	until_true 10 grep -q http "$lab/front-end" || fail "the fake front-end did not start"
	cat >"$lab/plan.json" <<-JSON
		{ "name": "sides",
		  "provisioners": { "cloud": { "kind": "opennebula", "endpoint": "$(head -n 1 "$lab/front-end")", "auth_file": "$lab/one_auth", "poll": "10ms" } },
		  "arms": {
		    "metal": { "target": "ssh", "host": "127.0.0.1", "port": $ssh_port, "user": "$(id -un)", "key_file": "$ssh_key",
		               "host_key_sha256": "$ssh_fingerprint", "driver": "nvidia" },
		    "vm": { "target": "vm", "provisioner": "cloud", "template": "gb200-1gpu", "host_key": "onegate", "driver": "vfio",
		            "pin": { "host": "gb200-a", "gpu": "$gpu" },
		            "ssh": { "port": $ssh_port, "user": "$(id -un)", "key_file": "$ssh_key" } } },
		  "baseline": "metal",
		  "workloads": [ { "gemm": { "backend": "openblas", "n": 64, "iterations": 2, "warmup_seconds": 0 } } ],
		  "schedule": { "rounds": { "min": 1, "max": 1 } } }
	JSON
}
device=sys/bus/pci/devices/$gpu
driver() { basename "$(readlink "$lab/tree/$device/driver" 2>/dev/null)" 2>/dev/null; }
override() { cat "$lab/tree/$device/driver_override"; }
set_driver() { ln -sfn "../../drivers/$1" "$lab/tree/$device/driver"; echo "$2" >"$lab/tree/$device/driver_override"; }
results() { (cd "$1/results" && ls | sort); }
# What the front-end says: machines, devices in use, state of the host.
at_front_end() {
	"$tare" check --arm vm --json "$lab/plan.json" >"$lab/check.json" 2>/dev/null || :
	python3 - "$lab/check.json" <<'PY'
import json, sys
d = json.load(open(sys.argv[1]))["vm"]
left = [c for c in d["checks"] if c["name"] == "leftovers"]
print(len(left), "leftovers,", sum(not g["is_free"] for g in d["gpus"]), "devices held, host",
      {g["host_state"] for g in d["gpus"] if g["host"] == "gb200-a"}.pop())
PY
}
# as_before WHERE [HOST-STATE]: nothing is left, and what was there before is there again.
as_before() {
	[ "$(driver) $(override)" = "$was" ] || fail "$1: the driver is '$(driver)', override '$(override)', not '$was'"
	local now; now=$(at_front_end)
	[ "$now" = "0 leftovers, 0 devices held, host ${2:-enabled}" ] || fail "$1: $now"
}
actions() { python3 - "$1/journal.jsonl" <<'PY'
import json, sys
for e in map(json.loads, open(sys.argv[1])):
    if e["step"] == "bind" and e["event"] in ("end", "note", "fail"):
        print(e["arm"], e["data"]["action"], e["event"] if e["event"] == "fail" else "", end=";")
PY
}

start_lab "$scratch/first"
set_driver vfio-pci '(null)' # bound by its id, as a host's start-up script leaves it
was="vfio-pci (null)"
as_before "at first"

echo "- an undisturbed run"
"$tare" run -q -o "$lab/whole" "$lab/plan.json" >"$lab/out" 2>"$lab/err" || [ $? -lt 4 ] ||
	{ cat "$lab/err"; fail "the undisturbed run failed"; }
as_before "after the undisturbed run"
want="metal take ;metal reserve ;metal bind ;vm reserve ;vm bind ;vm enable ;metal restore ;"
[ "$(actions "$lab/whole")" = "$want" ] || fail "the journal has $(actions "$lab/whole")"
seen() { json "$(ls "$lab"/whole/machines/*"$1".json)" '[p["driver"] for p in d["pci"] if p["address"] == "'$gpu'"][0]'; }
[ "$(seen metal)" = nvidia ] || fail "bare metal was measured with '$(seen metal)'"
[ "$(seen vm)" = nvgrace_gpu_vfio_pci ] || fail "the VM was measured with '$(seen vm)'"
lines=$(wc -l <"$lab/whole/journal.jsonl")
want_results=$(results "$lab/whole")

echo "- a plan that says too little"
sed 's/"gpu": "[^"]*"/"by": "deploy"/' "$lab/plan.json" >"$lab/wrong.json"
check 2 "$tare" run --dry-run "$lab/wrong.json"
said "which GPU is to change its driver?"

echo "- a GPU that cannot be bound"
echo 'the GPU does not want to' >"$lab/tree/fail-bind"
check 5 "$tare" run -q -o "$lab/refused" "$lab/plan.json"
said "the GPU does not want to"
rm "$lab/tree/fail-bind"
as_before "after a refusal"

echo "- a GPU that a process has open"
mkdir -p "$lab/tree/proc/77/fd" "$lab/tree/$device/drm/card9"
ln -s /dev/dri/card9 "$lab/tree/proc/77/fd/3"
check 5 "$tare" run -q -o "$lab/open" "$lab/plan.json"
said "processes have it open"
rm -r "$lab/tree/proc/77"
as_before "after a refusal"

echo "- Ctrl-C, with the GPU on the host's driver at first"
set_driver nvidia '(null)'
was="nvidia (null)"
for at in 6 $((lines / 3)) $((lines * 2 / 3)); do
	check 130 kill_at $at env TARE_TEST_KILL_WITH=INT "$tare" run -q -o "$lab/stopped-$at" "$lab/plan.json"
	as_before "Ctrl-C at line $at"
done
kill "$front_end"

# Every place, by several workers with a machine and a front-end of their own.
echo "- SIGKILL in front of each of $lines lines"
worker() {
	pids=
	trap 'for p in $pids; do kill "$p" 2>/dev/null || :; done' EXIT
	scratch=$scratch/worker-$1
	start_lab "$scratch"
	set_driver vfio-pci '(null)'
	was="vfio-pci (null)"
	for at in $(seq $((1 + $1)) 4 "$lines"); do
		local dir=$lab/killed-$at status=0
		{ kill_at "$at" "$tare" run -q -o "$dir" "$lab/plan.json" >/dev/null 2>&1 || status=$?; } 2>/dev/null
		[ $status = 137 ] || fail "place $at: exit status $status, not killed"
		[ -s "$dir/journal.jsonl" ] || continue # in front of the very first line
		check 0 "$tare" clean "$dir"
		as_before "place $at"
		"$tare" run -q --resume "$dir" >/dev/null 2>"$lab/err" || [ $? -lt 4 ] ||
			{ cat "$lab/err"; fail "place $at: could not be resumed"; }
		as_before "place $at, resumed"
		[ "$want_results" = "$(results "$dir")" ] || fail "place $at: other results"
		echo "$at" >>"$lab/done"
	done
}
workers=
for i in 0 1 2 3; do
	worker $i >"$scratch/said-$i" 2>&1 &
	workers="$workers $!"
done
for w in $workers; do wait "$w" || { cat "$scratch"/said-*; fail "see above"; }; done
echo "killed at $(cat "$scratch"/worker-*/done | wc -l) of $lines places, cleaned and resumed"
