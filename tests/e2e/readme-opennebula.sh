#!/bin/bash
# README's ten lines on OpenNebula, run as they stand there. The front-end is a FAKE and so
# is the kernel of the host; OpenNebula's own commands and the editor are stand-ins that
# note what they were given, and the editor makes the changes that a user would make.
. tests/support/e2e.sh
. tests/support/gpu_lab.sh
start_lab "$scratch/lab"
set_driver vfio-pci '(null)'
was="vfio-pci (null)"
sed -n '/^## On OpenNebula/,/^## /{/^```sh/,/^```$/p}' README.md | grep -v '^```' >"$scratch/lines"
[ "$(wc -l <"$scratch/lines")" = 10 ] || { cat "$scratch/lines"; fail "README's section has not ten lines"; }

mkdir "$scratch/stand-ins" "$scratch/here"
for name in onehost onetemplate; do
	printf '#!/bin/sh\necho "%s $*" >>"%s"\n' "$name" "$scratch/asked" >"$scratch/stand-ins/$name"
done
cat >"$scratch/stand-ins/nano" <<SH
#!/bin/sh
exec python3 "$scratch/edit.py" "\$1"
SH
# The lab's plan has what a user of this front-end would fill in; the work is made small.
cat >"$scratch/edit.py" <<'PY'
import json, re, sys
text = open(sys.argv[1]).read()
plan = json.loads(re.sub(r"^\s*//.*$|(?<=[,{\[\"}]) //.*$", "", text, flags=re.M))
lab = json.load(open(__import__("os").environ["LAB_PLAN"]))
plan["provisioners"]["cloud"].update(lab["provisioners"]["cloud"])
for name in "metal", "vm":
    for key in plan["arms"][name]:
        if key not in ("driver", "target", "template", "host_key", "provisioner"):
            plan["arms"][name][key] = lab["arms"][name][key]
plan["arms"]["metal"] = {**lab["arms"]["metal"], **{k: plan["arms"]["metal"][k] for k in ("driver", "target")}}
plan["workloads"], plan["schedule"] = lab["workloads"], lab["schedule"]
# The FAKE machine is this one: what a real one shows of itself it cannot.
plan["arms"]["vm"]["same_machine_as"], plan["trust"] = "metal", lab["trust"]
json.dump(plan, open(sys.argv[1], "w"))
PY
chmod +x "$scratch"/stand-ins/*
ln -s "$PWD/$BUILD" "$scratch/here/build"
ln -s "$PWD/configs" "$scratch/here/configs"
export LAB_PLAN=$lab/plan.json PATH=$scratch/stand-ins:$PATH
while read -r line; do
	status=0
	(cd "$scratch/here" && bash -c "$line" </dev/null >"$scratch/out" 2>"$scratch/err") || status=$?
	echo "- $status ${line%%#*}"
	case $line in
	*"tare run -o"*) [ $status -lt 4 ] ;;
	*"tare check"*) # the host of tests/machines is not fit to measure on, and it says why
		[ $status = 0 ] || { [ $status = 5 ] && grep -q '^vm: 7 GPUs in the pool, 7 free; 0 of' "$scratch/out"; } ;;
	*) [ $status = 0 ] ;;
	esac || { cat "$scratch/out" "$scratch/err"; fail "exit status $status"; }
done <"$scratch/lines"
grep -qx 'onetemplate create --name gb200-1gpu gb200.tmpl' "$scratch/asked" || fail "no template was made"
grep -q '^PCI=' "$scratch/here/gb200.tmpl" || fail "the template has no GPU"
[ -s "$scratch/here/runs/gb200/report.html" ] || fail "no report"
[ "$(ls "$scratch"/here/runs/gb200/results/*-gemm.json | wc -l)" = 2 ] || fail "not one result of each arm"
as_before "after README's ten lines"
