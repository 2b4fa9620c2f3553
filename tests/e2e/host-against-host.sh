#!/bin/bash
# The same machine on both sides, one of them over SSH: equivalent, by the path that every
# other comparison takes, and a report that can be read. A FAKE GPU decides; what this
# machine's processor does is real, shown and judged, and as noisy as it happens to be.
. tests/support/e2e.sh
need python3
fake_gpu
sshd_env=$gpu_env
start_sshd
cat >"$scratch/plan.json" <<JSON
{ "name": "same",
  "arms": { "here": { "target": "local" },
            "there": { "target": "ssh", "same_machine_as": "here", "host": "127.0.0.1", "port": $ssh_port, "user": "$(id -un)",
                       "key_file": "$ssh_key", "host_key_sha256": "$ssh_fingerprint" } },
  "baseline": "here",
  "workloads": [
    { "gemm": { "backend": "cublas", "n": 64, "iterations": 5, "warmup_seconds": 0, "telemetry": false } },
    { "name": "processor", "gate": false,
      "gemm": { "backend": "openblas", "n": 640, "threads": 1, "iterations": 15, "warmup_seconds": 0.3 } } ],
  "schedule": { "rounds": { "min": 4, "max": 16 } },
  "margins": { "gemm.flops": 0.1 }, "trust": [ "clocks" ] }
JSON
check 0 "$tare" run -o "$scratch/run" "$scratch/plan.json"
printed equivalent
said "report: $scratch/run/report.html"
[ "$(json "$scratch/run/verdict.json" 'd["overall"] if "overall" in d else d["verdict"]')" = equivalent ] ||
	fail "verdict.json does not say equivalent"
of() { json "$scratch/run/verdict.json" "{$2 for m in d['comparisons'] if m['workload'] == '$1' and m['metric'] == 'gemm.flops'}"; }
[ "$(of gemm 'm["verdict"]')" = "{'equivalent'}" ] || fail "the product: $(of gemm 'm["verdict"]')"
[ "$(of processor 'm["ratio"] > 0')" = "{True}" ] || fail "the processor: $(of processor 'm["ratio"]')"
for f in plan.json journal.jsonl verdict.json report.html report.md; do
	[ -s "$scratch/run/$f" ] || fail "$f is missing"
done
grep -q '<svg' "$scratch/run/report.html" || fail "the page has no plot"
! grep -qE '(src|href)="https?:' "$scratch/run/report.html" || fail "the page needs the network"
check 2 "$tare" run -o "$scratch/run" "$scratch/plan.json"
said "never overwritten"
rm "$scratch/run/report.html"
check 0 "$tare" report "$scratch/run"
[ -s "$scratch/run/report.html" ] || fail "the report was not drawn again"
# One arm after the other: nothing is judged before both are there.
check 3 "$tare" run --rounds 1 --arm here -o "$scratch/half" "$scratch/plan.json"
said "nothing is judged before all arms are there"
[ ! -e "$scratch/half/verdict.json" ] || fail "half of a run has a verdict"
"$tare" run -q --rounds 1 --resume "$scratch/half" >/dev/null 2>"$scratch/err" || [ $? = 3 ] ||
	{ cat "$scratch/err"; fail "the other arm"; }
[ -s "$scratch/half/verdict.json" ] || fail "both arms and no verdict"
check 0 "$tare" run --dry-run "$scratch/plan.json"
printed "4 to 16 rounds"
