// SPDX-License-Identifier: BSD-3-Clause
// pktgen_words.c - a configuration of function pktgen from the command line
//
// Values are put into the text as they are, quoted; what is wrong with them the reader of configurations says.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/pktgen_words.h"
#include "apps/tool/util.h"

bool words_any(const struct words *w)
{
	return w->addresses || w->macs || w->lines || w->vias || w->src || w->dst || w->sport || w->dport || w->proto ||
	       w->dst_mac || w->vlan || w->length || w->rate || w->burst || w->shape || w->lcores || w->both;
}

static void quote_all(FILE *out, const char *s)
{
	yaml_quote(out, s, strlen(s));
}

// NAME=VALUE of the port called so many bytes of name; from *at on, which moves behind it. NULL: no more.
static const char *value_of(const char *const *list, unsigned n, unsigned *at, const char *name, size_t len)
{
	while (*at < n) {
		const char *s = list[(*at)++];

		if (!strncmp(s, name, len) && s[len] == '=')
			return s + len + 1;
	}
	return NULL;
}

static const char *first_of(const char *const *list, unsigned n, const char *name, size_t len)
{
	unsigned at = 0;

	return value_of(list, n, &at, name, len);
}

// The port that a NAME=VALUE is for; -1: none.
static int port_of(const struct words *w, const char *s)
{
	size_t len = strcspn(s, "=");

	for (unsigned i = 0; s[len] && i < w->ports; i++)
		if (!strncmp(w->port[i], s, len + 1))
			return (int)i;
	return -1;
}

static int check(const struct words *w, const char *option, const char *const *list, unsigned n, struct err *err)
{
	for (unsigned i = 0; i < n; i++)
		if (port_of(w, list[i]) < 0)
			return err_set(err, -EINVAL, "--%s %s: expected NAME=VALUE of a --port NAME=DEVICE", option, list[i]);
	return 0;
}

static int check_all(const struct words *w, struct err *err)
{
	if (!w->ports)
		return err_set(err, -EINVAL, "expected FILE, or --port NAME=DEVICE");
	for (unsigned i = 0; i < w->ports; i++) {
		const char *s = w->port[i];

		if (!strchr(s, '=') || *s == '=')
			return err_set(err, -EINVAL, "--port %s: expected NAME=DEVICE", s);
		if (port_of(w, s) != (int)i)
			return err_set(err, -EINVAL, "--port %s: a port of this name is there already", s);
	}
	if (check(w, "address", w->address, w->addresses, err) || check(w, "mac", w->mac, w->macs, err) ||
	    check(w, "line", w->line, w->lines, err))
		return -EINVAL;
	return 0;
}

// --- values ---

// "A-B" as a range; else as it is.
static void range(FILE *out, const char *s)
{
	const char *dash = strchr(s, '-');

	if (!dash)
		return quote_all(out, s);
	fputs("{from: ", out);
	yaml_quote(out, s, (size_t)(dash - s));
	fputs(", to: ", out);
	quote_all(out, dash + 1);
	fputc('}', out);
}

// 64, 64-1518, 64,594,1518, imix, imix:NAME
static void length(FILE *out, const char *s)
{
	if (!strcmp(s, "imix"))
		s = "imix:simple";
	if (!strncmp(s, "imix:", 5)) {
		fputs("{imix: ", out);
		quote_all(out, s + 5);
		fputc('}', out);
	} else if (strchr(s, ',')) {
		fputs("{list: [", out);
		for (size_t n; *s; s += n + (s[n] == ',')) {
			n = strcspn(s, ",");
			yaml_quote(out, s, n);
			if (s[n])
				fputs(", ", out);
		}
		fputs("]}", out);
	} else {
		range(out, s);
	}
}

static bool ends(const char *s, const char *with)
{
	size_t n = strlen(s), k = strlen(with);

	return n >= k && !strcmp(s + n - k, with);
}

