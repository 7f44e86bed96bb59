// SPDX-License-Identifier: BSD-3-Clause
// vlan.h - which interface a tagged frame belongs to: two table reads, no search
//
// A port or group that has VLANs has a map: of C-VLANs and of S-VLANs, and for each S-VLAN in use
// one of the C-VLANs inside. Made by the control path, for good; then read by all lcores.
#ifndef WEIR_NETSTACK_VLAN_H
#define WEIR_NETSTACK_VLAN_H

#include <stdint.h>

#include "core/err.h"
#include "netstack/iface.h"

#define VLAN_VIDS     4096u
#define VLAN_VID(tci) ((tci)&0xfffu)

struct vlan_map {
	uint16_t c[VLAN_VIDS];	// interface, or IFACE_NONE
	uint16_t *s[VLAN_VIDS]; // its C-VLANs as c; NULL: none
};

// Enters interface `to` under its tags; the map is made when *map is NULL. 0, -ENOMEM, or -EEXIST.
int vlan_map_add(struct vlan_map **map, const uint16_t *vid, unsigned n, uint16_t to);
void vlan_map_free(struct vlan_map *map); // may be NULL

// The interface under one tag, or two; or IFACE_NONE. VLANs are below VLAN_VIDS.
static inline uint16_t vlan_find1(const struct vlan_map *map, uint16_t c)
{
	return map->c[c];
}

static inline uint16_t vlan_find2(const struct vlan_map *map, uint16_t s, uint16_t c)
{
	return map->s[s] ? map->s[s][c] : IFACE_NONE;
}

#endif
