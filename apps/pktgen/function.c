// SPDX-License-Identifier: BSD-3-Clause
// function.c - the one function of weir-pktgen.elf
#include "apps/pktgen/pktgen.h"

const struct function *const function_list[] = {&pktgen_function, NULL};
