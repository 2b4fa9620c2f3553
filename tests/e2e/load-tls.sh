#!/bin/bash
# tare-load over TLS: a proxy with certificates of its own stands before the mock. An
# authority that is known is trusted, an unknown one and a wrong name are refused in words,
# --insecure says so, and the figures are those of the mock's own record.
. tests/support/e2e.sh
need python3 openssl
load=$PWD/$BUILD/tare-load mock=$PWD/$BUILD/tare-mock
export TMPDIR=$scratch
ca=$scratch/good-ca.pem

authority() { # NAME: NAME-ca.pem and, signed by it, NAME.pem (key and certificate) for $2
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$1 test authority" \
		-keyout "$scratch/$1-ca.key" -out "$scratch/$1-ca.pem" 2>/dev/null
	openssl req -newkey rsa:2048 -nodes -subj "/CN=$1 server" -keyout "$scratch/$1.key" \
		-out "$scratch/$1.csr" 2>/dev/null
	openssl x509 -req -days 2 -in "$scratch/$1.csr" -CA "$scratch/$1-ca.pem" -CAkey "$scratch/$1-ca.key" \
		-CAcreateserial -extfile <(echo "subjectAltName=$2") -out "$scratch/$1.crt" 2>/dev/null
	cat "$scratch/$1.key" "$scratch/$1.crt" >"$scratch/$1.pem"
}
authority good IP:127.0.0.1
authority other IP:127.0.0.1
authority elsewhere DNS:elsewhere.test

# proxy NAME FIRST SECOND GOOD: TLS with FIRST's certificate for the first GOOD connections,
# then with SECOND's. Sets tls; the number of connections so far stands in $scratch/NAME.count.
cat >"$scratch/proxy.py" <<'PY'
import os, socket, ssl, sys, threading
scratch, name, first, second, good, backend = sys.argv[1:]
host, port = backend.rsplit("/", 1)[1].rsplit(":", 1)
def context(pem):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    c.load_cert_chain(f"{scratch}/{pem}.pem")
    return c
contexts = context(first), context(second)
def down(a, b): # from the mock to the client
    try:
        while data := a.recv(65536):
            b.sendall(data)
    except OSError:
        pass
    for s in a, b:
        try: s.shutdown(socket.SHUT_RDWR)
        except OSError: pass
def serve(raw, ctx):
    try:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        tls = ctx.wrap_socket(raw, server_side=True)
        up = socket.create_connection((host, int(port)))
        up.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError:
        raw.close()
        return
    threading.Thread(target=down, args=(up, tls), daemon=True).start()
    down(tls, up)
listener = socket.create_server(("127.0.0.1", 0), backlog=64)
nr = 0
def note(what, text):
    with open(f"{scratch}/{name}.{what}.tmp", "w") as f: f.write(text)
    os.rename(f"{scratch}/{name}.{what}.tmp", f"{scratch}/{name}.{what}")
note("port", str(listener.getsockname()[1]))
while True:
    raw, _ = listener.accept()
    nr += 1
    note("count", str(nr))
    threading.Thread(target=serve, args=(raw, contexts[nr > int(good)]), daemon=True).start()
PY
proxy() {
	python3 "$scratch/proxy.py" "$scratch" "$@" "$url" 2>"$scratch/$1.err" &
	pids="$pids $!"
	until_true 20 test -s "$scratch/$1.port" || { cat "$scratch/$1.err"; fail "the proxy does not start"; }
	tls=https://127.0.0.1:$(cat "$scratch/$1.port")
}

"$mock" --port 0 --ttft 60ms --itl 30ms --truth "$scratch/truth" >"$scratch/mock" 2>"$scratch/mock.err" &
mock_pid=$!
pids="$pids $mock_pid"
until_true 20 grep -q address "$scratch/mock" || fail "the mock does not start"
url=$(json "$scratch/mock" 'd["address"]')
small=(--calibrate 0 --prompt-tokens 8 --output-tokens 5 --warmup 0 --cooldown 0 --seconds 0)

# Refused in words, with the way out: an authority nobody knows, and a name that is not the server's.
proxy good good good 1000000
good=$tls
check 5 "$load" --target "$good" "${small[@]}" --requests 1
said 'certificate'; said '--ca-file'
check 5 "$load" --target "$good" --ca-file "$scratch/other-ca.pem" "${small[@]}" --requests 1
said 'certificate'
proxy elsewhere elsewhere elsewhere 1000000
check 5 "$load" --target "$tls" --ca-file "$scratch/elsewhere-ca.pem" "${small[@]}" --requests 1
said "target host name '127.0.0.1'"; said '--ca-file'
check 5 "$BUILD/tare-serve" --kind external --url "$good" --ready-within 5 -- true
said 'certificate'

