#!/bin/bash
# A load within a comparison: tare-serve starts the mock beside the client on each arm. The
# same twice is equivalent. With "gate": false a load that must be invalid (half of its
# requests fail) is shown as that and leaves the verdict to the rest. The mock is named.
. tests/support/e2e.sh
need python3
plan() { # GATE-OF-THE-BAD-LOAD
	cat >"$scratch/plan.json" <<-JSON
		{ "name": "serving",
		  "arms": { "a": { "target": "local" }, "b": { "target": "local" } },
		  "baseline": "a",
		  "workloads": [
		    { "name": "mock-good",
		      "load": { "server": { "kind": "mock", "mock_ttft": "100ms", "mock_itl": "50ms" }, "concurrency": [2],
		                "prompt_tokens": 8, "output_tokens": 5, "seconds": 2, "calibrate": 0 } },
		    { "name": "mock-bad", "gate": $1,
		      "load": { "server": { "kind": "mock", "mock_fault": "status=503,every=2" }, "concurrency": [2],
		                "prompt_tokens": 8, "output_tokens": 5, "seconds": 1, "calibrate": 0 } } ],
		  "schedule": { "rounds": { "min": 3, "max": 3 } },
		  "margins": { "load.output_tokens_per_s": 0.5, "load.ttft_p50_s": 0.5, "load.itl_p50_s": 0.5, "load.latency_p95_s": 0.5 } }
	JSON
}
verdicts() { json "$scratch/$1/verdict.json" "sorted({m['verdict'] for m in d['comparisons'] if m['workload'] == '$2' and m['metric'] == 'load.output_tokens_per_s'})"; }

plan false
check 0 "$tare" run -q -o "$scratch/shown" "$scratch/plan.json"
printed "mock server"
[ "$(verdicts shown mock-good)" = "['equivalent']" ] || fail "the good load: $(verdicts shown mock-good)"
[ "$(verdicts shown mock-bad)" = "['invalid']" ] || fail "the bad load: $(verdicts shown mock-bad)"
[ "$(json "$scratch/shown/results/r001-b-mock-bad.json" 'any(m["gate"] for m in d["metrics"])')" = False ] ||
	fail "its result gates"
[ "$(json "$scratch/shown/results/r001-b-mock-good.json" 'd["details"]["server"]["tare_serve"]["kind"]')" = mock ] ||
	fail "the result does not say what served it"
grep -q "mock server" "$scratch/shown/report.html" || fail "the page does not name the mock"

plan true
check 4 "$tare" run -q -o "$scratch/gating" "$scratch/plan.json"
printed invalid
