#!/bin/bash
# A history of results: levels, change points with their day, a loss until it is made good;
# two writers at once, older and newer layouts, and what is no history at all.
. tests/support/e2e.sh
need python3
db=$scratch/history.db
"$PWD/$BUILD/tare-gemm" --backend openblas --n 64 --iterations 3 --warmup-seconds 0.1 -q \
	-o "$scratch/one.json" >/dev/null || fail "no result to begin with"
# days FOLDER FROM TO LEVEL DRIVER: a result a day, with a spread of about 0.3 % (seed 7).
days() {
	mkdir -p "$1"
	python3 - "$scratch/one.json" "$@" <<-'PY'
		import copy, datetime, json, random, sys
		one, folder, first, last, level, driver = json.load(open(sys.argv[1])), *sys.argv[2:]
		random.seed(7 + int(first))
		for day in range(int(first), int(last)):
		    r = copy.deepcopy(one)
		    made = datetime.datetime(2026, 1, 1) + datetime.timedelta(days=day)
		    r.update(id=f"day-{day}", created=made.strftime("%Y-%m-%dT%H:%M:%S.000Z"), arm="vm", round=1)
		    r["machine"].update(gpus=[{"name": "Test GPU", "uuid": "GPU-1", "driver_version": driver}])
		    for m in r["metrics"]:
		        scale = float(level) * (1 + random.gauss(0, 0.003))
		        if m["better"] == "lower":
		            scale = 1 / scale
		        m["values"] = [v / v * 1e12 * scale for v in m["values"]]
		    json.dump(r, open(f"{folder}/day-{day}.json", "w"))
	PY
}
days "$scratch/a" 0 30 1 580.65
days "$scratch/b" 30 42 0.9 581.10
days "$scratch/c" 42 54 1 581.10

# One series from the start: kept once, level since the first day.
check 0 "$tare" history add -d "$db" "$scratch/a"
printed "30 results added"
check 0 "$tare" history add -d "$db" "$scratch/a"
printed "0 results added, 30 there already"
check 0 "$tare" history show -d "$db" --metric gemm.flops
printed "no change"
printed 2026-01-01
check 0 "$tare" history check -d "$db" --metric gemm.flops
printed "1 equivalent"

# One value is no level to hold the next against: inconclusive.
check 0 "$tare" history add -d "$scratch/one.db" "$scratch/a/day-1.json"
check 3 "$tare" history check -d "$scratch/one.db"
printed "too few"

# A loss of 10 %: found with its day and with the driver that came with it.
check 0 "$tare" history add -d "$db" "$scratch/b"
check 1 "$tare" history check -d "$db" --metric gemm.flops
printed "since 2026-01-31"
printed "GPU driver: 580.65, 581.10"
check 0 "$tare" history show -d "$db" --metric gemm.flops
printed 2026-01-31
check 1 "$tare" history check -d "$db" --json
[ "$(json "$scratch/out" 'd["verdict"]')" = degraded ] || fail "JSON: not degraded"
python3 - "$scratch/out" configs/schema/history.json <<-'PY' || fail "JSON: not as its schema"
	import json, sys
	try:
	    import jsonschema
	except ImportError:
	    sys.exit(0)
	jsonschema.validate(json.load(open(sys.argv[1])), json.load(open(sys.argv[2])))
PY
# It stands with every further result, until it is accepted or made good.
check 0 "$tare" history check -d "$db" --since 2026-01-31 --metric gemm.flops
check 0 "$tare" history add -d "$db" "$scratch/c"
check 0 "$tare" history check -d "$db" --metric gemm.flops --newest 3
check 0 "$tare" history show -d "$db" --metric gemm.flops --json
[ "$(json "$scratch/out" '[c["created"][:10] for c in d["series"][0]["changes"]]')" = \
	"['2026-01-31', '2026-02-12']" ] || fail "change points: $(cat "$scratch/out")"

# Drawn: a page that needs no network, and plots with their data.
if command -v gnuplot >/dev/null; then
	check 0 "$tare" history show -d "$db" --html "$scratch/trend.html" --plots "$scratch/plots"
	grep -q '<svg' "$scratch/trend.html" || fail "the page has no plot"
	! grep -qE '(src|href)="https?:' "$scratch/trend.html" || fail "the page needs the network"
	[ -s "$scratch/plots/history-1.svg" ] && [ -s "$scratch/plots/history-1.dat" ] || fail "no plots"
fi

# Filters, and names that are not there.
check 0 "$tare" history show -d "$db" --machine 'Test GPU*' --arm vm --workload "gemm*" --all
printed gemm.flops
check 2 "$tare" history show -d "$db" --metric gemm.flop
said "did you mean 'gemm.flops'?"
check 2 "$tare" history show -d "$db" --since yesterday
said "no date"

