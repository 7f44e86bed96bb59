// SPDX-License-Identifier: BSD-3-Clause
// test_virtio_ctrl.c - commands of the control queue as a device sees them, and its answers, true
// or false
//
// The device here reads the rings by virtio 1.2 (2.7, 2.8) and keeps the bytes of the last command;
// expected bytes are written by hand from 5.1.6.5.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "core/plat.h"
#include "pmd/virtio/net.h"

#define SIZE 8u

enum lie { HONEST, REFUSE, SILENT, NONSENSE, BAD_ID, BAD_INDEX };

static struct {
	struct virtio_transport t;
	struct virtq_place place;
	bool packed;
	uint16_t next;	   // split: descriptor that must come next, with IN_ORDER (2.7.9)
	uint16_t at, used; // next descriptor or avail entry, next used element; free-running
	enum lie lie;
	uint8_t last[1024];
	unsigned len, descriptors, answers;
	uint8_t told[256]; // class and command of all, in order
	unsigned n;
	bool no_rss; // RSS alone is refused
} dev;

static void *ptr(uint64_t iova)
{
	return (void *)(uintptr_t)iova; // hosted: as plat_iova() has it
}

static int setup_queue(struct virtio_transport *t, uint16_t index, const struct virtq_place *place,
		       struct err *err)
{
	assert_int_equal(index, 6);
	dev.place = *place;
	return 0;
}

// One piece of a command.
static void piece(uint64_t addr, uint32_t len, uint16_t flags)
{
	dev.descriptors++;
	if (flags & 2) { // WRITE
		assert_int_equal(len, 1);
		*(uint8_t *)ptr(addr) = dev.lie == REFUSE ? 1 : dev.lie == NONSENSE ? 77 : 0;
		if (dev.no_rss && dev.last[0] == 4 && dev.last[1] == 1)
			*(uint8_t *)ptr(addr) = 1;
		dev.answers++;
		return;
	}
	assert_int_equal(dev.answers, 0); // what is written comes behind what is read (2.7.4.2)
	assert_true(dev.len + len <= sizeof(dev.last));
	memcpy(dev.last + dev.len, ptr(addr), len);
	dev.len += len;
}

static void take_split(void)
{
	const uint16_t *avail = ptr(dev.place.avail);
	uint16_t *used = ptr(dev.place.used);
	uint32_t *elem = (uint32_t *)(void *)(used + 2) + 2 * (dev.used % SIZE);
	uint16_t head = avail[2 + dev.at % SIZE], i = head;
	const struct virtq_desc *d = ptr(dev.place.desc);

	assert_int_equal((uint16_t)(avail[1] - dev.at), 1);
	for (;; i = d[i].next) {
		assert_int_equal(i, dev.next++ % SIZE);
		piece(d[i].addr, d[i].len, d[i].flags);
		if (!(d[i].flags & 1))
			break;
	}
	dev.at++;
	if (dev.lie == SILENT)
		return;
	elem[0] = dev.lie == BAD_ID ? 5u : head;
	elem[1] = 1;
	dev.used++;
	used[1] = dev.lie == BAD_INDEX ? (uint16_t)(dev.used + 3) : dev.used;
}

static void take_packed(void)
{
	struct virtq_packed_desc *d = ptr(dev.place.desc), *first = &d[dev.at % SIZE], *p;
	uint16_t n = 0, id;

	do {
		bool wrap = !((dev.at + n) & SIZE);

		p = &d[(dev.at + n++) % SIZE];
		assert_int_equal(!!(p->flags & 0x80), wrap);
		assert_int_equal(!!(p->flags & 0x8000), !wrap);
		piece(p->addr, p->len, p->flags);
	} while (p->flags & 1);
	id = p->id;
	if (dev.lie != SILENT) {
		first->id = dev.lie == BAD_ID ? 5 : id;
		first->len = 1;
		first->flags = dev.at & SIZE ? 0 : 0x8080;
	}
	dev.at = (uint16_t)(dev.at + n);
}

static void notify(struct virtio_transport *t, uint16_t index)
{
	dev.len = 0;
	dev.descriptors = 0;
	dev.answers = 0;
	if (dev.packed)
		take_packed();
	else
		take_split();
	assert_int_equal(dev.answers, 1);
	dev.told[dev.n++] = dev.last[0];
	dev.told[dev.n++] = dev.last[1];
}

static const struct virtio_transport_ops ops = {.queue_setup = setup_queue, .notify = notify};
static struct virtio_net net;

static void attach(bool packed)
{
	struct err e;

	memset(&dev, 0, sizeof(dev));
	dev.t.ops = &ops;
	dev.packed = packed;
	if (!net.ctrl.vq.capacity)
		assert_int_equal(virtio_ctrl_create(&net.ctrl, &e), 0);
	assert_int_equal(virtio_ctrl_attach(&net.ctrl, &dev.t, 6, SIZE,
					    packed ? VIRTIO_F_RING_PACKED : 0, &e),
			 0);
	net.ctrl.wait_ms = 5;
}

