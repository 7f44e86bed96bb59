// SPDX-License-Identifier: BSD-3-Clause
// functions_hosted.c - the functions of `weir run`: all
#include "apps/app.h"
#include "apps/pktgen/pktgen.h"

const struct function *const function_list[] = {&router_function, &patch_function, &pktgen_function,
						 &replay_function, &impair_function, NULL};
