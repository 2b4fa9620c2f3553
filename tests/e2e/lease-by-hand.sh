#!/bin/bash
# 'tare lease': a machine of an OpenNebula arm is got with its GPU on vfio, listed, and given
# back by another process, with the GPU's driver and the host as before; also after SIGKILL
# at every line of the journal, after Ctrl-C and when the machine does not come up. The
# front-end and the kernel are FAKES, the machine is a real sshd.
. tests/support/e2e.sh
. tests/support/gpu_lab.sh
start_lab "$scratch/lab"
set_driver nvidia '(null)'
was="nvidia (null)"

echo "- up, list, down"
check 0 "$tare" lease up -o "$lab/by-hand" "$lab/plan.json" vm
printed "at 127.0.0.1 port $ssh_port"
printed "tare lease down $lab/by-hand"
[ "$(driver)" = nvgrace_gpu_vfio_pci ] || fail "the GPU is on '$(driver)' while the machine is up"
[ "$(at_front_end)" = "1 leftovers, 1 devices held, host enabled" ] || fail "up: $(at_front_end)"
lines=$(wc -l <"$lab/by-hand/journal.jsonl")
check 0 "$tare" lease list "$lab/plan.json"
grep -q '^cloud  *tare-.*-vm$' "$scratch/out" || { cat "$scratch/out"; fail "the list has not the machine"; }
name=$(awk '{print $2}' "$scratch/out")
check 0 "$tare" lease list --json "$lab/by-hand"
cp "$scratch/out" "$lab/list.json"
[ "$(json "$lab/list.json" '[m["name"] for m in d]')" = "['$name']" ] || fail "the folder's list differs"
check 0 "$tare" lease down "$lab/by-hand"
printed "1 machine given back, the GPUs of 1 host bound as before"
as_before "after down"
check 0 "$tare" lease down "$lab/by-hand" # nothing left is success
printed "0 machines given back"
check 0 "$tare" lease list "$lab/plan.json"
[ ! -s "$scratch/out" ] || fail "the list still has $(cat "$scratch/out")"
check 0 "$tare" lease up --json -o "$lab/json" "$lab/plan.json" vm
cp "$scratch/out" "$lab/up.json"
[ "$(json "$lab/up.json" 'd["port"], d["dir"]')" = "($ssh_port, '$lab/json')" ] || fail "the document of the lease"
check 0 "$tare" clean "$lab/json"
as_before "after clean"

echo "- SIGKILL at each of $lines lines and once it is up"
for at in $(seq "$lines"); do
	status=0
	{ kill_at "$at" "$tare" lease up -o "$lab/killed-$at" "$lab/plan.json" vm >/dev/null 2>&1 || status=$?; } 2>/dev/null
	[ $status = 137 ] || fail "place $at: exit status $status, not killed"
	check 0 "$tare" lease down "$lab/killed-$at"
	as_before "place $at"
done

echo "- Ctrl-C, and a machine that does not come up"
check 130 kill_at $((lines - 1)) env TARE_TEST_KILL_WITH=INT "$tare" lease up -o "$lab/stopped" "$lab/plan.json" vm
as_before "after Ctrl-C"
sed 's/gb200-a/dead/' "$lab/plan.json" >"$lab/dead.json"
check 5 "$tare" lease up -o "$lab/dead" "$lab/dead.json" vm
as_before "after a lease that failed"

# The answer to call n gets lost, though it is carried out, for every n of a lease's life.
at_port() { sed "s|\"http[^\"]*\"|\"$endpoint\", \"read_retries\": 0|" "$lab/plan.json" >"$lab/port.json"; }
end_front_end
start_front_end
at_port
check 0 "$tare" lease up -o "$lab/counted" "$lab/port.json" vm
check 0 "$tare" lease down "$lab/counted"
end_front_end
calls=$(sed -n 's/^calls: //p' "$lab/front-end")
echo "- each of $calls calls loses its answer"
[ "$calls" -gt 12 ] || fail "a lease's whole life has $calls calls?"
failed=0
for n in $(seq "$calls"); do
	start_front_end --fail-at "$n" --fault reset-after
	at_port
	for what in up down; do
		status=0
		if [ $what = up ]; then
			"$tare" lease up -o "$lab/lost-$n" "$lab/port.json" vm >/dev/null 2>"$lab/err" || status=$?
		else
			"$tare" lease down "$lab/lost-$n" >/dev/null 2>"$lab/err" || status=$?
		fi
		[ $status = 0 ] || failed=$((failed + 1))
		[ $status = 0 ] || { [ $status = 5 ] && grep -q 'one\.[a-z]*\.[a-z]*' "$lab/err"; } ||
			{ cat "$lab/err"; fail "call $n, $what: exit status $status, or no call named"; }
	done
	check 0 "$tare" lease down "$lab/lost-$n"
	[ "$(driver) $(override)" = "$was" ] || fail "call $n: the driver is '$(driver)', not '$was'"
	sed "s|\"http[^\"]*\"|\"$endpoint\"|" "$lab/plan.json" >"$lab/check-plan.json"
	at_front_end "$lab/check-plan.json" | grep -q 'host enabled$' || fail "call $n: $(at_front_end "$lab/check-plan.json")"
	end_front_end
done
[ "$failed" -ge $((calls / 2)) ] || fail "only $failed of $calls failed"
start_front_end
at_port

echo "- mistakes"
check 2 "$tare" lease up "$lab/plan.json" metal
said "only target vm is leased"
check 2 "$tare" lease up "$lab/plan.json" nobody
check 2 "$tare" lease sideways "$lab/plan.json"
check 2 "$tare" lease down "$scratch"
