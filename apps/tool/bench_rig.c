// SPDX-License-Identifier: BSD-3-Clause
// bench_rig.c - trials by function pktgen: who sends how much, and waiting for the end
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "apps/pktgen/pktgen.h"
#include "apps/tool/bench_host.h"
#include "apps/tool/bench_rig.h"
#include "apps/tool/util.h"

#define POOL_PARTS 256u // of histograms read at once: two of all ranges, and two small ones
#define LOOK_US	   1000u // between looks at a trial under way
#define LEARN	   16u	 // packets a stream, before the first trial of a frame size (RFC 2544, 23)

extern char **environ;

static void sleep_s(const struct rig *r, double s)
{
	for (; s > 0 && !atomic_load(&r->stop); s -= 0.05)
		usleep((useconds_t)(fmin(s, 0.05) * 1e6));
}

// --- who sends how much ---

static unsigned port_of(const struct rig *r, unsigned stream)
{
	return r->app->blob.streams[stream * r->copies].port;
}

// Every port that sends gets the same share of its line; of the load where a line is unknown.
static void share_by_port(struct rig *r)
{
	double sum[BLOB_PORTS_MAX] = {0}, share[BLOB_PORTS_MAX], all = 0;
	bool known = true;

	for (unsigned i = 0; i < r->streams; i++)
		sum[port_of(r, i)] += r->base[i];
	for (unsigned p = 0; p < r->app->ports; p++)
		known &= !sum[p] || pktgen_line_bps(r->app, p);
	for (unsigned p = 0; p < r->app->ports; p++) {
		share[p] = !sum[p] ? 0 : known ? (double)pktgen_line_bps(r->app, p) : 1;
		all += share[p];
	}
	for (unsigned i = 0; i < r->streams; i++)
		r->weight[i] = r->base[i] *= share[port_of(r, i)] / all / sum[port_of(r, i)];
}

static void name_ip(struct rig *r)
{
	bool four = false, six = false;

	for (unsigned i = 0; i < r->streams; i++) {
		four |= r->weight[i] > 0 && r->family[i] != 6;
		six |= r->weight[i] > 0 && r->family[i] == 6;
	}
	r->ip = four && six ? "mix" : six ? "6" : "4";
}

int rig_start(struct rig *r, struct app *app, struct err *err)
{
	r->app = app;
	r->rate = calloc(app->blob.n_streams, sizeof(*r->rate));
	r->pool = hdr_pool_create(POOL_PARTS);
	if (!r->rate || !r->pool)
		return err_set(err, -ENOMEM, "no memory for the figures of trials");
	share_by_port(r);
	name_ip(r);
	return 0;
}

void rig_free(struct rig *r)
{
	if (r->pool)
		hdr_pool_destroy(r->pool);
	free(r->rate);
	free(r->base);
	free(r->weight);
	free(r->family);
}

// --- orders ---

static unsigned size_index(const struct rig *r, uint16_t size)
{
	unsigned k = 0;

	while (r->plan->size[k] != size)
		k++;
	return k;
}

// Rates of all streams: pps shared out among those of copy k.
static unsigned set_rates(struct rig *r, unsigned k, double pps, bool top)
{
	unsigned sending = 0;

	for (unsigned i = 0; i < r->streams; i++) {
		double rate = pps * r->weight[i] * 1000;

		if (r->weight[i] <= 0)
			continue;
		r->rate[i * r->copies + k] = top ? UINT64_MAX : rate < 1 ? 1 : (uint64_t)(rate + 0.5);
		sending++;
	}
	return sending;
}

// Whether all that send do so alike: then a burst is a count of each.
static bool alike(const struct rig *r)
{
	double first = 0;

	for (unsigned i = 0; i < r->streams; i++) {
		if (r->weight[i] > 0 && !first)
			first = r->weight[i];
		if (r->weight[i] > 0 && fabs(r->weight[i] - first) > first * 1e-9)
			return false;
	}
	return true;
}

static struct pktgen_order order_of(struct rig *r, const struct bench_order *o)
{
	struct pktgen_order p = {.rate = r->rate, .drain_ns = (uint64_t)(o->settle_s * 1e9), .learn = o->top ? LEARN : 0};
	unsigned sending;

