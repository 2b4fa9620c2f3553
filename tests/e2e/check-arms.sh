#!/bin/bash
# 'tare check' on two fixed machines, this one and one over SSH: preflight on each, their
# differences, and nothing leased. The machines are those of tests/machines, behind a FAKE
# tare-probe (tests/support/fake_probe); what must be found follows from their text.
. tests/support/e2e.sh
need python3
mkdir "$scratch/bin"
ln -s "$PWD/$BUILD/tare-gemm" "$scratch/bin/tare-gemm"
ln -s "$PWD/$BUILD/tests/support/fake_probe" "$scratch/bin/tare-probe"
export TARE_PROGRAM_DIR=$scratch/bin TARE_TEST_TREE=$scratch/host
make_tree tests/machines/x86-host.tree "$scratch/host"
make_tree tests/machines/kvm-guest.tree "$scratch/guest"
sshd_env="TARE_TEST_TREE=$scratch/guest"
start_sshd
gpu=$(sed -n 's|^/sys/bus/pci/devices/\([^/]*\)/vendor = 0x10de|\1|p' tests/machines/x86-host.tree | head -n 1)
cat >"$scratch/plan.json" <<JSON
{ "name": "check",
  "arms": {
    "metal": { "target": "local", "driver": "nvidia", "gpus": "$gpu" },
    "guest": { "target": "ssh", "host": "127.0.0.1", "port": $ssh_port, "user": "$(id -un)", "key_file": "$ssh_key",
               "host_key_sha256": "$ssh_fingerprint" } },
  "baseline": "metal",
  "workloads": [ { "gemm": { "backend": "openblas", "n": 64 } } ] }
JSON
check 5 "$tare" check "$scratch/plan.json"
printed "metal: local: 1 of"
printed "failed   gpu.link_width"
printed "$gpu has nvidia now"
printed "guest: $(id -un)@127.0.0.1:$ssh_port: 0 of"
printed "warning  guest.steal"
printed "metal and guest: like for like as far as is known"
printed "unknown  GPU driver               570.133.20 | unknown"
printed "differs  CPU threads              4 | 1"
! grep -q '^  ok *kernel' "$scratch/out" || fail "what passed is printed without --all"
check 5 "$tare" check --all --arm metal "$scratch/plan.json"
grep -q '^  ok *host.iommu' "$scratch/out" || fail "--all leaves out what passed"
check 5 "$tare" check --json "$scratch/plan.json"
cp "$scratch/out" "$scratch/check.json"
[ "$(json "$scratch/check.json" 'd["guest"]["likeness"]["baseline"], d["guest"]["likeness"]["like_for_like"]')" = "('metal', True)" ] ||
	fail "the document does not compare"
[ "$(json "$scratch/check.json" '[c["state"] for c in d["metal"]["checks"] if c["name"] == "gpu.link_width"]')" = "['failed']" ] ||
	fail "the document has not the check that failed"

# Nothing fails, but the two are not one GPU: a comparison would be invalid.
rm -r "$scratch/host" "$scratch/guest"
sed 's|\(/current_link_width =\) 8|\1 16|' tests/machines/x86-host.tree >"$scratch/one.tree"
sed 's/GPU-7f1c2d3e-1111/GPU-7f1c2d3e-9999/' "$scratch/one.tree" >"$scratch/other.tree"
make_tree "$scratch/one.tree" "$scratch/host"
make_tree "$scratch/other.tree" "$scratch/guest"
check 4 "$tare" check "$scratch/plan.json"
printed "metal and guest: not like for like"
printed "breaks   GPU "
printed "contradicted who            same-machine: metal and guest are one machine"
printed "shown        path           link x16"
printed "not yet      clocks"

# A device that is not there, and a machine that does not answer.
sed "s/$gpu/0000:77:00.0/" "$scratch/plan.json" >"$scratch/nowhere.json"
check 5 "$tare" check "$scratch/nowhere.json"
printed "0000:77:00.0: the machine has no such device"
sed "s/\"port\": $ssh_port/\"port\": 1/" "$scratch/plan.json" >"$scratch/dead.json"
check 5 "$tare" check "$scratch/dead.json"
said "arm 'guest'"
printed "metal: local"

# A tenant's account at a (FAKE) front-end that lets users ask for any device, as 7.4.0
# does, and at one that does not.
isolation() {
	: >"$scratch/front-end"
	"$BUILD/tests/support/fake_opennebula" --grant "$@" >"$scratch/front-end" 2>/dev/null &
	front_end=$!
	pids="$pids $front_end"
	until_true 60 grep -q http "$scratch/front-end" || fail "the fake front-end did not start"
	cat >"$scratch/tenant.json" <<-JSON
		{ "name": "tenant", "baseline": "vm", "workloads": [ { "gemm": { "n": 64 } } ],
		  "provisioners": { "cloud": { "kind": "opennebula", "endpoint": "$(head -n 1 "$scratch/front-end")", "auth_file": "$scratch/alice" } },
		  "arms": { "vm": { "target": "vm", "provisioner": "cloud", "template": "gb200-1gpu" } } }
	JSON
}
printf 'alice:alicepw\n' >"$scratch/alice"
chmod 600 "$scratch/alice"
isolation
check 5 "$tare" check --isolation -o "$scratch/open" "$scratch/tenant.json"
printed "failed   by-address this account may take any free GPU by its address"
kill "$front_end"
wait "$front_end" || fail "the check left a machine: $(cat "$scratch/front-end")"
isolation --restrict
check 0 "$tare" check --isolation -o "$scratch/shut" "$scratch/tenant.json"
printed "ok       by-address asking for a GPU by its address is refused"
kill "$front_end"
wait "$front_end" || fail "the check left a machine: $(cat "$scratch/front-end")"
