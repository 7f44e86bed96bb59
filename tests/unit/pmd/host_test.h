// SPDX-License-Identifier: BSD-3-Clause
// host_test.h - what the tests of ports upon Linux interfaces share: a network namespace of the
// test's own, and a raw socket as the host's end of a cable
//
// The namespace vanishes with the test program, and all interfaces made in it.
#ifndef WEIR_TESTS_HOST_TEST_H
#define WEIR_TESTS_HOST_TEST_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "port_test.h"

#define HOST_SKIP 77 // meson's "skipped"

static inline int host_try(const char *command)
{
	return system(command);
}

static inline void host(const char *fmt, ...)
{
	char command[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	if (host_try(command))
		fail_msg("%s", command);
}

static inline bool host_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return good;
}

// 0; or HOST_SKIP, when it has said why the tests cannot run here.
static inline int host_enter(void)
{
	if (unshare(CLONE_NEWNET)) {
		printf("SKIP: a network namespace needs CAP_SYS_ADMIN: run as root (%s)\n",
		       strerror(errno));
		return HOST_SKIP;
	}
	if (host_try("ip link set lo up")) {
		printf("SKIP: `ip` does not work here: install iproute2\n");
		return HOST_SKIP;
	}
	// Without it every new interface talks by itself.
	if (access("/proc/sys/net/ipv6", F_OK) == 0 &&
	    !host_write("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1")) {
		printf("SKIP: cannot switch IPv6 off in a namespace of our own\n");
		return HOST_SKIP;
	}
	return 0;
}

// A raw socket on an interface: sees what the host receives by it, sends what the host would.
static inline int host_socket(const char *ifname)
{
	struct sockaddr_ll a = {.sll_family = AF_PACKET,
				.sll_protocol = htons(ETH_P_ALL),
				.sll_ifindex = (int)if_nametoindex(ifname)};
	int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)), on = 1, room = 8 << 20;

	assert_true(fd >= 0 && a.sll_ifindex);
	assert_int_equal(setsockopt(fd, SOL_PACKET, 23, &on, sizeof(on)), 0); // no own packets
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

// Receives one frame, within two seconds; its length.
static inline unsigned host_receive(int fd, void *frame, size_t room)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	ssize_t n;

	if (poll(&p, 1, 2000) != 1)
		fail_msg("no frame came");
	n = recv(fd, frame, room, 0);
	assert_true(n > 0);
	return (unsigned)n;
}

// A frame of an experimental EtherType (IEEE 802, 0x88b5) whose bytes tell where they stand.
static inline void host_frame(uint8_t *f, unsigned len, unsigned seed)
{
	static const uint8_t head[14] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5};

	for (unsigned i = 0; i < len; i++)
		f[i] = (uint8_t)(seed + i + i / 256);
	memcpy(f, head, len < 14 ? len : 14);
}

// An IPv4/UDP frame of flow `flow` (checksums left 0: nobody looks).
static inline void host_udp(uint8_t *f, unsigned len, unsigned flow)
{
	static const uint8_t ip[] = {0x08, 0x00, 0x45, 0,   0,	0, 0, 0,   0,  0, 64,
				     17,   0,	 0,    198, 18, 0, 1, 198, 18, 0, 2};

	host_frame(f, len, flow);
	memcpy(f + 12, ip, sizeof(ip));
	f[16] = (uint8_t)((len - 14) >> 8);
	f[17] = (uint8_t)(len - 14);
	f[34] = 0x40 + (uint8_t)(flow >> 8);
	f[35] = (uint8_t)flow;
	f[36] = 0;
	f[37] = 53;
	f[38] = (uint8_t)((len - 34) >> 8);
	f[39] = (uint8_t)(len - 34);
	f[40] = f[41] = 0;
}

// One's-complement sum of n bytes as big-endian words (RFC 1071).
static inline uint32_t host_sum(const uint8_t *p, unsigned n)
{
	uint32_t s = 0;

	for (unsigned i = 0; i < n; i++)
		s += i & 1 ? p[i] : 256u * p[i];
	return s % 65535;
}

// Of the pseudo header and the whole segment of an IPv4 frame without options: 0 when the checksum
// in it is right (65535 is 0 here).
static inline uint32_t host_tcp_sum(const uint8_t *f)
{
	unsigned len = (f[16] << 8 | f[17]) - 20u;

	return (host_sum(f + 26, 8) + f[23] + len + host_sum(f + 34, len)) % 65535;
}

#define HOST_TCP_HDRS 54u

// An IPv4/TCP frame; its checksum field holds the sum of the pseudo header alone, as one that is
// left to whoever sends it.
static inline void host_tcp(uint8_t *f, unsigned len, unsigned seed)
{
	uint32_t sum;

	host_udp(f, len, seed);
	f[23] = 6;
	memset(f + 38, 0, 16);
	f[46] = 0x50; // 20 bytes
	f[47] = 0x10; // ACK
	f[24] = f[25] = 0;
	sum = 65535 - host_sum(f + 14, 20);
	f[24] = (uint8_t)(sum >> 8);
	f[25] = (uint8_t)sum;
	sum = (host_sum(f + 26, 8) + 6 + len - 34) % 65535;
	f[50] = (uint8_t)(sum >> 8);
	f[51] = (uint8_t)sum;
}

// A raw socket that gives and takes frames with a virtio_net_hdr of 10 bytes in front.
static inline int host_socket_vnet(const char *ifname)
{
	int fd = host_socket(ifname), on = 1;

	assert_int_equal(setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)), 0);
	return fd;
}

// Sends the frame with a header that leaves checksum and cutting to the receiver; mss 0: no
// cutting.
static inline void host_send_tcp(int fd, uint8_t *f, unsigned len, uint16_t mss)
{
	struct __attribute__((packed)) {
		uint8_t flags, gso;
		uint16_t hdr_len, mss, start, offset;
		uint8_t frame[66000];
	} msg = {1, mss ? 1 : 0, HOST_TCP_HDRS, mss, 34, 16, {0}};

	memcpy(msg.frame, f, len);
	assert_int_equal(send(fd, &msg, 10 + len, 0), 10 + len);
}

// Polls queue q until `n` packets came, for two seconds at most; how many came.
static inline unsigned host_rx(struct port *p, uint16_t q, struct mbuf **pkts, unsigned n)
{
	unsigned got = 0;

	for (unsigned i = 0; got < n && i < 2000; i++) {
		unsigned k = port_rx_burst(p, q, pkts + got, (uint16_t)(n - got));

		got += k;
		if (!k)
			usleep(1000);
	}
	return got;
}

static inline struct mbuf *host_mbuf(struct mempool *pool, const void *frame, unsigned len)
{
	struct mbuf *m = mbuf_from_bytes(pool, frame, len);

	assert_non_null(m);
	m->flags = 0;
	m->port = 0;
	return m;
}

static inline void host_same(const struct mbuf *m, const uint8_t *frame, unsigned len)
{
	static uint8_t flat[70000];

	assert_int_equal(mbuf_check(m), 0);
	assert_int_equal(m->pkt_len, len);
	assert_int_equal(mbuf_copy_out(m, 0, flat, len), 0);
	assert_memory_equal(flat, frame, len);
}

#endif
