// SPDX-License-Identifier: BSD-3-Clause
// figures.c - what an interface of the host has counted, by netlink (RTM_GETLINK, IFLA_STATS64)
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pmd/iface/iface.h"

static int exchange(int fd, uint32_t index, void *reply, size_t room)
{
	struct {
		struct nlmsghdr h;
		struct ifinfomsg info;
	} ask = {
		.h = {.nlmsg_len = sizeof(ask),
		      .nlmsg_type = RTM_GETLINK,
		      .nlmsg_flags = NLM_F_REQUEST},
		.info = {.ifi_family = AF_UNSPEC, .ifi_index = (int)index},
	};
	ssize_t n;

	if (send(fd, &ask, sizeof(ask), 0) != (ssize_t)sizeof(ask))
		return -errno;
	n = recv(fd, reply, room, 0);
	return n < 0 ? -errno : (int)n;
}

static int find_dropped(const struct nlmsghdr *h, int n, uint64_t *dropped)
{
	struct rtnl_link_stats64 s;
	const struct rtattr *a;

	if (!NLMSG_OK(h, (unsigned)n) || h->nlmsg_type != RTM_NEWLINK)
		return -ENODEV;
	a = IFLA_RTA((struct ifinfomsg *)NLMSG_DATA(h));
	for (int left = (int)IFLA_PAYLOAD(h); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (a->rta_type != IFLA_STATS64)
			continue;
		memset(&s, 0, sizeof(s));
		memcpy(&s, RTA_DATA(a), RTA_PAYLOAD(a) < sizeof(s) ? RTA_PAYLOAD(a) : sizeof(s));
		*dropped = s.tx_dropped;
		return 0;
	}
	return -ENODATA;
}

static int read_dropped(const struct iface *i, uint64_t *dropped)
{
	union {
		struct nlmsghdr h;
		uint8_t room[16384];
	} reply;
	int index = iface_index(i), fd, n;

	if (!index)
		return -ENODEV;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return -errno;
	n = exchange(fd, (uint32_t)index, &reply, sizeof(reply));
	close(fd);
	return n < 0 ? n : find_dropped(&reply.h, n, dropped);
}

void iface_drops_begin(const struct iface *i, struct iface_drops *d)
{
	d->known = !read_dropped(i, &d->base);
}

void iface_drops_add(const struct iface *i, const struct iface_drops *d, const char *name,
		     struct port_stats *s)
{
	uint64_t now;

	if (d->known && !read_dropped(i, &now) && now >= d->base)
		port_stats_add(s, name, now - d->base);
}
