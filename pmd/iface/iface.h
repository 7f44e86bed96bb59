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

// What an interface has counted since it was made (struct rtnl_link_stats64, from the host's side).
struct iface_figures {
	uint64_t rx_dropped, tx_dropped, rx_errors, tx_errors;
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
int iface_figures(const struct iface *i, struct iface_figures *f);

// Speed in Mbit/s; 0 when it is not known.
uint32_t iface_mbps(const struct iface *i);

// Receive queues it has now; 1 when it does not say.
unsigned iface_rx_queues(const struct iface *i);

// err: there is no such interface, there are …; returns -ENODEV.
int iface_missing(const struct iface *i, const struct port_conf *conf, struct err *err);

#endif
