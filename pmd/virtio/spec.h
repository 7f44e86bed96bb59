// SPDX-License-Identifier: BSD-3-Clause
// spec.h - what virtio 1.2 lays down: constants, ring and header layouts
//
// Source: OASIS Virtual I/O Device (VIRTIO) version 1.2; sections are named beside what they
// define. All of it is little-endian, as is every machine Weir runs on.
#ifndef WEIR_PMD_VIRTIO_SPEC_H
#define WEIR_PMD_VIRTIO_SPEC_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

// 2.1 Device status field
#define VIRTIO_S_ACKNOWLEDGE 1u
#define VIRTIO_S_DRIVER	     2u
#define VIRTIO_S_DRIVER_OK   4u
#define VIRTIO_S_FEATURES_OK 8u
#define VIRTIO_S_NEEDS_RESET 64u
#define VIRTIO_S_FAILED	     128u

// 5.1.3 Network device feature bits, 6 reserved feature bits
#define VIRTIO_NET_F_CSUM	    (1ull << 0)
#define VIRTIO_NET_F_GUEST_CSUM	    (1ull << 1)
#define VIRTIO_NET_F_MTU	    (1ull << 3)
#define VIRTIO_NET_F_MAC	    (1ull << 5)
#define VIRTIO_NET_F_GUEST_TSO4	    (1ull << 7)
#define VIRTIO_NET_F_GUEST_TSO6	    (1ull << 8)
#define VIRTIO_NET_F_GUEST_ECN	    (1ull << 9)
#define VIRTIO_NET_F_HOST_TSO4	    (1ull << 11)
#define VIRTIO_NET_F_HOST_TSO6	    (1ull << 12)
#define VIRTIO_NET_F_HOST_ECN	    (1ull << 13)
#define VIRTIO_NET_F_MRG_RXBUF	    (1ull << 15)
#define VIRTIO_NET_F_STATUS	    (1ull << 16)
#define VIRTIO_NET_F_CTRL_VQ	    (1ull << 17)
#define VIRTIO_NET_F_CTRL_RX	    (1ull << 18)
#define VIRTIO_NET_F_CTRL_VLAN	    (1ull << 19)
#define VIRTIO_NET_F_GUEST_ANNOUNCE (1ull << 21)
#define VIRTIO_NET_F_MQ		    (1ull << 22)
#define VIRTIO_NET_F_CTRL_MAC_ADDR  (1ull << 23)
// 1.3 (and before it Linux 6.2): datagrams cut into datagrams.
#define VIRTIO_NET_F_GUEST_USO4 (1ull << 54)
#define VIRTIO_NET_F_GUEST_USO6 (1ull << 55)
#define VIRTIO_NET_F_HOST_USO	(1ull << 56)
#define VIRTIO_NET_F_RSS	(1ull << 60)
#define VIRTIO_F_VERSION_1	(1ull << 32)
#define VIRTIO_F_RING_PACKED	(1ull << 34)
#define VIRTIO_F_IN_ORDER	(1ull << 35)

// 2.7 Split virtqueues
#define VIRTQ_SIZE_MAX		   32768u
#define VIRTQ_DESC_F_NEXT	   1u
#define VIRTQ_DESC_F_WRITE	   2u
#define VIRTQ_USED_F_NO_NOTIFY	   1u // in used.flags: the device wants no doorbell
#define VIRTQ_AVAIL_F_NO_INTERRUPT 1u // in avail.flags: the driver wants no interrupt

struct virtq_desc {    // 2.7.5
	uint64_t addr; // iova
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};

struct virtq_avail { // 2.7.6
	uint16_t flags;
	uint16_t idx;
	uint16_t ring[];
};

struct virtq_used_elem { // 2.7.8
	uint32_t id;
	uint32_t len;
};

struct virtq_used {
	uint16_t flags;
	uint16_t idx;
	struct virtq_used_elem ring[];
};