	memset(r->rate, 0, r->app->blob.n_streams * sizeof(*r->rate));
	sending = set_rates(r, size_index(r, o->size), o->pps, o->top);
	if (o->count && alike(r)) {
		p.count = (o->count + sending / 2) / sending;
		p.count = p.count ? p.count : 1;
		p.duration_ns = 3600 * NSEC_PER_SEC; // the count ends it
	} else {
		p.duration_ns = (uint64_t)((o->count ? (double)o->count / o->pps : o->duration_s) * 1e9);
	}
	return p;
}

// --- a trial ---

struct timeline {
	struct bench_sample *list;
	size_t n, room;
};

static void sample(const struct rig *r, struct timeline *line)
{
	struct bench_sample s = {.received = pktgen_received(r->app), .sent = pktgen_sent(r->app)};

	s.t = (double)pktgen_elapsed_ns(r->app) / 1e9;
	if (s.sent < s.received)
		s.sent = s.received;
	line->list = array_add(line->list, &line->n, &line->room, sizeof(s));
	line->list[line->n - 1] = s;
}

static bool ended(const struct rig *r, struct err *err)
{
	if (!atomic_load(&r->stop) && !atomic_load(&r->app->over))
		return false;
	err_set(err, -EINTR, "stopped");
	return true;
}

// What the host does before time 0 is no matter: before, if any, is taken again then.
static int wait_for(struct rig *r, struct timeline *line, struct host_look *before, struct err *err)
{
	while (pktgen_phase(r->app) != PKTGEN_DONE) {
		usleep(LOOK_US);
		if (ended(r, err)) {
			pktgen_stop(r->app);
			return -EINTR;
		}
		if (before && pktgen_phase(r->app) >= PKTGEN_SENDING) {
			host_look(before, r->app, r->device);
			before = NULL;
		}
		if (line && pktgen_phase(r->app) >= PKTGEN_SENDING)
			sample(r, line);
	}
	return pktgen_error(r->app, err);
}

static int begin(struct rig *r, const struct pktgen_order *p, struct host_look *before, struct err *err)
{
	if (r->tried)
		sleep_s(r, r->plan->pause_s);
	r->tried = true;
	if (ended(r, err))
		return -EINTR;
	host_look(before, r->app, r->device);
	return pktgen_begin(r->app, p, err);
}

static void finish(const struct rig *r, const struct host_look *before, struct bench_trial *t)
{
	struct host_look after;

	host_look(&after, r->app, r->device);
	host_noise(&t->noise, before, &after);
	rig_read(r, t);
}

int rig_trial(void *rig, const struct bench_order *order, struct bench_trial *t, struct err *err)
{
	struct rig *r = rig;
	struct pktgen_order p = order_of(r, order);
	struct host_look before;
	int rc = begin(r, &p, &before, err);

	if (!rc)
		rc = wait_for(r, NULL, &before, err);
	if (!rc)
		finish(r, &before, t);
	return rc;
}

// Overload by the streams of the size, then by those that begin recovery_s later.
static int rig_recover(void *rig, const struct bench_order *order, double then, struct bench_trial *t, double *seconds,
		       struct err *err)
{
	struct rig *r = rig;
	struct pktgen_order p = order_of(r, order);
	struct timeline line = {0};
	struct host_look before;
	size_t first = 0;
	int rc;

	p.duration_ns = 0; // as the streams say
	set_rates(r, r->plan->sizes + size_index(r, order->size), then, false);
	rc = begin(r, &p, &before, err);
	if (!rc)
		rc = wait_for(r, &line, &before, err);
	if (!rc) {
		sample(r, &line);
		while (first + 1 < line.n && line.list[first].t < r->plan->recovery_s)
			first++;
		*seconds = bench_recovery_s(line.list + first, line.n - first, (uint64_t)(then / 1000) + 1);
		finish(r, &before, t);
	}
	free(line.list);
	return rc;
}

// --- reset ---

