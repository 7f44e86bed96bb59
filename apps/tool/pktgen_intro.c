// SPDX-License-Identifier: BSD-3-Clause
// pktgen_intro.c - what is about to be sent, read from the blob as the data plane will
#include <inttypes.h>
#include <string.h>

#include "apps/tool/ip_text.h"
#include "apps/tool/pktgen.h"
#include "core/wire.h"
#include "netstack/eth.h"
#include "netstack/ip4.h"
#include "netstack/ip6.h"

#define STREAMS_SHOWN 6u
#define HOPS_SHOWN    8u

static const char *mac_text(const uint8_t *m, char buf[TEXT_MAX])
{
	snprintf(buf, TEXT_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
	return buf;
}

static const char *proto_text(uint8_t proto, char buf[TEXT_MAX])
{
	const char *name = proto == 1 ? "ICMP" : proto == 6 ? "TCP" : proto == 17 ? "UDP" : proto == 47 ? "GRE" : NULL;

	if (proto == 58)
		name = "ICMPv6";
	if (name)
		snprintf(buf, TEXT_MAX, "%s", name);
	else
		snprintf(buf, TEXT_MAX, "protocol %u", proto);
	return buf;
}

static void addresses(FILE *out, const char *family, uint8_t number, const void *src, const void *dst, uint8_t proto)
{
	union ip_addr a = {.w = {0, 0}}, b = a;
	char from[IP_TEXT_MAX], to[IP_TEXT_MAX], p[TEXT_MAX];
	size_t n = number == 4 ? 4 : 16;

	memcpy(&a, src, n);
	memcpy(&b, dst, n);
	fprintf(out, "%s %s > %s %s", family, ip_text(number, &a, from), ip_text(number, &b, to), proto_text(proto, p));
}

// The first packet of a stream, as far as people care.
static void packet(const struct blob *b, const struct blob_stream *s, FILE *out)
{
	const uint8_t *p = b->bytes + b->variants[s->variant].head, *end = p + s->head_len;
	uint32_t at = ETH_HLEN;
	uint16_t type;

	if (s->head_len < ETH_HLEN)
		return;
	type = be16(load16(p + 12));
	while (eth_is_tag(type) && p + at + 4 <= end) {
		fprintf(out, "VLAN %u, ", be16(load16(p + at)) & 0xfff);
		type = be16(load16(p + at + 2));
		at += 4;
	}
	if (type == ETH_TYPE_IP4 && p + at + IP4_HLEN <= end)
		addresses(out, "IPv4", 4, p + at + 12, p + at + 16, p[at + 9]);
	else if (type == ETH_TYPE_IP6 && p + at + IP6_HLEN <= end)
		addresses(out, "IPv6", 6, p + at + 8, p + at + 24, p[at + 6]);
	else
		fprintf(out, "EtherType 0x%04x", type);
	if (s->fields)
		fprintf(out, " and on (%u field%s change%s)", s->fields, s->fields == 1 ? "" : "s",
			s->fields == 1 ? "s" : "");
}

static void lengths(const struct blob *b, const struct blob_stream *s, FILE *out)
{
	unsigned min = UINT16_MAX, max = 0;

	for (uint32_t v = s->variant; v < s->variant + s->variants; v++) {
		unsigned len = b->variants[v].len + 4u;

		min = len < min ? len : min;
		max = len > max ? len : max;
	}
	if (min == max)
		fprintf(out, "%u bytes", min);
	else
		fprintf(out, "%u to %u bytes (%u lengths%s)", min, max, s->lengths,
			s->lengths == UINT8_MAX ? " or more" : "");
}

static void rate(const struct blob_stream *s, const struct blob_port *port, FILE *out)
{
	char n[TEXT_MAX];

	switch (s->rate_kind) {
	case BLOB_RATE_PPS:
		fprintf(out, "%s packets/s", text_short(n, (double)s->rate / 1000));
		break;
	case BLOB_RATE_L1:
		fprintf(out, "%sbit/s on the wire (L1)", text_short(n, (double)s->rate));
		break;
	case BLOB_RATE_L2:
		fprintf(out, "%sbit/s of frames (L2)", text_short(n, (double)s->rate));
		break;
	case BLOB_RATE_LINE:
		fprintf(out, "%g %% of the line", (double)s->rate / 10000);
		if (port->line_mbps)
			fprintf(out, " (%sbit/s)", text_short(n, (double)port->line_mbps * 1e6));
		break;
	default:
		fprintf(out, "as fast as it goes");
	}
	if (s->burst > 1)
		fprintf(out, ", bursts of %u", s->burst);
	if (s->shape == BLOB_SHAPE_POISSON)
		fprintf(out, ", at random (Poisson)");
	else if (s->shape == BLOB_SHAPE_ONOFF)
		fprintf(out, ", %u us on and %u us off", s->on_us, s->off_us);
}

static void limits(const struct blob_stream *s, const struct pktgen_options *o, FILE *out)
{
	uint64_t duration = o->duration_ns ? o->duration_ns : s->duration_ns;
	uint64_t count = o->count ? o->count : s->count;
	char n[TEXT_MAX];

	if (s->start_ns)
		fprintf(out, ", after %.9g s", (double)s->start_ns / 1e9);
	if (count)
		fprintf(out, ", %s packets", text_count(n, count));
	if (duration)
		fprintf(out, ", for %.9g s", (double)duration / 1e9);
	if (!count && !duration)
		fprintf(out, ", until it is stopped");
	if (!(s->flags & BLOB_STREAM_SIGNED))
		fprintf(out, "; not signed, not measured");
}

static void stream(const struct app *app, uint32_t i, const struct pktgen_options *o, FILE *out)
{
	const struct blob *b = &app->blob;
	const struct blob_stream *s = &b->streams[i];

	fprintf(out, "  %s: port %s, ", blob_str(b, s->name), app->port[s->port].name);
	lengths(b, s, out);
	fprintf(out, ", ");
	rate(s, &b->ports[s->port], out);
	limits(s, o, out);
	fprintf(out, "\n    ");
	packet(b, s, out);
	fputc('\n', out);
}

void intro_print(const struct app *app, const struct pktgen_options *o, FILE *out)
{
	uint32_t n = app->blob.n_streams, hops = pktgen_hops(app);

	for (unsigned p = 0; p < app->ports; p++) {
		char mac[TEXT_MAX];

		fprintf(out, "weir pktgen: port %s: %s, %s\n", app->port[p].name, mac_text(app->port[p].grant.mac, mac),
			app->port[p].grant.text);
	}
	fprintf(out, "weir pktgen: %s: %u stream%s\n", o->title, n, n == 1 ? "" : "s");
	for (uint32_t i = 0; i < n && i < STREAMS_SHOWN; i++)
		stream(app, i, o, out);
	if (n > STREAMS_SHOWN)
		fprintf(out, "  and %u more\n", n - STREAMS_SHOWN);
	if (hops)
		fprintf(out, "weir pktgen: asking for the MAC address of %u next hop%s\n", hops, hops == 1 ? "" : "s");
	fflush(out);
}

void intro_hops(const struct app *app, FILE *out)
{
	uint32_t n = pktgen_hops(app);

	for (uint32_t i = 0; i < n && i < HOPS_SHOWN; i++) {
		struct pktgen_hop h;
		union ip_addr via;
		char text[IP_TEXT_MAX], mac[TEXT_MAX];

		pktgen_hop(app, i, &h);
		memcpy(&via, h.via, sizeof(via));
		if (h.known)
			fprintf(out, "weir pktgen: port %s: next hop %s is %s\n", app->port[h.port].name,
				ip_text(h.family, &via, text), mac_text(h.mac, mac));
	}
	if (n > HOPS_SHOWN)
		fprintf(out, "weir pktgen: and %u more\n", n - HOPS_SHOWN);
}
