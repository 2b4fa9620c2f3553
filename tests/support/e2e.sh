# Sourced by end-to-end tests: a scratch folder that goes away, checks, a local sshd.
set -eu
BUILD=${BUILD:-build}
tare=$PWD/$BUILD/tare
scratch=$(mktemp -d)
pids=
cleanup() {
	for p in $pids; do kill "$p" 2>/dev/null || true; done
	rm -rf "$scratch"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

fail() { echo "FAILED: $*" >&2; exit 1; }
skip() { echo "$*"; exit 77; }
need() { for c; do command -v "$c" >/dev/null || skip "no $c here"; done; }
# check STATUS COMMAND...: its exit status must be that; output in $scratch/out and err.
check() {
	local want=$1 got=0; shift
	"$@" >"$scratch/out" 2>"$scratch/err" || got=$?
	[ "$got" = "$want" ] || { cat "$scratch/out" "$scratch/err"; fail "exit status $got, not $want: $*"; }
}
said() { grep -qF -- "$1" "$scratch/err" || { cat "$scratch/err"; fail "stderr does not say: $1"; }; }
printed() { grep -qF -- "$1" "$scratch/out" || { cat "$scratch/out"; fail "stdout does not have: $1"; }; }
# until_true SECONDS COMMAND...: polls a condition; the deadline is only for a broken test.
until_true() {
	local end=$((SECONDS + $1)); shift
	until "$@" 2>/dev/null; do [ $SECONDS -lt $end ] || return 1; read -rt 0.05 <> <(:) || :; done
}
json() { python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); print(eval(sys.argv[2], {"d": d}))' "$@"; }

# tare_with_fake: from here on 'tare' knows the provisioner of tests/support/fake_provisioner.h.
tare_with_fake() {
	tare=$PWD/$BUILD/tests/support/tare
	[ -e "$tare" ] || make -s "${tare#"$PWD"/}" || fail "$tare is not built"
	export TARE_PROGRAM_DIR=$PWD/$BUILD
}

# fake_gpu: from here on the programs find a FAKE GPU (tests/support/fakes) whose products take
# the same time within 2 %, whatever else the machine does: verdicts that are the same anywhere.
# 'gpu_env' tells a sshd of start_sshd the same.
fake_gpu() {
	local fakes=$PWD/$BUILD/tests/fakes
	[ -e "$fakes/libcuda.so.1" ] || make -s "$fakes/libcuda.so.1" || fail "$fakes is not built"
	gpu_env="LD_LIBRARY_PATH=$fakes TARE_FAKE_CUDA_EVENT_MS=1 TARE_FAKE_CUDA_JITTER=20"
	# shellcheck disable=SC2163,SC2086 # words on purpose
	export $gpu_env
}

# make_tree FILE DIR: a machine of tests/machines as a folder (tests/support/tree.h).
make_tree() {
	python3 - "$1" "$2" <<'PY'
import os, sys
end = None
for line in open(sys.argv[1]):
    if end:
        if line.rstrip("\n") == end:
            end = None
            out.close()
        else:
            out.write(line)
        continue
    path, _, value = line.rstrip("\n").partition(" ")
    if not path.startswith("/"):
        continue
    whole = sys.argv[2] + path
    os.makedirs(os.path.dirname(whole.rstrip("/")), exist_ok=True)
    if path.endswith("/"):
        os.makedirs(whole, exist_ok=True)
    elif value.startswith("-> "):
        os.symlink(value[3:], whole)
    elif value.startswith("<<"):
        end, out = value[2:], open(whole, "w")
    else:
        open(whole, "w").write(value.removeprefix("=").removeprefix(" ") + "\n")
PY
}

sshd_settled() { grep -q 'Server listening' "$scratch/sshd/log" || ! kill -0 "$1"; }

# A real sshd on a free loopback port for whoever runs the test, with keys of its own.
# Sets ssh_port, ssh_key and ssh_fingerprint. Commands there have a home of their own, for
# a user's start-up files may take long, and in their environment what 'sshd_env'
# ("NAME=value ...") says.
start_sshd() {
	local dir=$scratch/sshd sshd
	sshd=$(command -v sshd || ls /usr/sbin/sshd 2>/dev/null) || skip "no sshd here"
	need ssh-keygen
	mkdir -m 700 "$dir" "$dir/home"
	ssh-keygen -q -t ed25519 -N '' -f "$dir/host"
	ssh-keygen -q -t ed25519 -N '' -f "$dir/user"
	cp "$dir/user.pub" "$dir/authorized"
	ssh_key=$dir/user
	ssh_fingerprint=$(ssh-keygen -lf "$dir/host.pub" | awk '{print $2}')
	[ "$(id -u)" != 0 ] || mkdir -p /run/sshd
	# Below the ports that connections get, so that none takes it first.
	for ssh_port in $(shuf -i 20000-31999 -n 20); do
		cat >"$dir/config" <<-CONFIG
			ListenAddress 127.0.0.1
			Port $ssh_port
			HostKey $dir/host
			AuthorizedKeysFile $dir/authorized
			PidFile none
			StrictModes no
			UsePAM no
			PasswordAuthentication no
			PermitRootLogin yes
			Subsystem sftp internal-sftp
			SetEnv HOME=$dir/home ${sshd_env:-}
		CONFIG
		"$sshd" -D -e -f "$dir/config" 2>"$dir/log" &
		local pid=$!
		until_true 60 sshd_settled $pid || :
		if grep -q 'Server listening' "$dir/log"; then
			pids="$pids $pid"
			return
		fi
		kill $pid 2>/dev/null || true
	done
	cat "$dir/log"; fail "sshd did not start"
}
