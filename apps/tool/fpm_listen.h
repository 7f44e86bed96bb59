// SPDX-License-Identifier: BSD-3-Clause
// fpm_listen.h - where weir fpm waits for FRR
#ifndef WEIR_APPS_TOOL_FPM_LISTEN_H
#define WEIR_APPS_TOOL_FPM_LISTEN_H

#include "core/err.h"

// A listening TCP socket that does not block, at ADDRESS:PORT or [ADDRESS]:PORT, numbers both; or
// -errno and err.
int fpm_listen(const char *at, struct err *err);

#endif
