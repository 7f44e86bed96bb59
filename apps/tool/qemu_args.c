// SPDX-License-Identifier: BSD-3-Clause
// qemu_args.c - the QEMU command line for an image
#include "apps/tool/qemu_args.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apps/tool/util.h"

#define RING_SIZE 1024   // the most QEMU allows a vhost-user device
#define FIRST_SLOT 2     // PCI slots below are the machine's
#define CONTROL_SLOT 0x12 // behind 16 network devices
#define QBOOT "/usr/share/qemu/qboot.rom"

static void add(struct args *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct args *a, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		die_no_memory();
	va_end(ap);
	if (a->n)
		a->n--; // over the NULL
	a->v = array_add(a->v, &a->n, &a->room, sizeof(*a->v));
	a->v[a->n - 1] = s;
	a->v = array_add(a->v, &a->n, &a->room, sizeof(*a->v));
}

static void add2(struct args *a, const char *option, const char *value)
{
	add(a, "%s", option);
	add(a, "%s", value);
}

const char *qemu_accel_auto(void)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return "tcg";
	close(fd);
	return "kvm";
}

// In a QEMU option a comma of a value is doubled.
static char *quote_comma(const char *s)
{
	char *out = xrealloc(NULL, 2 * strlen(s) + 1), *p = out;

	for (; *s; s++) {
		if (*s == ',')
			*p++ = ',';
		*p++ = *s;
	}
	*p = 0;
	return out;
}

static void add_net(struct args *a, const struct qemu_net *net, unsigned i)
{
	char *path = quote_comma(net->socket), mq[48] = "", queues[24] = "";

	if (net->queues > 1) {
		snprintf(queues, sizeof(queues), ",queues=%u", net->queues);
		// A vector for each queue, the control queue's, and that of configuration changes.
		snprintf(mq, sizeof(mq), ",mq=on,vectors=%u", 2 * net->queues + 2);
	}

	add(a, "-chardev");
	// A back end that was restarted is found again within a second.
	add(a, "socket,id=c%u,path=%s%s", i, path,
	    net->server ? ",server=on,wait=on" : ",reconnect=1");
	add(a, "-netdev");
	add(a, "vhost-user,id=n%u,chardev=c%u%s", i, i, queues);
	add(a, "-device");
	add(a,
	    "virtio-net-pci,netdev=n%u,addr=0x%x,disable-legacy=on,mrg_rxbuf=on,romfile=,"
	    "rx_queue_size=%d,tx_queue_size=%d%s%s%s",
	    i, FIRST_SLOT + i, RING_SIZE, RING_SIZE, mq, net->mac ? ",mac=" : "",
	    net->mac ? net->mac : "");
	free(path);
}

// One port, whose bytes are the control channel's.
static void add_control(struct args *a, const char *path, int fd)
{
	char *quoted = quote_comma(path);

	add(a, "-chardev");
	if (fd < 0)
		add(a, "socket,id=control,path=%s,server=on,wait=off", quoted);
	else
		add(a, "socket,id=control,fd=%d,server=on,wait=off", fd);
	add(a, "-device");
	add(a, "virtio-serial-pci,addr=0x%x,disable-legacy=on,max_ports=1", CONTROL_SLOT);
	add2(a, "-device", "virtconsole,chardev=control");
	free(quoted);
}

void qemu_args(struct args *a, const struct qemu_conf *c)
{
	bool q35 = !strcmp(c->machine, "q35");
	unsigned i;

	add(a, "qemu-system-x86_64");
	add2(a, "-accel", c->accel);
	add2(a, "-cpu", strcmp(c->accel, "kvm") ? "max" : "host");
	add2(a, "-M", q35 ? "q35,memory-backend=m" : "microvm,pcie=on,isa-serial=on,memory-backend=m");
	if (q35 && !access(QBOOT, R_OK))
		add2(a, "-bios", QBOOT);
	add(a, "-m");
	add(a, "%u", c->memory);
	add(a, "-smp");
	add(a, "%u", c->cpus);
	// Shared: without it a vhost-user back end sees none of the guest's memory.
	add(a, "-object");
	// Under KVM no packet waits for the host to find a page when a buffer is first used.
	add(a, "memory-backend-memfd,id=m,size=%uM,share=on%s", c->memory,
	    strcmp(c->accel, "kvm") ? "" : ",prealloc=on");
	for (i = 0; i < c->nets; i++)
		add_net(a, &c->net[i], i);
	if (c->control)
		add_control(a, c->control, c->control_fd);
	add2(a, "-kernel", c->kernel);
	add(a, "-nodefaults");
	add2(a, "-display", "none");
	add2(a, "-serial", "stdio");
	add(a, "-no-reboot");
	add2(a, "-device", "isa-debug-exit,iobase=0xf4,iosize=4");
}

void args_free(struct args *a)
{
	size_t i;

	for (i = 0; i < a->n; i++)
		free(a->v[i]);
	free(a->v);
	*a = (struct args){0};
}

void args_print(const struct args *a, FILE *out)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-./,:=+@%";
	const char *p;
	size_t i;

	for (i = 0; a->v[i]; i++) {
		fputs(i ? " " : "", out);
		if (*a->v[i] && !a->v[i][strspn(a->v[i], plain)]) {
			fputs(a->v[i], out);
			continue;
		}
		fputc('\'', out);
		for (p = a->v[i]; *p; p++)
			fputs(*p == '\'' ? "'\\''" : (char[]){*p, 0}, out);
		fputc('\'', out);
	}
	fputc('\n', out);
}
