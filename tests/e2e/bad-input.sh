#!/bin/bash
# Bad input to compare, gate, report and baseline: a sentence, the right exit status, and
# nothing written ('history' has its own in history.sh).
. tests/support/e2e.sh
need python3
top=$PWD
maker=$PWD/$BUILD/tests/test_report
[ -x "$maker" ] || make -s "$BUILD/tests/test_report"
"$maker" gpu "$scratch/run" >/dev/null || fail "no synthetic run"
good=$scratch/run/results first=r001-vm-gemm.json
check 0 "$tare" baseline save --arm metal -o "$scratch/base.json" "$scratch/run"
out=$scratch/never

refused() { # STATUS WORDS COMMAND...
	local status=$1 words=$2; shift 2
	check "$status" "$@"
	said "$words"
	[ ! -s "$scratch/out" ] || { cat "$scratch/out"; fail "data on stdout: $*"; }
	[ ! -e "$out" ] || fail "something was written: $*"
}
# As if measured again, a month before: ids, values and times of its own, for one measurement given
# twice is no comparison.
remeasured() { # RUN
	python3 - "$1"/results/*.json <<-'END'
		import json, sys
		for path in sys.argv[1:]:
		    result = json.load(open(path))
		    result["id"] += "-again"
		    span = result["evidence"]["span"]
		    for end in "started", "ended":
		        span[end] = span[end].replace("2026-11", "2026-10")
		    for metric in result["metrics"]:
		        metric["values"] = [value * 1.0001 for value in metric["values"]]
		    json.dump(result, open(path, "w"), indent=1)
	END
}
# A run and a folder whose one file is bad, and that file alone, to every command.
everywhere() { # STATUS WORDS BAD-FILE
	local bad=$3
	rm -rf "$scratch/bad"
	cp -r "$scratch/run" "$scratch/bad"
	cp "$bad" "$scratch/bad/results/$first"
	for side in "$scratch/bad/results" "$scratch/bad"; do
		refused "$1" "$2" "$tare" compare -o "$out" "$scratch/run" "$side"
		refused "$1" "$2" "$tare" compare -o "$out" "$side" "$scratch/run"
		refused "$1" "$2" "$tare" gate -o "$out" -b "$scratch/base.json" "$side"
		refused "$1" "$2" "$tare" gate -o "$out" -b "$side" "$scratch/run"
		refused "$1" "$2" "$tare" report -o "$out" "$side"
		refused "$1" "$2" "$tare" baseline save -o "$out" "$side"
		refused "$1" "$2" "$tare" baseline show "$side"
		refused "$1" "$2" "$tare" history add -d "$out" "$side"
	done
}
head -c 300 "$good/$first" >"$scratch/cut.json"
everywhere 2 "not valid JSON" "$scratch/cut.json"
: >"$scratch/nothing.json"
everywhere 2 "$first" "$scratch/nothing.json"
tr -d '\n' <"$good/$first" | sed 's/"values": *\[[^]]*\]/"values": [NaN]/' >"$scratch/nan.json"
grep -q NaN "$scratch/nan.json" || fail "no NaN in the test's own file"
everywhere 2 "$first" "$scratch/nan.json"
sed 's/\[NaN\]/["NaN"]/' "$scratch/nan.json" >"$scratch/nan-text.json"
everywhere 2 "$first" "$scratch/nan-text.json"
sed 's/\[NaN\]/[1e999]/' "$scratch/nan.json" >"$scratch/infinite.json"
everywhere 2 "$first" "$scratch/infinite.json"
sed 's|tare.result/1|tare.result/9|' "$good/$first" >"$scratch/schema.json"
everywhere 2 "tare.result/9" "$scratch/schema.json"
sed 's/FLOP/flop/' "$good/$first" >"$scratch/unit.json"
rm -rf "$scratch/bad"
cp -r "$scratch/run" "$scratch/bad"
cp "$scratch/unit.json" "$scratch/bad/results/$first"
refused 4 "different units" "$tare" baseline save -o "$out" "$scratch/bad"
refused 4 "different units" "$tare" history add -d "$out" "$scratch/bad"
# ... and where it is compared, that metric alone is invalid: the others and every file are there.
remeasured "$scratch/bad"
check 4 "$tare" gate -f junit,md -o "$scratch/units" -b "$scratch/run" "$scratch/bad"
printed "different units"
grep -q "<testcase" "$scratch/units"/*.xml || fail "one unit that changed left no JUnit"
check 4 "$tare" report --json -f md -o "$scratch/units" "$scratch/bad"
cp "$scratch/out" "$scratch/units.json"
[ "$(json "$scratch/units.json" 'sorted({c["verdict"] for c in d["comparisons"] if c["metric"] == "gemm.time"})')" = "['equivalent']" ] ||
	fail "another metric of the same result was not judged"

# Nothing there at all.
mkdir "$scratch/empty"
for side in "$scratch/empty" "$scratch/nowhere"; do
	refused 2 "$side" "$tare" compare -o "$out" "$scratch/run" "$side"
	refused 2 "$side" "$tare" gate -o "$out" -b "$scratch/base.json" "$side"
	refused 2 "$side" "$tare" gate -o "$out" -b "$side" "$scratch/run"
	refused 2 "$side" "$tare" report -o "$out" "$side"
	refused 2 "$side" "$tare" baseline save -o "$out" "$side"
	refused 2 "$side" "$tare" baseline show "$side"
done

# A baseline of another GPU is no baseline of this one.
sed 's/GPU-[0-9a-zA-Z-]*/GPU-0another/g' "$scratch/base.json" >"$scratch/other.json"
cmp -s "$scratch/base.json" "$scratch/other.json" && fail "the test's own run has no GPU"
check 4 "$tare" gate -f junit -o "$scratch/other" -b "$scratch/other.json" "$scratch/run"
said "another GPU"
[ -s "$scratch/other"/*.xml ] || fail "a baseline of another GPU left no JUnit"
check 4 "$tare" compare --json "$scratch/other.json" "$scratch/run"
printed '"verdict": "invalid"'
printed GPU-0another

# Two arms on both sides: each comparison has a name of its own.
cp -r "$scratch/run" "$scratch/again"
remeasured "$scratch/again"
check 0 "$tare" compare -f junit,ctrf,gitlab,github,prometheus,csv,json -o "$scratch/two" "$scratch/run" "$scratch/again"
python3 tests/support/check_formats.py "$scratch/two" || fail "formats of a pair of runs"
# ... and either side's machines are in its document.
check 0 "$tare" compare -f json -o "$scratch/pair" "$scratch/run" "$scratch/again"
[ "$(json "$scratch/pair/report.json" 'sorted(d["machines"])')" = \
	"['metal (again)', 'metal (run)', 'vm (again)', 'vm (run)']" ] || fail "machines of a pair of runs"
# One measurement given twice is no comparison, and neither are two without a workload in common.
check 4 "$tare" compare "$scratch/run" "$scratch/run"
printed "one measurement, given twice"
mkdir -p "$scratch/left" "$scratch/right"
cp "$good/$first" "$scratch/left"
sed 's/"name": "gemm",/"name": "other",/' "$good/$first" >"$scratch/right/$first"
check 4 "$tare" compare "$scratch/left" "$scratch/right"
printed "no result of one side has its like on the other"

# Margins, formats and options that are none.
echo '{"gemm.flops": 2}' >"$scratch/margins.json"
refused 2 gemm.flops "$tare" compare --margins "$scratch/margins.json" -o "$out" "$scratch/run" "$scratch/run"
refused 2 "did you mean" "$tare" report -f jnuit -o "$out" "$scratch/run"
refused 2 "there already" "$tare" baseline save -o "$scratch/base.json" "$scratch/run"
# What cannot be printed is no pass.
gemm="gemm --backend openblas --n 64 --iterations 2 --warmup-seconds 0"
load="load --mock --calibrate 0 --seconds 0 --requests 8 --mock-set ttft=50ms --prompt-tokens 8 --output-tokens 2"
# What a busy machine makes of it is not the question here.
"$tare" $load --records "$scratch/records" >/dev/null 2>&1 || [ -s "$scratch/records" ]
for what in "report -o $scratch/r $scratch/run" "baseline show $scratch/base.json" "--help" \
	"$gemm" "$gemm --json" "$load" "$load --json" "load merge --json $scratch/records" \
	"probe" "probe --json" "probe --check" "mock --help" "mock --seconds 1"; do
	for to in "full disk" "closed stream"; do
		got=0
		if [ "$to" = "full disk" ]; then
			"$tare" $what >/dev/full 2>"$scratch/err" || got=$?
		else
			"$tare" $what >&- 2>"$scratch/err" || got=$?
		fi
		[ "$got" = 5 ] || fail "tare $what to a $to: exit status $got"
		said "standard output"
	done
done
# With standard output closed, the file that is opened next must not become it.
rm -f "$scratch/closed.json"
"$tare" $gemm -o "$scratch/closed.json" >&- 2>"$scratch/err" && fail "a pass without stdout"
json "$scratch/closed.json" 'd["schema"] == "tare.result/1" or 1/0' >/dev/null ||
	fail "words in a document"
# A pipe is written to, not replaced; a place where nothing can be written is said at once.
mkfifo "$scratch/pipe"
cat "$scratch/pipe" >"$scratch/piped.json" &
reader=$!
until_true 20 "$tare" $gemm -o "$scratch/pipe" >"$scratch/out" || fail "nobody read the pipe"
wait $reader
[ -p "$scratch/pipe" ] || fail "a pipe was replaced"
json "$scratch/piped.json" 'd["schema"]' >/dev/null || fail "no document in the pipe"
for what in "$gemm" "$load" "load merge $scratch/records"; do
	refused 5 "--output: $scratch/no/where: cannot be written" "$tare" $what -o "$scratch/no/where"
	refused 2 "is a folder" "$tare" $what -o "$scratch"
done

# What is not there, is a folder or is something else: what was expected, by every command.
cd "$scratch"
for what in "compare run nowhere" "gate -b nowhere run" "report nowhere" "baseline show nowhere"; do
	refused 2 "'nowhere': there is no such file or folder; expected a run's folder" "$tare" $what
done
for what in "compare --margins nowhere run run" "report --margins nowhere -o $out run"; do
	refused 2 "'nowhere': there is no such file; expected margins such as" "$tare" $what
done
refused 2 "run: is a folder; expected margins" "$tare" compare --margins run run run
for what in "run" "aa" "check" "lease list"; do
	refused 2 "'nowhere': there is no such file; expected a plan" "$tare" $what nowhere
	refused 2 "empty: is a folder; expected a plan" "$tare" $what empty
done
refused 2 "'nowhere': there is no such file; expected a file that 'tare mig apply -o' wrote" \
	"$tare" mig restore nowhere
refused 2 "'nowhere': there is no such file; expected a file that 'tare load --records' wrote" \
	"$tare" load merge nowhere
refused 2 "cut.json: is not a file that 'tare load --records' wrote" "$tare" load merge cut.json
for option in trace lengths api-key-file ca-file; do
	profile=
	[ $option != trace ] || profile="--profile trace"
	refused 2 "--$option: 'nowhere': there is no such file; expected" \
		"$tare" load --target https://127.0.0.1:1 $profile --$option nowhere
done
refused 2 "nothing.json: is empty" "$tare" compare nothing.json run
refused 2 "another version of tare wrote it" "$tare" compare schema.json run
refused 2 "(--replace)" "$tare" baseline save -o base.json run
refused 2 "those of metal, vm" "$tare" baseline save --arm mtal -o never run

# Options that would do nothing, and arguments that are one too many or too few.
refused 2 "name the folder that they go into too (-o DIR)" "$tare" compare -f html run run
refused 2 "name the folder that they go into too (-o DIR)" "$tare" gate -f html -b base.json run
refused 2 "there are html, md" "$tare" report -f powerpoint -o never run
refused 2 "no such action 'sav'; did you mean 'save'" "$tare" baseline sav
refused 2 "too few arguments; usage: tare baseline save" "$tare" baseline save
refused 2 "unexpected argument 'more'; usage: tare mig list" "$tare" mig list more
refused 2 "'--no-telemetry' is its opposite" "$tare" gemm --telemetry=no
check 0 "$tare" help compare
printed "Usage: tare compare"
refused 2 "give it a value, NAME=VALUE" "$tare" load --mock --mock-set itl

# Plans: what would be found out only when everything is measured, or never.
work='"workloads": [ { "gemm": { "n": 64, "backend": "openblas", "iterations": 2, "warmup_seconds": 0 } } ]'
arms='"arms": { "a": { "target": "local" }, "b": { "target": "local", "same_machine_as": "a" } }, "baseline": "a"'
echo "{ \"name\": \"x\", \"arms\": { \"a\": { \"target\": \"local\" } }, \"baseline\": \"a\", $work }" >one.plan
refused 2 "one arm ('a') is nothing to compare with" "$tare" run --dry-run one.plan
check 0 "$tare" aa --dry-run one.plan
printf '{ "name": "x", %s,\n%s,\n%s }' "$arms" "$work" "$arms" >twice.plan
refused 2 "twice.plan:3: the key 'arms' is there twice" "$tare" run --dry-run twice.plan
printf '\357\273\277{ "name": "x", %s, %s }\r\n' "$arms" "$work" >bom.plan
check 0 "$tare" run --dry-run bom.plan
refused 2 "--json prints a verdict" "$tare" run --json --dry-run bom.plan
refused 2 "the plan has no arm 'aa'" "$tare" check --arm aa bom.plan
refused 2 "it has a, b" "$tare" lease up bom.plan c
refused 2 "--isolation asks a provisioner" "$tare" check --isolation bom.plan
refused 2 "--output is for --isolation" "$tare" check -o never bom.plan
check 0 "$tare" lease list bom.plan
said "it has no provisioners"
echo '{"gemm.flop": 0.5}' >margins.json
"$tare" compare --margins margins.json run run >"$scratch/out" || true
printed "The margin of 'gemm.flop' belongs to nothing that was judged; did you mean 'gemm.flops'?"

# Servers and loads: what is contradictory, has no place here, or would be passed over.
refused 2 "'every' behind another of rate, every and nth" "$tare" mock --fault status=503,rate=0.1,every=3
refused 2 "--cpu 1000: this machine has CPUs 0 to" "$tare" mock --cpu 1000
refused 2 "--cpus 1000: this machine has CPUs 0 to" "$tare" load --mock --cpus 1000
refused 2 "is not a number" "$tare" load --mock --concurrency 1,,2
refused 2 "--concurrency needs --profile concurrent" "$tare" load --mock --profile poisson --concurrency 4
refused 2 "--dtype is for kind vllm" "$tare" serve --kind mock --dtype bfloat16 -- true
refused 2 "--url 'foo': give one such as" "$tare" serve --kind external --url foo -- true
refused 2 "there is no such folder" "$tare" serve --kind command --command true --directory nowhere -- true
refused 5 "no program of that name in PATH" "$tare" serve --kind command --command no-such-server -- true
refused 5 "standard input ended before the server was ready" \
	"$tare" serve --kind command --command tail --command -f --command /dev/null </dev/null
"$tare" mock --seconds 60 >ready.json 2>/dev/null & pids="$pids $!"
until_true 20 test -s ready.json || fail "no mock"
refused 5 "another program has it; --port 0 takes a free one" \
	"$tare" mock --port "$(json ready.json 'd["address"].split(":")[-1]')"
port=$(json ready.json 'd["address"].split(":")[-1]')
refused 5 "is it plain http:// (--target)?" "$tare" load --target "https://127.0.0.1:$port" --calibrate 0
refused 5 "unable to open database file; is there such a folder" "$tare" history add -d nowhere/h.db run
TMPDIR=$scratch/nowhere refused 5 "TMPDIR" "$tare" report -o never2 run

# Facts of a machine: options that belong to an action, and a folder that is none.
refused 2 "--device belongs to --bind, --binding or --mig" "$tare" probe --device 0000:00:00.0
refused 2 "--override belongs to --bind" "$tare" probe --override none
refused 2 "--profile belongs to --mig apply" "$tare" probe --profile 1g
refused 2 "give one of --bind" "$tare" probe --check --mig list
refused 2 "--root 'nowhere': there is no such folder" "$tare" probe --root nowhere
# A decimal comma, quoted or not, is no 1 with something behind it.
printf 'metric,value\nbw,"1,5"\n' >comma.csv
refused 2 "comma.csv:2: 3 cells where the first line has 2" "$tare" compare comma.csv run

# Machines: what a plan can never reach is said before anything is asked for.
fixed() { printf '{ "name": "x", "arms": { "a": { "target": "local" }, "b": { "target": "ssh", %s } }, "baseline": "a", %s }' "$1" "$work" >fixed.plan; }
for key in SHA256:short MD5:aa:bb:cc; do
	fixed "\"host\": \"127.0.0.1\", \"port\": 1, \"host_key_sha256\": \"$key\""
	refused 2 "/arms/b/host_key_sha256: '$key' is no SHA-256 fingerprint" "$tare" run --dry-run fixed.plan
done
listed() { printf '{ "name": "x", "provisioners": { "l": { "kind": "list", "lock_dir": "%s", "machines": [ %s ] } },
	"arms": { "a": { "target": "local" }, "b": { "target": "vm", "provisioner": "l", "host": "%s" } }, "baseline": "a", %s }' \
	"$scratch/locks" "$1" "$2" "$work" >listed.plan; }
listed '{ "address": "h1" }, { "address": "h1" }' h1
refused 2 "'h1' port 22 is machines/0 already" "$tare" check --arm b listed.plan
listed '{ "address": "h1" }' h2
check 5 "$tare" check --arm b listed.plan
printed "the list has no machine 'h2'"
listed '{ "address": "127.0.0.1", "port": 1 }' 127.0.0.1
check 5 "$tare" check --arm b --isolation -o isolation listed.plan
printed "127.0.0.1 is free"
printed "start the machine and its SSH server"
said "arm 'b': not tried"
# What may take long says what it waits for, to a file too.
"$tare" lease up -o slow listed.plan b >/dev/null 2>slow.err & waiting=$!
pids="$pids $waiting"
until_true 20 grep -q "waiting for SSH" slow.err || fail "a silent wait"
kill $waiting
wait $waiting || true
check 0 "$tare" lease down slow

# What tells how a GPU was cut before has a place before the GPU is cut (a FAKE one).
[ -e "$top/$BUILD/tests/fakes/libnvidia-ml.so.1" ] || make -s -C "$top" tests
for what in "mig apply 1 --switch-mode" "probe --json"; do
	refused 5 "--output: nowhere/x: cannot be written" \
		env LD_LIBRARY_PATH="$top/$BUILD/tests/fakes" "$tare" $what -o nowhere/x
	! grep -q "will be" "$scratch/err" || fail "the GPU was cut first"
done

# What is said is as it is.
printf '{ "name": "x", %s, %s, "schedule": { "rounds": { "min": 1, "max": 1 } } }' "$arms" "$work" >once.plan
check 0 "$tare" run --dry-run once.plan
printed "1 round: "
refused 2 "'history add' takes --database alone" "$tare" history add --json -d never run
check 0 "$tare" history add -d h.db run
refused 2 "'tare history show --all' prints every one" "$tare" history show -d h.db --metric 'none.*'
# The help's own example, from a folder of programs that is not in PATH.
check 0 env PATH=/usr/bin:/bin "$tare" serve --kind mock -- tare-load --target {url} --model {model} --help
printed "Usage: tare-load"
# A run whose journal was lost: giving back nothing by another id would look like success.
check 3 "$tare" run -o lost once.plan
rm lost/journal.jsonl
refused 2 "no longer says the run's id" "$tare" clean lost
refused 2 "no longer says the run's id" "$tare" run --resume lost
refused 2 "its journal names none" "$tare" lease list lost
rm -r lost/results
echo >lost/journal.jsonl
refused 2 "this run has no results/" "$tare" compare lost run

# A terminal of which nothing is known, or that is known to be dumb, gets no control sequence.
if command -v script >/dev/null; then
	for term in "-u TERM" TERM= TERM=dumb; do
		script -qec "env $term '$tare' compare nowhere nowhere" /dev/null </dev/null >terminal || true
		grep -q "there is no such file" terminal || fail "no words on a terminal"
		! grep -q "$(printf '\033')" terminal || fail "control sequences with $term"
	done
	script -qec "env TERM=xterm '$tare' compare nowhere nowhere" /dev/null </dev/null >terminal || true
	grep -q "$(printf '\033')" terminal || fail "no colour on a terminal"
fi
