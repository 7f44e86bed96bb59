// SPDX-License-Identifier: BSD-3-Clause
// pktgen_view.c - the live view of weir pktgen: one screen from 80x24 on, by ncurses
//
// The terminal is given back as it was at every end but SIGKILL: by view_close(), by exit() (atexit), and by a signal
// that ends the process, whose handler writes what terminfo says ends a full-screen program.
#include <curses.h>
#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#include "apps/tool/pktgen.h"

#define HISTORY 512u
#define RED	1 // a pair of colours

static struct view {
	SCREEN *screen;
	struct termios as_it_was;
	char restore[128]; // terminfo's: leave the alternate screen, show the cursor, plain letters
	volatile sig_atomic_t open;
	bool utf8;
	double sent[HISTORY], received[HISTORY], p99[HISTORY]; // of the intervals
	unsigned n;
	uint64_t seen_ns;
} view;

// --- opening and closing ---

static void give_back(void)
{
	ssize_t ignored = write(STDOUT_FILENO, view.restore, strlen(view.restore));

	(void)ignored;
	tcsetattr(STDIN_FILENO, TCSANOW, &view.as_it_was);
}

// The signal's own effect follows: its handler is gone, and it is raised again.
static void on_death(int sig)
{
	if (view.open)
		give_back();
	view.open = 0;
	raise(sig);
}

void view_close(void)
{
	if (!view.open)
		return;
	view.open = 0;
	endwin();
	delscreen(view.screen);
	tcsetattr(STDIN_FILENO, TCSANOW, &view.as_it_was);
}

static void remember(const char *capability)
{
	const char *s = tigetstr(capability);

	if (s && s != (const char *)-1 && strlen(view.restore) + strlen(s) < sizeof(view.restore))
		strcat(view.restore, s);
}

static void catch_signals(void)
{
	static const int deadly[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGHUP, SIGQUIT, SIGPIPE, SIGALRM};
	struct sigaction act = {.sa_handler = on_death, .sa_flags = SA_RESETHAND | SA_NODEFER};

	for (unsigned i = 0; i < sizeof(deadly) / sizeof(*deadly); i++)
		sigaction(deadly[i], &act, NULL);
}

bool view_open(void)
{
	const char *term = getenv("TERM");

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || !term || !*term || !strcmp(term, "dumb") ||
	    tcgetattr(STDIN_FILENO, &view.as_it_was))
		return false;
	setlocale(LC_CTYPE, "");
	view.utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	view.screen = newterm(NULL, stdout, stdin);
	if (!view.screen)
		return false;
	remember("sgr0");
	remember("cnorm");
	remember("rmcup");
	view.open = 1;
	atexit(view_close);
	catch_signals();
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	curs_set(0);
	if (has_colors()) {
		start_color();
		use_default_colors();
		init_pair(RED, COLOR_RED, -1);
	}
	return true;
}

// --- pieces ---

// Cut at the right edge; the last column of the last line is never written, so that nothing scrolls.
static void put(int y, int x, const char *text)
{
	if (y < LINES && x < COLS)
		mvaddnstr(y, x, text, COLS - x - (y == LINES - 1));
}

static void put_right(int y, int x, int width, const char *text)
{
	int len = (int)strlen(text);

	put(y, x + (len < width ? width - len : 0), text);
}

static void head(int y, const char *text)
{
	attron(A_REVERSE);
	mvhline(y, 0, ' ', COLS);
	put(y, 0, text);
	attroff(A_REVERSE);
}

static void label(int y, int x, const char *text)
{
	attron(A_BOLD);
	put(y, x, text);
	attroff(A_BOLD);
}

// One letter a value, the highest of those shown being full.
static void sparkline(int y, int x, const double *value, unsigned n, int width)
{
	static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	static const char *const ascii[] = {" ", ".", ":", "-", "=", "+", "*", "#", "@"};
	unsigned shown = n < (unsigned)width ? n : (unsigned)width;
	double top = 0;

	for (unsigned i = n - shown; i < n; i++)
		if (value[i] > top)
			top = value[i];
	for (unsigned i = n - shown; i < n; i++, x++) {
		unsigned level = top > 0 && value[i] > 0 ? 1 + (unsigned)(value[i] / top * 7 + 0.5) : 0;

		if (y < LINES && x < COLS - 1)
			mvaddstr(y, x, view.utf8 ? blocks[level] : ascii[level]);
	}
}

// --- the parts of the screen ---

static const char *phase_text(const struct observer *o)
{
	switch (o->now->phase) {
	case PKTGEN_RESOLVING:
		return "asking for next hops";
	case PKTGEN_SENDING:
		return atomic_load(&o->asked_to_stop) ? "stopping" : "sending";
	case PKTGEN_DRAINING:
		return "waiting for the last packets";
	case PKTGEN_DONE:
		return "done";
	default:
		return "starting";
	}
}

