// SPDX-License-Identifier: BSD-3-Clause
// report_plot.c - draws a plot as inline SVG
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/report_plot.h"
#include "apps/tool/util.h"

#define TOP	    14.0
#define RIGHT	    26.0
#define BOTTOM	    58.0
#define TITLE_LINE  20.0 // beside the y axis
#define GROUP	    0.72 // share of a name's room that its bars take
#define NEAR	    0.4	 // pixels that cannot be told apart
#define MARKS_APART 70.0 // on stairs
#define BAR_LABEL   22.0 // a bar lower than this has no room for its value

// Marker shapes about 0,0, one a colour.
static const char *const markers[REPORT_SERIES] = {
	"M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0Z",
	"M-3.6-3.6h7.2v7.2h-7.2Z",
	"M0-4.8 4.5 3.4h-9Z",
	"M0-5 5 0 0 5-5 0Z",
	"M0 4.8 4.5-3.4h-9Z",
	"M-1.5-4.5h3v3h3v3h-3v3h-3v-3h-3v-3h3Z",
	"M-4.6-2h9.2v4h-9.2Z",
	"M-2-4.6h4v9.2h-4Z",
};

struct plot_series *plot_series(struct plot *p, enum plot_kind kind, unsigned colour,
				const char *name)
{
	struct plot_series *s;
	size_t had = 0;

	for (size_t i = 0; i < p->n; i++)
		had += p->series[i].kind == kind;
	if (had == REPORT_SERIES) {
		p->left_out++;
		return NULL;
	}
	p->series = array_add(p->series, &p->n, &p->room, sizeof(*p->series));
	s = &p->series[p->n - 1];
	s->kind = kind;
	s->colour = colour % REPORT_SERIES;
	snprintf(s->name, sizeof(s->name), "%s", name);
	return s;
}

void plot_whisker(struct plot_series *s, double x, double y, double low, double high)
{
	struct plot_point *point;

	if (!s || !isfinite(x) || !isfinite(y))
		return;
	s->points = array_add(s->points, &s->n, &s->room, sizeof(*s->points));
	point = &s->points[s->n - 1];
	*point = (struct plot_point){x, y, low, high};
}

void plot_point(struct plot_series *s, double x, double y)
{
	plot_whisker(s, x, y, NAN, NAN);
}

size_t plot_name(struct plot *p, const char *name)
{
	struct plot_axis *x = &p->x;

	for (size_t i = 0; i < x->n_names; i++)
		if (!strcmp(x->names[i], name))
			return i;
	x->names = array_add(x->names, &x->n_names, &x->names_room, sizeof(*x->names));
	snprintf(x->names[x->n_names - 1], REPORT_LABEL, "%s", name);
	return x->n_names - 1;
}

void plot_free(struct plot *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->series[i].points);
	free(p->series);
	free(p->x.names);
	memset(p, 0, sizeof(*p));
}

static void widen(double *low, double *high, double v, bool log)
{
	if (!isfinite(v) || (log && v <= 0))
		return;
	*low = fmin(*low, v);
	*high = fmax(*high, v);
}

// False when nothing can be shown.
static bool ranges(const struct plot *p, struct plot_scale *x, struct plot_scale *y)
{
	double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};

	for (size_t i = 0; i < p->n; i++)
		for (size_t k = 0; k < p->series[i].n; k++) {
			const struct plot_point *a = &p->series[i].points[k];

			widen(&low[0], &high[0], a->x, p->x.log);
			widen(&low[1], &high[1], a->y, p->y.log);
			widen(&low[1], &high[1], a->low, p->y.log);
			widen(&low[1], &high[1], a->high, p->y.log);
		}
	if (!(low[0] <= high[0]) || !(low[1] <= high[1]))
		return false;
	plot_scale_set(x, &p->x, low[0], high[0]);
	plot_scale_set(y, &p->y, low[1], high[1]);
	return true;
}

// The left margin is as wide as the widest label beside it.
static void place(struct plot_scale *x, struct plot_scale *y)
{
	double widest = 0;

	for (unsigned i = 0; i < y->n_ticks; i++)
		if (y->ticks[i].label)
			widest = fmax(widest, plot_text_width(y->ticks[i].text));
	x->from = TITLE_LINE + widest + 12;
	x->to = PLOT_WIDTH - RIGHT;
	y->from = PLOT_HEIGHT - BOTTOM;
	y->to = TOP;
	plot_scale_thin(x, true);
	plot_scale_thin(y, false);
	for (unsigned i = 0; i < x->n_ticks; i++) { // nor does one stick out
		double half = plot_text_width(x->ticks[i].text) / 2,
		       at = plot_at(x, x->ticks[i].at);

		if (at - half < 2 || at + half > PLOT_WIDTH - 2)
			x->ticks[i].label = false;
	}
}

