#!/bin/bash
# Parts of one load started by Slurm's srun: a slurmctld and a slurmd of Debian's on this
# machine, with a munge key of their own.
. tests/support/e2e.sh
need python3
[ "$(id -u)" = 0 ] || skip "slurmd needs root"
need slurmctld slurmd srun munged
load=$PWD/$BUILD/tare-load mock=$PWD/$BUILD/tare-mock
chmod 755 "$scratch"
mkdir -p "$scratch/state" "$scratch/spool"
host=$(uname -n)
host=${host%%.*}
# Slurm goes by the machine's own name. One that does not resolve (a bare chroot, a
# container) is given another, in namespaces of this test's own.
if ! getent hosts "$host" >/dev/null; then
	[ -z "${TARE_TEST_NAMED-}" ] || fail "$host does not resolve although it is in /etc/hosts"
	mkdir "$scratch/etc"
	echo "127.0.0.1 localhost tare-test" >"$scratch/etc/hosts"
	echo "hosts: files" >"$scratch/etc/nsswitch.conf"
	unshare --uts --mount true 2>/dev/null || skip "$host does not resolve, and root may not name it otherwise"
	TARE_TEST_NAMED=1 unshare --uts --mount bash -c '
		echo tare-test >/proc/sys/kernel/hostname
		mount -t overlay overlay -o "lowerdir=$0:/etc" /etc || { echo "no overlay over /etc to be had"; exit 77; }
		exec "$1"' "$scratch/etc" "$0" || exit
	exit 0
fi

# munge insists on its own user for key and socket when not told otherwise.
dd if=/dev/urandom of="$scratch/munge.key" bs=1024 count=1 2>/dev/null
chmod 600 "$scratch/munge.key"
munged --force --foreground --key-file="$scratch/munge.key" --socket="$scratch/munge.socket" \
	--pid-file="$scratch/munge.pid" --log-file="$scratch/munge.log" --seed-file="$scratch/munge.seed" \
	>"$scratch/munged.out" 2>&1 &
pids="$pids $!"
until_true 60 test -S "$scratch/munge.socket" || { cat "$scratch/munged.out"; skip "munged does not start here"; }

# Below the ports that connections get, so that none takes them first.
port=$(python3 - <<'PY'
import random, socket
free = []
while len(free) < 2:
    s, port = socket.socket(), random.randrange(10000, 20000)
    try:
        s.bind(("127.0.0.1", port))
    except OSError:
        continue
    free.append((port, s))
print(*[port for port, _ in free])
PY
)
cat >"$scratch/slurm.conf" <<CONF
ClusterName=tare
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=${port% *}
SlurmdPort=${port#* }
AuthType=auth/munge
AuthInfo=socket=$scratch/munge.socket
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$scratch/state
SlurmdSpoolDir=$scratch/spool
SlurmctldPidFile=$scratch/slurmctld.pid
SlurmdPidFile=$scratch/slurmd.pid
SlurmctldLogFile=$scratch/slurmctld.log
SlurmdLogFile=$scratch/slurmd.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MpiDefault=none
SrunPortRange=40000-40999
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP OverSubscribe=FORCE:4
CONF
export SLURM_CONF=$scratch/slurm.conf
slurmctld -D -f "$SLURM_CONF" >"$scratch/ctld.out" 2>&1 & pids="$pids $!"
slurmd -D -f "$SLURM_CONF" -N "$host" >"$scratch/slurmd.out" 2>&1 & pids="$pids $!"
up() { sinfo -h -o %T | grep -q idle; }
until_true 120 up || { tail -5 "$scratch"/*.log "$scratch"/*.out >&2; skip "slurmctld and slurmd do not come up here: $(sinfo -h -o %T 2>&1 | head -1)"; }

"$mock" --port 0 --ttft 5ms --itl 2ms >"$scratch/mock" 2>"$scratch/mock.err" & pids="$pids $!"
until_true 20 grep -q address "$scratch/mock" || fail "the mock does not start"
url=$(json "$scratch/mock" 'd["address"]')
at=$(($(date +%s) + 10))
timeout 300 srun --ntasks=2 --overcommit --cpu-bind=none bash -c '"$0" "$@" --records "'"$scratch"'/part$SLURM_PROCID" >/dev/null; rc=$?; [ $rc = 0 ] || [ $rc = 4 ]' \
	"$load" --target "$url" --calibrate 0 --prompt-tokens 8 --output-tokens 5 --profile concurrent --concurrency 6 \
	--seconds 2 --grace 1 --warmup 0 --cooldown 0 --part slurm --start-at $at >"$scratch/srun.out" 2>&1 ||
	{ cat "$scratch/srun.out"; fail "srun"; }
rc=0; "$load" merge "$scratch/part0" "$scratch/part1" -o "$scratch/result.json" >/dev/null 2>"$scratch/err" || rc=$?
[ $rc = 0 ] || [ $rc = 4 ] || { cat "$scratch/err"; fail "merge: $rc"; }
[ "$(json "$scratch/result.json" 'd["details"]["parts"]')" = 2 ] || fail "not two parts"
[ "$(json "$scratch/result.json" 'd["details"]["stages"][0]["requests"]["ok"] > 0')" = True ] || fail "no requests"
# The daemons write until they are gone, and the folder goes after them.
for p in $pids; do kill "$p" 2>/dev/null || true; done
for p in $pids; do wait "$p" 2>/dev/null || true; done
pids=
echo ok
