#!/bin/bash
# One GPU, both sides: bare metal over SSH against a VM of an OpenNebula host, with the
# host out of scheduling and the GPU on the host's driver for the one, on vfio for the
# other. The front-end is a FAKE, the machine's kernel is a FAKE (tests/support/fake_probe)
# and what answers as "machine" is a real sshd. What was there before must be there again:
# at the end, after a failure, after Ctrl-C, and after SIGKILL in front of every line of
# the journal and 'tare clean'; --resume then ends with the results of an undisturbed run.
. tests/support/e2e.sh
. tests/support/gpu_lab.sh
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
echo "- a full disk takes no journal and all is put back"
set_driver vfio-pci '(null)'
was="vfio-pci (null)"
for at in $((lines / 3)) $((lines * 2 / 3)); do
	check 5 kill_at $at env TARE_TEST_KILL_WITH=FULL "$tare" run -q -o "$lab/full-$at" "$lab/plan.json"
	said "No space left"
	as_before "a full disk at line $at"
	check 0 "$tare" clean "$lab/full-$at"
done

echo "- a front-end that is gone: every failure of 'tare clean' is said"
{ kill_at $((lines / 3)) "$tare" run -q -o "$lab/gone" "$lab/plan.json" >/dev/null 2>&1 || :; } 2>/dev/null
end_front_end
check 5 "$tare" clean "$lab/gone"
said "giving back machines of 'cloud'"
said "has to put back"
said "host 'gb200-a'"

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
		{ kill_at "$at" "$tare" run -q -o "$dir" "$lab/plan.json" >/dev/null 2>"$lab/err" || status=$?; } 2>/dev/null
		[ $status = 137 ] || { cat "$lab/err"; fail "place $at: exit status $status, not killed"; }
		[ -s "$dir/journal.jsonl" ] || continue # in front of the very first line
		check 0 "$tare" clean "$dir"
		as_before "place $at"
		"$tare" run -q --resume "$dir" >/dev/null 2>"$lab/err" || [ $? -lt 4 ] ||
			{ cat "$lab/err"; fail "place $at: could not be resumed"; }
		[ "$(driver) $(override)" = "$was" ] || fail "place $at, resumed: the driver is '$(driver)'"
		[ "$want_results" = "$(results "$dir")" ] || fail "place $at: other results"
		echo "$at" >>"$lab/done"
	done
	as_before "at the end"
	end_front_end
}
workers=
for i in 0 1 2 3; do
	worker $i >"$scratch/said-$i" 2>&1 &
	workers="$workers $!"
done
for w in $workers; do wait "$w" || { cat "$scratch"/said-*; fail "see above"; }; done
echo "killed at $(cat "$scratch"/worker-*/done | wc -l) of $lines places, cleaned and resumed"
