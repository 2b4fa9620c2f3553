#!/bin/bash
# lane: libvirt
# A libvirt daemon that goes silent is noticed: while the connection is opened, and behind
# any of its answers after that. Between tare and the real daemon stands a proxy that stops
# carrying answers at the n-th, or when a file is there. A machine that is waited for is not
# said to have ended then: nobody knows.
. tests/support/e2e.sh
[ "$(id -u)" = 0 ] || skip "needs root to start libvirt"
need python3
[ -x /usr/sbin/libvirtd ] || skip "no libvirtd here"
lease=$PWD/$BUILD/tests/support/lease
check 0 "$lease" libvirt '{}' list # starts the daemon where none runs
[ -S /run/libvirt/libvirt-sock ] || skip "the daemon listens elsewhere"
cat >"$scratch/proxy.py" <<'PY'
import os, socket, sys, threading
answers = int(sys.argv[2])
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen(8)
print("up", flush=True)
def carry(a, b, left):
    while data := a.recv(1 << 16):
        if left is not None:
            left -= 1
            if left < 0 or os.path.exists(sys.argv[1] + ".silence"):
                print("silent", flush=True)
                threading.Event().wait()
        b.sendall(data)
    b.shutdown(socket.SHUT_WR)
while True:
    client = server.accept()[0]
    daemon = socket.socket(socket.AF_UNIX)
    daemon.connect("/run/libvirt/libvirt-sock")
    for args in ((client, daemon, None), (daemon, client, answers)):
        threading.Thread(target=carry, args=args, daemon=True).start()
PY
# silent_after ANSWERS: what became of a list.
silent_after() {
	local dir=$scratch/after-$1 status=0
	mkdir "$dir"
	python3 "$scratch/proxy.py" "$dir/sock" "$1" >"$dir/proxy" 2>&1 &
	trap "kill $! 2>/dev/null" EXIT # of this subshell: its \$pids is not the test's
	until_true 60 grep -q up "$dir/proxy" || fail "the proxy did not start"
	timeout -k 1 600 "$lease" libvirt "{\"uri\": \"qemu:///system?socket=$dir/sock\", \"start_daemon\": false}" \
		list none >"$dir/out" 2>"$dir/err" || status=$?
	echo "$status" >"$dir/status"
}
for n in 0 1 2 3 4 5 6 7 1000; do silent_after $n & all="${all:-} $!"; done
for p in $all; do wait "$p" || fail "see above"; done
for dir in "$scratch"/after-*; do
	echo "- ${dir##*/}: $(cat "$dir/status") $(sed 's|/[^ ]*/sock|SOCKET|' "$dir/err")"
	# Silence behind the last answer that is needed meets nobody but the good-bye.
	case $(cat "$dir/status") in 0 | 5) ;; *) fail "${dir##*/}: it waits for ever, or worse" ;; esac
done
[ "$(cat "$scratch/after-1000/status")" = 0 ] || fail "the proxy alone is in the way"
grep -q 'has not answered for' "$scratch/after-0/err" || fail "opening is not bounded"
grep -q 'keepalive' "$scratch"/after-*/err || fail "no call on an open connection was bounded"

need qemu-img xorrisofs ssh-keygen
truncate -s 16M "$scratch/empty.img" # nothing to boot: it runs and never answers
sock=$scratch/waiting
python3 "$scratch/proxy.py" "$sock" 1000000 >"$scratch/proxy" 2>&1 &
pids="$pids $!"
until_true 60 grep -q up "$scratch/proxy" || fail "the proxy did not start"
timeout -k 1 700 "$lease" libvirt "{\"uri\": \"qemu:///system?socket=$sock\", \"start_daemon\": false}" acquire \
	"{\"image\": \"$scratch/empty.img\", \"virt\": \"qemu\", \"memory\": \"64Mi\"}" silent one "$scratch/work" 600 \
	>"$scratch/out" 2>"$scratch/err" </dev/null &
pid=$!
until_true 300 grep -q 'note: booting' "$scratch/err" || { cat "$scratch/err"; fail "the machine did not start"; }
: >"$sock.silence"
status=0; wait $pid || status=$?
check_swept() { check 0 "$lease" libvirt '{}' sweep silent; }
mv "$scratch/err" "$scratch/said"
check_swept
cat "$scratch/said"
[ $status = 5 ] || fail "exit status $status, not 5"
! grep -q 'the machine ended' "$scratch/said" || fail "silence is taken for a machine's end"
# On a busy computer the silence may come before the first such question.
grep -Eq 'asking whether the machine runs|forward a port to the machine' "$scratch/said" || fail "it does not say what failed"
grep -q 'tare-silent-one may be left behind' "$scratch/said" || fail "it does not say what may be left"
check 0 "$lease" libvirt '{}' list silent
[ ! -s "$scratch/out" ] || fail "left: $(cat "$scratch/out")"
