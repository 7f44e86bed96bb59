// SPDX-License-Identifier: BSD-3-Clause
// patch.c - function patch: what comes in by one port leaves by another, untouched
//
// The graph has no node of its own: a port's packets enter at the transmit node of its peer. A port
// that plays a capture is read no faster than its peer sends, so playing out loses nothing.
#include "apps/app.h"

static int patch_build(struct app_lcore *l, struct err *err)
{
	const struct app *app = l->app;
	uint32_t i;

	for (i = 0; i < app->blob.n_patches; i++) {
		const struct blob_patch *p = &app->blob.patches[i];

		l->rx[p->from] = l->tx[p->to];
		if (app->port[p->from].pmd->next_time)
			l->pace[p->from] = l->tx[p->to];
	}
	return 0;
}

const struct function patch_function = {
	.name = "patch",
	.build = patch_build,
};
