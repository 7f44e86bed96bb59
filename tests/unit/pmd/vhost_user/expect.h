// SPDX-License-Identifier: BSD-3-Clause
// expect.h - what the tiny back end has written down, message by message
#ifndef WEIR_TESTS_VHOST_USER_EXPECT_H
#define WEIR_TESTS_VHOST_USER_EXPECT_H

#include "peer.h"

extern struct peer peer;
extern unsigned next; // message of its log

static inline uint32_t u32(const struct peer_msg *m, unsigned at)
{
	uint32_t v;

	memcpy(&v, m->bytes + 12 + at, sizeof(v));
	return v;
}

static inline uint64_t u64(const struct peer_msg *m, unsigned at)
{
	uint64_t v;

	memcpy(&v, m->bytes + 12 + at, sizeof(v));
	return v;
}

// The next message is this one. flags: 1 version, 8 need_reply.
static inline const struct peer_msg *expect(uint32_t request, uint32_t flags, uint32_t size,
					    bool fd)
{
	const struct peer_msg *m = &peer.log[next];

	if (next >= peer.logged)
		fail_msg("message %u: nothing; expected request %u", next, request);
	if (m->request != request || m->flags != flags || m->size != size || (m->fd >= 0) != fd)
		fail_msg("message %u: request %u, flags %#x, %u bytes, fd %d; expected %u, %#x, "
			 "%u, %d",
			 next, m->request, m->flags, m->size, m->fd, request, flags, size, fd);
	next++;
	return m;
}

static inline void expect_u64(uint32_t request, uint32_t flags, uint64_t value, bool fd)
{
	assert_int_equal(u64(expect(request, flags, 8, fd), 0), value);
}

static inline void expect_state(uint32_t request, uint32_t index, uint32_t num)
{
	const struct peer_msg *m = expect(request, 1, 8, false);

	assert_int_equal(u32(m, 0), index);
	assert_int_equal(u32(m, 4), num);
}

#endif
