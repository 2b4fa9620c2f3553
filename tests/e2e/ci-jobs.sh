#!/bin/bash
# The GitHub workflow and the GitLab job of configs/ci: valid by the schemas that GitHub's and
# GitLab's editors use (check-jsonschema's, where PyPI can be reached), and their very
# commands run here in a fresh clone of a repository that keeps a plan and a baseline. The
# GPU that the plan measures is a FAKE one.
. tests/support/e2e.sh
need python3 git
fake_gpu
/usr/bin/python3 -c 'import yaml' 2>/dev/null || skip "python3-yaml is not installed"

venv=${CI_SCHEMAS_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/tare/ci-schemas-venv}
want=check-jsonschema==0.39.0 note=
if ! "$venv/bin/python" -c 'import check_jsonschema' 2>/dev/null; then
	{ python3 -m venv "$venv" && timeout 120 "$venv/bin/pip" install -q --retries 0 "$want"; } \
		>"$scratch/pip.log" 2>&1 || note="schemas not looked at: $want cannot be installed here"
fi
if [ -z "$note" ]; then
	checker=$venv/bin/check-jsonschema
	check 0 "$checker" --builtin-schema vendor.github-workflows configs/ci/github.yml
	check 0 "$checker" --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci configs/ci/gitlab.yml
	sed 's/runs-on:/runs-in:/' configs/ci/github.yml >"$scratch/wrong.yml"
	check 1 "$checker" --builtin-schema vendor.github-workflows "$scratch/wrong.yml"
fi

# The repository that a team would keep: a plan, and a baseline made from a first run.
export PATH="$PWD/$BUILD:$PATH" GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@t GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@t
repo=$scratch/repo
mkdir "$repo"
cat >"$repo/plan.json" <<'JSON'
{ "name": "ci",
  "arms": { "a": { "target": "local" }, "b": { "target": "local", "same_machine_as": "a" } },
  "baseline": "a",
  "workloads": [ { "gemm": { "backend": "cublas", "n": 64, "iterations": 5, "warmup_seconds": 0, "telemetry": false } } ],
  "schedule": { "rounds": { "min": 3, "max": 3 } },
  "margins": { "gemm.flops": 0.1 }, "trust": [ "clocks" ] }
JSON
check 0 tare run -o "$scratch/first" "$repo/plan.json"
check 0 tare baseline save -o "$repo/baseline.json" "$scratch/first"
git -C "$repo" init -q && git -C "$repo" add -A && git -C "$repo" commit -qm first

# steps FILE NAME: its commands as files step-1 ... in $scratch/NAME, made by the YAML's reader.
steps() {
	mkdir -p "$scratch/$2"
	/usr/bin/python3 - "$1" "$scratch/$2" <<-'PY'
		import sys, yaml
		job = yaml.safe_load(open(sys.argv[1]))
		if "jobs" in job:  # GitHub: each 'run' is a script of its own
		    (only,) = job["jobs"].values()
		    scripts = [s["run"] for s in only["steps"] if "run" in s]
		else:  # GitLab: the lines of 'script' are one
		    scripts = ["\n".join(job["tare"]["script"])]
		for nr, text in enumerate(scripts, 1):
		    open(f"{sys.argv[2]}/step-{nr}", "w").write(text + "\n")
	PY
}
# Runs them as the service does, until one fails; prints the status. Each run: a fresh clone.
github() { # CLONE
	local step status=0
	git clone -q "$repo" "$1" && mkdir "$1.tmp"
	for step in "$scratch"/github/step-*; do
		(cd "$1" && RUNNER_TEMP=$1.tmp GITHUB_STEP_SUMMARY=$1.summary bash --noprofile --norc -eo pipefail "$step") \
			>>"$1.log" 2>&1 || { status=$?; break; }
	done
	echo $status
}
gitlab() { # CLONE
	local status=0
	git clone -q "$repo" "$1"
	(cd "$1" && bash -eo pipefail "$scratch/gitlab/step-1") >"$1.log" 2>&1 || status=$?
	echo $status
}
expect() { # WANT GOT CLONE
	[ "$1" = "$2" ] || { cat "$3.log"; fail "the job in $3 ended with $2, not $1"; }
}
steps configs/ci/github.yml github
steps configs/ci/gitlab.yml gitlab
[ "$(ls "$scratch/github" | wc -l)" = 2 ] || fail "the workflow has other steps than this test knows"

expect_files() { local f; for f; do [ -s "$f" ] || fail "$f is missing or empty"; done; }
expect 0 "$(github "$scratch/gh")" "$scratch/gh"
expect_files "$scratch/gh.summary" "$scratch/gh.tmp/gate/junit.xml" "$scratch/gh.tmp/gate/report.html" \
	"$scratch/gh.tmp/gate/verdict.json" "$scratch/gh.tmp/run/report.html"
expect 0 "$(gitlab "$scratch/gl")" "$scratch/gl"
expect_files "$scratch/gl/gate/junit.xml" "$scratch/gl/gate/gl-code-quality.json" \
	"$scratch/gl/gate/gl-metrics.txt" "$scratch/gl/gate/report.html"

# A baseline a hundred times as fast: both jobs fail with 1 and say why.
python3 - "$repo/baseline.json" <<-'PY'
	import json, sys
	b = json.load(open(sys.argv[1]))
	for r in b["results"]:
	    for m in r["metrics"]:
	        m["values"] = [v * 100 if m["better"] == "higher" else v / 100 for v in m["values"]]
	json.dump(b, open(sys.argv[1], "w"))
PY
git -C "$repo" commit -qam "a faster baseline"
expect 1 "$(github "$scratch/gh2")" "$scratch/gh2"
grep -q '^::error ' "$scratch/gh2.log" || fail "no annotation"
grep -q degraded "$scratch/gh2.summary" || fail "the summary does not say so"
expect 1 "$(gitlab "$scratch/gl2")" "$scratch/gl2"
grep -q '"severity": "major"' "$scratch/gl2/gate/gl-code-quality.json" || fail "no finding"
# A plan that is wrong, a baseline that is missing: not a verdict, and the job fails.
git -C "$repo" rm -q baseline.json && git -C "$repo" commit -qm "no baseline"
expect 2 "$(github "$scratch/gh3")" "$scratch/gh3"
expect 2 "$(gitlab "$scratch/gl3")" "$scratch/gl3"
[ -z "$note" ] || echo "$note"
