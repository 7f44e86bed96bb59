// SPDX-License-Identifier: BSD-3-Clause
// live.c - the pcap port on a live interface: what libpcap captures there, and injects
//
// A copy and, when sending, a system call a packet: for looking in, and where nothing quicker is to
// be had. The port hears what comes in, not what the host or it itself sends. Packets that Linux
// joined or has yet to complete (GRO, unfilled checksums on a veth) come as they are: packet:IFACE
// handles those.
#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "mempool/mempool.h"
#include "pmd/iface/link.h"
#include "pmd/pcap/live.h"
#include "pmd/pmds.h"

#define SNAPLEN	  262144 // libpcap's largest
#define BUFFER	  (4 << 20)
#define RING	  1024u // there is no ring of ours; what is reported
#define REOPEN_NS (NSEC_PER_SEC / 10)

struct live_port {
	struct iface iface;
	struct iface_link link;
	pcap_t *pcap; // NULL: the interface went away; poll() looks for it
	struct mempool *pool;
	const struct clock *clock;
	uint64_t reopen_at;
	uint16_t id;
	uint32_t frame_max;
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
	uint64_t nombuf, too_long, cut, refused, down, failed;
	uint64_t ps_drop, ps_ifdrop; // of handles before this one
};

static struct mbuf *take(struct live_port *p, const uint8_t *data, uint32_t n)
{
	struct mbuf *m = n ? mbuf_from_bytes(p->pool, data, n) : NULL;

	if (unlikely(!m))
		return NULL;
	m->origin = mbuf_origin(p->id);
	p->rx_bytes += n;
	return m;
}

static void note_drops(struct live_port *p, uint64_t *drop, uint64_t *ifdrop)
{
	struct pcap_stat st;

	*drop = p->ps_drop;
	*ifdrop = p->ps_ifdrop;
	if (p->pcap && !pcap_stats(p->pcap, &st)) {
		*drop += st.ps_drop;
		*ifdrop += st.ps_ifdrop;
	}
}

static void gone(struct live_port *p)
{
	note_drops(p, &p->ps_drop, &p->ps_ifdrop);
	pcap_close(p->pcap);
	p->pcap = NULL;
	p->failed++;
}

static uint16_t live_rx(void *queue, struct mbuf **pkts, uint16_t n)
{
	struct live_port *p = queue;
	struct pcap_pkthdr *h;
	const uint8_t *data;
	uint16_t got = 0;
	int rc = 0;

	while (got < n && p->pcap && (rc = pcap_next_ex(p->pcap, &h, &data)) == 1) {
		p->cut += h->caplen < h->len;
		if (unlikely(h->caplen > p->frame_max)) {
			p->too_long++;
			continue;
		}
		pkts[got] = take(p, data, h->caplen);
		if (unlikely(!pkts[got]))
			p->nombuf++;
		else
			got++;
	}
	if (unlikely(rc < 0))
		gone(p);
	p->rx_packets += got;
	return got;
}

// 0, -EAGAIN: later, -errno: never.
static int inject(struct live_port *p, const struct mbuf *m)
{
	uint8_t flat[UINT16_MAX];
	const uint8_t *data = m->data;

	if (m->next) {
		if (m->pkt_len > sizeof(flat) || mbuf_copy_out(m, 0, flat, m->pkt_len))
			return -EMSGSIZE;
		data = flat;
	}
	if (pcap_inject(p->pcap, data, m->pkt_len) >= 0)
		return 0;
	return errno == ENOBUFS || errno == EINTR || errno == EWOULDBLOCK ? -EAGAIN : -errno;
}

static uint16_t live_tx(void *queue, struct mbuf **pkts, uint16_t n)
{
	struct live_port *p = queue;
	uint16_t done = 0;

	for (; done < n; done++) {
		struct mbuf *m = pkts[done];
		int rc = p->pcap ? inject(p, m) : -ENETDOWN;

		if (rc == -EAGAIN)
			break;
		if (likely(!rc)) {
			p->tx_packets++;
			p->tx_bytes += m->pkt_len;
		} else if (rc == -ENETDOWN || rc == -ENODEV || rc == -ENXIO) {
			p->down++;
		} else {
			p->refused++;
		}
	}
	mbuf_free_bulk(pkts, done);
	return done;
}

static int live_check(const char *args, struct err *err)
{
	const char *name = args + strlen(LIVE_KEY);

	if (strncmp(args, LIVE_KEY, strlen(LIVE_KEY)))
		return err_set(err, -EINVAL, "expected live=IFACE");
	return iface_check_name(name, strlen(name), err);
}

static int refused(struct live_port *p, const struct port_conf *conf, int rc, struct err *err)
{
	if (rc == PCAP_ERROR_NO_SUCH_DEVICE)
		return iface_missing(&p->iface, conf, err);
	if (rc == PCAP_ERROR_PERM_DENIED || rc == PCAP_ERROR_PROMISC_PERM_DENIED)
		return err_set(err, -EPERM,
			       "port %s: pcap:%s: capturing needs CAP_NET_RAW: setcap "
			       "cap_net_raw+ep on the "
			       "executable, or sudo",
			       conf->name, conf->args);
	if (rc == PCAP_ERROR_IFACE_NOT_UP)
		return err_set(err, -ENETDOWN, "port %s: pcap:%s: is down: ip link set %s up",
			       conf->name, conf->args, p->iface.name);
	return err_set(err, -EIO, "port %s: pcap:%s: %s: %s", conf->name, conf->args,
		       pcap_statustostr(rc), pcap_geterr(p->pcap));
}

