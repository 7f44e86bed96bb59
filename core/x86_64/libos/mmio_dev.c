// SPDX-License-Identifier: BSD-3-Clause
// mmio_dev.c - the device windows that the command line names
//
// The final page tables reach them from the start. A window must lie where devices do: below 4 GiB, on no
// RAM, and apart from the 2 MiB page of the local APIC, which is ring 0's.
#include "core/mmio_dev.h"

#include <string.h>

#include "core/x86_64/libos/libos.h"

#define KEY	    "virtio_mmio.device="
#define WINDOWS_MAX 32
#define WINDOW_MIN  0x100u // virtio 1.2, 4.2.2: the registers in front of the configuration
#define WINDOW_MAX  0x100000u

static struct span windows[WINDOWS_MAX];
static unsigned count;

static unsigned digit(char c)
{
	unsigned d = (unsigned)c - '0', letter = ((unsigned)c | 32) - 'a';

	return d < 10 ? d : letter < 6 ? letter + 10 : 16;
}

// Decimal, or hexadecimal after 0x, with Linux's K and M. The end of it; NULL when there is none.
static const char *number(const char *p, uint64_t *v)
{
	unsigned base = p[0] == '0' && (p[1] | 32) == 'x' ? 16 : 10;
	const char *start = base == 16 ? (p += 2) : p;

	for (*v = 0;; p++) {
		unsigned d = digit(*p);

		if (d >= base)
			break;
		if (*v > UINT64_MAX / 32)
			return NULL;
		*v = *v * base + d;
	}
	if (p == start)
		return NULL;
	if ((*p | 32) == 'k')
		*v <<= 10, p++;
	else if ((*p | 32) == 'm')
		*v <<= 20, p++;
	return p;
}

static int usable(struct span s)
{
	uint64_t lapic = align_down(acpi_info.lapic, PAGE_2M);
	struct span pages = {align_down(s.start, PAGE_2M), align_up(s.end, PAGE_2M)};

	if (s.start % 4 || s.end - s.start < WINDOW_MIN || s.end - s.start > WINDOW_MAX ||
	    pages.end > GIB_4 || (pages.start < lapic + PAGE_2M && pages.end > lapic))
		return 0;
	for (unsigned i = 0; i < boot_info.ram_count; i++)
		if (pages.start < boot_info.ram[i].end && pages.end > boot_info.ram[i].start)
			return 0;
	return 1;
}

static void take(const char *word)
{
	struct span s;
	uint64_t size;
	const char *p = number(word, &size);

	if (p && *p == '@' && size <= WINDOW_MAX && number(p + 1, &s.start) && s.start < GIB_4) {
		s.end = s.start + size;
		if (usable(s) && count < WINDOWS_MAX) {
			windows[count++] = s;
			return;
		}
	}
	console_puts("weir: virtio_mmio.device= on the command line names no device window: left out\n");
}

void mmio_dev_scan(void)
{
	size_t len = strlen(KEY);

	for (const char *p = boot_info.cmdline; *p;) {
		if (!memcmp(p, KEY, len))
			take(p + len);
		while (*p && *p != ' ')
			p++;
		while (*p == ' ')
			p++;
	}
}

void mmio_dev_for_each(void (*f)(struct span))
{
	for (unsigned i = 0; i < count; i++)
		f(windows[i]);
}

unsigned mmio_dev_count(void)
{
	return count;
}

volatile void *mmio_dev_map(unsigned i, size_t *len)
{
	if (i >= count)
		return NULL;
	*len = windows[i].end - windows[i].start;
	return (volatile void *)(memory.direct + windows[i].start);
}
