// SPDX-License-Identifier: BSD-3-Clause
// verdict_priv.h - between verdict_fields.c, verdict_dissect.c and verdict_diff.c alone
#ifndef WEIR_APPS_TOOL_VERDICT_PRIV_H
#define WEIR_APPS_TOOL_VERDICT_PRIV_H

#include "apps/tool/verdict_fields.h"

enum vkind { // how a value is written; those before VK_IP6 are numbers of up to 56 bits
	VK_DEC, VK_HEX, VK_WORDS /* of 4 bytes */, VK_EIGHTS, VK_MAC, VK_IP4,
	VK_IP6, VK_BYTES,
};

struct vfield_kind {
	const char *name;
	uint8_t kind;
	uint8_t weight; // for being known again and for likeness; 0: not part of the identity
	uint8_t flow;   // part of vframe_flow()
};

extern const struct vfield_kind vfield_kinds[VF_IDS];

// Of a number (bits 1 to 56): its value.
uint64_t vfield_value(const struct vframe *f, const struct vfield *v);
bool vfield_is_number(const struct vfield *v);

#endif
