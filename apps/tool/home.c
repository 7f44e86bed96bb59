// SPDX-License-Identifier: BSD-3-Clause
// home.c - what a function needs of this process: its CPU, its control channel
#include "apps/tool/home.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#include "apps/control.h"
#include "core/linux/socket.h"

int home_cpu(unsigned cpu, struct err *err)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (!sched_setaffinity(0, sizeof(set), &set))
		return 0;
	return err_set(err, -errno, "--cpu %u: %s: see `taskset -p $$` for those allowed", cpu, strerror(errno));
}

int home_listen(struct app *app, const char *path, struct err *err)
{
	struct control *control = path ? control_create(app, err) : NULL;
	struct stream_listener *l = control ? socket_listen(path, err) : NULL;

	if (!path)
		return 0;
	if (l)
		return control_listen(control, l);
	control_destroy(control);
	return -EADDRNOTAVAIL; // or another reason: err has it
}
