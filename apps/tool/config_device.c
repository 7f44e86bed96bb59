// SPDX-License-Identifier: BSD-3-Clause
// config_device.c - device strings: DRIVER:ARGUMENT, as far as they can be judged without opening
// anything
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/config.h"
#include "apps/tool/util.h"
#include "pmd/port.h"

#define DEVICE_MAX 1024u

// The image's own driver; the others of an image are hosted too. The home that lacks a driver says
// so when the port is opened.
static const char image_driver[] = "virtio";

static int unknown_driver(struct err *err)
{
	const struct pmd *const *p;
	char list[128];
	size_t n = (size_t)snprintf(list, sizeof(list), "%s", image_driver);

	for (p = pmd_list; *p && n < sizeof(list); p++)
		n += (size_t)snprintf(list + n, sizeof(list) - n, ", %s", (*p)->name);
	return err_set(err, -EINVAL, "expected DRIVER:ARGUMENT with a driver of %s", list);
}

int config_device(struct config_port *p, const char *device, struct err *err)
{
	const char *colon = strchr(device, ':'), *args = colon ? colon + 1 : "", *s;
	char *driver = xasprintf("%.*s", (int)(colon ? colon - device : DEVICE_MAX), device);
	const struct pmd *pmd = pmd_resolve(driver, args);
	int rc = 0;

	if (!pmd && strcmp(driver, image_driver))
		rc = unknown_driver(err);
	if (!rc && strlen(device) > DEVICE_MAX)
		rc = err_set(err, -EINVAL, "expected a device of at most %u bytes", DEVICE_MAX);
	// Drivers name it in their messages.
	for (s = device; !rc && *s; s++)
		if (text_control(s))
			rc = err_set(err, -EINVAL, "expected a device without control characters");
	if (!rc && pmd && pmd->check)
		rc = pmd->check(args, err);
	if (rc) {
		free(driver);
		return rc;
	}
	free(p->driver);
	free(p->args);
	p->driver = driver;
	p->args = xstrdup(args);
	return 0;
}
