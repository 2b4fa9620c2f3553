#!/bin/bash
# Arms with "mig" on a FAKE GPU (tests/support/fakes; no real GPU's settings are touched):
# a whole run over all profiles, a run killed (SIGKILL) at every place where the GPU is cut
# and put right by 'tare clean' or --resume, Ctrl-C, a failing driver, a guest that is lent,
# and the routes that are never compared as alike. The fake's time is made of the number
# of multiprocessors, so the share of throughput must equal that of multiprocessors.
. tests/support/e2e.sh
need python3
fakes=$PWD/$BUILD/tests/fakes
[ -e "$fakes/libnvidia-ml.so.1" ] && [ -e "$fakes/libcuda.so.1" ] || fail "$fakes is not built"
export LD_LIBRARY_PATH=$fakes TARE_FAKE_NVML_STATE=$scratch/gpu TARE_FAKE_CUDA_EVENT_MS=1
work='"workloads": [ { "gemm": { "n": 32, "iterations": 3, "warmup_seconds": 0, "telemetry": false } } ],
      "schedule": { "rounds": { "min": 2, "max": 2 } }, "margins": { "gemm.flops": 0.01 }, "trust": [ "clocks" ]'
cat >"$scratch/all.json" <<JSON
{ "name": "all-fake", "baseline": "a",
  "arms": { "a": { "target": "local", "mig": "all" },
            "b": { "target": "local", "same_machine_as": "a", "mig": { "profile": "all" } } }, $work }
