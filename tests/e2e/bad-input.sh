#!/bin/bash
# Bad input to compare, gate, report and baseline: a sentence, the right exit status, and
# nothing written ('history' has its own in history.sh).
. tests/support/e2e.sh
need python3
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
everywhere 4 "different units" "$scratch/unit.json"

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
refused 4 "another GPU" "$tare" gate -o "$out" -b "$scratch/other.json" "$scratch/run"
check 4 "$tare" compare --json "$scratch/other.json" "$scratch/run"
printed '"verdict": "invalid"'
printed GPU-0another

# Two arms on both sides: each comparison has a name of its own.
check 0 "$tare" compare -f junit,ctrf,gitlab,github,prometheus,csv,json -o "$scratch/two" "$scratch/run" "$scratch/run"
python3 tests/support/check_formats.py "$scratch/two" || fail "formats of a pair of runs"

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