// 2.8 Packed virtqueues. A descriptor's AVAIL bit is written by the driver as its wrap counter, and
// its USED bit as the inverse; the device makes the two equal to its own (2.8.1).
#define VIRTQ_DESC_F_AVAIL    (1u << 7)
#define VIRTQ_DESC_F_USED     (1u << 15)
#define VIRTQ_EVENT_F_ENABLE  0u
#define VIRTQ_EVENT_F_DISABLE 1u

struct virtq_packed_desc { // 2.8.13
	uint64_t addr;	   // iova
	union {
		struct {
			uint32_t len;
			uint16_t id;
			uint16_t flags;
		};
		uint64_t word; // the three at once: how they are read and written
	};
};

struct virtq_event { // 2.8.14: driver and device event suppression
	uint16_t off_wrap;
	uint16_t flags;
};

static_assert(sizeof(struct virtq_desc) == 16, "virtio 1.2, 2.7.5");
static_assert(sizeof(struct virtq_packed_desc) == 16, "virtio 1.2, 2.8.13");
static_assert(offsetof(struct virtq_packed_desc, flags) == 14, "virtio 1.2, 2.8.13");
static_assert(sizeof(struct virtq_event) == 4, "virtio 1.2, 2.8.14");
static_assert(offsetof(struct virtq_avail, ring) == 4, "virtio 1.2, 2.7.6");
static_assert(offsetof(struct virtq_used, ring) == 4, "virtio 1.2, 2.7.8");

struct virtio_net_hdr { // 5.1.6; all of it is always there with VERSION_1
	uint8_t flags;
	uint8_t gso_type;
	uint16_t hdr_len;
	uint16_t gso_size;
	uint16_t csum_start;
	uint16_t csum_offset;
	uint16_t num_buffers; // received packets, with MRG_RXBUF
};
#define VIRTIO_NET_HDR_LEN 12u
static_assert(sizeof(struct virtio_net_hdr) == VIRTIO_NET_HDR_LEN, "virtio 1.2, 5.1.6");

struct virtio_net_config { // 5.1.4
	uint8_t mac[6];
	uint16_t status;
	uint16_t max_virtqueue_pairs;
	uint16_t mtu;
	uint32_t speed;
	uint8_t duplex;
	uint8_t rss_max_key_size;
	uint16_t rss_max_indirection_table_length;
	uint32_t supported_hash_types;
};
#define VIRTIO_NET_S_LINK_UP  1u
#define VIRTIO_NET_S_ANNOUNCE 2u
#define VIRTIO_NET_MTU_MIN    68u // 5.1.4.1
static_assert(sizeof(struct virtio_net_config) == 24, "virtio 1.2, 5.1.4");
static_assert(offsetof(struct virtio_net_config, rss_max_indirection_table_length) == 18, "5.1.4");

// 5.1.6.5 Control virtqueue: classes and their commands
#define VIRTIO_CTRL_RX		  0u
#define VIRTIO_CTRL_RX_PROMISC	  0u
#define VIRTIO_CTRL_RX_ALLMULTI	  1u
#define VIRTIO_CTRL_MAC		  1u
#define VIRTIO_CTRL_MAC_TABLE_SET 0u
#define VIRTIO_CTRL_MAC_ADDR_SET  1u
#define VIRTIO_CTRL_VLAN	  2u
#define VIRTIO_CTRL_VLAN_ADD	  0u
#define VIRTIO_CTRL_ANNOUNCE	  3u
#define VIRTIO_CTRL_ANNOUNCE_ACK  0u
#define VIRTIO_CTRL_MQ		  4u
#define VIRTIO_CTRL_MQ_PAIRS_SET  0u
#define VIRTIO_CTRL_MQ_RSS	  1u

// 5.1.6.4.3 Hash types
#define VIRTIO_HASH_IPV4  (1u << 0)
#define VIRTIO_HASH_TCPV4 (1u << 1)
#define VIRTIO_HASH_UDPV4 (1u << 2)
#define VIRTIO_HASH_IPV6  (1u << 3)
#define VIRTIO_HASH_TCPV6 (1u << 4)
#define VIRTIO_HASH_UDPV6 (1u << 5)