JSON
layout() { "$tare" mig list --json | python3 -c '
import json, sys
l = json.load(sys.stdin)["gpus"][0]["layout"]
print(l["enabled"], [(i["profile"], i["start"], i["size"]) for i in l["instances"]])'; }

# What was there before must be there afterwards: two instances, not where a driver puts
# them by itself.
check 0 "$tare" mig apply --switch-mode 1g.18gb 3g.71gb
before=$(layout)
[ "$before" = "True [('1g.18gb', 0, 1), ('3g.71gb', 4, 4)]" ] || fail "cut as $before"

# One slice by hand: a neighbour on the GPU makes its figures invalid, unless that is wanted;
# a GPU in MIG mode is none as a whole.
slice=$("$tare" mig list --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["gpus"][0]["layout"]["instances"][0]["uuid"])')
one="--n 32 --iterations 3 --warmup-seconds 0 --no-telemetry -q"
check 0 "$tare" gemm $one --device "$slice"
check 4 env TARE_FAKE_NVML_NEIGHBOURS=1 "$tare" gemm $one --device "$slice"
said "0 other processes compute on the MIG device, 1 on other parts of its GPU"
check 4 env TARE_FAKE_NVML_OTHERS=2 "$tare" gemm $one --device "$slice"
said "2 other processes compute on the MIG device"
check 0 env TARE_FAKE_NVML_NEIGHBOURS=1 "$tare" gemm $one --device "$slice" --no-exclusive
check 5 "$tare" gemm $one --backend cublas
check 5 "$tare" gemm $one --device "${slice%00}ff"

"$tare" check --all "$scratch/all.json" >"$scratch/out" 2>"$scratch/err" || true # this machine may lack other things
printed "1g.18gb (16 SMs), 2g.35gb (32 SMs)"
grep -q '^ *ok *mig' "$scratch/out" || { cat "$scratch/out"; fail "MIG is not found"; }
sed 's/"mig": "all"/"mig": { "profile": "9g.1gb" }/' "$scratch/all.json" >"$scratch/wrong.json"
check 5 "$tare" check --arm a "$scratch/wrong.json"
grep -q '^ *failed *mig' "$scratch/out" || { cat "$scratch/out"; fail "a wrong profile is not found"; }
[ "$(layout)" = "$before" ] || fail "a check left $(layout)"
check 0 "$tare" run -q -o "$scratch/whole" "$scratch/all.json"
[ "$(layout)" = "$before" ] || fail "the run left $(layout)"
python3 - "$scratch/whole" <<'PY' || fail "results of the whole run"
import glob, json, sys
sms = {None: 132, "1g.18gb": 16, "1g.18gb+me": 16, "1g.35gb": 26, "2g.35gb": 32,
       "3g.71gb": 60, "4g.71gb": 64, "7g.141gb": 132}
found = set()
for path in glob.glob(sys.argv[1] + "/results/r001-a-*"):
    d = json.load(open(path))
    mig = d["details"]["mig"]
    profile = mig["profile"]
    found.add(profile)
    metrics = {m["name"]: m["values"] for m in d["metrics"]}
    assert "FAKE" in d["details"]["gpu"]["name"], path
    assert d["status"] == "ok", (path, d["reasons"])
    assert d["workload"]["name"] == ("gemm@" + profile if profile else "gemm"), path
    assert d["details"]["gpu"]["multiprocessors"] == mig["multiprocessors"] == sms[profile], path
    assert metrics["mig.sm_ratio"] == [sms[profile] / 132], path
    if profile:
        assert mig["route"] in ("host", "guest") and mig["whole"] == "gemm", path
        assert mig["device"].startswith("MIG-") and d["details"]["gpu"]["asked"] == mig["device"]
        share = metrics["mig.throughput_share"][0]
        assert abs(share / (sms[profile] / 132) - 1) < 1e-5, (path, share)
        assert any(c["name"] == "gpu-is-alone" and "MIG device" in c["detail"] for c in d["checks"])
assert found == set(sms), found
steps = [json.loads(l) for l in open(sys.argv[1] + "/journal.jsonl")]
opened = [e for e in steps if e["step"] == "mig"]
assert [e["event"] for e in opened] == ["begin", "end"] * 4, opened
PY

# Killed at each of many journal lines while the GPU is cut, each time put right.
lines=$(wc -l <"$scratch/whole/journal.jsonl")
kills=0 cut=0
for at in $(seq 7 29 $((lines - 4))); do
	dir=$scratch/killed-$at status=0
	{ LD_PRELOAD=$PWD/$BUILD/tests/support/kill_at.so TARE_TEST_KILL_AT=$at \
		"$tare" run -q -o "$dir" "$scratch/all.json" >/dev/null 2>&1 || status=$?; } 2>/dev/null
	[ $status = 137 ] || fail "place $at of $lines: exit status $status, not killed"
	[ "$(layout)" = "$before" ] || cut=$((cut + 1))
	kills=$((kills + 1))
	if [ $((kills % 2)) = 0 ]; then
		check 0 "$tare" clean "$dir"
		[ "$(layout)" = "$before" ] || fail "place $at: 'tare clean' left $(layout)"
	fi
	check 0 "$tare" run -q --resume "$dir"
	[ "$(layout)" = "$before" ] || fail "place $at: resumed, and left $(layout)"
	[ "$(ls "$dir/results")" = "$(ls "$scratch/whole/results")" ] || fail "place $at: other results"
done
[ "$cut" -ge $((kills / 2)) ] || fail "only $cut of $kills kills found the GPU cut"

# Ctrl-C while the GPU is cut: an endless workload, ended by the first SIGINT.
cat >"$scratch/long.json" <<JSON
{ "name": "long-fake", "baseline": "a",
  "arms": { "a": { "target": "local", "mig": { "slices": 2 } }, "b": { "target": "local", "same_machine_as": "a", "mig": { "slices": 2 } } },
  "workloads": [ { "gemm": { "n": 32, "iterations": 3, "warmup_seconds": 600, "telemetry": false } } ],
  "schedule": { "rounds": { "min": 2, "max": 2 } }, "trust": [ "clocks" ] }
JSON
"$tare" run -q -o "$scratch/stopped" "$scratch/long.json" >/dev/null 2>"$scratch/err" &
pid=$!
until_true 60 grep -q '"begin","step":"measure"' "$scratch/stopped/journal.jsonl" || fail "never measured"
[ "$(layout)" = "True [('2g.35gb', 0, 2)]" ] || fail "measures on $(layout)"
kill -INT $pid
status=0; wait $pid || status=$?
[ $status = 130 ] || { cat "$scratch/err"; fail "exit status $status, not 130"; }
[ "$(layout)" = "$before" ] || fail "Ctrl-C left $(layout)"

# A driver that refuses: nothing measured, the GPU as before, the reason in words.
cat >"$scratch/none.json" <<JSON
{ "name": "none-fake", "baseline": "a",
  "arms": { "a": { "target": "local", "mig": { "profile": "5g.1gb" } }, "b": { "target": "local", "same_machine_as": "a" } }, $work }
JSON
check 2 "$tare" run -q -o "$scratch/none" "$scratch/none.json"
said "no MIG profile '5g.1gb'; it has 1g.18gb"
[ "$(layout)" = "$before" ] || fail "a refusal left $(layout)"
check 5 env TARE_FAKE_NVML_OTHERS=1 "$tare" run -q -o "$scratch/busy" "$scratch/long.json"
said "1 processes compute on it"
[ "$(layout)" = "$before" ] || fail "a busy GPU was left as $(layout)"

# By hand: what does not fit is refused with everything in its place, dry or not; a driver that
# tells no places refuses halfway, and then all comes back.
check 2 "$tare" mig apply 7g.141gb 1g.18gb
said "do not fit on one GPU together"
check 2 "$tare" mig apply -n 7g.141gb 1g.18gb
[ "$(layout)" = "$before" ] || fail "what does not fit left $(layout)"
check 5 env TARE_FAKE_NVML_PLACELESS=1 "$tare" mig apply 7g.141gb 1g.18gb
said "what was there is back"
[ "$(layout)" = "$before" ] || fail "what failed halfway left $(layout)"
check 0 "$tare" mig apply -o "$scratch/kept.json" 7g.141gb
[ "$(layout)" != "$before" ] || fail "'tare mig apply' changed nothing"
check 2 "$tare" mig apply -o "$scratch/kept.json" 1g.18gb
said "may be what 'tare mig restore' needs"
check 0 "$tare" mig restore "$scratch/kept.json"
[ "$(layout)" = "$before" ] || fail "'tare mig restore' left $(layout)"

# Every so many-th call of the driver fails in every program of a run, in putting back too:
# the GPU is as before, or the run has failed and says so, and 'tare clean' mends it.
sed 's/"warmup_seconds": 600/"warmup_seconds": 0/; s/"min": 2, "max": 2/"min": 1, "max": 1/' "$scratch/long.json" >"$scratch/short.json"
left=0 failed=0
run_with_fault() { # NAME COMMAND...
	local dir=$scratch/fault-$1 status=0; shift
	"$@" run -q -o "$dir" "$scratch/short.json" >/dev/null 2>"$scratch/err" || status=$?
	[ $status -lt 5 ] || { failed=$((failed + 1)); said "FAKE"; }
	[ "$(layout)" != "$before" ] || return 0
	left=$((left + 1))
	[ $status = 5 ] || fail "$dir: left $(layout) with status $status"
	said "'tare clean $dir' tries again"
	check 0 "$tare" clean "$dir"
	[ "$(layout)" = "$before" ] || fail "$dir: 'tare clean' left $(layout)"
}
for n in $(seq 2 15 92); do
	run_with_fault $n env TARE_FAKE_NVML_FAIL_AT=$n TARE_FAKE_NVML_CODE=4 "$tare"
done
# Now only in putting back: a tare-probe that meets the fault there.
mkdir "$scratch/bin"
ln -s "$PWD/$BUILD/tare-gemm" "$scratch/bin/"
cat >"$scratch/bin/tare-probe" <<SH
#!/bin/sh
case "\$*" in *--mig=restore*) export TARE_FAKE_NVML_FAIL_AT=\$FAULT_AT TARE_FAKE_NVML_CODE=4 ;; esac
exec "$PWD/$BUILD/tare-probe" "\$@"
SH
chmod +x "$scratch/bin/tare-probe"
for n in 1 60 195; do
	run_with_fault back-$n env TARE_PROGRAM_DIR="$scratch/bin" FAULT_AT=$n "$tare"
