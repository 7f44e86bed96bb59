// SPDX-License-Identifier: BSD-3-Clause
// iface.h - network interfaces of the Linux host, as the ports upon them see them
//
// By name, in the network namespace the caller is in when iface_open() runs; they stay there
// whatever becomes of the thread. Control path; any lcore, one at a time for each struct iface.
#ifndef WEIR_PMD_IFACE_IFACE_H
#define WEIR_PMD_IFACE_IFACE_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "pmd/port.h"

struct iface {
	char name[IFNAMSIZ];
	int ctl; // socket for questions; -1: not open
};

struct iface_drops { // what the host had dropped there when counting began
	uint64_t base;
	bool known;
};

// Can the n bytes at name be a name? 0, or -EINVAL and in err what was expected.
int iface_check_name(const char *name, size_t n, struct err *err);

// Takes the name, which iface_check_name() has passed; the interface need not exist. 0, or -errno
// and err.
int iface_open(struct iface *i, const struct port_conf *conf, const char *name, size_t n,
	       struct err *err);
void iface_close(struct iface *i);

// Its index, or 0 when there is none of this name (any more).
int iface_index(const struct iface *i);

// These return -errno; -ENODEV when the interface is not there.
int iface_mac(const struct iface *i, uint8_t mac[6]);
int iface_mtu(const struct iface *i); // IP bytes
int iface_set_mtu(const struct iface *i, uint16_t mtu);
int iface_set_up(const struct iface *i);
int iface_up(const struct iface *i); // 1: up and has a carrier

// Speed in Mbit/s; 0 when it is not known.
uint32_t iface_mbps(const struct iface *i);

// Receive queues it has now; 1 when it does not say.
unsigned iface_rx_queues(const struct iface *i);

// What is granted of conf: the MTU asked for when the interface has as much, else its own; the
// address asked for, else its own, and `other` when they differ. 0, or -errno and err.
int iface_grant_mtu(const struct iface *i, const struct port_conf *conf, uint16_t *mtu,
		    struct err *err);
int iface_grant_mac(const struct iface *i, const struct port_conf *conf, uint8_t mac[6],
		    bool *other, struct err *err);

// What the host has dropped, whoever sent it (rtnl_link_stats64.tx_dropped), counted from now on.
void iface_drops_begin(const struct iface *i, struct iface_drops *d);
// Adds it to s under this name, when it can be known.
void iface_drops_add(const struct iface *i, const struct iface_drops *d, const char *name,
		     struct port_stats *s);

// err: there is no such interface, there are …; returns -ENODEV.
int iface_missing(const struct iface *i, const struct port_conf *conf, struct err *err);

#endif
