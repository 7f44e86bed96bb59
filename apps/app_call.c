// SPDX-License-Identifier: BSD-3-Clause
// app_call.c - have something done on every lcore between two turns
//
// A short queue that all lcores go through in order, each at its own pace: lcore 0 adds, every other
// lcore has a count of how far it is.
#include <stdatomic.h>

#include "apps/app.h"
#include "core/plat.h"

// Whether lcore l is past the call numbered n (from 0), or need not come there any more.
static bool past(const struct app_lcore *l, unsigned n)
{
	return atomic_load_explicit(&l->left, memory_order_acquire) ||
	       (int)(atomic_load_explicit(&l->called, memory_order_acquire) - n) > 0;
}

bool app_called(const struct app *app, unsigned ticket)
{
	for (unsigned k = 1; k < app->lcores; k++)
		if (!past(&app->lcore[k], ticket))
			return false;
	return true;
}

bool app_call(struct app *app, app_call_fn fn, void *arg, unsigned *ticket)
{
	unsigned n = atomic_load_explicit(&app->calls, memory_order_relaxed);

	if (!app_called(app, n - APP_CALLS)) // the slot's last call is still under way
		return false;
	app->call[n % APP_CALLS] = (struct app_call){fn, arg};
	atomic_store_explicit(&app->calls, n + 1, memory_order_release);
	for (unsigned k = 1; k < app->lcores; k++)
		plat_wake(k);
	fn(&app->lcore[0], arg);
	*ticket = n;
	return true;
}

void app_answer_calls(struct app_lcore *l)
{
	unsigned calls = atomic_load_explicit(&l->app->calls, memory_order_acquire);
	unsigned n = atomic_load_explicit(&l->called, memory_order_relaxed);

	while (unlikely(n != calls)) {
		const struct app_call *c = &l->app->call[n % APP_CALLS];

		c->fn(l, c->arg);
		atomic_store_explicit(&l->called, ++n, memory_order_release);
	}
}
