// SPDX-License-Identifier: BSD-3-Clause
// qemu_run.c - run QEMU as a child
#include "apps/tool/qemu_run.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MS 10000
#define AGAIN_MS  1000 // a second ^C so long after the first means it; `timeout` sends two at once
#define ASK_MS    250 // an image that is still starting loses what was said before
#define LINE_MAX_ 1024

struct guest {
	pid_t pid;
	int in, out; // pipes to QEMU's stdin and from its stdout
	FILE *console;
	struct qemu_result *result;
	uint64_t start;                    // us
	uint64_t stop_at, kill_at, ask_at; // us
	uint64_t again_at;                 // from when on ^C ends QEMU
	char line[LINE_MAX_];
	size_t len;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	interrupted = 1;
}

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

// One console line: a figure, or something to show.
static void take_line(struct guest *s)
{
	char name[FIGURE_NAME_MAX];
	uint64_t value;

	s->line[s->len] = 0;
	s->len = strcspn(s->line, "\r");
	s->line[s->len] = 0;
	if (sscanf(s->line, CONSOLE_FIGURE "%95s %" SCNu64, name, &value) == 2) {
		figures_add(&s->result->figures, name, value);
	} else {
		fprintf(s->console, "%s\n", s->line);
		fflush(s->console);
	}
	if (!strncmp(s->line, CONSOLE_READY, strlen(CONSOLE_READY)))
		s->result->ready_us = now_us() - s->start;
	s->len = 0;
}

static void take_bytes(struct guest *s, const char *p, size_t n)
{
	for (; n; p++, n--) {
		if (*p == '\n' || s->len == sizeof(s->line) - 1)
			take_line(s);
		if (*p != '\n')
			s->line[s->len++] = *p;
	}
}

// Asks the image to stop, again and again until QEMU ends or kill_at has come.
static void ask_to_stop(struct guest *s, uint64_t now)
{
	static const char ask = CONSOLE_STOP;

	if (!s->kill_at) {
		s->kill_at = now + ANSWER_MS * 1000;
		s->again_at = now + AGAIN_MS * 1000;
	}
	if (now < s->ask_at)
		return;
	s->ask_at = now + ASK_MS * 1000;
	// A full or closed pipe means that QEMU is stuck or gone: kill_at settles both.
	if (write(s->in, &ask, 1) != 1)
		return;
}

static int spawn(struct guest *s, const struct args *args, struct err *err)
{
	int in[2], out[2];

	if (pipe(in) < 0)
		return err_set(err, -errno, "pipe: %s", strerror(errno));
	if (pipe(out) < 0) {
		close(in[0]);
		close(in[1]);
		return err_set(err, -errno, "pipe: %s", strerror(errno));
	}
	s->pid = fork();
	if (!s->pid) {
		// Out of the terminal's reach: ^C is for us, and we ask the image first.
		setsid();
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGPIPE, SIG_DFL);
		dup2(in[0], 0);
		dup2(out[1], 1);
		close(in[0]);
		close(in[1]);
		close(out[0]);
		close(out[1]);
		execvp(args->v[0], args->v);
		fprintf(stderr, "weir: %s: %s: install qemu-system-x86\n", args->v[0],
			strerror(errno));
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	s->in = in[1];
	s->out = out[0];
	if (s->pid < 0)
		return err_set(err, -errno, "fork: %s", strerror(errno));
	return 0;
}

static void pump(struct guest *s)
{
	struct pollfd p = {.fd = s->out, .events = POLLIN};
	char buf[4096];
	ssize_t n;

	for (;;) {
		uint64_t now = now_us();

		if (interrupted) {
			interrupted = 0;
			s->stop_at = now;
			if (s->again_at && now >= s->again_at)
				s->kill_at = now;
		}
		if (s->stop_at && now >= s->stop_at)
			ask_to_stop(s, now);
		if (s->kill_at && now >= s->kill_at) {
			s->result->killed = true;
			return;
		}
		if (poll(&p, 1, 50) <= 0)
			continue;
		n = read(s->out, buf, sizeof(buf));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		take_bytes(s, buf, (size_t)n);
	}
}

int qemu_run(const struct args *args, unsigned duration, FILE *console, struct qemu_result *result,
	     struct err *err)
{
	struct sigaction act = {.sa_handler = on_signal};
	struct guest s = {.console = console, .result = result};
	int rc;

	memset(result, 0, sizeof(*result));
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	signal(SIGPIPE, SIG_IGN);
	s.start = now_us();
	if (duration)
		s.stop_at = s.start + (uint64_t)duration * 1000000;
	rc = spawn(&s, args, err);
	if (rc)
		return rc;
	pump(&s);
	if (s.len)
		take_line(&s);
	if (result->killed)
		kill(s.pid, SIGKILL);
	while (waitpid(s.pid, &result->status, 0) < 0 && errno == EINTR)
		;
	close(s.in);
	close(s.out);
	return 0;
}