static void draw_axes(FILE *out, const struct plot *p, const struct plot_scale *x,
		      const struct plot_scale *y)
{
	fprintf(out,
		"<rect class=\"frame\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n",
		x->from, y->to, x->to - x->from, y->from - y->to);
	for (unsigned i = 0; i < y->n_ticks; i++) {
		double at = plot_at(y, y->ticks[i].at);

		fprintf(out, "<path class=\"%s\" d=\"M%.1f %.1fH%.1f\"/>",
			y->ticks[i].label ? "grid" : "fine", x->from, at, x->to);
		if (y->ticks[i].label)
			fprintf(out, "<text class=\"ty\" x=\"%.1f\" y=\"%.1f\">%s</text>\n",
				x->from - 7, at + 4, y->ticks[i].text);
	}
	for (unsigned i = 0; i < x->n_ticks; i++) {
		double at = plot_at(x, x->ticks[i].at);

		if (!x->axis->n_names)
			fprintf(out, "<path class=\"%s\" d=\"M%.1f %.1fV%.1f\"/>",
				x->ticks[i].label ? "grid" : "fine", at, y->from, y->to);
		if (!x->ticks[i].label)
			continue;
		fprintf(out, "<text class=\"tx\" x=\"%.1f\" y=\"%.1f\">", at, y->from + 21);
		report_text(out, x->ticks[i].text);
		fputs("</text>\n", out);
	}
	fprintf(out, "<text class=\"tt\" x=\"%.1f\" y=\"%.1f\">%s</text>\n", (x->from + x->to) / 2,
		PLOT_HEIGHT - 10, p->x.title);
	fprintf(out, "<text class=\"tt\" transform=\"translate(14 %.1f) rotate(-90)\">%s</text>\n",
		(y->from + y->to) / 2, p->y.title);
}

// What a browser shows when the pointer rests on a mark.
static void hint(FILE *out, const struct plot_series *s, const struct plot_scale *x,
		 const struct plot_scale *y, const struct plot_point *a)
{
	char buf[REPORT_NUM];

	fputs("<title>", out);
	report_text(out, s->name);
	fputs(": ", out);
	if (!x->axis->n_names)
		report_text(out, plot_tick_text(buf, x->axis, a->x));
	else if (a->x >= -0.5 && a->x + 0.5 < (double)x->axis->n_names)
		report_text(out, x->axis->names[(size_t)(a->x + 0.5)]);
	fprintf(out, ", %s</title>", plot_tick_text(buf, y->axis, a->y));
}

static void draw_marker(FILE *out, const struct plot_series *s, const struct plot_scale *x,
			const struct plot_scale *y, const struct plot_point *a)
{
	fprintf(out, "<path class=\"mark\" transform=\"translate(%.2f %.2f)\" d=\"%s\">",
		plot_at(x, a->x), plot_at(y, a->y), markers[s->colour]);
	hint(out, s, x, y, a);
	fputs("</path>\n", out);
}

static void draw_whiskers(FILE *out, const struct plot_series *s, const struct plot_scale *x,
			  const struct plot_scale *y)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct plot_point *a = &s->points[i];
		double at = plot_at(x, a->x);

		if (a->low < a->high)
			fprintf(out,
				"<path class=\"whisker\" d=\"M%.2f %.2fV%.2fm-4 0h8M%.2f "
				"%.2fh8\"/>\n",
				at, plot_at(y, a->low), plot_at(y, a->high), at - 4,
				plot_at(y, a->low));
	}
}

// Points that lie on one another are drawn once: a line of a million points has as many as the
// picture.
static void draw_line(FILE *out, const struct plot_series *s, const struct plot_scale *x,
		      const struct plot_scale *y)
{
	double was_x = NAN, was_y = NAN, mark = -1e9;
	bool stairs = s->kind == PLOT_STEP;

	fputs("<path class=\"line\" d=\"", out);
	for (size_t i = 0; i < s->n; i++) {
		double px = plot_at(x, s->points[i].x), py = plot_at(y, s->points[i].y);

		if (fabs(px - was_x) < NEAR && fabs(py - was_y) < NEAR && i + 1 < s->n)
			continue;
		if (isnan(was_x))
			fprintf(out, "M%.2f %.2f", px, py);
		else if (stairs)
			fprintf(out, "H%.2fV%.2f", px, py);
		else
			fprintf(out, "L%.2f %.2f", px, py);
		was_x = px;
		was_y = py;
	}
	fputs("\"/>\n", out);
	was_x = was_y = NAN;
	for (size_t i = 0; i < s->n && s->kind != PLOT_EDGE; i++) {
		double px = plot_at(x, s->points[i].x), py = plot_at(y, s->points[i].y);

		mark = isnan(was_x) ? MARKS_APART / 2 : mark + hypot(px - was_x, py - was_y);
		was_x = px;
		was_y = py;
		if (stairs && mark < MARKS_APART)
			continue;
		mark = 0;
		draw_marker(out, s, x, y, &s->points[i]);
	}
}

