// SPDX-License-Identifier: BSD-3-Clause
// socket.h - a listening unix socket whose clients are streams (core/stream.h)
#ifndef WEIR_CORE_LINUX_SOCKET_H
#define WEIR_CORE_LINUX_SOCKET_H

#include "core/stream.h"

// Listens at path, for this user alone (mode 0600). A socket there that nobody serves any more is replaced.
// close() removes it. What comes ends plat_halt() of lcore 0. NULL and err: the path is in use, too long, or
// cannot be made.
struct stream_listener *socket_listen(const char *path, struct err *err);

// The listening descriptor alone, for another program; it is not closed by exec(). Or -errno and err.
int socket_bind(const char *path, struct err *err);

#endif
