// Put into a copy of a report by tests/e2e/report-browser.sh, which shows it in a frame as
// wide as a phone or a desk: tells the frame's page what is wrong as the browser laid it out.
addEventListener("load", () => {
	const wrong = [];
	const say = (what, e) => wrong.push(what + ": " + e.outerHTML.slice(0, 120).replace(/\s+/g, " "));

	// Wide things scroll inside their own boxes; the page itself never does.
	const root = document.documentElement;
	if (root.scrollWidth > innerWidth)
		wrong.push(`the page is ${root.scrollWidth} px wide in a window of ${innerWidth}`);

	// Every plot has words and figures, here or at the end of a link.
	const figures = [...document.querySelectorAll("figure")];
	for (const f of figures) {
		const drawing = f.querySelector("[role=img]");
		const link = f.querySelector("figcaption a");
		if (!drawing || !drawing.querySelector("svg"))
			say("no drawing", f);
		else if ((drawing.getAttribute("aria-label") || "").length < 40)
			say("no text alternative", f);
		const table = f.querySelector("table") ||
			(link && document.querySelector(link.getAttribute("href") + " table"));
		if (!table || table.querySelectorAll("tbody tr").length < 1)
			say("no table of its figures", f);
		if (drawing && drawing.querySelector("svg") &&
		    drawing.querySelector("svg").getBoundingClientRect().height < 80)
			say("no height", f);
	}
	for (const t of document.querySelectorAll("table")) {
		if (!t.querySelector("thead th[scope=col]"))
			say("a table without heads", t);
	}
	const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
	if (new Set(ids).size !== ids.length)
		wrong.push("ids that are there twice: " + ids.filter((x, i) => ids.indexOf(x) !== i).slice(0, 5));

	// WCAG 2.1, 1.4.3: 4.5 to 1, as sRGB luminance (relative luminance, WCAG's definition).
	const parse = (c) => (c.match(/[\d.]+/g) || []).map(Number);
	const luminance = (c) => {
		const [r, g, b] = c.slice(0, 3).map((v) => {
			v /= 255;
			return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
		});
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const ground = (e) => {
		for (; e; e = e.parentElement) {
			const c = parse(getComputedStyle(e).backgroundColor);
			if (c.length === 3 || c[3] > 0)
				return c;
		}
		return [255, 255, 255];
	};
	let looked = 0;
	document.querySelectorAll("details").forEach((d) => (d.open = true));
	for (const e of document.querySelectorAll("body *")) {
		if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
			continue;
		const style = getComputedStyle(e), drawn = e.closest("svg");
		const ink = drawn ? (style.fill === "none" ? style.color : style.fill) : style.color;
		const a = luminance(parse(ink)), b = luminance(ground(e));
		const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		looked++;
		if (ratio < 4.5)
			say(`contrast ${ratio.toFixed(2)} of ${ink}`, e);
	}
	parent.postMessage(`looked at ${figures.length} figures and ${looked} texts, ${innerWidth} px, ` +
		`${matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"}\n` +
		wrong.slice(0, 12).join("\n"), "*");
});
