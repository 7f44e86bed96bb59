// SPDX-License-Identifier: BSD-3-Clause
// lcore.c - one thread a vCPU: start it by INIT and SIPI, know it, end it
//
// Source: SDM 3A 8.4 (start-up protocol), 10.6 (ICR). A CPU belongs to its thread until that ends;
// then it halts, and the next clone() starts it again with another INIT.
#include <errno.h>
#include <string.h>

#include "core/plat.h"
#include "core/x86_64/libos/libos.h"

#define ICR_INIT 0x4500 // assert
#define ICR_SIPI (0x4600 | MON_AP_PAGE >> 12)

struct lcore_entry lcore_entry[MON_CPU_MAX];
static uint32_t lock;
static int ready;

static void put64(uint64_t at, uint64_t v)
{
	memcpy((void *)at, &v, sizeof(v));
}

// The head of CPU 0's page with every address moved by one page per CPU.
static void prepare_page(unsigned i)
{
	uint64_t page = MON_CPU0 + i * MON_CPU_SIZE, tss = page + CPU_TSS;
	uint8_t *desc = (uint8_t *)page + CPU_GDT + SEL_TSS;

	memcpy((void *)page, (const void *)MON_CPU0, CPU_HEAD_END);
	put64(page + CPU_GDTR + 2, page + CPU_GDT);
	put64(page + CPU_TSS_RSP0, page + CPU_RSP0_TOP);
	put64(page + CPU_TSS_IST1, page + CPU_IST1_TOP);
	memcpy((void *)(page + CPU_INDEX), &i, sizeof(i));
	memcpy(desc + 2, &tss, 3);
	desc[7] = (uint8_t)(tss >> 24);
}

// Runs under the boot tables, which still reach the CPU pages and low memory.
void lcores_prepare(void)
{
	for (unsigned i = 1; i < acpi_info.cpus; i++)
		prepare_page(i);
	if (acpi_info.cpus > 1)
		memcpy((void *)MON_AP_PAGE, mon_ap_start, (size_t)(mon_ap_end - mon_ap_start));
	if (acpi_info.cpus_offered > MON_CPU_MAX)
		console_puts("weir: more than 64 vCPUs, the rest stays unused\n");
	lcore_entry[0].state = LCORE_RUNS;
	ready = 1;
}

// By thread pointer: no register is set aside for it.
unsigned lcore_current(void)
{
	uint64_t tls;

	if (!ready || !lcore_entry[0].tls)
		return 0;
	__asm__("rdfsbase %0" : "=r"(tls));
	for (unsigned i = 1; i < acpi_info.cpus; i++)
		if (lcore_entry[i].state == LCORE_RUNS && lcore_entry[i].tls == tls)
			return i;
	return 0;
}

unsigned lcores_running(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < acpi_info.cpus; i++)
		n += __atomic_load_n(&lcore_entry[i].state, __ATOMIC_ACQUIRE) != LCORE_FREE;
	return n;
}

static int wait_running(struct lcore_entry *e, uint64_t cycles)
{
	uint64_t start = tsc_now();

	while (__atomic_load_n(&e->state, __ATOMIC_ACQUIRE) != LCORE_RUNS) {
		if (tsc_now() - start > cycles)
			return 0;
		cpu_pause();
	}
	return 1;
}

static long start_cpu(unsigned i)
{
	struct lcore_entry *e = &lcore_entry[i];
	long apic = acpi_info.apic_id[i];

	if (mon_call(MON_IPI, apic, ICR_INIT, i, 0, 0, 0))
		return -EAGAIN; // sealed
	wait_running(e, plat_tsc_hz() / 100000);
	// A second SIPI for CPUs that lose the first (SDM 8.4.4.1); then patience for a loaded
	// host.
	mon_call(MON_IPI, apic, ICR_SIPI, i, 0, 0, 0);
	if (wait_running(e, plat_tsc_hz() / 100))
		return 0;
	mon_call(MON_IPI, apic, ICR_SIPI, i, 0, 0, 0);
	return wait_running(e, 5 * plat_tsc_hz()) ? 0 : -EAGAIN;
}

static unsigned free_cpu(void)
{
	unsigned i = 1;

	while (i < acpi_info.cpus &&
	       __atomic_load_n(&lcore_entry[i].state, __ATOMIC_ACQUIRE) != LCORE_FREE)
		i++;
	return i;
}

long lcore_spawn(const struct lcore_entry *thread, uint32_t *tid)
{
	long err = -EAGAIN;
	unsigned i;

	spin_lock(&lock);
	i = free_cpu();
	if (i < acpi_info.cpus) {
		lcore_entry[i] = *thread;
		lcore_entry[i].state = LCORE_STARTING;
		*tid = i + 1;
		err = start_cpu(i);
		if (err)
			__atomic_store_n(&lcore_entry[i].state, LCORE_FREE, __ATOMIC_RELEASE);
	}
	spin_unlock(&lock);
	return err ? err : (long)i + 1;
}

// The boot CPU is not started anew: its state stays out of the pool.
void lcore_exit(void)
{
	static uint32_t nobody, main_state;
	unsigned i = lcore_current();
	struct lcore_entry *e = &lcore_entry[i];

	lcore_leave(e->slot_clear ? e->slot_clear : &nobody, e->tid_clear ? e->tid_clear : &nobody,
	            i ? &e->state : &main_state);
}

unsigned plat_lcore_count(void)
{
	return acpi_info.cpus;
}

int plat_lcore_pin(unsigned id)
{
	if (id >= acpi_info.cpus)
		return -EINVAL;
	return lcore_current() == id ? 0 : -EBUSY;
}
