// SPDX-License-Identifier: BSD-3-Clause
// libc.c - hand the machine to musl: arguments, auxiliary vector, thread-local storage, main()
#include <elf.h>
#include <string.h>

#include "core/plat.h"
#include "core/x86_64/libos/libos.h"

#define ARGS_MAX 32

extern char __tdata_start[], __tdata_end[], __tls_size[], __tls_align[]; // the last two: values
extern int main(int argc, char **argv, char **envp);
extern int __libc_start_main(int (*entry)(int, char **, char **), int argc, char **argv,
                             void (*init)(void), void (*fini)(void), void (*ldso)(void));

static uint64_t random_bytes[2];
static Elf64_Phdr headers[2];

// What musl expects on the stack of a new process: argv, NULL, environment, NULL, auxiliary vector.
static uintptr_t start_block[ARGS_MAX + 2 + 16];

// Words the library OS understands itself, or that QEMU adds (microvm lists its virtio-mmio
// devices).
static int own_word(const char *word)
{
	return !memcmp(word, "entropy=", 8) || !memcmp(word, "virtio_mmio.", 12);
}

static int split_arguments(char *line)
{
	static char name[] = "weir";
	int n = 0;

	start_block[n++] = (uintptr_t)name;
	while (*line) {
		char *word = line;

		while (*line && *line != ' ')
			line++;
		if (*line)
			*line++ = 0;
		if (!*word || own_word(word))
			continue;
		if (n == ARGS_MAX)
			refuse("command line too long", "at most 31 words");
		start_block[n++] = (uintptr_t)word;
	}
	return n;
}

static int enter_main(int argc, char **argv, char **envp)
{
	plat_boot_times.main = tsc_now();
	return main(argc, argv, envp);
}

void libc_start(void)
{
	int argc = split_arguments(boot_info.cmdline);

	random_bytes[0] = entropy_u64(); // the stack canary
	random_bytes[1] = entropy_u64();
	headers[0] = (Elf64_Phdr){.p_type = PT_TLS,
	                          .p_vaddr = (uint64_t)__tdata_start,
	                          .p_filesz = (uint64_t)(__tdata_end - __tdata_start),
	                          .p_memsz = (uint64_t)__tls_size,
	                          .p_align = (uint64_t)__tls_align};
	headers[1] = (Elf64_Phdr){.p_type = PT_GNU_STACK, .p_memsz = THREAD_STACK};
	const uintptr_t auxv[] = {AT_PHDR,   (uintptr_t)headers,
	                          AT_PHENT,  sizeof(headers[0]),
	                          AT_PHNUM,  2,
	                          AT_PAGESZ, PAGE_4K,
	                          AT_RANDOM, (uintptr_t)random_bytes,
	                          AT_NULL,   0};
	memcpy(start_block + argc + 2, auxv, sizeof(auxv));
	__libc_start_main(enter_main, argc, (char **)start_block, NULL, NULL, NULL);
	__builtin_trap();
}
