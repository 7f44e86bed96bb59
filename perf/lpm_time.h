// SPDX-License-Identifier: BSD-3-Clause
// lpm_time.h - the prefix table's benchmark: cycles of this thread, medians
#ifndef WEIR_PERF_LPM_TIME_H
#define WEIR_PERF_LPM_TIME_H

extern double lpm_tsc_hz; // after lpm_measure_tsc(), which takes 100 ms

void lpm_measure_tsc(void);

// Cycles of the time-stamp counter while this thread had its processor: waiting for it is not the
// table's doing. For updates: what is timed lasts long enough for the system call not to count.
double lpm_cycles(void);

// Of n > 0 values, which it sorts.
double lpm_median(double *v, unsigned n);

#endif