// 1Mpps, 50% and top are the file's own words; 10G, 10Gbit/s, l2:10G are bits.
static void rate(FILE *out, const char *s)
{
	static const char *const units[] = {"bit/s", "bps", "bit", "b"};
	const char *key = !strncmp(s, "l2:", 3) ? "l2" : "l1";
	size_t n;
	bool bits = !strncmp(s, "l1:", 3) || !strncmp(s, "l2:", 3);

	if (!bits && (*s < '0' || *s > '9' || ends(s, "pps") || ends(s, "%")))
		return quote_all(out, s);
	s += bits ? 3 : 0;
	n = strlen(s);
	for (unsigned i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (ends(s, units[i])) {
			n -= strlen(units[i]);
			break;
		}
	fprintf(out, "{%s: ", key);
	yaml_quote(out, s, n);
	fputc('}', out);
}

// constant, poisson, ON:OFF
static void shape(FILE *out, const char *s)
{
	const char *colon = strchr(s, ':');

	if (!colon)
		return quote_all(out, s);
	fputs("{on: ", out);
	yaml_quote(out, s, (size_t)(colon - s));
	fputs(", off: ", out);
	quote_all(out, colon + 1);
	fputc('}', out);
}

// --- the file ---

// Ports that were given no address have MAC addresses of ours, by which others can name them.
static void mac_of(char buf[24], unsigned port)
{
	snprintf(buf, 24, "02:57:65:69:72:%02x", port + 1);
}

static void put_port(FILE *out, const struct words *w, unsigned i)
{
	size_t len = strcspn(w->port[i], "=");
	const char *name = w->port[i], *s;
	unsigned at = 0, n = 0;
	char mac[24];

	fputs("  ", out);
	yaml_quote(out, name, len);
	fputs(": {device: ", out);
	quote_all(out, name + len + 1);
	s = first_of(w->mac, w->macs, name, len);
	mac_of(mac, i);
	fputs(", mac: ", out);
	quote_all(out, s ? s : mac);
	s = first_of(w->line, w->lines, name, len);
	if (s) {
		fputs(", line: ", out);
		quote_all(out, s);
	}
	while ((s = value_of(w->address, w->addresses, &at, name, len))) {
		fputs(n++ ? ", " : ", addresses: [", out);
		quote_all(out, s);
	}
	fputs(n ? "]}\n" : "}\n", out);
}

static bool is_ip6(const struct words *w)
{
	return (w->dst && strchr(w->dst, ':')) || (w->src && strchr(w->src, ':'));
}

static void put_field(FILE *out, const char *before, const char *key, const char *s)
{
	if (!s)
		return;
	fprintf(out, "%s%s: ", before, key);
	range(out, s);
}

static void put_layers(FILE *out, const struct words *w, const char *dst_mac)
{
	fputs("    layers:\n", out);
	if (dst_mac) {
		fputs("      - eth: {dst: ", out);
		quote_all(out, dst_mac);
		fputs("}\n", out);
	}
	if (w->vlan) {
		fputs("      - vlan: ", out);
		range(out, w->vlan);
		fputc('\n', out);
	}
	fprintf(out, "      - %s: {", is_ip6(w) ? "ipv6" : "ipv4");
	put_field(out, "", "src", w->src);
	put_field(out, w->src ? ", " : "", "dst", w->dst);
	fprintf(out, "}\n      - %s: {", w->proto ? w->proto : "udp");
	put_field(out, "", "src", w->sport);
	put_field(out, w->sport ? ", " : "", "dst", w->dport);
	fputs("}\n", out);
}

// [NAME=]ADDRESS
static const char *via_of(const struct words *w, unsigned port)
{
	size_t len = strcspn(w->port[port], "=");
	const char *s = first_of(w->via, w->vias, w->port[port], len);

	for (unsigned i = 0; !s && i < w->vias; i++)
		if (!strchr(w->via[i], '=') && (w->both || !port))
			s = w->via[i];
	return s;
}

static int put_stream(FILE *out, const struct words *w, unsigned i, struct err *err)
{
	size_t len = strcspn(w->port[i], "=");
	const char *name = w->port[i], *via = via_of(w, i), *dst_mac = w->dst_mac, *given;
	bool addressed = first_of(w->address, w->addresses, name, len);
	char mac[24];

	if (!dst_mac && !via && !addressed) {
		unsigned peer = (i + 1) % w->ports;

		if (w->ports == 1)
			return err_set(err, -EINVAL,
				       "who is to get the packets of port %.*s? expected --dst-mac MAC, or --address "
				       "%.*s=ADDRESS/LENGTH and, through a router, --via ADDRESS",
				       (int)len, name, (int)len, name);
		given = first_of(w->mac, w->macs, w->port[peer], strcspn(w->port[peer], "="));
		mac_of(mac, peer);
		dst_mac = given ? given : mac;
	}
	fputs("  ", out);
	yaml_quote(out, name, len);
	fputs(":\n    port: ", out);
	yaml_quote(out, name, len);
	fputc('\n', out);
	put_layers(out, w, dst_mac);
	if (via) {
		fputs("    via: ", out);
		quote_all(out, via);
		fputc('\n', out);
	}
	if (w->length) { // else the least
		fputs("    length: ", out);
		length(out, w->length);
		fputc('\n', out);
	}
	fputs("    rate: ", out);
	rate(out, w->rate ? w->rate : "top");
	fputc('\n', out);
	if (w->burst)
		fprintf(out, "    burst: %s\n", w->burst);
	if (w->shape) {
		fputs("    shape: ", out);
		shape(out, w->shape);
		fputc('\n', out);
	}
	return 0;
}

char *words_yaml(const struct words *w, struct err *err)
{
	char *text = NULL;
	size_t len;
	FILE *out;
	int rc = check_all(w, err);

	if (rc)
		return NULL;
	out = open_memstream(&text, &len);
	if (!out)
		die_no_memory();
	fputs("version: 1\nfunction: pktgen\n", out);
	if (w->lcores)
		fprintf(out, "lcores: %s\n", w->lcores);
	fputs("ports:\n", out);
	for (unsigned i = 0; i < w->ports; i++)
		put_port(out, w, i);
	fputs("streams:\n", out);
	for (unsigned i = 0; !rc && i < (w->both ? w->ports : 1); i++)
		rc = put_stream(out, w, i, err);
	if (fclose(out))
		die_no_memory();
	if (!rc)
		return text;
	free(text);
	return NULL;
}
