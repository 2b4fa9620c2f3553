#!/bin/bash
# tare-load as a program: every profile against the mock, its files, secrets, parts that
# are merged, a server that is not there, and Ctrl-C.
. tests/support/e2e.sh
need python3 curl
load=$PWD/$BUILD/tare-load mock=$PWD/$BUILD/tare-mock
export TMPDIR=$scratch
out=$scratch/result.json

"$mock" --port 0 --ttft 5ms --itl 2ms >"$scratch/mock" 2>"$scratch/mock.err" &
pids="$pids $!"
until_true 20 grep -q address "$scratch/mock" || fail "the mock does not start"
url=$(json "$scratch/mock" 'd["address"]')
small=(--target "$url" --calibrate 0 --prompt-tokens 8 --output-tokens 5 --warmup 0 --cooldown 0)

# A busy machine may rightly make the client the limit (status 4); the figures must be there.
runs() { local rc=0; "$load" "$@" >"$scratch/out" 2>"$scratch/err" || rc=$?
	[ $rc = 0 ] || [ $rc = 4 ] || { cat "$scratch/err"; fail "exit status $rc: $*"; }; }

for profile in synchronous "concurrent --concurrency 2,3" "throughput --max-concurrency 4" \
	"constant --rate 50" "poisson --rate 50" "sweep --max-concurrency 3 --sweep-size 3" \
	"saturation --max-concurrency 4" "slo --max-concurrency 4 --slo-ttft 10s"; do
	# shellcheck disable=SC2086 # words on purpose
	runs "${small[@]}" --profile $profile --seconds 1 -o "$out"
	[ "$(json "$out" 'd["schema"]')" = tare.result/1 ] || fail "no result: $profile"
	[ "$(json "$out" 'all(s["requests"]["ok"] > 0 and s["requests"]["failed"] == 0 for s in d["details"]["stages"])')" = True ] ||
		fail "requests failed: $profile"
	[ "$(json "$out" '(len(d["details"]["stages"]) > 1) == any("@" in m["name"] for m in d["metrics"])')" = True ] ||
		fail "a metric for each stage, and only where there are several: $profile"
	printed "window"
	[[ $profile != saturation* ]] || cp "$out" "$scratch/saturation.json"
	[[ $profile != saturation* ]] || cp "$scratch/out" "$scratch/saturation.out"
done
# The mock's throughput rises without end, and where the trying stops, nothing saturates; where
# a busy machine holds the mock back, what is said follows from the figures (docs/metrics.md).
python3 - "$scratch/saturation.json" "$scratch/saturation.out" <<'PY' || fail "saturation"
import json, sys
d, said = json.load(open(sys.argv[1])), open(sys.argv[2]).read()
done = {s["concurrency"]: s["output_tokens_per_s"] for s in d["details"]["stages"]}
lowest = min(c for c, t in done.items() if t >= 0.95 * max(done.values()))
is_saturated = max(done) > lowest
want = f"throughput stops rising at {lowest} in flight" if is_saturated else "none found"
assert f"saturation: {want}" in said, (done, said)
found = [m["values"] for m in d["metrics"] if "saturation" in m["name"]]
assert found == ([[lowest]] if is_saturated else []), (done, found)
PY
[ "$(json "$out" 'd["details"]["slo"]["stage"]')" = c4 ] || fail "slo: not all four were good"
printed "slo: 4 in flight keep the limits, and more was not tried (--max-concurrency): "
printed "too few to be sure"

# The gates of docs/metrics.md, on plain names alone; too few requests have no 95th percentile.
gates='sorted(m["name"] for m in d["metrics"] if m["gate"])'
few="'load.itl_p50_s', 'load.output_tokens_per_s', 'load.ttft_p50_s'"
runs "${small[@]}" --profile concurrent --concurrency 1,2 --seconds 0 --requests 20 -o "$out"
[ "$(json "$out" "$gates")" = "[$few]" ] || fail "gates of a few requests: $(json "$out" "$gates")"
runs "${small[@]}" --profile concurrent --concurrency 8 --seconds 0 --requests 140 -o "$out"
[ "$(json "$out" "$gates")" = "[${few/,/, \'load.latency_p95_s\',}]" ] || fail "gates of many requests: $(json "$out" "$gates")"

