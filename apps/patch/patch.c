// SPDX-License-Identifier: BSD-3-Clause
// patch.c - function patch: what comes in by one port leaves by another, untouched
//
// The graph has no node of its own: a port's packets enter at the transmit node of its peer. A port
// that plays a capture is read no faster than its peer sends, so playing out loses nothing.
#include "apps/app.h"

static int patch_build(struct app *app, struct err *err)
{
	uint32_t i;

	for (i = 0; i < app->blob.n_patches; i++) {
		const struct blob_patch *p = &app->blob.patches[i];

		app->rx[p->from] = app->tx[p->to];
		if (app->port[p->from].pmd->next_time)
			app->pace[p->from] = app->tx[p->to];
	}
	return 0;
}

const struct function patch_function = {
	.name = "patch",
	.build = patch_build,
};