static void draw_title(const struct observer *o)
{
	const struct sample *s = o->now;
	char line[256], of[32] = "";
	uint64_t seconds = s->elapsed_ns / NSEC_PER_SEC;

	if (o->options->duration_ns)
		snprintf(of, sizeof(of), " of %.4g s", (double)o->options->duration_ns / 1e9);
	snprintf(line, sizeof(line), " weir pktgen  %.40s  %s  %" PRIu64 ":%02" PRIu64 "%s", o->options->title,
		 phase_text(o), seconds / 60, seconds % 60, of);
	head(0, line);
	attron(A_REVERSE);
	if ((int)strlen(line) + 10 < COLS)
		put(0, COLS - 9, "q: stop ");
	attroff(A_REVERSE);
}

static void draw_rate(int y, const char *what, double sent, double received, double asked)
{
	char buf[TEXT_MAX];

	label(y, 1, what);
	put_right(y, 12, 13, text_short(buf, sent));
	put_right(y, 27, 13, text_short(buf, received));
	if (asked > 0)
		put_right(y, 42, 13, text_short(buf, asked));
}

static void draw_rates(const struct observer *o)
{
	const struct sample *n = o->now, *b = o->before;
	uint64_t now = n->elapsed_ns, then = b ? b->elapsed_ns : 0;
	const struct row *t = &n->total;
	struct row none = {0};
	const struct row *f = b ? &b->total : &none;
	double sent = per_second(t->sent.packets, f->sent.packets, now, then);
	double got = per_second(t->received, f->received, now, then);
	double due = per_second(t->sent.due, f->sent.due, now, then);
	double sent_bytes = per_second(t->sent.bytes, f->sent.bytes, now, then);
	double got_bytes = per_second(t->received_bytes, f->received_bytes, now, then);
	char buf[TEXT_MAX];

	label(2, 17, "sent    ");
	label(2, 32, "received");
	label(2, 50, "asked");
	label(2, 61, "lost");
	label(2, 72, "loss %");
	draw_rate(3, "packets/s", sent, got, due);
	draw_rate(4, "L1 bit/s", 8 * (sent_bytes + 24 * sent), 8 * (got_bytes + 24 * got), 0);
	draw_rate(5, "L2 bit/s", 8 * (sent_bytes + 4 * sent), 8 * (got_bytes + 4 * got), 0);
	label(6, 1, "packets");
	put_right(6, 12, 13, text_fit(buf, t->sent.packets, 13));
	put_right(6, 27, 13, text_fit(buf, t->received, 13));
	put_right(6, 42, 13, text_fit(buf, t->sent.due, 13));
	attrset(t->received && t->lost ? A_BOLD | COLOR_PAIR(RED) : A_NORMAL);
	put_right(6, 56, 9, t->received ? text_fit(buf, t->lost, 9) : "-");
	put_right(6, 67, 11, t->received ? text_percent(buf, loss(t)) : "-");
	attrset(A_NORMAL);
}

static void draw_spread(int y, const char *what, const struct spread *l)
{
	const uint64_t v[] = {l->min, (uint64_t)l->mean, l->p50, l->p99, l->p99_9, l->p99_999, l->max};
	char buf[TEXT_MAX];

	label(y, 1, what);
	for (int i = 0; i < 7; i++)
		put_right(y, 14 + 9 * i, 9, l->count ? text_us(buf, v[i]) : "-");
}

static void draw_latency(const struct observer *o)
{
	static const char *const names[] = {"min", "mean", "p50", "p99", "p99.9", "p99.999", "max"};

	label(8, 1, "latency, us");
	for (int i = 0; i < 7; i++) {
		attron(A_BOLD);
		put_right(8, 14 + 9 * i, 9, names[i]);
		attroff(A_BOLD);
	}
	draw_spread(9, "just now", &o->latency);
	draw_spread(10, "since begin", &o->now->total.latency);
	label(11, 1, "p99 lately");
	sparkline(11, 14, view.p99, view.n, COLS - 16);
	label(12, 1, "received/s");
	sparkline(12, 14, view.received, view.n, COLS - 16);
}

static void draw_troubles(const struct observer *o)
{
	const struct sample *s = o->now;
	const struct row *t = &s->total;
	const uint64_t *g = s->pace.gap;
	uint64_t all = g[0] + g[1] + g[2] + g[3], foreign = 0;
	char line[256], a[TEXT_MAX], b[TEXT_MAX], c[TEXT_MAX], d[TEXT_MAX], e[TEXT_MAX];

	for (unsigned p = 0; p < o->app->ports; p++)
		foreign += s->port[p].foreign.foreign;
	snprintf(line, sizeof(line), "duplicates %s  reordered %s  late %s  corrupt %s  foreign %s",
		 text_short(a, (double)t->duplicate), text_short(b, (double)t->reordered), text_short(c, (double)t->late),
		 text_short(d, (double)t->corrupt), text_short(e, (double)foreign));
	put(14, 1, line);
	snprintf(line, sizeof(line), "jitter %s  as paced %s %%  latest %s late  port full %s  no buffer %s",
		 text_time(a, t->jitter_ns), text_percent(b, all ? (double)g[2] / (double)all : 0),
		 text_time(c, s->pace.late_ns_max), text_short(d, (double)s->pace.blocked),
		 text_short(e, (double)s->pace.nombuf));
	put(15, 1, line);
	snprintf(line, sizeof(line), "host noise: %" PRIu64 " gaps, %s lost, %s the longest; waited for a CPU %s",
		 s->noise.gaps, text_time(a, s->noise.lost_us * 1000), text_time(b, s->noise.worst_us * 1000),
		 text_time(c, s->noise.run_delay_us * 1000));
	put(16, 1, line);
}

