// SPDX-License-Identifier: BSD-3-Clause
// report_axis.c - ranges and ticks of a plot's axes, linear and logarithmic
#include <math.h>
#include <string.h>

#include "apps/tool/report_plot.h"

#define STEPS	  5 // ticks wished for on a linear axis, about
#define CHARACTER 7.4
#define LINE	  17
#define GAP	  10

double plot_text_width(const char *text)
{
	double n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n * CHARACTER;
}

const char *plot_tick_text(char buf[REPORT_NUM], const struct plot_axis *axis, double v)
{
	if (axis->unit == PLOT_TIME)
		return report_time(buf, v);
	if (axis->unit == PLOT_PERCENT)
		return report_percent(buf, v);
	if (axis->by > 0)
		v /= axis->by;
	if (fabs(v) >= 1000 || v == floor(v))
		return report_number(buf, v, 6);
	snprintf(buf, REPORT_NUM, "%.6g", v);
	return buf;
}

static void tick(struct plot_scale *s, double v, bool label)
{
	struct plot_tick *t = &s->ticks[s->n_ticks];

	if (s->n_ticks == PLOT_TICKS)
		return;
	s->n_ticks++;
	t->at = v;
	t->label = label;
	plot_tick_text(t->text, s->axis, v);
}

static void linear(struct plot_scale *s, double low, double high)
{
	static const double nice[] = {1, 2, 2.5, 5, 10};
	double raw = (high - low) / STEPS, step = pow(10, floor(log10(raw)));
	unsigned i = 0;

	while (i < 4 && nice[i] * step < raw * 0.999)
		i++;
	step *= nice[i];
	s->low = low == 0 ? 0 : floor(low / step + 1e-9) * step;
	s->high = ceil(high / step - 1e-9) * step;
	for (i = 0; i < PLOT_TICKS && s->low + i * step <= s->high + step / 2; i++)
		tick(s, s->low + i * step, true);
}

// Whole decades, or of a short axis 1, 2 and 5 of them.
static void logarithmic(struct plot_scale *s, double low, double high)
{
	static const int few[] = {1, 2, 5};
	double decades = log10(high / low);
	int first, last;

	if (decades > 2.5) {
		s->low = pow(10, floor(log10(low) + 1e-9));
		s->high = pow(10, ceil(log10(high) - 1e-9));
	} else {
		s->low = low / pow(10, 0.05 * decades);
		s->high = high * pow(10, 0.05 * decades);
	}
	first = (int)floor(log10(s->low) + 1e-9);
	last = (int)ceil(log10(s->high) - 1e-9);
	for (int d = first; d <= last; d++)
		for (int m = 1; m < (decades > 6 ? 2 : 10); m++) {
			double v = m * pow(10, d);
			bool label = m == 1;

			for (int i = 0; i < 3 && decades <= 2.5; i++)
				label |= m == few[i] || decades < 0.8;
			if (v >= s->low * 0.9999 && v <= s->high * 1.0001)
				tick(s, v, label);
		}
}

static void named(struct plot_scale *s)
{
	s->low = -0.5;
	s->high = (double)s->axis->n_names - 0.5;
	for (size_t i = 0; i < s->axis->n_names && i < PLOT_TICKS; i++) {
		struct plot_tick *t = &s->ticks[s->n_ticks++];

		t->at = (double)i;
		t->label = true;
		snprintf(t->text, sizeof(t->text), "%.*s", REPORT_NUM - 1, s->axis->names[i]);
	}
}

void plot_scale_set(struct plot_scale *s, const struct plot_axis *axis, double low, double high)
{
	s->axis = axis;
	s->n_ticks = 0;
	if (axis->low < axis->high) {
		low = axis->low;
		high = axis->high;
	}
	if (axis->n_names) {
		named(s);
	} else if (axis->log) {
		if (!(high > low * 1.2)) { // one value: some room around it
			low /= 2;
			high *= 2;
		}
		logarithmic(s, low, high);
	} else {
		if (low > 0)
			low = 0;
		if (!(high > low))
			high = low + 1;
		linear(s, low, high);
	}
}

void plot_scale_thin(struct plot_scale *s, bool across)
{
	double free_from = -1e9;

	for (unsigned i = 0; i < s->n_ticks; i++) {
		double at = across ? plot_at(s, s->ticks[i].at) : -plot_at(s, s->ticks[i].at);
		double half = (across ? plot_text_width(s->ticks[i].text) + GAP : LINE) / 2;

		if (!s->ticks[i].label)
			continue;
		if (at - half < free_from)
			s->ticks[i].label = false;
		else
			free_from = at + half;
	}
}

double plot_at(const struct plot_scale *s, double v)
{
	double part;

	if (s->axis->log)
		part = v > 0 ? log(v / s->low) / log(s->high / s->low) : 0;
	else
		part = (v - s->low) / (s->high - s->low);
	part = fmin(fmax(part, 0), 1);
	return s->from + part * (s->to - s->from);
}