# A trace, with its own lengths; every request is in the file, with the lengths asked for.
for i in 0 1 2 3; do echo "{\"at_s\": 0.0$i, \"prompt_tokens\": 1$i, \"output_tokens\": $((i + 1))}"; done >"$scratch/trace"
runs "${small[@]}" --profile trace --trace "$scratch/trace" --seconds 0 --requests-file "$scratch/requests" --chunks "$scratch/chunks" \
	--guidellm "$scratch/guidellm"
[ "$(json "$scratch/guidellm" 'd["config"]["spec"]["data"][0]')" = "{'kind': 'synthetic_text', 'prompt_tokens': 11, 'output_tokens': 2}" ] ||
	fail "GuideLLM is told other lengths"
python3 - "$scratch/requests" "$scratch/chunks" <<'PY' || fail "trace"
import collections, json, sys
r = {o["request"]: o for o in map(json.loads, open(sys.argv[1]))}
c = collections.Counter(o["request"] for o in map(json.loads, open(sys.argv[2])))
assert len(r) == 4 and all(r[i]["prompt_tokens"] == 10 + i and r[i]["output_tokens"] == i + 1 == c[i] for i in range(4)), r
for o in map(json.loads, open(sys.argv[2])):
    assert {"request", "response_id", "index", "arrival_ns", "tokens"} <= o.keys()
    assert o["response_id"] == r[o["request"]]["response_id"] and o["arrival_ns"] > 1.7e18
PY

# What was cut off at the end were the slow ones: the others' latencies are not stated.
check 4 "$load" "${small[@]}" --profile concurrent --concurrency 8 --output-min 1 --output-max 999 --seconds 2 --grace 0 -o "$out"
[ "$(json "$out" '"unfinished" in [r.split(":")[0] for r in d["reasons"]]')" = True ] || fail "the unfinished go unsaid"
[ "$(json "$out" 'sorted(m["name"] for m in d["metrics"] if m["name"] in ("load.latency_p50_s", "load.itl_p50_s"))')" = "['load.itl_p50_s']" ] ||
	fail "latencies of the quicker ones are stated"
# A window without a request says why.
check 5 "$load" "${small[@]}" --profile synchronous --output-tokens 9999 --seconds 3 --warmup 2.3s --grace 0
printed "no request was sent in the window of 0.7 s"

# A client that is held up, as in a machine that is moved, does not blame the server: what came
# meanwhile is read before a pause counts as one. More streams than are looked at at once.
"$mock" --port 0 --ttft 5ms --itl 100ms >"$scratch/slow" 2>"$scratch/slow.err" &
pids="$pids $!"
until_true 20 grep -q address "$scratch/slow" || fail "the second mock does not start"
slow=$(json "$scratch/slow" 'd["address"]')
"$load" "${small[@]}" --target "$slow" --profile concurrent --concurrency 700 --output-tokens 150 --stall 3 --seconds 0 --requests 700 \
	-o "$out" >"$scratch/out" 2>"$scratch/err" &
client=$!
until_true 60 eval 'curl -s "$slow/metrics" | grep -q "^vllm:num_requests_running.* 700"' || fail "not all are in flight"
# Held up until the server has sent each of them 40 tokens more, a tenth of a second apart.
told() { curl -s "$slow/metrics" | sed -n 's/^vllm:generation_tokens_total{.*} //p'; }
kill -STOP $client
until=$(($(told) + 700 * 40))
until_true 60 eval '[ "$(told)" -ge $until ]' || fail "the server does not go on while the client is held up"
kill -CONT $client
wait $client || [ $? = 4 ] || { cat "$scratch/err"; fail "a client that was held up"; }
[ "$(json "$out" 'd["details"]["stages"][0]["requests"]["ok"], d["details"]["stages"][0]["failures"]["stall"]')" = "(700, 0)" ] ||
	{ cat "$scratch/out"; fail "the server is blamed for the client's pause"; }

# What failed is counted over the same window as the share that did not.
check 4 "$load" --mock --mock-set fault=status=503,every=3 --calibrate 0 --prompt-tokens 8 --output-tokens 5 --profile concurrent \
	--concurrency 4 --seconds 2 --warmup 1 --cooldown 0 -o "$out"
[ "$(json "$out" '[x.split("http_status ")[1].split(":")[0] for x in d["reasons"] if x.startswith("failures")]')" = \
	"$(json "$out" '[str(d["details"]["stages"][0]["failures"]["http_status"])]')" ] || fail "failures of another window"

