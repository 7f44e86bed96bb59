// SPDX-License-Identifier: BSD-3-Clause
// ctrl.h - the control queue of a virtio-net device (virtio 1.2, 5.1.6.5): commands and their
// answers
//
// One command at a time, waited for: at the start of a device, and from housekeeping of lcore 0;
// never while packets flow. A device that does not answer in time, or answers with what it was not
// asked, may still write to the queue's memory: no command is sent to it again before its reset
// (-EIO).
#ifndef WEIR_PMD_VIRTIO_CTRL_H
#define WEIR_PMD_VIRTIO_CTRL_H

#include "pmd/rss.h"
#include "pmd/virtio/queue.h"

#define VIRTIO_CTRL_SIZE 64u // descriptors wanted, and memory there is for; a command takes up to 3
#define VIRTIO_CTRL_MIN	 4u

struct virtio_ctrl {
	struct virtq vq;
	bool usable;
	uint16_t head, next; // id of the last command; split: descriptor that the next begins with
	uint32_t wait_ms;	    // for an answer
	uint64_t commands, refused; // refused: answered by an error
	uint64_t silent;	    // not answered in time, or by nonsense
};

// Memory for the queue. 0, or -ENOMEM and err; virtio_ctrl_destroy() undoes it.
int virtio_ctrl_create(struct virtio_ctrl *c, struct err *err);
void virtio_ctrl_destroy(struct virtio_ctrl *c);

// An empty queue of size (VIRTIO_CTRL_MIN to VIRTIO_CTRL_SIZE, a power of two) at `index` of a
// device just reset. 0 or -errno and err. Commands may be sent once the device is started.
int virtio_ctrl_attach(struct virtio_ctrl *c, struct virtio_transport *t, uint16_t index,
		       uint32_t size, uint64_t features, struct err *err);

// All commands: 0; -EREMOTEIO: the device refused; -ETIMEDOUT: no answer; -EPROTO: a wrong one;
// -EIO.

// 5.1.6.5.5: the first n pairs are used. With MQ.
int virtio_ctrl_pairs(struct virtio_ctrl *c, uint16_t n);

// 5.1.6.5.7: flows spread over n pairs (a power of two or not) by the Toeplitz hash of addresses
// and ports, `types` of VIRTIO_HASH_* (5.1.6.4.3); `lanes` entries of the table, a power of two up
// to RSS_LANES. With RSS; takes the place of virtio_ctrl_pairs().
int virtio_ctrl_rss(struct virtio_ctrl *c, uint16_t n, uint32_t types, uint16_t lanes,
		    const uint8_t key[RSS_KEY_LEN]);

// 5.1.6.5.1: frames for everybody; all multicast frames. With CTRL_RX.
int virtio_ctrl_promisc(struct virtio_ctrl *c, bool on);
int virtio_ctrl_allmulti(struct virtio_ctrl *c, bool on);

// 5.1.6.5.2: no other addresses but the device's own and broadcast: an empty table. With CTRL_RX.
int virtio_ctrl_no_macs(struct virtio_ctrl *c);

// 5.1.6.5.2: the device's own address. With CTRL_MAC_ADDR.
int virtio_ctrl_mac(struct virtio_ctrl *c, const uint8_t mac[6]);

// 5.1.6.5.3: lets frames of VLAN id pass. With CTRL_VLAN, none does at first.
int virtio_ctrl_vlan(struct virtio_ctrl *c, uint16_t id);

// 5.1.6.5.4: its request to announce this station has been seen. With GUEST_ANNOUNCE.
int virtio_ctrl_announced(struct virtio_ctrl *c);

#endif