done
[ $failed -ge 3 ] && [ $left -ge 1 ] || fail "faults: $failed failed, $left left the GPU cut"

# Over SSH the fakes come by sshd's SetEnv: where a real driver is, nothing is risked.
if [ -e /proc/driver/nvidia/version ]; then
	echo "killed at $kills of $lines places; not over SSH: a real NVIDIA driver is here"
	exit 0
fi

# A machine that is lent has its GPU cut inside, over SSH. Whether this machine is a host or
# a guest itself decides which route the other arm takes, and with it whether they are alike.
sshd_env="LD_LIBRARY_PATH=$fakes TARE_FAKE_NVML_STATE=$TARE_FAKE_NVML_STATE TARE_FAKE_CUDA_EVENT_MS=1"
start_sshd
tare_with_fake
cat >"$scratch/routes.json" <<JSON
{ "name": "routes-fake", "baseline": "here",
  "provisioners": { "lab": { "kind": "fake", "state_dir": "$scratch/machines" } },
  "arms": {
    "here": { "target": "local", "same_machine_as": "vm", "mig": { "profile": "1g.18gb" } },
    "vm": { "target": "vm", "provisioner": "lab", "port": $ssh_port, "boot": 5, "mig": { "profile": "1g.18gb" },
            "ssh": { "user": "$(id -un)", "key_file": "$ssh_key", "host_key_sha256": "$ssh_fingerprint" } } }, $work }
JSON
status=0
"$tare" run -q -o "$scratch/routes" "$scratch/routes.json" >"$scratch/out" 2>"$scratch/err" || status=$?
[ "$(layout)" = "$before" ] || fail "the lent machine was left as $(layout)"
here=$(json "$scratch/routes/results/r001-here-gemm.json" 'd["details"]["mig"]["route"]')
there=$(json "$scratch/routes/results/r001-vm-gemm.json" 'd["details"]["mig"]["route"]')
kind=$(json "$scratch/routes/machines/r001-here.json" 'd["hypervisor"]["kind"]')
[ "$there" = guest ] || fail "the lent machine's route is $there"
if [ "$kind" = none ]; then
	[ "$here" = host ] || fail "bare metal's route is $here"
	[ $status = 4 ] || fail "two routes compared: exit status $status"
	grep -q "mig-route: never alike" "$scratch/routes/verdict.json" || fail "no reason"
