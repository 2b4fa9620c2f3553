#include "reports/plot/plot_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/base/proc.h"

enum { svg_max = 16 << 20 };

/* What the scripts draw with, and the page's variable that stands in for it. */
static const struct {
	int r, g, b;
	const char *variable;
} colours[] = {
	{31, 95, 168, "--s0"},     {196, 84, 10, "--s1"},      {122, 72, 160, "--s2"},
	{14, 120, 104, "--s3"},    {176, 36, 96, "--s4"},      {110, 92, 20, "--s5"},
	{28, 36, 48, "--ink"},     {90, 100, 112, "--muted"},  {216, 221, 228, "--grid"},
	{205, 228, 214, "--band"}, {250, 222, 200, "--shade"},
};

const char *plot_colour(int i, char text[8])
{
	snprintf(text, 8, "#%02x%02x%02x", (unsigned)colours[i].r & 0xff,
		 (unsigned)colours[i].g & 0xff, (unsigned)colours[i].b & 0xff);
	return text;
}

/* Inside single quotes nothing is special to gnuplot but the quote itself. */
void plot_quoted(struct buf *b, const char *s)
{
	buf_puts(b, "'");
	for (; s && *s; s++) {
		bool is_special = strchr("'\"`\\<>&{}", *s) || (unsigned char)*s < 0x20;

		buf_add(b, is_special ? " " : s, 1);
	}
	buf_puts(b, "'");
}

void plot_terminal(struct buf *b, const char *name, int width, int height)
{
	buf_printf(b, "# Draw again with: gnuplot %s.gp\n", name);
	buf_printf(b,
		   "set terminal svg size %d,%d dynamic noenhanced font 'sans-serif,14' "
		   "linewidth 1.2\n",
		   width, height);
	buf_printf(b, "set encoding utf8\nset output '%s.svg'\n", name);
}

void plot_frame(struct buf *b)
{
	char c[8];

	buf_printf(b, "set border 1 lc rgb '%s'\nset tics nomirror out scale 0.6\n",
		   plot_colour(PLOT_MUTED, c));
	buf_printf(b, "set xtics textcolor rgb '%s'\nset ytics textcolor rgb '%s'\n",
		   plot_colour(PLOT_MUTED, c), c);
	buf_printf(b, "set grid x y lt 1 lw 0.6 lc rgb '%s'\n",
		   plot_colour(PLOT_GRID, c));
}

struct plot *plot_append(struct plot_list *l, const char *name)
{
	GROW(l->items, l->nr, l->alloc);
	l->items[l->nr] = (struct plot){.name = x_strdup(name)};
	return &l->items[l->nr++];
}

void plot_list_release(struct plot_list *l)
{
	for (size_t i = 0; i < l->nr; i++) {
		struct plot *p = &l->items[i];
		char *texts[] = {p->name,    p->script, p->data,   p->svg,
				 p->inlined, p->alt,    p->caption};

		for (size_t t = 0; t < ARRAY_SIZE(texts); t++)
			free(texts[t]);
		table_release(&p->table);
	}
	free(l->items);
	*l = (struct plot_list){0};
}

/* "rgb( 31,  95, 168)" at s: the variable for it and the length; 0 when it is no colour. */
static size_t colour_at(const char *s, const char **variable)
{
	int r, g, b, len = 0;

	if (strncmp(s, "rgb(", 4) != 0 ||
	    sscanf(s, "rgb(%d,%d,%d)%n", &r, &g, &b, &len) < 3)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(colours); i++) {
		if (colours[i].r == r && colours[i].g == g && colours[i].b == b) {
			*variable = colours[i].variable;
			return (size_t)len;
		}
	}
	return 0;
}

/* Names that gnuplot gives to parts and refers to; two plots of a page must differ. */
static size_t name_at(const char *s)
{
	static const char *const names[] = {"gpDot", "gpPt", "gnuplot_", "textbox",
					    "greybox"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strncmp(s, names[i], strlen(names[i])) == 0)
			return strlen(names[i]);
	return 0;
}

static const char *skip_element(const char *s, const char *open, const char *close)
{
	const char *end;

	if (strncmp(s, open, strlen(open)) != 0)
		return s;
	end = strstr(s, close);
	return end ? end + strlen(close) : s;
}

