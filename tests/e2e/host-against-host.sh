#!/bin/bash
# The same machine on both sides, one of them over SSH: equivalent, by the path that every
# other comparison takes, and a report that can be read.
. tests/support/e2e.sh
need python3
start_sshd
cat >"$scratch/plan.json" <<JSON
{ "name": "same",
  "arms": { "here": { "target": "local" },
            "there": { "target": "ssh", "host": "127.0.0.1", "port": $ssh_port, "user": "$(id -un)",
                       "key_file": "$ssh_key", "host_key_sha256": "$ssh_fingerprint" } },
  "baseline": "here",
  "workloads": [ { "gemm": { "backend": "openblas", "n": 640, "threads": 1, "iterations": 15, "warmup_seconds": 0.3 } } ],
  "schedule": { "rounds": { "min": 4, "max": 16 } },
  "margins": { "gemm.flops": 0.25 } }
JSON
check 0 "$tare" run -o "$scratch/run" "$scratch/plan.json"
printed equivalent
said "report: $scratch/run/report.html"
[ "$(json "$scratch/run/verdict.json" 'd["overall"] if "overall" in d else d["verdict"]')" = equivalent ] ||
	fail "verdict.json does not say equivalent"
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
