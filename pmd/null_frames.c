// SPDX-License-Identifier: BSD-3-Clause
// null_frames.c - build the frames of a null port
//
// UDP frames: Ethernet, IPv4, UDP to port 9 (discard: RFC 863), by default from 198.18.0.1 to
// 198.18.0.2 (RFC 2544 C.2.2). The sizes of imix are the "simple IMIX": 7 x 40, 4 x 576, 1 x 1500
// bytes of IP.
#include "pmd/null_frames.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAMES_MAX   65536u
#define FRAMES_RAND  1024u // different ones of a random pattern
#define PORT_DISCARD 9u
#define PORT_FLOWS   1024u

static const uint16_t imix[] = {60, 590, 60, 60, 590, 60, 1514, 60, 590, 60, 590, 60};

// Digits up to max, then `stop` or the end.
static bool number(const char *s, unsigned base, unsigned long max, char stop, unsigned long *v,
		   const char **end)
{
	char *e;

	if (!isxdigit((unsigned char)*s))
		return false;
	errno = 0;
	*v = strtoul(s, &e, (int)base);
	*end = e;
	return e != s && !errno && *v <= max && (*e == stop || !*e);
}

static int parse_size(const char *s, struct null_args *a)
{
	unsigned long min, max;
	const char *end;

	a->imix = !strcmp(s, "imix");
	if (a->imix) {
		a->min = NULL_FRAME_MIN;
		a->max = NULL_FRAME_MAX;
		return 0;
	}
	if (!number(s, 10, NULL_FRAME_MAX, '-', &min, &end))
		return -EINVAL;
	max = min;
	if (*end == '-' && (!number(end + 1, 10, NULL_FRAME_MAX, 0, &max, &end) || *end))
		return -EINVAL;
	if (min < NULL_FRAME_MIN || max < min)
		return -EINVAL;
	a->min = (uint16_t)min;
	a->max = (uint16_t)max;
	return 0;
}

static int parse_pattern(const char *s, struct null_args *a)
{
	static const char *const names[] = {"udp", "zeros", "increment", "random"};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(s, names[i])) {
			a->pattern = (enum null_pattern)i;
			return 0;
		}
	}
	return -EINVAL;
}

// n bytes in digits of `base`, parted by `part`.
static int parse_bytes(const char *s, unsigned base, char part, uint8_t *bytes, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned long v;

		if (!number(s, base, 255, part, &v, &s) || !*s != (i + 1 == n))
			return -EINVAL;
		s += *s != 0;
		bytes[i] = (uint8_t)v;
	}
	return 0;
}

static int parse_ip(const char *s, uint32_t *ip)
{
	uint8_t b[4];
	int rc = parse_bytes(s, 10, '.', b, 4);

	if (!rc)
		*ip = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
	return rc;
}

static int parse_u32(const char *s, uint32_t min, uint32_t max, uint32_t *v)
{
	unsigned long n;
	const char *end;

	if (!number(s, 10, max, 0, &n, &end) || *end || n < min)
		return -EINVAL;
	*v = (uint32_t)n;
	return 0;
}

static int parse_one(const char *key, const char *value, struct null_args *a)
{
	if (!strcmp(key, "size") || !strcmp(key, "rx"))
		return parse_size(value, a);
	if (!strcmp(key, "pattern"))
		return parse_pattern(value, a);
	if (!strcmp(key, "src"))
		return parse_ip(value, &a->src);
	if (!strcmp(key, "dst"))
		return parse_ip(value, &a->dst);
	if (!strcmp(key, "to"))
		return parse_bytes(value, 16, ':', a->to, 6);
	if (!strcmp(key, "flows"))
		return parse_u32(value, 1, NULL_FLOWS_MAX, &a->flows);
	if (!strcmp(key, "seed"))
		return parse_u32(value, 0, UINT32_MAX, &a->seed);
	return -EINVAL;
}

