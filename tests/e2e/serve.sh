#!/bin/bash
# tare-serve: servers that work, die, never answer, ignore SIGTERM and leave daemons
# behind; and however tare-serve itself ends, nothing of the server is left.
. tests/support/e2e.sh
need curl python3
serve=$PWD/$BUILD/tare-serve
export TMPDIR=$scratch
mark=$(basename "$scratch") # stands in the argument vectors of what a server starts

# The brackets keep grep from finding itself.
left() { grep -al "[${mark:0:1}]${mark:1}-server" /proc/[0-9]*/cmdline 2>/dev/null | grep -v "/$$/" || true; }
nothing_left() { [ -z "$(left)" ]; }
none() { until_true 60 nothing_left || { left; fail "processes are left: $1"; }; }

# A server that never answers, ignores SIGTERM, and has a child and a daemon.
stubborn=(--kind command --command bash --command -c --command
	'trap "" TERM; (setsid bash -c "sleep 600; :" "$0" &); bash -c "sleep 600; :" "$0" & while :; do sleep 1; done'
	--command "$mark-server" --grace 0.2)

check 7 "$serve" --kind mock -- sh -c 'cat "$TARE_SERVER_JSON"; curl -sf "$1/v1/models"; echo "model=$2"; exit 7' sh '{url}' '{model}'
printed '"is_mock": true'; printed 'model=tare-mock'; printed '"owned_by"'

# A mock whose truth has no room says so.
check 0 "$serve" --kind mock --mock-truth /dev/full -- curl -sf '{url}/v1/completions' -d '{"prompt":"a"}'
said 'cannot write all of /dev/full'

# The facts of a held server, and its end with stdin.
mkfifo "$scratch/stdin"
"$serve" --kind mock <"$scratch/stdin" >"$scratch/facts" 2>"$scratch/err" &
pid=$!; pids="$pids $pid"
exec 5>"$scratch/stdin"
until_true 20 grep -q address "$scratch/facts" || fail "no line"
url=$(json "$scratch/facts" 'd["address"]')
curl -sf "$url/health" || fail "not healthy at $url"
exec 5>&-
wait $pid || fail "status $? when stdin closed"
! curl -s "$url/health" || fail "the server outlived stdin"

check 5 "$serve" --kind command --command sh --command -c --command 'echo its last words; exit 3' -- true
said 'exit status 3'; said 'its last words'
check 5 "$serve" --kind command --command /nonexistent/server -- true
said '/nonexistent/server'
check 5 "$serve" --ready-within 0.5 "${stubborn[@]}" -- true
said 'not ready within'
none 'never healthy'

# A server that dies under the client: the client is ended, the death reported.
check 5 "$serve" --kind command --command python3 --command -c --command \
	'import http.server,sys,threading,os
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length","0"); self.end_headers()
        if self.path == "/die": print("killed by the test", flush=True); os._exit(9)
http.server.HTTPServer(("127.0.0.1",int(sys.argv[1])),H).serve_forever()' --command '{port}' \
	-- sh -c 'curl -s "$1/die"; sleep 600' "$mark-server" '{url}'
said 'ended under the client'; said 'killed by the test'
none 'the client of a server that died'

# tare-serve killed, by SIGTERM and by SIGKILL to its whole group.
for how in TERM KILL; do
	setsid "$serve" --ready-within 60 "${stubborn[@]}" -- true >/dev/null 2>&1 </dev/null &
	pid=$!
	three() { [ "$(left | wc -l)" -ge 3 ]; }
	until_true 20 three || fail "the server did not start"
	kill -$how -- "-$pid" 2>/dev/null || kill -$how "$pid"
	wait $pid || true
	none "after SIG$how"
done

# A client whose reader has gone.
{ "$serve" --kind mock -- sh -c 'echo first; while :; do sleep 1; done' "$mark-server" 2>/dev/null || true; } | head -n 1 >"$scratch/head"
grep -q first "$scratch/head" || fail "nothing was read"
none 'nobody reads stdout'

# Started by what ignores SIGCHLD, as some supervisors do.
check 3 timeout 300 env --ignore-signal=CHLD "$serve" --kind mock -- sh -c 'exit 3'
check 5 timeout 300 env --ignore-signal=CHLD "$serve" --kind command --command sh --command -c --command 'exit 3' -- true
said "exit status 3"

check 2 "$serve"
check 2 "$serve" --kind vllm -- true
check 0 "$serve" --help
printed '--mock-ttft'
