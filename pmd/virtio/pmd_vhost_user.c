// SPDX-License-Identifier: BSD-3-Clause
// pmd_vhost_user.c - the driver "virtio-user" of the hosted build: virtio-net over a vhost-user
// socket
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pmd/pmds.h"
#include "pmd/virtio/net.h"
#include "pmd/virtio/vhost_user.h"

#define WAIT_CLIENT 5u
#define WAIT_MAX    86400u

static int parse_mac(const char *s, uint8_t mac[6])
{
	int end = 0, n = sscanf(s, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1],
				&mac[2], &mac[3], &mac[4], &mac[5], &end);

	return n == 6 && end == 17 && !s[end] && !(mac[0] & 1) && memcmp(mac, "\0\0\0\0\0", 6)
		       ? 0
		       : -EINVAL;
}

static int parse_wait(const char *s, uint32_t *wait)
{
	char *end;
	unsigned long n;

	if (!strcmp(s, "forever")) {
		*wait = VHOST_USER_FOREVER;
		return 0;
	}
	if (*s < '0' || *s > '9')
		return -EINVAL;
	n = strtoul(s, &end, 10);
	*wait = (uint32_t)n;
	return *end || n > WAIT_MAX ? -EINVAL : 0;
}

static int parse_option(char *o, struct vhost_user_args *a, struct err *err)
{
	int r = 0;

	if (!strcmp(o, "server"))
		a->server = true;
	else if (!strcmp(o, "packed=on"))
		a->packed = true;
	else if (!strcmp(o, "packed=off"))
		a->packed = false;
	else if (!strncmp(o, "mac=", 4)) {
		r = parse_mac(o + 4, a->mac);
		a->has_mac = true;
	} else if (!strncmp(o, "wait=", 5))
		r = parse_wait(o + 5, &a->wait_s);
	else
		r = -EINVAL;
	return r ? err_set(err, r,
			   "%s: expected server, packed=on, packed=off, mac=XX:XX:XX:XX:XX:XX of a "
			   "station, or wait=SECONDS up to %u or forever",
			   o, WAIT_MAX)
		 : 0;
}

int vhost_user_parse(const char *text, struct vhost_user_args *args, struct err *err)
{
	size_t n = strcspn(text, ",");
	char *copy, *o, *rest;
	bool waits;
	int r = 0;

	memset(args, 0, sizeof(*args));
	args->packed = true;
	if (!n || n >= sizeof(args->path))
		return err_set(err, -EINVAL, "expected PATH[,OPTION]..., PATH of 1 to %zu bytes",
			       sizeof(args->path) - 1);
	memcpy(args->path, text, n);
	waits = strstr(text + n, ",wait=") != NULL;
	copy = strdup(text + n);
	if (!copy)
		return err_set(err, -ENOMEM, "out of memory");
	for (o = strtok_r(copy, ",", &rest); o && !r; o = strtok_r(NULL, ",", &rest))
		r = parse_option(o, args, err);
	free(copy);
	if (!waits)
		args->wait_s = args->server ? VHOST_USER_FOREVER : WAIT_CLIENT;
	return r;
}

static int check(const char *args, struct err *err)
{
	struct vhost_user_args a;

	return vhost_user_parse(args, &a, err);
}

static int open_port(struct port *port, const struct port_conf *conf, struct err *err)
{
	struct vhost_user_args args;
	struct vhost_user *v;
	int r = port_check_args(conf, check, err);

	if (r)
		return r;
	vhost_user_parse(conf->args, &args, err);
	r = vhost_user_open(port, conf, &args, &v, err);
	if (r)
		return r;
	r = vhost_user_await(v, err);
	if (r) {
		v->t.ops->close(&v->t);
		return r;
	}
	r = virtio_net_open(port, conf, &v->t, err);
	if (r)
		return r;
	r = vhost_user_settle(v, err);
	if (r)
		virtio_net_close(port, NULL);
	return r;
}

static void stats(const struct port *port, struct port_stats *s)
{
	const struct virtio_net *net = port->priv;

	virtio_net_stats(port, s);
	vhost_user_stats((const struct vhost_user *)(const void *)net->t, s);
}

static void poll_port(struct port *port)
{
	const struct virtio_net *net = port->priv;
	uint64_t received = 0;

	virtio_net_poll(port);
	for (uint16_t q = 0; q < net->pairs; q++)
		received += net->pair[q].rx.packets;
	vhost_user_flowing((struct vhost_user *)(void *)net->t, received);
}

const struct pmd virtio_user_pmd = {
	.name = "virtio-user",
	.help = "PATH[,server][,packed=on|off][,mac=MAC][,wait=SECONDS]: a vhost-user socket's "
		"front end",
	.can = {.offloads = PORT_RX_CSUM | PORT_TX_CSUM | PORT_TX_TSO4 | PORT_TX_TSO6 |
			    PORT_TX_USO | PORT_RX_LRO,
		.queues = PORT_QUEUES_MAX,
		.live = true},
	.check = check,
	.open = open_port,
	.close = virtio_net_close,
	.stats = stats,
	.link = virtio_net_link,
	.poll = poll_port,
	.poll_queue = virtio_net_poll_queue,
	.arm = virtio_net_arm,
	.disarm = virtio_net_disarm,
};
