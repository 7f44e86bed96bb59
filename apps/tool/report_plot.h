// SPDX-License-Identifier: BSD-3-Clause
// report_plot.h - a plot as inline SVG: axes with ticks, lines, steps, dots and bars
//
// Colours are classes c0 to c7 of the page's style sheet; every one has a marker of its own shape
// and dashes of its own, so that print without colours tells them apart. Text never leaves the
// picture: the left margin is made for the widest tick label, and labels that would meet are left
// out.
#ifndef WEIR_APPS_TOOL_REPORT_PLOT_H
#define WEIR_APPS_TOOL_REPORT_PLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "apps/tool/report_priv.h"

enum plot_kind {
	PLOT_LINE, // points joined, a marker each
	PLOT_STEP, // stairs, some markers
	PLOT_DOTS, // markers
	PLOT_BARS, // from the axis up; as many series as there are stand side by side
	PLOT_EDGE, // a dashed line without markers: a limit
	PLOT_MEAN, // a dash at a name on the x axis
};

enum plot_unit { PLOT_NUMBER, PLOT_PERCENT, PLOT_TIME }; // PLOT_TIME: nanoseconds

struct plot_point {
	double x, y;
	double low, high; // a whisker; none when low is not below high
};

struct plot_series {
	enum plot_kind kind;
	unsigned colour;
	char name[REPORT_LABEL];
	struct plot_point *points;
	size_t n, room;
};

struct plot_axis {
	const char *title;
	enum plot_unit unit;
	double by; // of PLOT_NUMBER: divide by this (0: 1)
	bool log;
	double low, high; // not below each other: from the points; a linear axis begins at 0
	char (*names)[REPORT_LABEL]; // a name for each of 0 to n_names - 1, in place of numbers
	size_t n_names, names_room;
};

struct plot {
	const char *title;
	const char *note; // under the plot, or NULL
	struct plot_axis x, y;
	struct plot_series *series;
	size_t n, room;
	size_t left_out; // series there was no colour for
};

// A new line of the plot; NULL when it has REPORT_SERIES of that kind already. Valid until the
// next.
struct plot_series *plot_series(struct plot *p, enum plot_kind kind, unsigned colour,
				const char *name);
void plot_point(struct plot_series *s, double x, double y);
void plot_whisker(struct plot_series *s, double x, double y, double low, double high);
// The index of a name on the x axis, added when new.
size_t plot_name(struct plot *p, const char *name);

// <figure>: legend, picture, caption. Nothing when there is no point to show.
void plot_draw(struct plot *p, FILE *out);
void plot_free(struct plot *p);

// report_axis.c: where on the picture
#define PLOT_WIDTH  640.0
#define PLOT_HEIGHT 360.0
#define PLOT_TICKS  64

struct plot_tick {
	double at; // value
	bool label;
	char text[REPORT_NUM];
};

struct plot_scale {
	const struct plot_axis *axis;
	double low, high;
	double from, to; // pixels of low and high
	struct plot_tick ticks[PLOT_TICKS];
	unsigned n_ticks;
};

// low and high of what is shown, and the ticks between.
void plot_scale_set(struct plot_scale *s, const struct plot_axis *axis, double low, double high);
// Leaves out labels that would meet: across says that they stand side by side.
void plot_scale_thin(struct plot_scale *s, bool across);
// The pixel of a value; beyond the axis: its end.
double plot_at(const struct plot_scale *s, double v);
// A value as the axis says it.
const char *plot_tick_text(char buf[REPORT_NUM], const struct plot_axis *axis, double v);
// Estimated width in pixels.
double plot_text_width(const char *text);

#endif