# Two writers at once lose nothing: 20 additions each, one result at a time.
writer() { # FROM
	local i
	for ((i = $1; i < $1 + 20; i++)); do
		"$tare" history add -d "$scratch/two.db" "$scratch/w/day-$i.json" || return 1
	done
}
days "$scratch/w" 100 140 1 580.65
writer 100 >"$scratch/w1" 2>&1 & first=$!
writer 120 >"$scratch/w2" 2>&1 & second=$!
wait $first || { cat "$scratch/w1"; fail "the first writer"; }
wait $second || { cat "$scratch/w2"; fail "the second writer"; }
check 0 "$tare" history show -d "$scratch/two.db" --metric gemm.flops --json
[ "$(json "$scratch/out" 'd["series"][0]["values"]')" = 40 ] || fail "results were lost"

# An older layout is brought up to date by reading or by adding; a newer one is refused.
cp tests/support/history-v1.db "$scratch/old.db"
layout() { # FILE N: bytes 60 to 63 of an SQLite file are its user_version, big-endian
	printf "\\x$(printf %02x "$2")" | dd of="$1" bs=1 seek=63 conv=notrunc status=none
}
layout "$scratch/old.db" 1
cp "$scratch/old.db" "$scratch/older.db"
check 0 "$tare" history show -d "$scratch/old.db"
printed 2025-01-01
check 0 "$tare" history add -d "$scratch/older.db" "$scratch/a"
check 0 "$tare" history show -d "$scratch/older.db"
printed 2025-01-01
printed "Test GPU"
layout "$scratch/old.db" 99
for action in "add $scratch/a" show check; do
	read -r verb what <<<"$action"
	check 2 "$tare" history "$verb" -d "$scratch/old.db" $what
	said "use the newer tare that wrote it"
done

# Results made by hand are one series, whatever their files are called.
for n in 1 2 3; do
	"$PWD/$BUILD/tare-gemm" --backend openblas --n 64 --iterations 3 --warmup-seconds 0.1 -q \
		-o "$scratch/hand-$n.json" >/dev/null
	check 0 "$tare" history add -d "$scratch/hand.db" "$scratch/hand-$n.json"
done
check 0 "$tare" history show -d "$scratch/hand.db" --arm "by hand" --json
[ "$(json "$scratch/out" 'd["series"][0]["values"]')" = 3 ] || fail "three results by hand are not one series"

# Another tool's report has no name of its own: read again, it is the same one.
check 0 "$tare" history add -d "$scratch/peers.db" tests/support/peers/vllm.json tests/support/peers/nccl.json
cp tests/support/peers/vllm.json "$scratch/again.json"
check 0 "$tare" history add -d "$scratch/peers.db" "$scratch/again.json"
printed "0 results added"
check 0 "$tare" history show -d "$scratch/peers.db" --all

# Bad input: a sentence, the usage status, nothing written.
bad() { # WORDS ARGUMENT...
	local words=$1; shift
	check 2 "$tare" history add -d "$scratch/never.db" "$@"
	said "$words"
	[ ! -e "$scratch/never.db" ] || fail "a database was made for bad input: $*"
}
head -c 300 "$scratch/one.json" >"$scratch/cut.json"
bad "not valid JSON" "$scratch/cut.json"
tr -d '\n' <"$scratch/one.json" | sed 's/"values": *\[[^]]*\]/"values": [NaN]/' >"$scratch/nan.json"
grep -q NaN "$scratch/nan.json" || fail "no NaN in the test's own file"
bad "nan.json" "$scratch/nan.json"
sed 's|tare.result/1|tare.result/9|' "$scratch/one.json" >"$scratch/schema.json"
bad "tare.result/9" "$scratch/schema.json"
sed 's/"created": *"[^"]*"/"created": "once"/' "$scratch/a/day-1.json" >"$scratch/undated.json"
check 2 "$tare" history add -d "$scratch/undated.db" "$scratch/a/day-2.json" "$scratch/undated.json"
said "no time of creation"
check 2 "$tare" history show -d "$scratch/undated.db"
mkdir "$scratch/empty"
bad "no results there" "$scratch/empty"
bad "there is no such file" "$scratch/nowhere"
bad "not valid JSON" "$scratch/a" "$scratch/cut.json"
check 2 "$tare" history show -d "$scratch/nowhere.db"
said "no such history"
echo "this is a text and no database, long enough to be read as a header of one" >"$scratch/text.db"
check 2 "$tare" history add -d "$scratch/text.db" "$scratch/a"
said "not a database"
python3 -c 'import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute("CREATE TABLE mine(x)"); c.commit()' "$scratch/other.db"
check 2 "$tare" history add -d "$scratch/other.db" "$scratch/a"
said "no history of tare"
check 2 "$tare" history
check 2 "$tare" history sow
said "did you mean 'show'?"