# Without verifying: it runs, says so before and after, and the result says so too.
rc=0
"$load" --target "$good" --insecure "${small[@]}" --requests 4 --concurrency 1 -o "$scratch/r.json" >"$scratch/out" 2>"$scratch/err" || rc=$?
[ $rc = 0 ] || [ $rc = 4 ] || { cat "$scratch/err"; fail "exit status $rc with --insecure"; }
said 'NOT verified'; printed 'not verified'
[ "$(json "$scratch/r.json" 'd["details"]["tls_verified"]')" = False ] || fail "the result calls it verified"

# Verified: every request ends well, every read has the kernel's stamp, and the figures are
# what the records say, which cannot be earlier than the mock's own sending.
before=$(cat "$scratch/good.count")
rc=0
"$load" --target "$good" --ca-file "$ca" "${small[@]}" --concurrency 1 --requests 1 >"$scratch/out" 2>"$scratch/err" || rc=$?
[ $rc = 0 ] || [ $rc = 4 ] || { cat "$scratch/err"; fail "exit status $rc with the right authority"; }
! grep -q 'NOT verified' "$scratch/err" || fail "it claims not to verify"
used=$(($(cat "$scratch/good.count") - before)) # probes, one stream, the counters at the end
rc=0
"$load" --target "$good" --ca-file "$ca" "${small[@]}" --output-tokens 12 --concurrency 6 --requests 90 -o "$scratch/r.json" \
	--requests-file "$scratch/requests" --chunks "$scratch/chunks" >"$scratch/out" 2>"$scratch/err" || rc=$?
[ $rc = 0 ] || [ $rc = 4 ] || { cat "$scratch/err"; fail "exit status $rc"; }

# Certificates that turn bad under way: the streams that meet them fail as connections, once
# each, the one stream that was there before goes on, and the reason stands in the result.
proxy turns good other $((used - 1))
rc=0
"$load" --target "$tls" --ca-file "$ca" "${small[@]}" --seconds 2 --concurrency 3 -o "$scratch/bad.json" \
	--requests-file "$scratch/bad" >"$scratch/out" 2>"$scratch/err" || rc=$?
[ $rc = 4 ] || { cat "$scratch/out" "$scratch/err"; fail "exit status $rc, not 4, where certificates turn bad"; }
printed 'connect'

kill $mock_pid; wait $mock_pid 2>/dev/null || true
python3 - "$scratch" <<'PY' || fail "the figures are wrong"
import collections, json, sys
read = lambda name: [json.loads(l) for l in open(f"{sys.argv[1]}/{name}")]
result = json.load(open(f"{sys.argv[1]}/r.json"))
stage = result["details"]["stages"][0]
assert result["details"]["tls_verified"] is True
assert stage["requests"]["ok"] == 90 and stage["requests"]["failed"] == 0, stage["requests"]
assert stage["client"]["unstamped_ratio"] == 0, stage["client"]
truth = {t["response_id"]: t for t in read("truth")}
records = read("requests")
gaps, alike, arrivals = [], [], collections.defaultdict(list)
for c in read("chunks"):
    arrivals[c["response_id"]].append(c["arrival_ns"])
for r in records:
    t, a = truth[r["response_id"]], arrivals[r["response_id"]]
    assert len(a) == len(t["sent_ns"]) == 12
    assert all(x >= y for x, y in zip(a, t["sent_ns"])), "a chunk before it was sent"
    assert r["first_token_ns"] == a[0] and r["sent_ns"] <= t["arrival_kernel_ns"]
    here, there = ([y - x for x, y in zip(v, v[1:])] for v in (a, t["sent_ns"]))
    gaps += here
    alike += [abs(x / y - 1) < 0.05 for x, y in zip(here, there)]
def quantile(v, p): # linear between order statistics, as docs/metrics.md says
    v = sorted(v); h = p * (len(v) - 1); i = int(h)
    return (v[i] + (h - i) * (v[min(i + 1, len(v) - 1)] - v[i])) * 1e-9
d = stage["distributions"]
for name, values in (("ttft", [r["first_token_ns"] - r["sent_ns"] for r in records]), ("itl", gaps),
                     ("latency", [r["end_ns"] - r["sent_ns"] for r in records])):
    for p in (50, 90, 95, 99):
        got = d[name][f"p{p}_s"]
        assert got is None or abs(got - quantile(values, p / 100)) < 2e-9, (name, p, got)
    assert d[name]["p50_s"] is not None and d[name]["p90_s"] is not None
# The proxy only shifts a stream: gaps are the mock's, each its own. On a busy machine it is
# late now and then, and often on a very busy one; the rest tells.
assert sum(alike) > len(alike) / 20, (sum(alike), len(alike))
bad = read("bad")
ends = collections.Counter(r["end"] for r in bad)
assert set(ends) <= {"ok", "connect", "cancelled"} and ends["ok"] and ends["connect"], ends
index = [r["request"] for r in bad]
assert len(set(index)) == len(index), "a request was counted twice"
stage = json.load(open(f"{sys.argv[1]}/bad.json"))["details"]["stages"][0]
assert stage["failures_whole_stage"]["connect"] == ends["connect"], (stage["failures_whole_stage"], ends)
assert "certificate" in stage["first_error"], stage["first_error"]
PY
echo ok
