#!/bin/bash
# 'tare aa' measures the noise floor, and reports print it beside every claim; a set-up that
# finds a difference where there is none makes its metric invalid. The GPU is a FAKE one.
. tests/support/e2e.sh
need python3
fake_gpu
cat >"$scratch/plan.json" <<'JSON'
{ "name": "floor",
  "arms": { "a": { "target": "local" }, "b": { "target": "local", "same_machine_as": "a", "description": "the same, called otherwise" } },
  "baseline": "a",
  "workloads": [ { "gemm": { "backend": "cublas", "n": 64, "iterations": 5, "warmup_seconds": 0, "telemetry": false } } ],
  "schedule": { "rounds": { "min": 3, "max": 3 } },
  "margins": { "gemm.flops": 0.1 }, "trust": [ "clocks" ] }
JSON
check 0 "$tare" aa -o "$scratch/aa" "$scratch/plan.json"
check 0 "$tare" run --aa "$scratch/aa" -o "$scratch/run" "$scratch/plan.json"
printed "10 %, floor "
grep -q "floor" "$scratch/run/report.md" || fail "the Markdown does not have it"
grep -q "Floor: the noise floor" "$scratch/run/report.html" || fail "the page does not explain it"
[ "$(json "$scratch/run/verdict.json" 'd["comparisons"][0]["noise_floor"] > 0')" = True ] || fail "verdict.json"
for pair in aa:floor verdict:verdict; do
	/usr/bin/python3 - "$scratch/run/${pair%%:*}.json" "configs/schema/${pair##*:}.json" <<-'PY' || fail "$pair"
		import json, sys
		try:
		    import jsonschema
		except ImportError:
		    sys.exit(0)
		jsonschema.validate(json.load(open(sys.argv[1])), json.load(open(sys.argv[2])))
	PY
done
# The figure is the farther end of the interval in the verdict of 'tare aa' itself.
python3 - "$scratch/aa/verdict.json" "$scratch/run/verdict.json" <<-'PY' || fail "another figure than that of tare aa"
	import json, math, sys
	aa, run = (json.load(open(p))["comparisons"] for p in sys.argv[1:])
	low, high = next(c["ci90"] for c in aa if c["metric"] == "gemm.flops" and c["statistic"] == "mean")
	got = next(c["noise_floor"] for c in run if c["metric"] == "gemm.flops" and c["statistic"] == "mean")
	sys.exit(not math.isclose(got, max(abs(low - 1), abs(high - 1)), rel_tol=1e-12))
PY
# Without one the report says so; given later it is kept with the run.
rm "$scratch/run/aa.json"
check 0 "$tare" report "$scratch/run"
grep -q "noise floor of this set-up was not measured" "$scratch/run/report.html" || fail "nothing says that there is no floor"
check 0 "$tare" report --aa "$scratch/aa" "$scratch/run"
printed "10 %, floor "
check 0 "$tare" report "$scratch/run"
printed "10 %, floor "

edit() { # EXPRESSION over d: aa.json
	python3 -c 'import json,sys; p=sys.argv[1]; d=json.load(open(p)); exec(sys.argv[2]); json.dump(d, open(p, "w"))' "$scratch/run/aa.json" "$1"
}
# A floor above the margin is a note, a difference where there is none is invalid.
cp "$scratch/run/aa.json" "$scratch/kept.json"
edit 'd["floors"][0].update(floor=0.15)'
check 0 "$tare" report -f md "$scratch/run"
grep -q "above the margin" "$scratch/run/report.md" || fail "no note of a floor above the margin"
edit 'd["floors"][0].update(verdict="degraded")'
check 4 "$tare" report "$scratch/run"
printed "noise-floor: "
# Another machine's floor is not this one's, nor is that of other work.
cp "$scratch/kept.json" "$scratch/run/aa.json"
edit 'd["machine"]["cpu"]["architecture"] = "other"'
check 0 "$tare" report -f md "$scratch/run"
grep -q "of another machine" "$scratch/run/report.md" || fail "another machine's floor was taken"
! grep -q "10 %, floor" "$scratch/run/report.md" || fail "another machine's floor is shown"
cp "$scratch/kept.json" "$scratch/run/aa.json"
edit '[f.update(digest="0") for f in d["floors"]]'
check 0 "$tare" report -f md "$scratch/run"
! grep -q "10 %, floor" "$scratch/run/report.md" || fail "the floor of other work is shown"
edit 'd.update(schema="tare.floor/9")'
check 2 "$tare" report "$scratch/run"
said "tare.floor/9"
# What is no run of 'tare aa' has no floor, and nothing begins.
rm "$scratch/run/aa.json"
check 2 "$tare" report --aa "$scratch/run" "$scratch/run"
said "no run of 'tare aa'"
[ ! -e "$scratch/run/aa.json" ] || fail "a floor was kept that is none"
check 2 "$tare" run --aa "$scratch/nowhere" -o "$scratch/other" "$scratch/plan.json"
[ ! -e "$scratch/other" ] || fail "a run began without its floor"
