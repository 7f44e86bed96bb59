// SPDX-License-Identifier: BSD-3-Clause
// port_main.h - what port_main.c needs of the home it runs in
#ifndef WEIR_TESTS_SYSTEM_VIRTIO_PORT_MAIN_H
#define WEIR_TESTS_SYSTEM_VIRTIO_PORT_MAIN_H

// Lets plat_console_getc() read what there is to read.
void port_main_platform(void);

#endif
