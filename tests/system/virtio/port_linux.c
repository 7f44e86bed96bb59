// SPDX-License-Identifier: BSD-3-Clause
// port_linux.c - port_main's home: a Linux process
#include "core/linux/plat_linux.h"
#include "port_main.h"

void port_main_platform(void)
{
	plat_linux_console(true);
}
