// SPDX-License-Identifier: BSD-3-Clause
// doctor_config.c - what the ports of a configuration need of the host, device by device
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "apps/tool/doctor.h"
#include "apps/tool/util.h"
#include "pmd/port.h"

// linux/capability.h
#define CAP_NET_ADMIN 12u
#define CAP_NET_RAW   13u
#define CAP_BPF	      39u

#define FILES_PER_QUEUE 4u // event and kick descriptors, a socket
#define FILES_OWN	64u

struct device { // of one port, as its arguments say
	const struct config_port *port;
	char *word[16]; // the arguments, parted by commas
	unsigned words;
	char *text;
};

static void device_part(struct device *v, const struct config_port *p)
{
	char *rest, *s;

	*v = (struct device){.port = p, .text = xstrdup(p->args)};
	for (rest = v->text; v->words < 16 && (s = strsep(&rest, ","));)
		v->word[v->words++] = s;
}

static const char *option(const struct device *v, const char *key)
{
	size_t n = strlen(key);

	for (unsigned i = 0; i < v->words; i++)
		if (!strncmp(v->word[i], key, n))
			return v->word[i] + n;
	return NULL;
}

static char *device_text(const struct device *v)
{
	return xasprintf("port %s, %s:%s", v->port->name, v->port->driver, v->port->args);
}

static void broken(struct doctor *d, const struct device *v, const char *id, char *what, char *mend)
{
	char *text = device_text(v);

	doctor_add(d, id, DOCTOR_ERROR, xasprintf("%s: %s", text, what),
		   xstrdup("the port does not open, and nothing starts"), mend);
	free(text);
	free(what);
}

// Whether the kernel lists a listener (SO_ACCEPTCON: flags 00010000) that was bound by this very
// path.
static bool listed(const struct doctor *d, const char *path)
{
	char *text = doctor_read(d, "/proc/net/unix"), *line, *rest = text, name[256];
	unsigned flags;
	bool found = false;

	while (rest && !found && (line = strsep(&rest, "\n")))
		found = sscanf(line, "%*s %*s %*s %x %*s %*s %*s %255[^\n]", &flags, name) == 2 &&
			(flags & 0x10000) && !strcmp(name, path);
	free(text);
	return found;
}

// Whether somebody listens at a unix socket. Where the list does not tell, by connecting: a back
// end takes that for a front end that left at once.
static int listens(const struct doctor *d, const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd, rc = 0;

	if (listed(d, path))
		return 0;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || strlen(path) >= sizeof(a.sun_path))
		rc = fd < 0 ? -errno : -ENAMETOOLONG;
	if (!rc) {
		strcpy(a.sun_path, path);
		if (connect(fd, (const struct sockaddr *)&a, sizeof(a)))
			rc = -errno;
	}
	if (fd >= 0)
		close(fd);
	return rc;
}

// We connect: somebody has to listen there.
static void client_socket(struct doctor *d, const struct device *v, const char *path)
{
	struct stat st;
	int rc;

	if (lstat(path, &st)) {
		broken(d, v, "vhost-socket", xasprintf("%s: %s", path, strerror(errno)),
		       xasprintf(
			       "start the back end first (it makes %s), or let weir be the server",
			       path));
	} else if (!S_ISSOCK(st.st_mode)) {
		broken(d, v, "vhost-socket", xasprintf("%s is not a socket", path),
		       xstrdup("name the socket that the back end listens on"));
	} else if ((rc = listens(d, path))) {
		broken(d, v, "vhost-socket", xasprintf("%s: %s", path, strerror(-rc)),
		       rc == -EACCES
			       ? xasprintf("chmod g+rw %s, or run as its owner", path)
			       : xasprintf("nobody listens any more: start the back end again; it "
					   "may want rm %s first",
					   path));
	} else {
		doctor_ok(d, "vhost-socket", "port %s: somebody listens at %s", v->port->name,
			  path);
	}
}

// We listen: the folder has to let us make the socket.
static void server_socket(struct doctor *d, const struct device *v, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? xasprintf("%.*s", (int)(slash - path + !(slash - path)), path)
			     : xstrdup(".");

	if (access(folder, W_OK | X_OK))
		broken(d, v, "vhost-socket", xasprintf("%s: %s", folder, strerror(errno)),
		       xstrdup("a folder that this user may write"));
	else
		doctor_ok(d, "vhost-socket", "port %s: %s can be made", v->port->name, path);
	free(folder);
}

static void socket_of(struct doctor *d, const struct device *v, const char *path, bool server)
{
	if (*d->root)
		doctor_unchecked(d, "vhost-socket", path, "it is another machine's");
	else if (server)
		server_socket(d, v, path);
	else
		client_socket(d, v, path);
}

static void virtio_user(struct doctor *d, const struct device *v)
{
	socket_of(d, v, v->word[0], option(v, "server") != NULL);
}