// 0 or libpcap's error, when p->pcap still tells of it.
static int activate(struct live_port *p)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	int rc;

	p->pcap = pcap_create(p->iface.name, why);
	if (!p->pcap)
		return PCAP_ERROR;
	pcap_set_snaplen(p->pcap, SNAPLEN);
	pcap_set_promisc(p->pcap, 1);
	pcap_set_immediate_mode(p->pcap, 1);
	pcap_set_buffer_size(p->pcap, BUFFER);
	rc = pcap_activate(p->pcap);
	if (rc >= 0) // above: warnings
		rc = pcap_setnonblock(p->pcap, 1, why);
	if (rc >= 0)
		rc = pcap_setdirection(p->pcap, PCAP_D_IN);
	return rc < 0 ? rc : 0;
}

static void live_free(struct live_port *p)
{
	if (p->pcap)
		pcap_close(p->pcap);
	iface_close(&p->iface);
	free(p);
}

static int start(struct live_port *p, const struct port_conf *conf, struct err *err)
{
	const char *name = conf->args + strlen(LIVE_KEY);
	int rc = iface_open(&p->iface, conf, name, strlen(name), err), dlt;

	if (rc)
		return rc;
	rc = activate(p);
	if (rc)
		return p->pcap ? refused(p, conf, rc, err)
			       : err_set(err, -ENOMEM, "port %s: pcap:%s: no memory", conf->name,
					 conf->args);
	dlt = pcap_datalink(p->pcap);
	if (dlt != DLT_EN10MB)
		return err_set(err, -EPROTONOSUPPORT,
			       "port %s: pcap:%s: link type %d is not Ethernet: name one Ethernet "
			       "interface",
			       conf->name, conf->args, dlt);
	return 0;
}

static int live_open(struct port *port, const struct port_conf *conf, struct err *err)
{
	struct port_grant *g = &port->grant;
	struct live_port *p;
	int rc = port_check_args(conf, live_check, err), mtu;

	if (rc)
		return rc;
	p = calloc(1, sizeof(*p));
	if (!p)
		return err_set(err, -ENOMEM, "port %s: no memory", conf->name);
	p->iface.ctl = -1;
	p->pool = conf->pool;
	p->clock = conf->clock;
	p->id = port->id;
	p->frame_max = mempool_room(conf->pool) * MBUF_SEGS_MAX;
	rc = start(p, conf, err);
	if (rc) {
		live_free(p);
		return rc;
	}
	mtu = iface_mtu(&p->iface);
	g->mtu = (uint16_t)(mtu > 0 && mtu < UINT16_MAX ? mtu : UINT16_MAX);
	if (conf->mtu && conf->mtu < g->mtu)
		g->mtu = conf->mtu;
	if (conf->has_mac || iface_mac(&p->iface, g->mac))
		port_default_mac(port, conf, g->mac);
	g->queues = 1;
	g->rx_size = g->tx_size = RING;
	p->link.up = iface_up(&p->iface) == 1;
	snprintf(g->text, sizeof(g->text), "pcap live on %s, promiscuous", p->iface.name);
	port->queue[0] = (struct port_queue){live_rx, p, live_tx, p};
	port->priv = p;
	return 0;
}

static int live_close(struct port *port, struct err *err)
{
	live_free(port->priv);
	return 0;
}

static void live_stats(const struct port *port, struct port_stats *s)
{
	struct live_port *p = port->priv;
	uint64_t drop, ifdrop;

	s->rx_packets = p->rx_packets;
	s->rx_bytes = p->rx_bytes;
	s->tx_packets = p->tx_packets;
	s->tx_bytes = p->tx_bytes;
	note_drops(p, &drop, &ifdrop);
	port_stats_add(s, "rx-ps-drop", drop);
	port_stats_add(s, "rx-ps-ifdrop", ifdrop);
	port_stats_add(s, "rx-nombuf", p->nombuf);
	port_stats_add(s, "rx-too-long", p->too_long);
	port_stats_add(s, "rx-snapped", p->cut);
	port_stats_add(s, "tx-refused", p->refused);
	port_stats_add(s, "tx-down", p->down);
	port_stats_add(s, "failures", p->failed);
	port_stats_add(s, "link-changes", p->link.changes);
}

static void live_link(const struct port *port, struct port_link *link)
{
	const struct live_port *p = port->priv;

	link->up = p->pcap && p->link.up;
	link->mbps = iface_mbps(&p->iface);
}

// An interface that went down or away is captured on again when it is back.
static void live_poll(struct port *port)
{
	struct live_port *p = port->priv;
	bool up = iface_up(&p->iface) == 1;

	iface_link_note(&p->link, up);
	if (p->pcap || !up || (p->clock && p->clock->now < p->reopen_at))
		return;
	p->reopen_at = p->clock ? p->clock->now + REOPEN_NS : 0;
	if (activate(p) && p->pcap) {
		pcap_close(p->pcap);
		p->pcap = NULL;
	}
}

const struct pmd pcap_live_pmd = {
	.name = "pcap",
	.help = "live=IFACE: an interface of the Linux host, captured and injected by libpcap",
	.can = {.queues = 1, .live = true, .needs = "CAP_NET_RAW"},
	.check = live_check,
	.open = live_open,
	.close = live_close,
	.stats = live_stats,
	.link = live_link,
	.poll = live_poll,
};
