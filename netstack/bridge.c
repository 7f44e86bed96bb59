// SPDX-License-Identifier: BSD-3-Clause
// bridge.c - what all lcores know of a bridge
#include "netstack/bridge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define AGE_DEFAULT  300u // 802.1D, table 7-5
#define MACS_DEFAULT 4096u

struct bridge *bridge_create(uint16_t iface, const uint16_t *member, unsigned n,
			     const struct bridge_conf *conf, struct err *err)
{
	struct bridge *b = aligned_alloc(CACHE_LINE, sizeof(*b));

	if (!b) {
		err_set(err, -ENOMEM, "no memory for a bridge");
		return NULL;
	}
	memset(b, 0, sizeof(*b));
	b->iface = iface;
	b->routed = conf->routed;
	b->n = n;
	memcpy(b->member, member, n * sizeof(*member));
	if (mac_table_init(&b->macs, conf->macs ? conf->macs : MACS_DEFAULT,
			   conf->age ? conf->age : AGE_DEFAULT, err)) {
		free(b);
		return NULL;
	}
	return b;
}

void bridge_free(struct bridge *b)
{
	if (b)
		mac_table_fini(&b->macs);
	free(b);
}

void bridge_counts(const struct bridge *b, struct bridge_count *sum)
{
	*sum = (struct bridge_count){0};
	for (unsigned l = 0; l < IFACE_LCORES; l++) {
		sum->flooded += b->count[l].flooded;
		sum->copied += b->count[l].copied;
		sum->no_buffer += b->count[l].no_buffer;
		sum->unlearnt += b->count[l].unlearnt;
		sum->moved += b->count[l].moved;
	}
}