static void draw_stream(int y, const struct observer *o, uint32_t i, const struct row *r)
{
	const struct blob *b = &o->app->blob;
	char name[15], buf[TEXT_MAX];

	snprintf(name, sizeof(name), "%s", blob_str(b, b->streams[i].name));
	put(y, 1, name);
	snprintf(name, sizeof(name), "%.6s", o->app->port[b->streams[i].port].name);
	put(y, 16, name);
	put_right(y, 22, 12, text_fit(buf, r->sent.packets, 12));
	put_right(y, 35, 12, text_fit(buf, r->received, 12));
	put_right(y, 48, 8, r->received ? text_percent(buf, loss(r)) : "-");
	put_right(y, 56, 8, r->latency.count ? text_us(buf, r->latency.p50) : "-");
	put_right(y, 64, 8, r->latency.count ? text_us(buf, r->latency.p99) : "-");
	put_right(y, 72, 7, r->latency.count ? text_us(buf, r->latency.max) : "-");
}

#define STREAMS_Y 18

static void draw_streams(const struct observer *o)
{
	uint32_t n = o->app->blob.n_streams;
	char line[160], more[64] = "";

	if (n > (uint32_t)(LINES - STREAMS_Y - 1 > 0 ? LINES - STREAMS_Y - 1 : 0))
		snprintf(more, sizeof(more), " %u.. of %u, arrows", o->now->first + 1, n);
	snprintf(line, sizeof(line), " %-14.14s %-6s%12s %12s %8s%8s%8s%7s%s", "stream", "port", "sent", "received",
		 "loss %", "p50 us", "p99 us", "max us", COLS > 100 ? more : "");
	head(STREAMS_Y, line);
	for (uint32_t i = 0; i < o->now->rows && o->now->first + i < n; i++) {
		int y = STREAMS_Y + 1 + (int)i;

		if (y < LINES)
			draw_stream(y, o, o->now->first + i, &o->now->row[i]);
	}
	if (*more && COLS <= 100)
		put(17, COLS - (int)strlen(more) - 1, more);
}

// An interval's figures, once.
static void note(const struct observer *o)
{
	const struct sample *n = o->now, *b = o->before;

	if (n->elapsed_ns == view.seen_ns || !n->elapsed_ns)
		return;
	if (view.n == HISTORY) {
		memmove(view.p99, view.p99 + 1, (HISTORY - 1) * sizeof(*view.p99));
		memmove(view.received, view.received + 1, (HISTORY - 1) * sizeof(*view.received));
		view.n--;
	}
	view.p99[view.n] = (double)o->latency.p99;
	view.received[view.n++] = per_second(n->total.received, b ? b->total.received : 0, n->elapsed_ns, view.seen_ns);
	view.seen_ns = n->elapsed_ns;
}

void view_draw(const struct observer *o)
{
	if (!view.open)
		return;
	note(o);
	erase();
	draw_title(o);
	draw_rates(o);
	draw_latency(o);
	draw_troubles(o);
	draw_streams(o);
	refresh();
}

static void scroll_by(struct observer *o, int n)
{
	int64_t at = (int64_t)o->first + n, last = (int64_t)o->app->blob.n_streams - 1;

	o->first = (uint32_t)(at < 0 ? 0 : at > last ? last : at);
}

void view_keys(struct observer *o, unsigned ms)
{
	int page = LINES - STREAMS_Y - 1 > 1 ? LINES - STREAMS_Y - 1 : 1;

	timeout((int)ms);
	switch (getch()) {
	case 'q':
	case 'Q':
		if (atomic_exchange(&o->asked_to_stop, true))
			atomic_store(&o->asked_twice, true);
		break;
	case KEY_DOWN:
	case 'j':
		scroll_by(o, 1);
		break;
	case KEY_UP:
	case 'k':
		scroll_by(o, -1);
		break;
	case KEY_NPAGE:
	case ' ':
		scroll_by(o, page);
		break;
	case KEY_PPAGE:
		scroll_by(o, -page);
		break;
	case KEY_RESIZE:
		clear();
		view_draw(o);
		break;
	}
}
