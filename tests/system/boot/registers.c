// SPDX-License-Identifier: BSD-3-Clause
// registers.c - a reflected system call keeps what Linux keeps: all registers but rax, rcx and r11,
// the
// vector registers whole, and the red zone
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

struct state {
	unsigned long long general[11]; // rdi rsi rdx r8 r9 r10 rbx r12 r13 r14 r15
	unsigned char vector[16][32];
	unsigned long long red_zone[16];
};

// Loads what `in` says, makes the call, and stores what is there then. rdi, rsi and rdx are its
// arguments.
__attribute__((noinline)) static void call(const struct state *in, struct state *out, long nr)
{
	__asm__ volatile(
		"push %%rbp\n\t push %%rbx\n\t push %%rcx\n\t push %%rdx\n\t"
		"mov %%rcx, %%rbp\n\t" // in
		"vmovdqu 88(%%rbp), %%ymm0\n\t vmovdqu 88+32*5(%%rbp), %%ymm5\n\t"
		"vmovdqu 88+32*9(%%rbp), %%ymm9\n\t vmovdqu 88+32*15(%%rbp), %%ymm15\n\t"
		"mov 0(%%rbp), %%rdi\n\t mov 8(%%rbp), %%rsi\n\t mov 16(%%rbp), %%rdx\n\t"
		"mov 24(%%rbp), %%r8\n\t mov 32(%%rbp), %%r9\n\t mov 40(%%rbp), %%r10\n\t"
		"mov 48(%%rbp), %%rbx\n\t mov 56(%%rbp), %%r12\n\t mov 64(%%rbp), %%r13\n\t"
		"mov 72(%%rbp), %%r14\n\t mov 80(%%rbp), %%r15\n\t"
		"mov 88+512(%%rbp), %%rcx\n\t mov %%rcx, -8(%%rsp)\n\t"
		"mov 88+512+120(%%rbp), %%rcx\n\t mov %%rcx, -128(%%rsp)\n\t"
		"syscall\n\t"
		"mov (%%rsp), %%rcx\n\t" // out
		"vmovdqu %%ymm0, 88(%%rcx)\n\t vmovdqu %%ymm5, 88+32*5(%%rcx)\n\t"
		"vmovdqu %%ymm9, 88+32*9(%%rcx)\n\t vmovdqu %%ymm15, 88+32*15(%%rcx)\n\t"
		"mov %%rdi, 0(%%rcx)\n\t mov %%rsi, 8(%%rcx)\n\t mov %%rdx, 16(%%rcx)\n\t"
		"mov %%r8, 24(%%rcx)\n\t mov %%r9, 32(%%rcx)\n\t mov %%r10, 40(%%rcx)\n\t"
		"mov %%rbx, 48(%%rcx)\n\t mov %%r12, 56(%%rcx)\n\t mov %%r13, 64(%%rcx)\n\t"
		"mov %%r14, 72(%%rcx)\n\t mov %%r15, 80(%%rcx)\n\t"
		"mov -8(%%rsp), %%rax\n\t mov %%rax, 88+512(%%rcx)\n\t"
		"mov -128(%%rsp), %%rax\n\t mov %%rax, 88+512+120(%%rcx)\n\t"
		"pop %%rdx\n\t pop %%rcx\n\t pop %%rbx\n\t pop %%rbp"
		: "+a"(nr), "+c"(in), "+d"(out)
		:
		: "rdi", "rsi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0",
		  "xmm5", "xmm9", "xmm15", "memory", "cc");
}

static int kept(long nr, const unsigned long long *args)
{
	static struct state in, out;

	memset(&out, 0, sizeof(out));
	for (size_t i = 0; i < sizeof(in); i++)
		((unsigned char *)&in)[i] = (unsigned char)(i * 7 + 3);
	memcpy(in.general, args, 3 * sizeof(args[0]));
	memcpy(&out, &in, sizeof(out));
	memset(out.general, 0, sizeof(out.general));
	for (int i = 0; i < 16; i += i == 0 ? 5 : i == 5 ? 4 : 6)
		memset(out.vector[i], 0, 32);
	out.red_zone[0] = out.red_zone[15] = 0;
	call(&in, &out, nr);
	return !memcmp(&in, &out, sizeof(in));
}

int main(void)
{
	static const char text[] = "a line by system call\n";
	unsigned long long time[2];
	const unsigned long long none[3] = {0};
	const unsigned long long write[3] = {1, (unsigned long long)text, sizeof(text) - 1};
	const unsigned long long clock[3] = {1, (unsigned long long)time, 0};
	int ok = kept(SYS_getpid, none) && kept(SYS_write, write) && kept(SYS_clock_gettime, clock);

	printf("registers %s\n", ok ? "kept" : "lost");
	return !ok;
}
