#!/bin/bash
# Every form of a report is read by what consumes it: JUnit by xmllint against a grammar,
# Prometheus by promtool, CTRF, GitLab's code quality and our own documents by schemas, the
# page by a browser; the rest by check_formats.py.
. tests/support/e2e.sh
need python3 xmllint
maker=$PWD/$BUILD/tests/test_report formats=tests/support/formats
[ -x "$maker" ] || make -s "$BUILD/tests/test_report"
obeys() { # DOCUMENT SCHEMA
	/usr/bin/python3 - "$@" <<-'PY' || fail "$1 is not as $2 has it"
		import json, sys
		try:
		    import jsonschema
		except ImportError:
		    sys.exit(0)
		jsonschema.validate(json.load(open(sys.argv[1])), json.load(open(sys.argv[2])))
	PY
}
for run in gpu demo markup large; do
	at=$scratch/$run
	"$maker" $run "$at" >/dev/null || fail "synthetic run $run"
	xmllint --noout --relaxng $formats/junit.rng "$at/junit.xml" 2>"$scratch/err" ||
		{ cat "$scratch/err"; fail "$run: junit.xml"; }
	python3 tests/support/check_formats.py "$at" || fail "$run: formats"
	obeys "$at/ctrf.json" $formats/ctrf.json
	obeys "$at/gl-code-quality.json" $formats/codequality.json
	obeys "$at/verdict.json" configs/schema/verdict.json
	for prom in metrics.prom gl-metrics.txt; do
		! command -v promtool >/dev/null || promtool check metrics <"$at/$prom" >"$scratch/out" 2>&1 ||
			{ cat "$scratch/out"; fail "$run: $prom"; }
	done
done
# A schema that takes anything would pass everything.
sed 's/"duration": 0/"duration": "0"/' "$scratch/gpu/ctrf.json" >"$scratch/wrong.json"
(obeys "$scratch/wrong.json" $formats/ctrf.json) 2>/dev/null && /usr/bin/python3 -c 'import jsonschema' 2>/dev/null &&
	fail "$formats/ctrf.json takes anything"
sed 's/ time="0"//' "$scratch/gpu/junit.xml" >"$scratch/wrong.xml"
! xmllint --noout --relaxng $formats/junit.rng "$scratch/wrong.xml" 2>/dev/null || fail "junit.rng takes anything"
# The page draws in a real browser, light, dark and narrow, without a script or a request.
browser=$(command -v chromium || true)
case $(readlink -f "${browser:-/}") in */snap) browser= ;; esac # Ubuntu's sees no file of ours
if [ -z "$browser" ]; then
	echo "the page was not drawn: no chromium here, or only a snap"
else
	timeout 300 "$browser" --headless --no-sandbox --disable-gpu --window-size=400,900 \
		--screenshot="$scratch/page.png" "file://$scratch/gpu/report.html" 2>/dev/null ||
		fail "chromium"
	[ "$(stat -c %s "$scratch/page.png")" -gt 10000 ] || fail "an empty page"
fi
