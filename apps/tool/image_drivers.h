// SPDX-License-Identifier: BSD-3-Clause
// image_drivers.h - put before the image's list of drivers when it is built into the tool
//
// The tool shows what those drivers say of themselves and never opens them; what they would call to
// do so is of the image alone.
#include "pmd/virtio/device.h"

#pragma weak virtio_device_open
