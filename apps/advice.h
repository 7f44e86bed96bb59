// SPDX-License-Identifier: BSD-3-Clause
// advice.h - what the machine below gave a running function too little of, and the option that
// mends it
//
// The report of an image's start: from inside a guest only what the ports were granted, the
// processor's name and the loops' own gaps can be seen. weir doctor looks from the host. Lcore 0,
// between turns.
#ifndef WEIR_APPS_ADVICE_H
#define WEIR_APPS_ADVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "apps/app.h"

// Polling time before gaps are judged.
#define ADVICE_NOISE_MS 1000u

struct advice { // how far it has come; begins zeroed
	unsigned step;
	uint64_t told; // ports, by their bit, whose back end is not there
};

// The next thing amiss as one line without newline; false: nothing (yet). Short, since a console
// can cost a tenth of a millisecond a byte; one call a tick.
bool advice_next(struct advice *a, const struct app *app, char *line, size_t len);

#endif
