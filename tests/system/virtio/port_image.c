// SPDX-License-Identifier: BSD-3-Clause
// port_image.c - port_main's home: an image
#include "port_main.h"

void port_main_platform(void)
{
}