static bool capable(const struct doctor *d, unsigned cap)
{
	char *status = doctor_read(d, "/proc/self/status");
	char *eff = status ? doctor_field(status, "CapEff") : NULL;
	uint64_t caps = eff ? strtoull(eff, NULL, 16) : 0;

	free(eff);
	free(status);
	return caps >> cap & 1;
}

static void needs_cap(struct doctor *d, const struct device *v, unsigned cap, const char *name)
{
	if (capable(d, cap)) {
		doctor_ok(d, "capability", "port %s: %s is there", v->port->name, name);
		return;
	}
	broken(d, v, "capability", xasprintf("this process has no %s", name),
	       xasprintf("setcap %s+ep FILE on the executable weir, as root; or sudo weir …",
			 name));
}

// An interface of this network namespace; false when it is not there. Says so when it is down.
static bool interface(struct doctor *d, const struct device *v, const char *name)
{
	char *path = doctor_path(d, "/sys/class/net/%s", name), *state;
	bool there = !access(path, F_OK);

	free(path);
	if (!there) {
		broken(d, v, "interface", xasprintf("there is no interface %s", name),
		       xstrdup("ip link shows those of this network namespace; ip netns exec NAME "
			       "weir … "
			       "enters another"));
		return false;
	}
	state = doctor_read(d, "/sys/class/net/%s/operstate", name);
	if (state && !strcmp(state, "down"))
		doctor_add(d, "interface", DOCTOR_WARNING,
			   xasprintf("port %s: %s is down", v->port->name, name),
			   xstrdup("no packet comes or goes"),
			   xasprintf("ip link set %s up", name));
	else
		doctor_ok(d, "interface", "port %s: %s is there", v->port->name, name);
	free(state);
	return true;
}

static void interface_raw(struct doctor *d, const struct device *v, const char *name)
{
	if (interface(d, v, name))
		needs_cap(d, v, CAP_NET_RAW, "cap_net_raw");
}

static void packet(struct doctor *d, const struct device *v)
{
	interface_raw(d, v, v->word[0]);
}

static void xdp(struct doctor *d, const struct device *v)
{
	interface_raw(d, v, v->word[0]);
	needs_cap(d, v, CAP_NET_ADMIN, "cap_net_admin");
	needs_cap(d, v, CAP_BPF, "cap_bpf");
}

static void tap(struct doctor *d, const struct device *v)
{
	char *tun = doctor_path(d, "/dev/net/tun"), *owner, *flags;

	if (access(tun, F_OK))
		broken(d, v, "tun", xstrdup("there is no /dev/net/tun"),
		       xstrdup("modprobe tun; in a container: --device /dev/net/tun"));
	else if (access(tun, R_OK | W_OK))
		broken(d, v, "tun", xstrdup("/dev/net/tun may not be opened by this user"),
		       xstrdup("chmod 666 /dev/net/tun (as distributions have it)"));
	else
		doctor_ok(d, "tun", "port %s: /dev/net/tun can be used", v->port->name);
	free(tun);
	owner = doctor_read(d, "/sys/class/net/%s/owner", v->word[0]);
	flags = doctor_read(d, "/sys/class/net/%s/tun_flags", v->word[0]);
	if (owner && (unsigned)strtoul(owner, NULL, 10) == getuid() && !*d->root)
		doctor_ok(d, "capability", "port %s: %s is this user's", v->port->name, v->word[0]);
	else
		needs_cap(d, v, CAP_NET_ADMIN, "cap_net_admin");
	// IFF_MULTI_QUEUE of linux/if_tun.h: a device made without it takes one queue.
	if (flags && d->c->params.lcores > 1 && !(strtoul(flags, NULL, 16) & 0x100))
		doctor_add(d, "queues", DOCTOR_WARNING,
			   xasprintf("port %s: %s was made with one queue, and lcores is %u",
				     v->port->name, v->word[0], d->c->params.lcores),
			   xstrdup("one lcore does all of this port's work"),
			   xasprintf("ip link del %s; ip tuntap add %s mode tap multi_queue",
				     v->word[0], v->word[0]));
	free(owner);
	free(flags);
}

static void pcap(struct doctor *d, const struct device *v)
{
	const char *live = option(v, "live=");
	const char *in = v->words ? v->word[0] : "", *out = v->words > 1 ? v->word[1] : "", *slash;
	char *folder;

	if (live)
		return interface_raw(d, v, live);
	if (*in && access(in, R_OK))
		broken(d, v, "capture", xasprintf("%s: %s", in, strerror(errno)),
		       xstrdup("name a capture that this user may read"));
	else if (*in)
		doctor_ok(d, "capture", "port %s: %s can be read", v->port->name, in);
	if (!*out)
		return;
	slash = strrchr(out, '/');
	folder = slash ? xasprintf("%.*s", (int)(slash - out + !(slash - out)), out) : xstrdup(".");
	if (access(out, F_OK) ? access(folder, W_OK | X_OK) : access(out, W_OK))
		broken(d, v, "capture", xasprintf("%s: %s", out, strerror(errno)),
		       xstrdup("name a file that this user may write"));
	else
		doctor_ok(d, "capture", "port %s: %s can be written", v->port->name, out);
	free(folder);
}

