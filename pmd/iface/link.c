// SPDX-License-Identifier: BSD-3-Clause
// link.c - the link of a port upon an interface of the host, and its sleep
#include "pmd/iface/link.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

void iface_link_tell(const struct iface_link *l, const struct iface *i, struct port_link *link)
{
	link->up = l->up;
	link->mbps = link->up ? iface_mbps(i) : 0;
}

bool iface_link_down(struct iface_link *l, const struct iface *i, uint64_t *look)
{
	if (l->up)
		return false;
	if (!iface_due(look, IFACE_LOOKS_SECOND) || iface_up(i) != 1)
		return true;
	iface_link_note(l, true);
	return false;
}

int iface_idle(int fd)
{
	struct pollfd f = {.fd = fd, .events = POLLIN};
	int error;
	socklen_t len = sizeof(error);

	if (poll(&f, 1, 0) == 0)
		return 0;
	if (f.revents & POLLERR)
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	return -EAGAIN;
}
