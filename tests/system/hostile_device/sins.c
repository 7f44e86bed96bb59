// SPDX-License-Identifier: BSD-3-Clause
// sins.c - the table of what a device must not write into rings and headers
//
// Where a sin can be told from honest work, `counted` names what the driver must count it as. A lie
// that it cannot tell (an old buffer's content given as new) is there to show that it does no harm.
// What a ring in ruins is taken for is chance; it has to come to a reset.
#include "sins.h"

const struct sin sins[] = {
	{"id-out-of-range", 3, 3, "bad-id", sin_id_range, false},
	{"id-of-32-bits", 3, 1, "bad-id", sin_id_huge, false},
	{"id-twice", 3, 3, "idle-id", sin_id_twice, true},
	{"id-idle", 2, 3, "idle-id", sin_id_idle, false},
	{"never-given", 3, 3, "", sin_never_given, false},
	{"backwards", 3, 3, "", sin_backwards, false},
	{"length-one-more", 1, 3, "bad-length", sin_len_one_more, false},
	{"length-0x7fffffff", 1, 3, "bad-length", sin_len_31_bits, false},
	{"length-0xffffffff", 1, 3, "bad-length", sin_len_32_bits, false},
	{"length-0", 1, 3, "no-header", sin_len_0, false},
	{"length-below-header", 1, 3, "no-header", sin_len_below_header, false},
	{"length-header-alone", 1, 3, "runt", sin_len_header_alone, false},
	{"length-0x7fffffff-sent", 2, 3, "", sin_len_31_bits, false},
	{"index-1-on", 1, 1, "", sin_index_1_on, true},
	{"index-1-on-sent", 2, 1, "bad-index|idle-id", sin_index_1_on, true},
	{"index-a-ring-on", 3, 1, "", sin_index_ring_on, true},
	{"index-beyond", 3, 1, "bad-index", sin_index_beyond, true},
	{"index-back", 3, 1, "bad-index", sin_index_back, true},
	{"wrap-flipped", 3, 2, "", sin_wrap_flipped, true},
	{"flags-ahead", 3, 2, "bad-id|bad-index|idle-id|bad-length", sin_flags_ahead, true},
	{"merge-0", 1, 3, "bad-merge", sin_merge_0, false},
	{"merge-65535", 1, 3, "bad-merge", sin_merge_most, false},
	{"merge-no-more", 1, 3, "bad-merge", sin_merge_no_more, false},
	{"merge-of-300", 1, 3, "", sin_merge_of_300, false},
	{"csum-outside", 1, 3, "bad-header", sin_csum_outside, false},
	{"gso-size-0", 1, 3, "bad-header", sin_gso_size_0, false},
	{"gso-unknown", 1, 3, "bad-header", sin_gso_unknown, false},
	{"gso-headers-huge", 1, 3, "bad-header", sin_gso_headers_huge, false},
	{"header-noise", 1, 3, "", sin_header_noise, false},
	{"descriptors-ruined", 3, 3, "resets", sin_desc_ruined, true},
	{"avail-ruined", 3, 3, "resets", sin_avail_ruined, true},
	{"used-ruined", 3, 3, "resets", sin_used_ruined, true},
	{"chains-without-end", 3, 3, "resets", sin_chains_without_end, true},
	{"doorbells-flicker", 3, 3, "", sin_doorbells_flicker, false},
	{"interrupts", 3, 3, "", sin_interrupts, false},
	{"silence", 3, 3, "", sin_silence, false},
};
const unsigned sins_count = sizeof(sins) / sizeof(sins[0]);

static unsigned starts(const struct device *d)
{
	return d->q[RX].starts + d->q[TX].starts;
}

// Rings untouched until the front end has started anew, or a while.
static void freeze(struct device *d)
{
	uint64_t end = now_ms() + 30;
	unsigned began = starts(d), cuts = d->cuts;

	d->frozen = true;
	while (now_ms() < end && starts(d) == began && d->cuts == cuts)
		device_run(d, 1);
	d->frozen = false;
}

bool sin_commit(struct device *d, const struct sin *s, unsigned queue)
{
	if (!d->q[RX].works || !d->q[TX].works)
		return false;
	if (!s->commit(d, queue)) {
		d->lied = false;
		return false;
	}
	d->lied = s->lies; // a ring that began anew in the middle of it may have had its end
	freeze(d);
	if (d->lied) { // it went unseen: something that cannot
		ring_put(d, RX, 0xffff, 0, 1);
		ring_publish(d, RX);
		freeze(d);
	}
	if (d->lied) {
		vhost_cut(d);
		d->lied = false;
	}
	return true;
}
