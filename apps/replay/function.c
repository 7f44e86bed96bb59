// SPDX-License-Identifier: BSD-3-Clause
// function.c - the one function of weir-replay.elf
#include "apps/app.h"

const struct function *const function_list[] = {&replay_function, NULL};
