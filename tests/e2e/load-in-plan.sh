#!/bin/bash
# A load within a comparison: tare-serve starts the mock beside the client on each arm. With
# "gate": false a load that must be invalid (half of its requests fail) is shown as that and
# leaves the verdict to the matrix product (of a FAKE GPU); gating, it takes the verdict. The
# mock is named.
. tests/support/e2e.sh
need python3
fake_gpu
plan() { # GATE-OF-THE-BAD-LOAD
	cat >"$scratch/plan.json" <<-JSON
		{ "name": "serving",
		  "arms": { "a": { "target": "local" }, "b": { "target": "local", "same_machine_as": "a" } },
		  "baseline": "a",
		  "workloads": [
		    { "gemm": { "backend": "cublas", "n": 64, "iterations": 5, "warmup_seconds": 0, "telemetry": false } },
		    { "name": "mock-bad", "gate": $1,
		      "load": { "server": { "kind": "mock", "mock_fault": "status=503,every=2" }, "concurrency": [2],
		                "prompt_tokens": 8, "output_tokens": 5, "seconds": 1, "calibrate": 0 } } ],
		  "schedule": { "rounds": { "min": 3, "max": 3 } },
		  "margins": { "gemm.flops": 0.1 }, "trust": [ "clocks" ] }
	JSON
}
verdicts() { json "$scratch/$1/verdict.json" "sorted({m['verdict'] for m in d['comparisons'] if m['metric'] == '$2'})"; }

plan false
check 0 "$tare" run -q -o "$scratch/shown" "$scratch/plan.json"
printed "mock server"
[ "$(verdicts shown gemm.flops)" = "['equivalent']" ] || fail "the product: $(verdicts shown gemm.flops)"
[ "$(verdicts shown load.output_tokens_per_s)" = "['invalid']" ] || fail "the load: $(verdicts shown load.output_tokens_per_s)"
result=$scratch/shown/results/r001-b-mock-bad.json
[ "$(json "$result" 'any(m["gate"] for m in d["metrics"])')" = False ] || fail "its result gates"
[ "$(json "$result" 'd["details"]["server"]["tare_serve"]["kind"]')" = mock ] || fail "the result does not say what served it"
[ "$(json "$result" 'd["details"]["stages"][0]["failures"]["http_status"] > 0')" = True ] || fail "the failures are not there"
grep -q "mock server" "$scratch/shown/report.html" || fail "the page does not name the mock"

plan true
check 4 "$tare" run -q -o "$scratch/gating" "$scratch/plan.json"
printed invalid