static int run_command(const char *command, pid_t *pid, struct err *err)
{
	char *argv[] = {"sh", "-c", (char *)command, NULL};
	posix_spawn_file_actions_t files;
	int rc;

	// Its output is not ours.
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
	rc = posix_spawnp(pid, "sh", &files, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	return rc ? err_set(err, -rc, "--reset-command: cannot be run: %s", strerror(rc)) : 0;
}

// Until frames have come again for half a second after a silence.
static bool back(const struct timeline *line, double begun)
{
	const struct bench_sample *last = &line->list[line->n - 1];
	size_t i = line->n;

	if (last->t < begun + 1)
		return false;
	while (i-- > 1 && last->t - line->list[i].t < 0.5)
		if (line->list[i].received == line->list[i - 1].received && line->list[i].t - line->list[i - 1].t > 0.01)
			return false;
	return bench_gap_s(line->list, line->n) > 0.02;
}

static int reset_and_wait(struct rig *r, const char *command, struct timeline *line, struct err *err)
{
	pid_t pid = 0;
	int status = 0, rc = 0;
	double begun = 0;

	while (!rc && pktgen_phase(r->app) != PKTGEN_DONE) {
		usleep(LOOK_US);
		if (ended(r, err))
			rc = -EINTR;
		if (rc || pktgen_phase(r->app) < PKTGEN_SENDING)
			continue;
		sample(r, line);
		if (!pid && line->list[line->n - 1].t > 1) {
			begun = line->list[line->n - 1].t;
			rc = run_command(command, &pid, err);
		} else if (pid > 0 && waitpid(pid, &status, WNOHANG) == pid) {
			pid = -1;
			if (!WIFEXITED(status) || WEXITSTATUS(status))
				rc = err_set(err, -ECANCELED, "--reset-command: it failed (status %d)",
					     WIFEXITED(status) ? WEXITSTATUS(status) : -1);
		} else if (pid && back(line, begun)) {
			break;
		}
	}
	if (pid > 0 && waitpid(pid, &status, WNOHANG) == 0)
		waitpid(pid, &status, 0);
	pktgen_stop(r->app);
	return rc;
}

static int rig_reset(void *rig, const struct bench_order *order, const char *command, struct bench_trial *t,
		     double *seconds, struct err *err)
{
	struct rig *r = rig;
	struct pktgen_order p = order_of(r, order);
	struct timeline line = {0};
	struct host_look before;
	int rc = begin(r, &p, &before, err);

	if (!rc)
		rc = reset_and_wait(r, command, &line, err);
	if (!rc)
		rc = wait_for(r, NULL, NULL, err);
	if (!rc) {
		*seconds = bench_gap_s(line.list, line.n);
		finish(r, &before, t);
		if (*seconds == 0)
			rc = err_set(err, -EAGAIN, "frames came all the time, or never again, after --reset-command");
	}
	free(line.list);
	return rc;
}

// --- what it is ---

static double rig_line_pps(void *rig, uint16_t size)
{
	struct rig *r = rig;
	bool sends[BLOB_PORTS_MAX] = {false};
	double sum = 0;

	for (unsigned i = 0; i < r->streams; i++)
		sends[port_of(r, i)] |= r->weight[i] > 0;
	for (unsigned p = 0; p < r->app->ports; p++) {
		if (!sends[p])
			continue;
		if (!pktgen_line_bps(r->app, p))
			return 0;
		sum += (double)pktgen_line_bps(r->app, p) / ((size + 20) * 8);
	}
	return sum;
}

static const char *rig_ip(void *rig)
{
	return ((struct rig *)rig)->ip;
}

// So much of the load is IPv6.
static int rig_mix(void *rig, unsigned percent, struct err *err)
{
	struct rig *r = rig;
	double six = 0, four = 0;

	for (unsigned i = 0; i < r->streams; i++)
		*(r->family[i] == 6 ? &six : &four) += r->base[i];
	if ((percent && six <= 0) || (percent < 100 && four <= 0))
		return err_set(err, -EINVAL, "--mix %u: expected streams of %s", percent, six > 0 ? "IPv4" : "IPv6");
	for (unsigned i = 0; i < r->streams; i++)
		r->weight[i] = r->base[i] * (r->family[i] == 6 ? percent / 100.0 / six : (1 - percent / 100.0) / four);
	name_ip(r);
	return 0;
}

const struct bench_rig rig_bench = {.line_pps = rig_line_pps,
				    .ip = rig_ip,
				    .mix = rig_mix,
				    .recover = rig_recover,
				    .reset = rig_reset};
