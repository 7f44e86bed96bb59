// SPDX-License-Identifier: BSD-3-Clause
// console.c - the serial port at 0x3f8, sixteen bytes at a time
//
// A batch fills the 16550's FIFO in one instruction, and the next one waits until it is empty:
// nothing is lost while the reader keeps up. KVM still makes each byte an exit, so lines at boot
// are short. A reader that has stopped for a second is given up, and the loss is told when it comes
// back.
#include "core/plat.h"
#include "core/x86_64/libos/libos.h"

#define UART      0x3f8
#define UART_FCR  (UART + 2)
#define UART_LSR  (UART + 5)
#define LSR_DATA  0x01
#define LSR_EMPTY 0x20
#define FIFO      16
#define PATIENCE  (1ull << 31) // cycles

static uint32_t lock;
static int ready;
static size_t lost;

static int wait_empty(void)
{
	uint64_t start;

	if (inb(UART_LSR) & LSR_EMPTY)
		return 1;
	for (start = tsc_now(); tsc_now() - start < PATIENCE;)
		if (inb(UART_LSR) & LSR_EMPTY)
			return 1;
	return 0;
}

// Returns the bytes taken.
static size_t send(const char *s, size_t len)
{
	size_t done = 0;

	while (done < len && wait_empty()) {
		size_t n = len - done < FIFO ? len - done : FIFO;
		const char *p = s + done;

		done += n;
		__asm__ volatile("rep outsb" : "+S"(p), "+c"(n) : "d"(UART) : "memory");
	}
	return done;
}

static void tell_loss(void)
{
	char buf[64];
	struct text t = {buf, 0, sizeof(buf)};

	text_str(&t, "[");
	text_dec(&t, lost);
	text_str(&t, " bytes lost]\n");
	if (send(buf, t.len) == t.len)
		lost = 0;
}

void console_write(const char *s, size_t len)
{
	spin_lock(&lock);
	if (!ready) {
		outb(UART_FCR, 1);
		ready = 1;
	}
	if (lost && inb(UART_LSR) & LSR_EMPTY)
		tell_loss();
	lost += lost ? len : len - send(s, len);
	spin_unlock(&lock);
}

void console_puts(const char *s)
{
	size_t len = 0;

	while (s[len])
		len++;
	console_write(s, len);
}

void console_break_lock(void)
{
	spin_unlock(&lock);
}

int plat_console_getc(void)
{
	uint8_t lsr = inb(UART_LSR);

	// All ones: there is no serial port.
	return lsr != 0xff && lsr & LSR_DATA ? inb(UART) : -1;
}
