// SPDX-License-Identifier: BSD-3-Clause
// verdict_frames.h - frames for the tests of verdicts: UDP over IPv4, checksums by a sum of their own
#ifndef WEIR_TESTS_UNIT_APPS_VERDICT_FRAMES_H
#define WEIR_TESTS_UNIT_APPS_VERDICT_FRAMES_H

#include <stdint.h>
#include <string.h>

#define FRAME_LEN 60u // 18 bytes of payload

static inline void frame_sum(uint8_t *at, const uint8_t *p, unsigned n, uint32_t sum)
{
	for (unsigned i = 0; i < n; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	at[0] = (uint8_t)(~sum >> 8);
	at[1] = (uint8_t)~sum;
}

// 10.0.0.1:1000 > 10.0.0.2:2000, identification id, every byte of the payload `fill`.
static inline void frame_make(uint8_t f[FRAME_LEN], uint16_t id, uint8_t ttl, uint8_t fill)
{
	static const uint8_t head[] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0,
				       0x45, 0, 0, 46, 0, 0, 0x40, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
				       0x03, 0xe8, 0x07, 0xd0, 0, 26, 0, 0};

	memcpy(f, head, sizeof(head));
	memset(f + sizeof(head), fill, FRAME_LEN - sizeof(head));
	f[18] = (uint8_t)(id >> 8);
	f[19] = (uint8_t)id;
	f[22] = ttl;
	frame_sum(f + 24, f + 14, 20, 0);
	frame_sum(f + 40, f + 26, 8 + 26, 17 + 26); // addresses, UDP; protocol and length
}

#endif
