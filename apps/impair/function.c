// SPDX-License-Identifier: BSD-3-Clause
// function.c - the one function of weir-impair.elf
#include "apps/app.h"

const struct function *const function_list[] = {&impair_function, NULL};