/* Behind a group that holds nothing, of which gnuplot writes dozens; else 's'. */
static const char *skip_empty_group(const char *s)
{
	const char *end;

	if (strncmp(s, "<g ", 3) != 0)
		return s;
	end = strchr(s, '>');
	if (!end)
		return s;
	end += 1 + strspn(end + 1, " \t\r\n");
	return strncmp(end, "</g>", 4) == 0 ? end + 4 + strspn(end + 4, " \t\r\n") : s;
}

/* gnuplot's file as an element of a page: own names, page colours, no tooltips. */
static char *inline_svg(const char *svg, const char *name)
{
	const char *s = strstr(svg, "<svg"), *variable = NULL;
	struct buf b;

	if (!s)
		return NULL;
	buf_init(&b, BUF_UNBOUNDED);
	buf_printf(&b, "<svg aria-hidden=\"true\" focusable=\"false\"");
	s += 4;
	while (*s) {
		const char *after = skip_element(s, "<title>", "</title>");
		size_t len;

		after = skip_element(after, "<desc>", "</desc>");
		after = skip_empty_group(after);
		if (after != s) {
			s = after;
		} else if ((len = colour_at(s, &variable))) {
			buf_printf(&b, "var(%s)", variable);
			s += len;
		} else if ((len = name_at(s))) {
			buf_printf(&b, "%s-%.*s", name, (int)len, s);
			s += len;
		} else {
			buf_add(&b, s++, 1);
		}
	}
	return buf_detach(&b);
}

static int write_sources(const struct plot *p, const char *dir, struct err *err)
{
	char *script = x_asprintf("%s/%s.gp", dir, p->name);
	char *data = x_asprintf("%s/%s.dat", dir, p->name);
	int rc = file_write(script, p->script, strlen(p->script), 0644, err);

	if (!rc)
		rc = file_write(data, p->data, strlen(p->data), 0644, err);
	free(script);
	free(data);
	return rc;
}

static int run_gnuplot(const struct plot_list *l, const char *dir, struct err *err)
{
	struct proc_outcome out;
	struct strvec argv = {0};
	struct proc_spec spec = {
		.dir = dir, .timeout_ns = 60 * NS_PER_S, .output_max = 4096};
	int rc;

	strvec_add(&argv, "gnuplot");
	for (size_t i = 0; i < l->nr; i++) {
		strvec_add(&argv,
			   "-e"); /* each plot starts from gnuplot's own defaults */
		strvec_addf(&argv, "reset; load '%s.gp'", l->items[i].name);
	}
	spec.argv = strvec_argv(&argv);
	rc = proc_run_ok(&spec, &out, err);
	if (!rc)
		proc_outcome_release(&out);
	strvec_release(&argv);
	return rc;
}

static int draw_in(struct plot_list *l, const char *dir, struct err *err)
{
	for (size_t i = 0; i < l->nr; i++)
		if (write_sources(&l->items[i], dir, err))
			return -1;
	if (run_gnuplot(l, dir, err))
		return -1;
	for (size_t i = 0; i < l->nr; i++) {
		struct plot *p = &l->items[i];
		char *path = x_asprintf("%s/%s.svg", dir, p->name);
		struct buf svg;
		int rc = file_read(path, svg_max, &svg, err);

		free(path);
		if (rc)
			return -1;
		p->svg = buf_detach(&svg);
		p->inlined = inline_svg(p->svg, p->name);
		buf_release(&svg);
	}
	return 0;
}

int plot_draw(struct plot_list *l, char **ret_why, struct err *err)
{
	struct err why = ERR_INIT;
	char *dir;

	*ret_why = NULL;
	if (!l->nr)
		return 0;
	dir = dir_make_temporary("tare-plots", err);
	if (!dir)
		return -1;
	if (draw_in(l, dir, &why))
		*ret_why =
			x_asprintf("The plots could not be drawn (%s). The tables hold "
				   "every figure; plots/ has the data, which 'gnuplot' "
				   "(Debian: gnuplot-nox) draws.",
				   why.text);
	dir_remove(dir, NULL);
	free(dir);
	return 0;
}

int plot_save(const struct plot_list *l, const char *dir, struct err *err)
{
	if (!l->nr)
		return 0;
	if (dir_make(dir, 0755, err))
		return -1;
	for (size_t i = 0; i < l->nr; i++) {
		const struct plot *p = &l->items[i];
		char *path = x_asprintf("%s/%s.svg", dir, p->name);
		int rc = write_sources(p, dir, err);

		if (!rc && p->svg)
			rc = file_write(path, p->svg, strlen(p->svg), 0644, err);
		free(path);
		if (rc)
			return -1;
	}
	return 0;
}