static void draw_dots(FILE *out, const struct plot_series *s, const struct plot_scale *x,
		      const struct plot_scale *y)
{
	for (size_t i = 0; i < s->n; i++)
		draw_marker(out, s, x, y, &s->points[i]);
}

static void draw_means(FILE *out, const struct plot_series *s, const struct plot_scale *x,
		       const struct plot_scale *y)
{
	for (size_t i = 0; i < s->n; i++) {
		double from = plot_at(x, s->points[i].x - 0.3),
		       to = plot_at(x, s->points[i].x + 0.3);

		fprintf(out, "<path class=\"mean\" d=\"M%.2f %.2fH%.2f\">", from,
			plot_at(y, s->points[i].y), to);
		hint(out, s, x, y, &s->points[i]);
		fputs("</path>\n", out);
	}
}

static void draw_bars(FILE *out, const struct plot_series *s, const struct plot_scale *x,
		      const struct plot_scale *y, size_t nth, size_t of)
{
	double width = plot_at(x, GROUP / (double)of) - plot_at(x, 0);
	char buf[REPORT_NUM];

	for (size_t i = 0; i < s->n; i++) {
		const struct plot_point *a = &s->points[i];
		double left = plot_at(x, a->x + GROUP * ((double)nth / (double)of - 0.5));
		double top = plot_at(y, a->y), inner = fmax(width - 1.5, 0.5);

		fprintf(out,
			"<rect class=\"bar\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\">",
			left, top, inner, fmax(y->from - top, 0));
		hint(out, s, x, y, a);
		fputs("</rect>\n", out);
		plot_tick_text(buf, y->axis, a->y);
		if (y->from - top > BAR_LABEL && plot_text_width(buf) + 4 < inner)
			fprintf(out, "<text class=\"tb\" x=\"%.2f\" y=\"%.2f\">%s</text>\n",
				left + inner / 2, top + 15, buf);
	}
}

static void draw_series(FILE *out, const struct plot *p, const struct plot_scale *x,
			const struct plot_scale *y)
{
	size_t bars = 0, nth = 0;

	for (size_t i = 0; i < p->n; i++)
		bars += p->series[i].kind == PLOT_BARS;
	for (size_t i = 0; i < p->n; i++) {
		const struct plot_series *s = &p->series[i];

		fprintf(out, "<g class=\"series c%u%s\">\n", s->colour,
			s->kind == PLOT_EDGE ? " edge" : "");
		draw_whiskers(out, s, x, y);
		if (s->kind == PLOT_BARS)
			draw_bars(out, s, x, y, nth++, bars);
		else if (s->kind == PLOT_DOTS)
			draw_dots(out, s, x, y);
		else if (s->kind == PLOT_MEAN)
			draw_means(out, s, x, y);
		else
			draw_line(out, s, x, y);
		fputs("</g>\n", out);
	}
}

static void draw_legend(FILE *out, const struct plot *p)
{
	fputs("<ul class=\"legend\">", out);
	for (size_t i = 0; i < p->n; i++) {
		const struct plot_series *s = &p->series[i];
		bool edge = s->kind == PLOT_EDGE;

		fprintf(out,
			"<li><svg class=\"key\" width=\"30\" height=\"14\" viewBox=\"0 0 30 14\" "
			"aria-hidden=\"true\"><g class=\"c%u%s\">",
			s->colour, edge ? " edge" : "");
		if (s->kind == PLOT_BARS)
			fputs("<path class=\"bar\" d=\"M8 1h14v12h-14Z\"/>", out);
		else if (s->kind == PLOT_MEAN)
			fputs("<path class=\"mean\" d=\"M5 7H25\"/>", out);
		else if (s->kind != PLOT_DOTS)
			fputs("<path class=\"line\" d=\"M0 7H30\"/>", out);
		if (s->kind != PLOT_BARS && s->kind != PLOT_MEAN && !edge)
			fprintf(out,
				"<path class=\"mark\" transform=\"translate(15 7)\" d=\"%s\"/>",
				markers[s->colour]);
		fputs("</g></svg> ", out);
		report_text(out, s->name);
		fputs("</li>\n", out);
	}
	if (p->left_out)
		fprintf(out, "<li>… and %zu more, in the table</li>", p->left_out);
	fputs("</ul>\n", out);
}

void plot_draw(struct plot *p, FILE *out)
{
	struct plot_scale x, y;

	if (!ranges(p, &x, &y))
		return;
	place(&x, &y);
	fputs("<figure>\n", out);
	fprintf(out, "<figcaption><b>%s</b>%s%s</figcaption>\n", p->title, p->note ? " " : "",
		p->note ? p->note : "");
	draw_legend(out, p);
	fprintf(out,
		"<svg class=\"plot\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"%s\">\n",
		PLOT_WIDTH, PLOT_HEIGHT, p->title);
	draw_axes(out, p, &x, &y);
	draw_series(out, p, &x, &y);
	fputs("</svg>\n</figure>\n", out);
}
