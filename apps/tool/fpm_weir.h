// SPDX-License-Identifier: BSD-3-Clause
// fpm_weir.h - FRR's routes as Weir takes them, and the control channel they go by
//
// A gateway belongs to the interface of Weir's whose network it is in: Weir's connected routes say
// so. Numbers of the FRR host's interfaces mean nothing there; only for link-local gateways, which
// every interface may have, the host's name (or --interface) says which one.
#ifndef WEIR_APPS_TOOL_FPM_WEIR_H
#define WEIR_APPS_TOOL_FPM_WEIR_H

#include "apps/tool/ctl_client.h"
#include "apps/tool/fpm_table.h"

#define FPM_NAMES_MAX 64u

struct fpm_named { // --vrf TABLE=NAME, --interface NUMBER=NAME
	uint32_t number;
	const char *name;
};

struct fpm_net { // a network that Weir is on
	uint8_t family, plen;
	uint16_t vrf, iface;
	uint8_t prefix[16];
};

struct fpm_weir {
	const char *endpoint;
	struct fpm_named vrf[FPM_NAMES_MAX], iface[FPM_NAMES_MAX];
	unsigned vrfs, ifaces;
	struct ctl_client *c; // NULL: not connected
	uint32_t session;     // one more each time it is
	struct fpm_net *net;
	size_t nets, net_room;
	struct ctl_feed_totals before; // of connections that are over
	uint64_t cut;	   // paths left out: beyond CTL_PATHS_MAX, or on no network of Weir's
	char refused[256]; // the first refusal of this connection
};

// Connects, reads what Weir has, and queues in t what it must be told. 0 or -errno.
int fpm_weir_connect(struct fpm_weir *w, struct fpm_table *t, struct err *err);
void fpm_weir_close(struct fpm_weir *w);
void fpm_weir_free(struct fpm_weir *w);

// Tells Weir all changes of t. With an error the connection is over and all is to be done again.
int fpm_weir_flush(struct fpm_weir *w, struct fpm_table *t, struct err *err);

struct ctl_feed_totals fpm_weir_totals(const struct fpm_weir *w);

// Whether the table stands for a VRF: fpm_table's table_known.
bool fpm_weir_table_known(void *arg, uint32_t table);

#endif
