// SPDX-License-Identifier: BSD-3-Clause
// limits.c - whether what a configuration asks for is within bounds
#include "netstack/limits.h"

#include <errno.h>

// Nodes make packets of one buffer, which holds at least an Ethernet header and such a packet.
#define DATA_ROOM_MIN 128u

int limits_check(const struct limits *l, struct err *err)
{
	if (l->neighbors > 1u << 24)
		return err_set(err, -EINVAL, "%llu neighbors: at most %u",
			       (unsigned long long)l->neighbors, 1u << 24);
	if (l->hold > UINT16_MAX)
		return err_set(err, -EINVAL, "%u packets held a neighbor: at most %u", l->hold,
			       UINT16_MAX);
	if (l->pool->data_room < DATA_ROOM_MIN)
		return err_set(err, -EINVAL, "buffers of %u bytes: a router needs %u",
			       l->pool->data_room, DATA_ROOM_MIN);
	if (l->rate > NSEC_PER_SEC)
		return err_set(err, -EINVAL, "%u %s reports a second: at most 10^9", l->rate,
			       l->reports);
	return 0;
}