// 4.1.2 PCI device discovery
#define VIRTIO_PCI_VENDOR	    0x1af4u
#define VIRTIO_PCI_NET		    0x1041u // modern
#define VIRTIO_PCI_CONSOLE	    0x1043u
#define VIRTIO_PCI_CONSOLE_TRANSITIONAL 0x1003u
#define VIRTIO_PCI_NET_TRANSITIONAL 0x1000u // has the modern interface as well, unless switched off

// 4.1.4 PCI capabilities: struct virtio_pci_cap
#define VIRTIO_PCI_CAP_COMMON 1u
#define VIRTIO_PCI_CAP_NOTIFY 2u
#define VIRTIO_PCI_CAP_ISR    3u
#define VIRTIO_PCI_CAP_DEVICE 4u

// 4.2.2 MMIO device registers
#define VIRTIO_MMIO_MAGIC		0x000u
#define VIRTIO_MMIO_VERSION		0x004u
#define VIRTIO_MMIO_DEVICE_ID		0x008u
#define VIRTIO_MMIO_DEVICE_FEATURES	0x010u
#define VIRTIO_MMIO_DEVICE_FEATURES_SEL 0x014u
#define VIRTIO_MMIO_DRIVER_FEATURES	0x020u
#define VIRTIO_MMIO_DRIVER_FEATURES_SEL 0x024u
#define VIRTIO_MMIO_QUEUE_SEL		0x030u
#define VIRTIO_MMIO_QUEUE_NUM_MAX	0x034u
#define VIRTIO_MMIO_QUEUE_NUM		0x038u
#define VIRTIO_MMIO_QUEUE_READY		0x044u
#define VIRTIO_MMIO_QUEUE_NOTIFY	0x050u
#define VIRTIO_MMIO_STATUS		0x070u
#define VIRTIO_MMIO_QUEUE_DESC		0x080u
#define VIRTIO_MMIO_QUEUE_DRIVER	0x090u
#define VIRTIO_MMIO_QUEUE_DEVICE	0x0a0u
#define VIRTIO_MMIO_CONFIG_GENERATION	0x0fcu
#define VIRTIO_MMIO_CONFIG		0x100u
#define VIRTIO_MMIO_MAGIC_VALUE		0x74726976u // "virt"
#define VIRTIO_ID_NET			1u	    // 5
#define VIRTIO_ID_CONSOLE		3u

// 4.1.4.3 Common configuration structure: offsets of its fields
#define VIRTIO_COMMON_DEVICE_FEATURE_SELECT 0x00u
#define VIRTIO_COMMON_DEVICE_FEATURE	    0x04u
#define VIRTIO_COMMON_DRIVER_FEATURE_SELECT 0x08u
#define VIRTIO_COMMON_DRIVER_FEATURE	    0x0cu
#define VIRTIO_COMMON_CONFIG_MSIX_VECTOR    0x10u
#define VIRTIO_COMMON_NUM_QUEUES	    0x12u
#define VIRTIO_COMMON_DEVICE_STATUS	    0x14u
#define VIRTIO_COMMON_CONFIG_GENERATION	    0x15u
#define VIRTIO_COMMON_QUEUE_SELECT	    0x16u
#define VIRTIO_COMMON_QUEUE_SIZE	    0x18u
#define VIRTIO_COMMON_QUEUE_MSIX_VECTOR	    0x1au
#define VIRTIO_COMMON_QUEUE_ENABLE	    0x1cu
#define VIRTIO_COMMON_QUEUE_NOTIFY_OFF	    0x1eu
#define VIRTIO_COMMON_QUEUE_DESC	    0x20u
#define VIRTIO_COMMON_QUEUE_DRIVER	    0x28u
#define VIRTIO_COMMON_QUEUE_DEVICE	    0x30u
#define VIRTIO_COMMON_LEN		    0x38u

#endif