else
	[ "$here" = guest ] || fail "the route on '$kind' is $here"
	[ $status = 0 ] || { cat "$scratch/err" "$scratch/out"; fail "one route: exit status $status"; }
fi

# What a crash leaves on a machine that is not this one: a fixed one, and one that was lent
# running and stays, are reached again by what the journal knows.
cat >"$scratch/far.json" <<JSON
{ "name": "far-fake", "baseline": "far",
  "arms": { "far": { "target": "ssh", "host": "127.0.0.1", "port": $ssh_port, "user": "$(id -un)",
                     "key_file": "$ssh_key", "host_key_sha256": "$ssh_fingerprint", "mig": { "slices": 3 } },
            "here": { "target": "local", "same_machine_as": "far", "mig": { "slices": 3 } } }, $work }
JSON
crash() { # PLAN ARM
	local dir=$scratch/$1-$2 at status=0
	"$tare" run -q --rounds 1 --arm "$2" -o "$dir-whole" "$scratch/$1.json" >/dev/null 2>"$scratch/err" ||
		[ $? -lt 5 ] || { cat "$scratch/err"; fail "$1, $2: the undisturbed run"; }
	at=$(grep -n '"begin","step":"measure"' "$dir-whole/journal.jsonl" | head -n 1 | cut -d: -f1)
	{ LD_PRELOAD=$PWD/$BUILD/tests/support/kill_at.so TARE_TEST_KILL_AT=$at \
		"$tare" run -q --rounds 1 --arm "$2" -o "$dir" "$scratch/$1.json" >/dev/null 2>&1 || status=$?; } 2>/dev/null
	[ $status = 137 ] || fail "$1, $2: exit status $status, not killed"
	[ "$(layout)" != "$before" ] || fail "$1, $2: killed before the GPU was cut"
	check 0 "$tare" clean "$dir"
	printed "1 GPU cut by MIG as before"
	[ "$(layout)" = "$before" ] || fail "$1, $2: 'tare clean' left $(layout)"
}
sed 's/"boot": 5, //' "$scratch/routes.json" >"$scratch/lent.json"
crash far far
crash lent vm

# A machine of a list whose GPU cannot be cut as it was (no tare-probe can be placed there,
# while the workload runs) is nobody else's before it is: it stays on loan to the run.
cat >"$scratch/listed.json" <<JSON
{ "name": "listed-fake", "baseline": "vm",
  "provisioners": { "lab": { "kind": "list", "lock_dir": "$scratch/locks", "machines": [
    { "address": "127.0.0.1", "port": $ssh_port, "user": "$(id -un)", "key_file": "$ssh_key", "host_key_sha256": "$ssh_fingerprint" } ] } },
  "arms": { "vm": { "target": "vm", "provisioner": "lab", "mig": { "slices": 2 } },
            "here": { "target": "local", "same_machine_as": "vm", "mig": { "slices": 2 } } },
  "workloads": [ { "gemm": { "n": 32, "iterations": 3, "warmup_seconds": 600, "telemetry": false } } ] }
JSON
"$tare" run -q -o "$scratch/listed" "$scratch/listed.json" >/dev/null 2>"$scratch/err" &
pid=$!
# Measures: what was placed there has been loaded, and has opened the driver.
placed_runs() {
	local maps
	for maps in /proc/[0-9]*/maps; do
		! grep -qsF "$scratch/sshd/home/.cache/" "$maps" || ! grep -qsF libcuda.so.1 "$maps" || return 0
	done
	return 1
}
until_true 60 placed_runs || { cat "$scratch/err"; fail "never measured"; }
rm -r "$scratch/sshd/home/.cache"
: >"$scratch/sshd/home/.cache"
kill -INT $pid
status=0; wait $pid || status=$?
[ $status = 130 ] || { cat "$scratch/err"; fail "exit status $status, not 130"; }
said "the machine 127.0.0.1 stays on loan"
[ "$(layout)" != "$before" ] || fail "the put-back did not fail"
rm "$scratch/sshd/home/.cache"
check 0 "$tare" lease list "$scratch/listed"
printed "tare-"
check 0 "$tare" clean "$scratch/listed"
printed "1 machine given back, 1 GPU cut by MIG as before"
[ "$(layout)" = "$before" ] || fail "'tare clean' left $(layout)"
check 0 "$tare" lease list "$scratch/listed"
[ ! -s "$scratch/out" ] || fail "still on loan: $(cat "$scratch/out")"
echo "killed at $kills of $lines places, $cut of them with the GPU cut, and put right"