#define SAYS(call, ...)                                                                            \
	do {                                                                                       \
		static const uint8_t want[] = {__VA_ARGS__};                                       \
		assert_int_equal(call, 0);                                                         \
		assert_int_equal(dev.len, sizeof(want));                                           \
		assert_memory_equal(dev.last, want, sizeof(want));                                 \
	} while (0)

static void commands(bool packed)
{
	static const uint8_t mac[6] = {2, 0xaa, 3, 4, 5, 6};

	attach(packed);
	for (unsigned round = 0; round < 5; round++) { // and round the ring
		SAYS(virtio_ctrl_pairs(&net.ctrl, 0x102), 4, 0, 2, 1);
		SAYS(virtio_ctrl_promisc(&net.ctrl, true), 0, 0, 1);
		SAYS(virtio_ctrl_promisc(&net.ctrl, false), 0, 0, 0);
		SAYS(virtio_ctrl_allmulti(&net.ctrl, true), 0, 1, 1);
		SAYS(virtio_ctrl_mac(&net.ctrl, mac), 1, 1, 2, 0xaa, 3, 4, 5, 6);
		SAYS(virtio_ctrl_no_macs(&net.ctrl), 1, 0, 0, 0, 0, 0, 0, 0, 0, 0);
		SAYS(virtio_ctrl_vlan(&net.ctrl, 0x123), 2, 0, 0x23, 1);
		assert_int_equal(dev.descriptors, 3);
		SAYS(virtio_ctrl_announced(&net.ctrl), 3, 0);
		assert_int_equal(dev.descriptors, 2);
	}
	assert_int_equal(net.ctrl.commands % 40, 0);
}

static void test_split(void **state)
{
	commands(false);
}

static void test_packed(void **state)
{
	commands(true);
}

// 5.1.6.5.7: le32 hash_types, le16 mask, le16 unclassified, le16 table[], le16 max_tx_vq, u8 key
// length, key.
static void test_rss(void **state)
{
	static const uint8_t small[] = {4, 1, 0x3f, 0, 0, 0, 3, 0, 0, 0, 0,
					0, 1, 0,    2, 0, 0, 0, 3, 0, 40};
	uint8_t key[RSS_KEY_LEN];

	for (unsigned i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)(i + 100);
	attach(false);
	assert_int_equal(virtio_ctrl_rss(&net.ctrl, 3, 0x3f, 4, key), 0);
	assert_int_equal(dev.len, sizeof(small) + 40);
	assert_memory_equal(dev.last, small, sizeof(small));
	assert_memory_equal(dev.last + sizeof(small), key, 40);
	assert_int_equal(virtio_ctrl_rss(&net.ctrl, 16, 0x3f, RSS_LANES, key), 0);
	assert_int_equal(dev.len, 2 + 8 + 2 * RSS_LANES + 2 + 1 + 40);
	assert_int_equal(dev.last[2 + 8 + 2 * 17], 1); // lane 17 of 16 pairs
	assert_memory_equal(dev.last + dev.len - 40, key, 40);
}

static void test_refused(void **state)
{
	for (unsigned packed = 0; packed < 2; packed++) {
		attach(packed);
		net.ctrl.refused = 0;
		dev.lie = REFUSE;
		assert_int_equal(virtio_ctrl_pairs(&net.ctrl, 2), -EREMOTEIO);
		assert_int_equal(net.ctrl.refused, 1);
		dev.lie = HONEST;
		assert_int_equal(virtio_ctrl_pairs(&net.ctrl, 2), 0); // an honest no breaks nothing
	}
}

// Not answered, or by nonsense: no command any more before the reset, after which all is well
// again.
static void test_liars(void **state)
{
	static const struct {
		enum lie lie;
		int r;
	} lies[] = {
		{SILENT, -ETIMEDOUT}, {NONSENSE, -EPROTO}, {BAD_ID, -EPROTO}, {BAD_INDEX, -EPROTO}};

	for (unsigned packed = 0; packed < 2; packed++)
		for (unsigned i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
			if (packed && lies[i].lie == BAD_INDEX)
				continue; // there is none
			attach(packed);
			net.ctrl.silent = 0;
			dev.lie = lies[i].lie;
			assert_int_equal(virtio_ctrl_pairs(&net.ctrl, 2), lies[i].r);
			assert_int_equal(net.ctrl.silent, 1);
			dev.lie = HONEST;
			dev.len = 0;
			assert_int_equal(virtio_ctrl_pairs(&net.ctrl, 2), -EIO);
			assert_int_equal(dev.len, 0); // nothing was sent
			attach(packed);
			assert_int_equal(virtio_ctrl_pairs(&net.ctrl, 2), 0);
		}
}

