#!/bin/bash
# Reports in a real browser: nothing wider than a phone, text that can be read in light and
# dark, words and figures for every plot; the page as a PDF.
. tests/support/e2e.sh
need chromium gnuplot python3
maker=$PWD/$BUILD/tests/test_report
[ -x "$maker" ] || make -s "$BUILD/tests/test_report"
# The report forbids scripts, so the checks go into a copy that allows them.
copy() {
	python3 - "$1" tests/support/check_page.js "$2" <<-'PY'
		import re, sys
		page, script = open(sys.argv[1]).read(), open(sys.argv[2]).read()
		page, n = re.subn(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
		assert n == 1, "no content security policy"
		open(sys.argv[3], "w").write(page.replace("</main></body>", f"</main><script>{script}</script></body>"))
	PY
}
# look NAME WIDTH light|dark FIGURES: at least so many.
look() {
	local scheme=1 said
	[ "$3" = light ] || scheme=0
	copy "$scratch/$1/report.html" "$scratch/page.html"
	# A window is never narrower than 500 px; a frame may be.
	cat >"$scratch/frame.html" <<-HTML
		<!doctype html><script>addEventListener("message", (e) => {
			const said = document.createElement("pre");
			said.textContent = e.data;
			document.body.replaceChildren(said);
		});</script><body><iframe src="page.html" style="border:0;width:$2px;height:900px"></iframe>
	HTML
	timeout 300 chromium --headless --no-sandbox --disable-gpu --window-size=1300,1000 \
		--user-data-dir="$scratch/profile" --blink-settings=preferredColorScheme=$scheme \
		--virtual-time-budget=5000 --dump-dom "file://$scratch/frame.html" \
		>"$scratch/dom" 2>"$scratch/browser" || { tail -n 3 "$scratch/browser"; fail "chromium"; }
	said=$(sed -n '/<pre>/,/<\/pre>/p' "$scratch/dom" | sed 's/^.*<pre>//; s/<[^>]*>//g')
	echo "$1: $said"
	grep -qE "looked at ($4|[1-9][0-9]) figures and [0-9]{3,} texts, $2 px, $3" <<<"$said" || fail "$1: not looked at"
	[ "$(grep -c . <<<"$said")" = 1 ] || fail "$1 at $2 px, $3"
}
for run in gpu large demo; do
	"$maker" $run "$scratch/$run" >/dev/null || fail "synthetic run $run"
done
look gpu 390 light 1[0-9]
look gpu 1100 dark 1[0-9]
look large 390 dark 1[0-9]
look demo 390 light 3

# On paper, whole or not at all.
check 1 "$tare" report -q -f md -o "$scratch/paper" --pdf "$scratch/gpu.pdf" "$scratch/gpu"
[ "$(head -c 5 "$scratch/gpu.pdf")" = %PDF- ] || fail "no PDF"
[ ! -e "$scratch/paper/report.html" ] || fail "a page that nobody asked for"
mkdir "$scratch/bin"
ln -s "$(command -v gnuplot)" "$scratch/bin/gnuplot"
check 5 env PATH="$scratch/bin" "$tare" report -q -f md -o "$scratch/never" --pdf "$scratch/never.pdf" "$scratch/gpu"
said "install Chromium"
[ ! -e "$scratch/never.pdf" ] && [ ! -e "$scratch/never" ] || fail "something was written"
