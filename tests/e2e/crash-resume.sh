#!/bin/bash
# A run that is killed (SIGKILL) at ten different places and resumed each time ends with
# the same set of results as an undisturbed run, and leaves no machine behind. The machine
# is lent by the fake provisioner; what plays it is a real sshd.
. tests/support/e2e.sh
need python3
start_sshd
tare_with_fake
state=$scratch/machines
plan=$scratch/plan.json
cat >"$plan" <<JSON
{ "name": "crash",
  "provisioners": { "lab": { "kind": "fake", "state_dir": "$state" } },
  "arms": {
    "metal": { "target": "local" },
    "vm": { "target": "vm", "same_machine_as": "metal", "provisioner": "lab", "port": $ssh_port,
            "ssh": { "user": "$(id -un)", "key_file": "$ssh_key", "host_key_sha256": "$ssh_fingerprint" } } },
  "baseline": "metal",
  "workloads": [ { "gemm": { "n": 64, "iterations": 3, "warmup_seconds": 0 } } ],
  "schedule": { "rounds": { "min": 3, "max": 3 } } }
JSON
results() { (cd "$1/results" && ls | sort); }
machines() { ls "$state" 2>/dev/null | grep -v '^\.' || true; }

"$tare" run -q -o "$scratch/whole" "$plan" >/dev/null 2>"$scratch/err" || [ $? -lt 4 ] ||
	{ cat "$scratch/err"; fail "the undisturbed run failed"; }
lines=$(wc -l <"$scratch/whole/journal.jsonl")
[ -n "$(results "$scratch/whole")" ] || fail "no results"
[ -z "$(machines)" ] || fail "the undisturbed run left $(machines)"

kills=0
for i in 1 2 3 4 5 6 7 8 9 10; do
	at=$((1 + (lines - 2) * i / 10))
	dir=$scratch/killed-$i
	status=0
	{ LD_PRELOAD=$PWD/$BUILD/tests/support/kill_at.so TARE_TEST_KILL_AT=$at \
		"$tare" run -q -o "$dir" "$plan" >/dev/null 2>&1 || status=$?; } 2>/dev/null
	[ $status = 137 ] || fail "place $at of $lines: exit status $status, not killed"
	kills=$((kills + 1))
	if [ $((i % 2)) = 0 ]; then # 'clean' finishes the job by itself ...
		check 0 "$tare" clean "$dir"
		[ -z "$(machines)" ] || fail "place $at: 'tare clean' left $(machines)"
	fi
	"$tare" run -q --resume "$dir" >/dev/null 2>"$scratch/err" || [ $? -lt 4 ] ||
		{ cat "$scratch/err"; fail "place $at: could not be resumed"; }
	[ -z "$(machines)" ] || fail "place $at: left $(machines)"
	[ "$(results "$scratch/whole")" = "$(results "$dir")" ] || fail "place $at: other results"
	for f in "$dir"/results/*.json; do
		[ "$(json "$f" 'd["schema"]')" = tare.result/1 ] || fail "place $at: $f is not whole"
	done
done

# A disk that was full from the first line on: nothing to give back, and it can go on.
mkdir "$scratch/empty"
cp "$scratch/whole/plan.json" "$scratch/empty/"
: >"$scratch/empty/journal.jsonl"
check 2 "$tare" run -q -o "$scratch/empty" "$plan"
said "continue it"
check 0 "$tare" clean "$scratch/empty"
: >"$scratch/empty/journal.jsonl"
"$tare" run -q --resume "$scratch/empty" >/dev/null 2>"$scratch/err" || [ $? -lt 4 ] ||
	{ cat "$scratch/err"; fail "a run without a line could not be resumed"; }
[ "$(results "$scratch/whole")" = "$(results "$scratch/empty")" ] || fail "no line: other results"
echo "killed at $kills of $lines places and resumed"