int null_parse(const char *text, struct null_args *args, struct err *err)
{
	char *copy = strdup(text), *rest = copy, *word;
	int rc = 0;

	*args = (struct null_args){.src = 0xc6120001, .dst = 0xc6120002, .flows = 1};
	memcpy(args->to, "\x02\0\0\0\0\x02", 6);
	if (!copy)
		return err_set(err, -ENOMEM, "no memory");
	while (*text && !rc && (word = strsep(&rest, ","))) {
		char *value = strchr(word, '=');

		if (value)
			*value++ = 0;
		rc = value ? parse_one(word, value, args) : -EINVAL;
		if (rc)
			err_set(err, rc,
				"%s%s%s: expected size=N, size=N-M (%u to %u bytes) or size=imix; "
				"pattern=udp, zeros, increment or random; seed=N; src=IP, dst=IP, "
				"to=MAC, "
				"flows=N (1 to %u)",
				word, value ? "=" : "", value ? value : "", NULL_FRAME_MIN,
				NULL_FRAME_MAX, NULL_FLOWS_MAX);
	}
	free(copy);
	if (!rc && *text && !args->max)
		rc = err_set(err, -EINVAL, "expected size= too: without it nothing is received");
	return rc;
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

// RFC 1071 over len (even) bytes in network order.
static uint16_t checksum(const uint8_t *p, unsigned len)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < len; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void make_udp(uint8_t *frame, unsigned len, uint32_t flow, const struct null_args *a,
		     const uint8_t mac[6])
{
	uint8_t *ip = frame + 14, *udp = ip + 20;

	memcpy(frame, a->to, 6);
	memcpy(frame + 6, mac, 6);
	put16(frame + 12, 0x0800);
	ip[0] = 0x45;
	put16(ip + 2, len - 14);
	ip[8] = 64; // TTL
	ip[9] = 17; // UDP
	put32(ip + 12, a->src);
	put32(ip + 16, a->dst);
	put16(ip + 10, checksum(ip, 20));
	put16(udp, a->flows > 1 ? PORT_FLOWS + flow : PORT_DISCARD);
	put16(udp + 2, PORT_DISCARD);
	put16(udp + 4, len - 34); // checksum 0: none (RFC 768)
}

// xorshift32 (Marsaglia 2003): the same bytes from the same seed, anywhere.
static uint8_t next_random(uint32_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 17;
	*s ^= *s << 5;
	return (uint8_t)(*s >> 24);
}

static void fill(uint8_t *p, unsigned from, unsigned n, const struct null_args *a, uint32_t *state)
{
	for (unsigned i = from; i < from + n; i++) {
		if (a->pattern == NULL_RANDOM)
			*p++ = next_random(state);
		else
			*p++ = a->pattern == NULL_ZEROS ? 0 : (uint8_t)i;
	}
}

static uint32_t gcd(uint32_t a, uint32_t b)
{
	return b ? gcd(b, a % b) : a;
}

// Enough frames that each flow comes in each size, unless these are too many.
static uint32_t how_many(uint32_t sizes, uint32_t flows)
{
	uint64_t all = (uint64_t)sizes / gcd(sizes, flows) * flows;
	uint32_t most = sizes > flows ? sizes : flows;

	return all <= FRAMES_MAX ? (uint32_t)all : FRAMES_MAX / most * most;
}

int null_frames_make(struct null_frames *f, const struct null_args *a, const uint8_t mac[6])
{
	uint32_t sizes = a->imix ? sizeof(imix) / sizeof(imix[0]) : 1u + a->max - a->min;
	uint32_t flows = a->pattern == NULL_UDP	     ? a->flows
			 : a->pattern == NULL_RANDOM ? FRAMES_RAND
						     : 1;
	uint32_t state = a->seed ? a->seed : 1;

	f->count = how_many(sizes, flows);
	f->head = aligned_alloc(CACHE_LINE, f->count * sizeof(*f->head));
	f->len = malloc(f->count * sizeof(*f->len));
	if (!f->head || !f->len)
		return -ENOMEM;
	fill(f->body, 0, sizeof(f->body), a, &state);
	for (uint32_t i = 0; i < f->count; i++) {
		f->len[i] = a->imix ? imix[i % sizes] : (uint16_t)(a->min + i % sizes);
		fill(f->head[i], 0, NULL_HEAD, a, &state);
		if (a->pattern == NULL_UDP) {
			memset(f->head[i], 0, 42);
			make_udp(f->head[i], f->len[i], i % flows, a, mac);
		}
	}
	return 0;
}

void null_frames_free(struct null_frames *f)
{
	free(f->head);
	free(f->len);
}