# Chat: as many words as the server's /tokenize says.
runs "${small[@]}" --endpoint chat --prompt-tokens 40 --profile concurrent --concurrency 2 --seconds 0 --requests 6 -o "$out"
[ "$(json "$out" 'd["details"]["server"]["prompt_length_checked"]')" = True ] || fail "chat lengths unchecked"
[ "$(json "$out" 'd["details"]["stages"][0]["requests"]["failed"]')" = 0 ] || fail "chat lengths wrong"

check 2 "$load" "${small[@]}" --endpoint chat --prompt-tokens 2
said "tokens around its text: a prompt of 2 cannot be made (--prompt-tokens, --prompt-min)"
runs "${small[@]}" --endpoint chat --prompt-tokens 9 --prompt-max 12 --concurrency 2 --seconds 0 --requests 20 -o "$out"
[ "$(json "$out" 'd["details"]["stages"][0]["requests"]["failed"]')" = 0 ] || fail "chats shorter than their frame"
# What is late for the common start says so.
runs "${small[@]}" --calibrate 3 --concurrency 1 --seconds 0 --requests 2 --start-at $(($(date +%s) + 2))
said "s after its common time"

# A server that says no usage: what cannot be checked is said, and not claimed.
cat >"$scratch/plain.py" <<'PY'
import http.server, json, sys
class Plain(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *a): pass
    def answer(self, kind, body):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self): self.answer("application/json", b'{"data": [{"id": "plain"}]}')
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        event = b'data: {"choices": [{"text": "a", "finish_reason": null}]}\n\n'
        self.answer("text/event-stream", event * asked["max_tokens"] + b"data: [DONE]\n\n")
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Plain)
print(server.server_address[1], flush=True)
server.serve_forever()
PY
python3 "$scratch/plain.py" >"$scratch/plain" & pids="$pids $!"
until_true 20 test -s "$scratch/plain" || fail "the plain server does not start"
runs "${small[@]}" --target "http://127.0.0.1:$(cat "$scratch/plain")" --concurrency 1 --seconds 0 --requests 3 -o "$out"
said "says no usage: prompt lengths are unchecked"
[ "$(json "$out" 'd["details"]["server"]["prompt_length_checked"], d["details"]["stages"][0]["requests"]["ok"]')" = "(False, 3)" ] ||
	fail "without usage"

# Parts of one load, merged: every request once, and the figures of both.
at=$(($(date +%s) + 4))
for k in 1 2; do
	"$load" "${small[@]}" --profile concurrent --concurrency 5 --seconds 2 --grace 1 --part $k/2 --start-at $at \
		--records "$scratch/part$k" --requests-file "$scratch/requests$k" >/dev/null 2>"$scratch/err$k" &
	part[$k]=$!
done
for k in 1 2; do wait "${part[$k]}" || [ $? = 4 ] || { cat "$scratch/err$k"; fail "part $k"; }; done
runs merge "$scratch/part1" "$scratch/part2" -o "$out"
python3 - "$out" "$scratch/requests1" "$scratch/requests2" <<'PY' || fail "merge"
import json, sys
s = json.load(open(sys.argv[1]))["details"]["stages"][0]
a, b = ([json.loads(l) for l in open(f)] for f in sys.argv[2:])
index = [o["request"] for o in a + b]
assert len(set(index)) == len(index), "a request was sent twice"
w = s["window"]
inside = [o for o in a + b if w["measure_start_unix_ns"] <= o["sent_ns"] < w["measure_end_unix_ns"]]
assert s["requests"]["sent"] == len(inside) > 0, (s["requests"], len(inside))
ttft = [o["first_token_ns"] - o["sent_ns"] for o in inside if o["end"] == "ok"]
assert abs(s["distributions"]["ttft"]["mean_s"] - sum(ttft) / len(ttft) * 1e-9) < 1e-9
PY
# What a part found of the server's prefix cache is the whole load's: here all prompts begin alike.
at=$(($(date +%s) + 4))
for k in 1 2; do
	"$load" "${small[@]}" --profile concurrent --concurrency 2 --seconds 2 --prompt-tokens 64 --token-low 10 --token-high 11 \
		--calibrate 0.2 --part $k/2 --start-at $at --records "$scratch/cached$k" >/dev/null 2>&1 &
	part[$k]=$!
done
for k in 1 2; do wait "${part[$k]}" || [ $? = 4 ] || fail "cached part $k"; done
check 4 "$load" merge "$scratch/cached1" "$scratch/cached2" -o "$out"
[ "$(json "$out" '[x.split(":")[0] for x in d["reasons"] if x.startswith("prefix-cache")]')" = "['prefix-cache']" ] || fail "prefix hits are lost"
[ "$(json "$out" 'sum(m["name"] in ("load.prefix_cache_hit_ratio", "load.calibration_error_p99_s") for m in d["metrics"])')" = 2 ] ||
	fail "a merge leaves out metrics"