// --- what a port tells its device at the start (command.c) ---

static struct port port;

static void begin(uint64_t features, uint32_t want, uint16_t pairs)
{
	attach(false);
	net.t = &dev.t;
	net.port = &port;
	net.features = features | VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_MAC;
	net.want = want;
	net.pairs = pairs;
	net.config = (struct virtio_net_config){
		.mac = {2, 0, 0, 0, 0, 9},
		.max_virtqueue_pairs = 4,
		.rss_max_key_size = 40,
		.rss_max_indirection_table_length = 128,
		.supported_hash_types = 0x1ff,
	};
	memcpy(net.mac, net.config.mac, 6);
	net.ctrl.refused = 0;
}

#define TELLS(offloads, ...)                                                                       \
	do {                                                                                       \
		static const uint8_t want[] = {__VA_ARGS__};                                       \
		struct err e;                                                                      \
		assert_int_equal(virtio_net_command(&net, &e), 0);                                 \
		assert_int_equal(dev.n, sizeof(want));                                             \
		assert_memory_equal(dev.told, want, sizeof(want));                                 \
		assert_int_equal(net.told, offloads);                                              \
	} while (0)

static void test_tells_pairs(void **state)
{
	const uint64_t both = VIRTIO_NET_F_MQ | VIRTIO_NET_F_RSS;
	struct err e;

	begin(both, PORT_RSS, 2);
	TELLS(PORT_RSS, 4, 1);
	begin(VIRTIO_NET_F_MQ, 0, 2);
	TELLS(0, 4, 0);
	// Not the hash that software would take: pairs alone.
	begin(both, PORT_RSS, 2);
	net.config.rss_max_key_size = 39;
	TELLS(0, 4, 0);
	begin(both, PORT_RSS, 2);
	net.config.rss_max_indirection_table_length = 64;
	TELLS(0, 4, 0);
	begin(both, PORT_RSS, 2);
	net.config.supported_hash_types = 0x3e;
	TELLS(0, 4, 0);
	begin(both, PORT_RSS, 2);
	dev.no_rss = true;
	TELLS(0, 4, 1, 4, 0);
	begin(VIRTIO_NET_F_MQ, 0, 2);
	dev.lie = REFUSE;
	assert_int_equal(virtio_net_command(&net, &e), -EREMOTEIO);
}

static void test_tells_filters(void **state)
{
	begin(VIRTIO_NET_F_CTRL_RX, 0, 1);
	TELLS(0, 0, 0);
	assert_int_equal(dev.last[2], 1); // promiscuous
	begin(VIRTIO_NET_F_CTRL_RX, PORT_MAC_FILTER, 1);
	TELLS(PORT_MAC_FILTER, 1, 0, 0, 1, 0, 0);
	assert_int_equal(dev.last[2], 0);
	// Another address: told, or else all frames are wanted.
	begin(VIRTIO_NET_F_CTRL_RX | VIRTIO_NET_F_CTRL_MAC_ADDR, PORT_MAC_FILTER, 1);
	net.mac[5] = 8;
	TELLS(PORT_MAC_FILTER, 1, 1, 1, 0, 0, 1, 0, 0);
	begin(VIRTIO_NET_F_CTRL_RX, PORT_MAC_FILTER, 1);
	net.mac[5] = 8;
	TELLS(0, 0, 0);
	assert_int_equal(dev.last[2], 1);
	begin(VIRTIO_NET_F_CTRL_VLAN, PORT_VLAN_FILTER, 1);
	TELLS(PORT_VLAN_FILTER, 2, 0);
	// A device that refuses filters is used without.
	begin(VIRTIO_NET_F_CTRL_RX | VIRTIO_NET_F_CTRL_VLAN, PORT_MAC_FILTER | PORT_VLAN_FILTER, 1);
	dev.lie = REFUSE;
	TELLS(0, 1, 0, 0, 0, 2, 0);
	assert_int_equal(net.ctrl.refused, 3);
}

static void test_announces(void **state)
{
	begin(VIRTIO_NET_F_GUEST_ANNOUNCE, 0, 1);
	virtio_net_announced(&net);
	assert_int_equal(dev.n, 0); // it was not asked for
	net.config.status = 2;
	virtio_net_announced(&net);
	assert_int_equal(port.announce, 1);
	assert_int_equal(net.announcements, 1);
	assert_int_equal(dev.n, 2);
	assert_memory_equal(dev.told, "\3\0", 2);
}

static int teardown(void **state)
{
	virtio_ctrl_destroy(&net.ctrl);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split),	    cmocka_unit_test(test_packed),
		cmocka_unit_test(test_rss),	    cmocka_unit_test(test_refused),
		cmocka_unit_test(test_tells_pairs), cmocka_unit_test(test_tells_filters),
		cmocka_unit_test(test_announces),   cmocka_unit_test(test_liars),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
