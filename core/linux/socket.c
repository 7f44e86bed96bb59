// SPDX-License-Identifier: BSD-3-Clause
// socket.c - a listening unix socket, and its clients as streams
#include "core/linux/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/linux/plat_linux.h"

struct listener {
	struct stream_listener base;
	int fd;
	struct sockaddr_un addr;
	struct stat file; // ours, as long as it is the same
};

struct client {
	struct stream base;
	int fd;
};

static int result(ssize_t n)
{
	if (n >= 0)
		return (int)n;
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : -errno;
}

static int client_read(struct stream *s, void *buf, uint32_t n)
{
	ssize_t got = recv(((struct client *)s)->fd, buf, n, MSG_DONTWAIT);

	return got == 0 && n ? -EPIPE : result(got);
}

static int client_write(struct stream *s, const void *buf, uint32_t n)
{
	return result(send(((struct client *)s)->fd, buf, n, MSG_DONTWAIT | MSG_NOSIGNAL));
}

static void client_close(struct stream *s)
{
	struct client *c = (struct client *)s;

	plat_linux_wake_fd(0, c->fd, false);
	close(c->fd);
	free(c);
}

static const struct stream_ops client_ops = {
	.read = client_read,
	.write = client_write,
	.close = client_close,
};

static struct stream *listener_accept(struct stream_listener *base)
{
	int fd = accept4(((struct listener *)base)->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct client *c = fd < 0 ? NULL : calloc(1, sizeof(*c));

	if (!c) {
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	c->base.ops = &client_ops;
	c->fd = fd;
	plat_linux_wake_fd(0, fd, true); // without it lcore 0 looks often enough
	return &c->base;
}

static void listener_close(struct stream_listener *base)
{
	struct listener *l = (struct listener *)base;
	struct stat st;

	plat_linux_wake_fd(0, l->fd, false);
	if (!lstat(l->addr.sun_path, &st) && st.st_ino == l->file.st_ino && st.st_dev == l->file.st_dev)
		unlink(l->addr.sun_path);
	close(l->fd);
	free(l);
}

// What is in the way at the path: 0 nothing (any more), or -errno and err.
static int make_room(const struct sockaddr_un *addr, struct err *err)
{
	struct stat st;
	int fd, rc;

	if (lstat(addr->sun_path, &st) < 0)
		return 0; // bind() says what else may be wrong
	if (!S_ISSOCK(st.st_mode))
		return err_set(err, -EEXIST, "%s: there is something else than a socket: expected a path of its "
			       "own", addr->sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(err, -errno, "%s: %s", addr->sun_path, strerror(errno));
	rc = connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) ? -errno : 0;
	close(fd);
	if (rc != -ECONNREFUSED)
		return err_set(err, -EADDRINUSE, "%s: another process listens there: expected a path of its own",
			       addr->sun_path);
	unlink(addr->sun_path);
	return 0;
}

static int make_address(struct sockaddr_un *addr, const char *path, struct err *err)
{
	size_t len = strlen(path);

	if (!len || len >= sizeof(addr->sun_path))
		return err_set(err, -ENAMETOOLONG, "'%s': %zu bytes: expected a path of 1 to %zu", path, len,
			       sizeof(addr->sun_path) - 1);
	*addr = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(addr->sun_path, path, len + 1);
	return 0;
}

int socket_bind(const char *path, struct err *err)
{
	struct sockaddr_un addr;
	int rc = make_address(&addr, path, err), fd;
	mode_t mask;

	if (!rc)
		rc = make_room(&addr, err);
	if (rc)
		return rc;
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd < 0)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	mask = umask(0177);
	rc = bind(fd, (struct sockaddr *)&addr, sizeof(addr)) ? -errno : 0;
	umask(mask);
	if (!rc && listen(fd, 8))
		rc = -errno;
	if (!rc)
		return fd;
	close(fd);
	return err_set(err, rc, "%s: %s: expected a path in a folder that is there and may be written to", path,
		       strerror(-rc));
}

static int listener_open(struct listener *l, const char *path, struct err *err)
{
	int rc = make_address(&l->addr, path, err);

	l->fd = rc ? rc : socket_bind(path, err);
	if (l->fd < 0)
		return l->fd;
	if (!fcntl(l->fd, F_SETFD, FD_CLOEXEC) && !fcntl(l->fd, F_SETFL, O_NONBLOCK) &&
	    !lstat(path, &l->file))
		return 0;
	rc = -errno;
	close(l->fd);
	return err_set(err, rc, "%s: %s", path, strerror(-rc));
}

struct stream_listener *socket_listen(const char *path, struct err *err)
{
	struct listener *l = calloc(1, sizeof(*l));

	if (!l) {
		err_set(err, -ENOMEM, "%s: no memory", path);
		return NULL;
	}
	if (listener_open(l, path, err)) {
		free(l);
		return NULL;
	}
	l->base.accept = listener_accept;
	l->base.close = listener_close;
	plat_linux_wake_fd(0, l->fd, true);
	return &l->base;
}