// A NIC of its own: bound to vfio, and enough memory may be locked for its DMA.
static void pci(struct doctor *d, const struct device *v)
{
	const char *bdf = v->word[0];
	char *path =
		doctor_path(d, "/sys/bus/pci/devices/%s%s", strlen(bdf) < 10 ? "0000:" : "", bdf);
	char link[256] = "", *driver = xasprintf("%s/driver", path);
	ssize_t n = readlink(driver, link, sizeof(link) - 1);
	const char *name = n > 0 ? strrchr(link, '/') : NULL;

	if (access(path, F_OK))
		broken(d, v, "pci-device", xasprintf("there is no PCI device %s", bdf),
		       xstrdup("lspci -D shows them"));
	else if (!name || (strcmp(name, "/vfio-pci") && strcmp(name, "/uio_pci_generic") &&
			   strncmp(name, "/mlx", 4)))
		broken(d, v, "pci-device",
		       xasprintf("%s belongs to the driver %s", bdf, name ? name + 1 : "of nobody"),
		       xasprintf("modprobe vfio-pci; dpdk-devbind.py -b vfio-pci %s", bdf));
	else
		doctor_ok(d, "pci-device", "port %s: %s is bound to %s", v->port->name, bdf,
			  name + 1);
	free(driver);
	free(path);
}

static void dpdk(struct doctor *d, const struct device *v)
{
	const char *name = v->words ? v->word[0] : "", *iface = option(v, "iface=");
	unsigned a, b, c;

	if (!strncmp(name, "net_vhost", 9) && iface)
		socket_of(d, v, iface, !(option(v, "client=") && *option(v, "client=") == '1'));
	else if ((!strncmp(name, "net_af_packet", 13) || !strncmp(name, "net_af_xdp", 10)) && iface)
		interface_raw(d, v, iface);
	else if (sscanf(name, "%x:%x.%x", &a, &b, &c) == 3 ||
		 sscanf(name, "%*x:%x:%x.%x", &a, &b, &c) == 3)
		pci(d, v);
}

static const struct {
	const char *driver;
	void (*check)(struct doctor *d, const struct device *v);
} drivers[] = {
	{"dpdk", dpdk}, {"packet", packet},	      {"pcap", pcap},
	{"tap", tap},	{"virtio-user", virtio_user}, {"xdp", xdp},
};

// "Max open files            1024                 524288               files": the soft one.
static bool limit(const char *limits, const char *key, uint64_t *value)
{
	const char *p = limits ? strstr(limits, key) : NULL;

	if (!p)
		return false;
	p += strlen(key);
	p += strspn(p, " ");
	*value = strncmp(p, "unlimited", 9) ? strtoull(p, NULL, 10) : UINT64_MAX;
	return true;
}

static bool has_driver(const struct config *c, const char *driver, const char *args)
{
	for (size_t i = 0; i < c->n_ports; i++)
		if (!strcmp(c->ports[i].driver, driver) && strstr(c->ports[i].args, args))
			return true;
	return false;
}

static void limits(struct doctor *d)
{
	char *text = doctor_read(d, "/proc/self/limits");
	uint64_t files, locked,
		want = FILES_OWN + FILES_PER_QUEUE * d->c->n_ports * d->c->params.lcores;
	bool dma = has_driver(d->c, "dpdk", ":"); // a PCI address has a colon

	if (!limit(text, "Max open files", &files) || !limit(text, "Max locked memory", &locked)) {
		doctor_unchecked(d, "limits", "limits of this process",
				 "/proc/self/limits does not say");
	} else {
		if (files < want)
			doctor_add(d, "limits", DOCTOR_ERROR,
				   xasprintf("%" PRIu64
					     " files may be open, %s takes about %" PRIu64,
					     files, d->file, want),
				   xstrdup("ports do not open: too many open files"),
				   xasprintf("ulimit -n %" PRIu64, want));
		else
			doctor_ok(d, "limits", "%" PRIu64 " files may be open", files);
		if (dma && locked < (256ull << 20))
			doctor_add(d, "memlock", DOCTOR_ERROR,
				   xasprintf("%" PRIu64
					     " KiB may be locked; a NIC's DMA needs packet memory "
					     "locked",
					     locked >> 10),
				   xstrdup("packet memory is not mapped for DMA: the NIC moves no "
					   "packet"),
				   xstrdup("ulimit -l unlimited; systemd: LimitMEMLOCK=infinity"));
		else if (dma)
			doctor_ok(d, "memlock", "enough memory may be locked");
	}
	free(text);
}

void doctor_config(struct doctor *d)
{
	for (size_t i = 0; i < d->c->n_ports; i++) {
		struct device v;

		device_part(&v, &d->c->ports[i]);
		for (size_t k = 0; k < sizeof(drivers) / sizeof(drivers[0]); k++)
			if (!strcmp(drivers[k].driver, v.port->driver))
				drivers[k].check(d, &v);
		free(v.text);
	}
	limits(d);
}
