// SPDX-License-Identifier: BSD-3-Clause
// program.c - the XDP program: frames of our queues to our sockets, all others to the host's stack
//
// It hangs on the interface by a link (BPF_LINK_CREATE) that this process holds: when the process
// ends, killed or not, the kernel takes the program off.
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "pmd/xdp/xdp.h"

static int load(int map)
{
	// return bpf_redirect_map(map, ctx->rx_queue_index, XDP_PASS);
	const struct bpf_insn insns[] = {
		{.code = BPF_LDX | BPF_MEM | BPF_W,
		 .dst_reg = BPF_REG_2,
		 .src_reg = BPF_REG_1,
		 .off = offsetof(struct xdp_md, rx_queue_index)},
		{.code = BPF_LD | BPF_DW | BPF_IMM,
		 .dst_reg = BPF_REG_1,
		 .src_reg = BPF_PSEUDO_MAP_FD,
		 .imm = map},
		{0},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3, .imm = XDP_PASS},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect_map},
		{.code = BPF_JMP | BPF_EXIT},
	};
	const size_t n = sizeof(insns) / sizeof(insns[0]);
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = BPF_F_XDP_HAS_FRAGS);
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "weir_xsk", "Dual BSD/GPL", insns, n, &opts);

	if (fd != -EINVAL)
		return fd;
	opts.prog_flags = 0; // before 5.18: frames of one chunk
	return bpf_prog_load(BPF_PROG_TYPE_XDP, "weir_xsk", "Dual BSD/GPL", insns, n, &opts);
}

int xdp_program_load(struct xdp_port *p, struct err *err)
{
	int rc = p->map = bpf_map_create(BPF_MAP_TYPE_XSKMAP, "weir_xsks", sizeof(int), sizeof(int),
					 (uint32_t)p->first_queue + p->queues, NULL);

	if (rc >= 0)
		rc = p->program = load(p->map);
	if (rc >= 0)
		return 0;
	if (rc == -EPERM)
		return err_set(
			err, rc,
			"not permitted to load an XDP program: run as root, or with CAP_BPF, "
			"CAP_NET_ADMIN and CAP_NET_RAW (`setcap "
			"cap_bpf,cap_net_admin,cap_net_raw+ep`), and `ulimit -l unlimited`");
	return err_set(err, rc, "loading the XDP program: %s%s", strerror(-rc),
		       rc == -EINVAL || rc == -ENOSYS ? ": is the kernel built with "
							"CONFIG_XDP_SOCKETS?"
						      : "");
}

int xdp_program_attach(struct xdp_port *p, struct err *err)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = p->attach_flags);
	int index = iface_index(&p->iface), link;

	if (!index)
		return err_set(err, -ENODEV, "there is no interface %s", p->iface.name);
	link = bpf_link_create(p->program, index, BPF_XDP, &opts);
	if (link >= 0) {
		p->attached = link;
		p->ifindex = index;
		return 0;
	}
	switch (link) {
	case -EBUSY:
	case -EEXIST:
		return err_set(err, link,
			       "%s has an XDP program already: see `ip link show %s`; "
			       "`ip link set %s xdp off` takes it off",
			       p->iface.name, p->iface.name, p->iface.name);
	case -EOPNOTSUPP:
		return err_set(err, link,
			       "the driver of %s has no XDP: leave 'native' and 'zerocopy' away",
			       p->iface.name);
	default:
		return err_set(
			err, link,
			"attaching the XDP program to %s: %s: perhaps its MTU is too large for "
			"XDP, or its LRO is on (`ethtool -K %s lro off`)",
			p->iface.name, strerror(-link), p->iface.name);
	}
}

void xdp_program_detach(struct xdp_port *p)
{
	if (p->attached >= 0)
		close(p->attached);
	p->attached = -1;
	p->ifindex = 0;
}

void xdp_program_unload(struct xdp_port *p)
{
	xdp_program_detach(p);
	if (p->program >= 0)
		close(p->program);
	if (p->map >= 0)
		close(p->map);
	p->program = p->map = -1;
}
