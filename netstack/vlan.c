// SPDX-License-Identifier: BSD-3-Clause
// vlan.c - which interface a tagged frame belongs to
#include "netstack/vlan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int enter(uint16_t *table, uint16_t vid, uint16_t to)
{
	if (table[vid] != IFACE_NONE)
		return -EEXIST;
	table[vid] = to;
	return 0;
}

int vlan_map_add(struct vlan_map **map, const uint16_t *vid, unsigned n, uint16_t to)
{
	struct vlan_map *m = *map;

	if (!m) {
		m = calloc(1, sizeof(*m));
		if (!m)
			return -ENOMEM;
		memset(m->c, 0xff, sizeof(m->c)); // IFACE_NONE
		*map = m;
	}
	if (n == 1)
		return enter(m->c, vid[0], to);
	if (!m->s[vid[0]]) {
		m->s[vid[0]] = malloc(sizeof(m->c));
		if (!m->s[vid[0]])
			return -ENOMEM;
		memset(m->s[vid[0]], 0xff, sizeof(m->c));
	}
	return enter(m->s[vid[0]], vid[1], to);
}

void vlan_map_free(struct vlan_map *map)
{
	for (unsigned s = 0; map && s < VLAN_VIDS; s++)
		free(map->s[s]);
	free(map);
}
