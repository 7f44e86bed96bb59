// SPDX-License-Identifier: BSD-3-Clause
// iface.c - network interfaces of the Linux host: questions and settings by ioctl
#include "pmd/iface/iface.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define SPEED_MAX 10000000u // Mbit/s; above: the driver does not know

int iface_check_name(const char *name, size_t n, struct err *err)
{
	char text[IFNAMSIZ] = "";

	if (!n || n >= IFNAMSIZ)
		return err_set(err, -EINVAL,
			       "expected the name of an interface, 1 to %d characters: `ip link` "
			       "lists them",
			       IFNAMSIZ - 1);
	memcpy(text, name, n);
	if (strpbrk(text, "/: \t\n%") || !strcmp(text, ".") || !strcmp(text, ".."))
		return err_set(
			err, -EINVAL,
			"expected the name of an interface, without '/', ':', '%%' and blanks");
	return 0;
}

int iface_open(struct iface *i, const struct port_conf *conf, const char *name, size_t n,
	       struct err *err)
{
	memset(i->name, 0, sizeof(i->name));
	memcpy(i->name, name, n < IFNAMSIZ ? n : IFNAMSIZ - 1);
	i->ctl = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (i->ctl < 0)
		return err_set(err, -errno, "port %s: socket: %s", conf->name, strerror(errno));
	return 0;
}

void iface_close(struct iface *i)
{
	if (i->ctl >= 0)
		close(i->ctl);
	i->ctl = -1;
}

static int ask(const struct iface *i, unsigned long request, struct ifreq *r)
{
	memcpy(r->ifr_name, i->name, IFNAMSIZ);
	return ioctl(i->ctl, request, r) < 0 ? -errno : 0;
}

int iface_index(const struct iface *i)
{
	struct ifreq r = {0};

	return ask(i, SIOCGIFINDEX, &r) ? 0 : r.ifr_ifindex;
}

int iface_mac(const struct iface *i, uint8_t mac[6])
{
	struct ifreq r = {0};
	int rc = ask(i, SIOCGIFHWADDR, &r);

	if (!rc)
		memcpy(mac, r.ifr_hwaddr.sa_data, 6);
	return rc;
}

int iface_mtu(const struct iface *i)
{
	struct ifreq r = {0};
	int rc = ask(i, SIOCGIFMTU, &r);

	return rc ? rc : r.ifr_mtu;
}

int iface_set_mtu(const struct iface *i, uint16_t mtu)
{
	struct ifreq r = {.ifr_mtu = mtu};

	return ask(i, SIOCSIFMTU, &r);
}

int iface_set_up(const struct iface *i)
{
	struct ifreq r = {0};
	int rc = ask(i, SIOCGIFFLAGS, &r);

	if (rc || r.ifr_flags & IFF_UP)
		return rc;
	r.ifr_flags |= IFF_UP;
	return ask(i, SIOCSIFFLAGS, &r);
}

int iface_up(const struct iface *i)
{
	struct ifreq r = {0};
	int rc = ask(i, SIOCGIFFLAGS, &r);

	return rc ? rc : (r.ifr_flags & (IFF_UP | IFF_RUNNING)) == (IFF_UP | IFF_RUNNING);
}

uint32_t iface_mbps(const struct iface *i)
{
	struct ethtool_cmd cmd = {.cmd = ETHTOOL_GSET};
	struct ifreq r = {.ifr_data = (void *)&cmd};
	uint32_t mbps;

	if (ask(i, SIOCETHTOOL, &r))
		return 0;
	mbps = ethtool_cmd_speed(&cmd);
	return mbps <= SPEED_MAX ? mbps : 0;
}

unsigned iface_rx_queues(const struct iface *i)
{
	struct ethtool_channels c = {.cmd = ETHTOOL_GCHANNELS};
	struct ifreq r = {.ifr_data = (void *)&c};

	if (ask(i, SIOCETHTOOL, &r) || !(c.rx_count + c.combined_count))
		return 1;
	return c.rx_count + c.combined_count;
}

int iface_grant_mtu(const struct iface *i, const struct port_conf *conf, uint16_t *mtu,
		    struct err *err)
{
	int has = iface_mtu(i);

	if (has < 0)
		return err_set(err, has, "port %s: MTU of %s: %s", conf->name, i->name,
			       strerror(-has));
	if (conf->mtu > has)
		return err_set(err, -EINVAL,
			       "port %s: MTU %u: %s has %d: run `ip link set %s mtu %u`",
			       conf->name, conf->mtu, i->name, has, i->name, conf->mtu);
	*mtu = conf->mtu ? conf->mtu : (uint16_t)(has < UINT16_MAX ? has : UINT16_MAX);
	return 0;
}

int iface_grant_mac(const struct iface *i, const struct port_conf *conf, uint8_t mac[6],
		    bool *other, struct err *err)
{
	uint8_t has[6];
	int rc = iface_mac(i, has);

	if (rc)
		return err_set(err, rc, "port %s: address of %s: %s", conf->name, i->name,
			       strerror(-rc));
	memcpy(mac, conf->has_mac ? conf->mac : has, 6);
	*other = memcmp(mac, has, 6) != 0;
	return 0;
}

int iface_missing(const struct iface *i, const struct port_conf *conf, struct err *err)
{
	struct if_nameindex *all = if_nameindex();
	char names[256] = "";
	size_t n = 0;

	for (struct if_nameindex *p = all; p && p->if_index && n < sizeof(names); p++)
		n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s", n ? ", " : "",
				      p->if_name);
	if (all)
		if_freenameindex(all);
	return err_set(
		err, -ENODEV,
		"port %s: there is no interface '%s' in this network namespace; there are %s",
		conf->name, i->name, names);
}
