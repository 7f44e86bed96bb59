// SPDX-License-Identifier: BSD-3-Clause
// vhost_user_spec.h - the vhost-user protocol: messages, features, layouts
//
// Source: QEMU docs/interop/vhost-user.rst; sections are named beside what they define. All numbers
// are in the machine's own byte order.
#ifndef WEIR_PMD_VIRTIO_VHOST_USER_SPEC_H
#define WEIR_PMD_VIRTIO_VHOST_USER_SPEC_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

enum vhost_user_request { // "Front-end message types"; those that are used
	VHOST_USER_GET_FEATURES = 1,
	VHOST_USER_SET_FEATURES = 2,
	VHOST_USER_SET_OWNER = 3,
	VHOST_USER_SET_MEM_TABLE = 5,
	VHOST_USER_SET_VRING_NUM = 8,
	VHOST_USER_SET_VRING_ADDR = 9,
	VHOST_USER_SET_VRING_BASE = 10,
	VHOST_USER_GET_VRING_BASE = 11,
	VHOST_USER_SET_VRING_KICK = 12,
	VHOST_USER_SET_VRING_CALL = 13,
	VHOST_USER_SET_VRING_ERR = 14,
	VHOST_USER_GET_PROTOCOL_FEATURES = 15,
	VHOST_USER_SET_PROTOCOL_FEATURES = 16,
	VHOST_USER_GET_QUEUE_NUM = 17,
	VHOST_USER_SET_VRING_ENABLE = 18,
	VHOST_USER_NET_SET_MTU = 20,
	VHOST_USER_SET_STATUS = 39,
};

// "Header": flags
#define VHOST_USER_VERSION	1u
#define VHOST_USER_VERSION_MASK 3u
#define VHOST_USER_REPLY	(1u << 2)
#define VHOST_USER_NEED_REPLY	(1u << 3)

// "Communication": in the feature bits of GET_FEATURES
#define VHOST_USER_F_PROTOCOL_FEATURES (1ull << 30)

// "Protocol features"
#define VHOST_USER_PROTOCOL_F_MQ	(1ull << 0)
#define VHOST_USER_PROTOCOL_F_REPLY_ACK (1ull << 3)
#define VHOST_USER_PROTOCOL_F_NET_MTU	(1ull << 4)
#define VHOST_USER_PROTOCOL_F_STATUS	(1ull << 16)

// SET_VRING_KICK and its kin: the ring's number
#define VHOST_USER_VRING_INDEX 0xffu
#define VHOST_USER_VRINGS_MAX  256u

struct vhost_user_vring_state {
	uint32_t index, num;
};

struct vhost_user_vring_addr { // user addresses, since IOMMU_PLATFORM is never negotiated
	uint32_t index, flags;
	uint64_t desc, used, avail, log;
};

struct vhost_user_region {
	uint64_t guest_addr, size, user_addr, mmap_offset;
};

struct vhost_user_memory { // as many regions as there are, each with one descriptor; we have one
	uint32_t regions, padding;
	struct vhost_user_region region;
};

struct vhost_user_msg {
	uint32_t request, flags, size; // of the payload
	union {
		uint64_t u64;
		struct vhost_user_vring_state state;
		struct vhost_user_vring_addr addr;
		struct vhost_user_memory memory;
	} __attribute__((packed));
} __attribute__((packed));

#define VHOST_USER_HEADER offsetof(struct vhost_user_msg, u64)
static_assert(VHOST_USER_HEADER == 12, "Message Specification: Header");
static_assert(sizeof(struct vhost_user_vring_addr) == 40, "A vring address description");
static_assert(sizeof(struct vhost_user_memory) == 40, "Memory regions description, one region");

#endif
