# Sourced by end-to-end tests behind e2e.sh: labs with one GPU, its host's FAKE kernel
# (tests/support/fake_probe), a FAKE OpenNebula front-end, and a real sshd that plays every
# machine.
need python3
gpu=0008:01:00.0
mkdir "$scratch/bin"
ln -s "$PWD/$BUILD/tare-gemm" "$scratch/bin/tare-gemm"
ln -s "$PWD/$BUILD/tests/support/fake_probe" "$scratch/bin/tare-probe"
export TARE_PROGRAM_DIR=$scratch/bin
kill_at() { env LD_PRELOAD="$PWD/$BUILD/tests/support/kill_at.so" TARE_TEST_KILL_AT="$1" "${@:2}"; }

# start_front_end OPTION...: sets front_end (its process) and endpoint.
start_front_end() {
	: >"$lab/front-end"
	"$BUILD/tests/support/fake_opennebula" --host-key "$ssh_fingerprint" "$@" >"$lab/front-end" 2>"$lab/front-end.err" &
	front_end=$!
	pids="$pids $front_end"
	until_true 60 grep -q http "$lab/front-end" || fail "the fake front-end did not start"
	endpoint=$(head -n 1 "$lab/front-end")
}
# Its last words say what was left, and that must be nothing.
end_front_end() {
	kill "$front_end"
	wait "$front_end" || fail "left at the front-end: $(cat "$lab/front-end")"
}

# A machine, a front-end and a plan in the folder $lab. 'lab_env' adds to what the machine's
# programs find in their environment.
start_lab() {
	local scratch=$1
	lab=$1
	mkdir -p "$lab"
	make_tree tests/machines/binding.tree "$lab/tree"
	echo 'echo "a start-up file with something to say" >&2' >"$lab/noisy"
	sshd_env="TARE_TEST_TREE=$lab/tree BASH_ENV=$lab/noisy ${lab_env:-}"
	export TARE_TEST_TREE=$lab/tree
	start_sshd
	printf 'oneadmin:lab-opennebula\n' >"$lab/one_auth"
	chmod 600 "$lab/one_auth"
	start_front_end
	cat >"$lab/plan.json" <<-JSON
		{ "name": "sides",
		  "provisioners": { "cloud": { "kind": "opennebula", "endpoint": "$endpoint", "auth_file": "$lab/one_auth", "poll": "10ms" } },
		  "arms": {
		    "metal": { "target": "ssh", "host": "127.0.0.1", "port": $ssh_port, "user": "$(id -un)", "key_file": "$ssh_key",
		               "host_key_sha256": "$ssh_fingerprint", "driver": "nvidia" },
		    "vm": { "target": "vm", "provisioner": "cloud", "template": "gb200-1gpu", "host_key": "onegate", "driver": "vfio", "same_machine_as": "metal",
		            "pin": { "host": "gb200-a", "gpu": "$gpu" },
		            "ssh": { "port": $ssh_port, "user": "$(id -un)", "key_file": "$ssh_key" } } },
		  "baseline": "metal",
		  "workloads": [ { "gemm": { "backend": "openblas", "n": 64, "iterations": 2, "warmup_seconds": 0 } } ],
		  "schedule": { "rounds": { "min": 1, "max": 1 } }, "trust": [ "who", "boundary", "computed", "cpu-free" ] }
	JSON
}
device=sys/bus/pci/devices/$gpu
driver() { basename "$(readlink "$lab/tree/$device/driver" 2>/dev/null)" 2>/dev/null; }
override() { cat "$lab/tree/$device/driver_override"; }
set_driver() { ln -sfn "../../drivers/$1" "$lab/tree/$device/driver"; echo "$2" >"$lab/tree/$device/driver_override"; }
results() { (cd "$1/results" && ls | sort); }
# What the front-end says: machines, devices in use, state of the host.
at_front_end() {
	"$tare" check --arm vm --json "${1:-$lab/plan.json}" >"$lab/check.json" 2>/dev/null || :
	python3 - "$lab/check.json" <<'PY'
import json, sys
d = json.load(open(sys.argv[1]))["vm"]
left = [c for c in d["checks"] if c["name"] == "leftovers"]
print(len(left), "leftovers,", sum(not g["is_free"] for g in d["gpus"]), "devices held, host",
      {g["host_state"] for g in d["gpus"] if g["host"] == "gb200-a"}.pop())
PY
}
# as_before WHERE [HOST-STATE]: nothing is left, and what was there before is there again.
as_before() {
	[ "$(driver) $(override)" = "$was" ] || fail "$1: the driver is '$(driver)', override '$(override)', not '$was'"
	local now; now=$(at_front_end)
	[ "$now" = "0 leftovers, 0 devices held, host ${2:-enabled}" ] || fail "$1: $now"
}