check 2 "$load" merge "$scratch/part1"
said "one of 2 parts"
check 2 "$load" merge "$scratch/part1" "$scratch/part1"
said "both part 1"
head -c 3000 "$scratch/part2" >"$scratch/cut"
check 2 "$load" merge "$scratch/part1" "$scratch/cut"

# The key goes to the server and nowhere else.
runs_key() { TARE_KEY=s3cret-key runs "${small[@]}" --api-key-env TARE_KEY --seconds 0 --requests 3 --concurrency 1 \
	-v -o "$out" --requests-file "$scratch/requests" --records "$scratch/records"; }
runs_key
! grep -ra s3cret "$out" "$scratch/requests" "$scratch/records" "$scratch/out" "$scratch/err" || fail "the API key was written"
check 2 "$load" "${small[@]}" --api-key-env TARE_NO_SUCH_KEY
said TARE_NO_SUCH_KEY

# Wrong usage, nobody there, and being told to stop.
check 2 "$load"
check 2 "$load" "${small[@]}" --profile slo
# Records that cannot be read back leave no figures, and no file made of a part of them.
for at in 1 2 3 4; do
	check 5 env LD_PRELOAD="$PWD/$BUILD/tests/support/read_fault.so" TARE_TEST_READ_FAULT_AT=$at \
		"$load" "${small[@]}" --threads 2 --seconds 0 --requests 40 -o "$scratch/unread"
	said "records: reading them back: Input/output error"
	[ ! -e "$scratch/unread" ] || fail "a result of half the records (read $at)"
done
for file in requests-file chunks records guidellm vllm; do
	check 5 env LD_PRELOAD="$PWD/$BUILD/tests/support/read_fault.so" TARE_TEST_READ_FAULT_AT=5 \
		"$load" "${small[@]}" --threads 2 --seconds 0 --requests 40 --$file "$scratch/unread"
	said "reading them back: Input/output error"
	[ ! -e "$scratch/unread" ] || fail "--$file of half the records"
done
# What could not be written in the end is told before anything is measured.
check 5 "$load" --target http://127.0.0.1:1 --chunks "$scratch/none/chunks"
said "--chunks: $scratch/none/chunks: cannot be written: No such file or directory"
check 2 "$load" --target http://127.0.0.1:1 -o "$scratch"
said "--output: $scratch: is a folder"
check 2 "$load" --target http://127.0.0.1:1 -o "$scratch/x" --chunks "$scratch/x"
said "--output and --chunks are both $scratch/x"
check 2 "$load" "${small[@]}" --concurrency 2,3,2
said "--concurrency has 2 twice"
check 2 "$load" "${small[@]}" --rate 5
said "--rate needs --profile constant or poisson: concurrent does not send at a rate"
check 2 "$load" "${small[@]}" --trace "$scratch/trace"
said "--trace needs --profile trace"
check 2 "$load" "${small[@]}" --output-min 2
said "--output-min needs --output-max or --output-deviation"
check 2 "$load" "${small[@]}" --output-tokens 131072
said "a prompt of 8 and an answer of 131072 tokens do not fit into the 131072 that tare-mock says"
check 2 "$load" --target ftp://x
said "'ftp://x': is no URL like http://127.0.0.1:8000: it must begin with http:// or https://"
check 2 "$load" --target "http://me:s3cret@127.0.0.1:1"
said "a user cannot be in it"
! grep -q s3cret "$scratch/err" || fail "a password was repeated"
check 5 "$load" --target "$url/nowhere" --model tare-mock --calibrate 0
said "a small request to $url/nowhere/v1/completions: status 404: {"
check 5 "$load" --target http://127.0.0.1:1 --calibrate 0
said "no server answers (--target): GET http://127.0.0.1:1/v1/models"
"$load" "${small[@]}" --seconds 600 >/dev/null 2>&1 & pid=$!; pids="$pids $pid"
sockets() { [ "$(find /proc/$pid/fd -lname 'socket:*' 2>/dev/null | wc -l)" -ge 8 ]; }
until_true 20 sockets || fail "no connections"
kill -INT $pid; rc=0; wait $pid || rc=$?
[ $rc = 130 ] || fail "exit status $rc after Ctrl-C"
echo ok
