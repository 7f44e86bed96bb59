// SPDX-License-Identifier: BSD-3-Clause
// args.c - what stands behind "xdp:": an interface and options
#include <errno.h>
#include <linux/if_link.h>
#include <stdlib.h>
#include <string.h>

#include "pmd/xdp/xdp.h"

#define QUEUE_MAX 1023u

static bool word_is(const char *s, size_t n, const char *word)
{
	return strlen(word) == n && !strncmp(s, word, n);
}

static bool read_word(struct xdp_args *a, const char *s, size_t n)
{
	if (word_is(s, n, "native"))
		a->attach_flags |= XDP_FLAGS_DRV_MODE;
	else if (word_is(s, n, "skb"))
		a->attach_flags |= XDP_FLAGS_SKB_MODE;
	else if (word_is(s, n, "copy"))
		a->bind_flags |= XDP_COPY;
	else if (word_is(s, n, "zerocopy"))
		a->bind_flags |= XDP_ZEROCOPY;
	else if (word_is(s, n, "promisc"))
		a->promisc = true;
	else if (n > 6 && n < 11 && !strncmp(s, "queue=", 6) &&
		 strspn(s + 6, "0123456789") == n - 6)
		a->queue = (unsigned)strtoul(s + 6, NULL, 10);
	else
		return false;
	return true;
}

int xdp_args_read(struct xdp_args *a, const char *args, struct err *err)
{
	const uint32_t modes = XDP_FLAGS_DRV_MODE | XDP_FLAGS_SKB_MODE;
	const char *s = args + strcspn(args, ",");

	*a = (struct xdp_args){.name_len = (size_t)(s - args)};
	while (*s) {
		size_t n = strcspn(++s, ",");

		if (!read_word(a, s, n) || a->queue > QUEUE_MAX)
			return err_set(
				err, -EINVAL,
				"expected IFACE[,queue=N][,copy|zerocopy][,native|skb][,promisc], "
				"N from 0 to %u",
				QUEUE_MAX);
		s += n;
	}
	if ((a->attach_flags & modes) == modes || a->bind_flags == (XDP_COPY | XDP_ZEROCOPY) ||
	    (a->attach_flags & XDP_FLAGS_SKB_MODE && a->bind_flags & XDP_ZEROCOPY))
		return err_set(err, -EINVAL,
			       "expected one of copy and zerocopy, one of native and "
			       "skb; skb copies");
	return iface_check_name(args, a->name_len, err);
}

int xdp_args_check(const char *args, struct err *err)
{
	struct xdp_args a;

	return xdp_args_read(&a, args, err);
}
