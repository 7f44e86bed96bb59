// SPDX-License-Identifier: BSD-3-Clause
// fpm_listen.c - where weir fpm waits for FRR
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "apps/tool/fpm_listen.h"

int fpm_listen(const char *at, struct err *err)
{
	struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV,
				 .ai_socktype = SOCK_STREAM};
	const char *colon = strrchr(at, ':');
	struct addrinfo *found;
	char host[64] = "";
	int fd, one = 1;

	if (!colon || colon - at >= (int)sizeof(host))
		return err_set(err, -EINVAL, "--listen %s: expected ADDRESS:PORT", at);
	memcpy(host, at, (size_t)(colon - at));
	if (*host == '[' && host[strlen(host) - 1] == ']') {
		host[strlen(host) - 1] = 0;
		memmove(host, host + 1, strlen(host));
	}
	if (getaddrinfo(*host ? host : NULL, colon + 1, &hints, &found))
		return err_set(err, -EINVAL,
			       "--listen %s: expected ADDRESS:PORT like 127.0.0.1:2620", at);
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, found->ai_addr, found->ai_addrlen) || listen(fd, 4)) {
		int rc = -errno;

		freeaddrinfo(found);
		if (fd >= 0)
			close(fd);
		return err_set(err, rc, "--listen %s: %s", at, strerror(-rc));
	}
	freeaddrinfo(found);
	return fd;
}
