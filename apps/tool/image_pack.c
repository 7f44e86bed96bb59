// SPDX-License-Identifier: BSD-3-Clause
// image_pack.c - put a configuration blob into an image's ELF file
//
// The image's last program header is an empty PT_LOAD kept for this; a descriptor in its read-only data
// tells the running image where the blob was loaded. core/x86_64/README.md states the contract.
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/tool.h"
#include "apps/tool/util.h"

#define IMAGE_MAX (64u << 20)
#define BLOB_ALIGN 4096u
#define BLOB_MARK "WEIRBLOB"

struct blob_mark { // in the image: where the blob is loaded
	char magic[8];
	uint64_t paddr, len;
};

static uint64_t align_up(uint64_t v, uint64_t a)
{
	return (v + a - 1) & ~(a - 1);
}

// The program headers of an image, checked to lie inside; NULL when it is none.
static Elf64_Phdr *headers(char *file, size_t len)
{
	Elf64_Ehdr *e = (Elf64_Ehdr *)(void *)file;

	if (len < sizeof(*e) || memcmp(e->e_ident, ELFMAG, SELFMAG) ||
	    e->e_ident[EI_CLASS] != ELFCLASS64 || e->e_machine != EM_X86_64 || !e->e_phnum ||
	    e->e_phentsize != sizeof(Elf64_Phdr) || e->e_phoff % 8 || e->e_phoff > len ||
	    e->e_phnum > (len - e->e_phoff) / sizeof(Elf64_Phdr))
		return NULL;
	return (Elf64_Phdr *)(void *)(file + e->e_phoff);
}

static struct blob_mark *find_mark(char *file, size_t len)
{
	struct blob_mark *found = NULL;
	char *p = file;

	while ((p = memmem(p, len - (size_t)(p - file), BLOB_MARK, 8))) {
		if ((size_t)(p - file) % 8 == 0 && len - (size_t)(p - file) >= sizeof(*found)) {
			if (found)
				return NULL;
			found = (struct blob_mark *)(void *)p;
		}
		p += 8;
	}
	return found;
}

static void *pack(char *file, size_t len, const char *path, const void *blob, size_t blob_len,
		  size_t *packed, struct err *err)
{
	Elf64_Phdr *ph = headers(file, len), *slot = NULL;
	struct blob_mark *mark = ph ? find_mark(file, len) : NULL;
	uint64_t end = 0, offset = align_up(len, BLOB_ALIGN);
	char *out;
	unsigned i;

	for (i = 0; ph && i < ((Elf64_Ehdr *)(void *)file)->e_phnum; i++) {
		if (ph[i].p_type != PT_LOAD)
			continue;
		if (!ph[i].p_memsz)
			slot = &ph[i];
		else if (ph[i].p_paddr + ph[i].p_memsz > end)
			end = ph[i].p_paddr + ph[i].p_memsz;
	}
	if (!slot || !mark) {
		err_set(err, -ENOEXEC, "%s: not a Weir image without configuration: expected "
				       "weir-<function>.elf as built", path);
		return NULL;
	}
	slot->p_flags = PF_R;
	slot->p_offset = offset;
	slot->p_paddr = slot->p_vaddr = align_up(end, BLOB_ALIGN);
	slot->p_filesz = slot->p_memsz = blob_len;
	slot->p_align = BLOB_ALIGN;
	mark->paddr = slot->p_paddr;
	mark->len = blob_len;
	*packed = offset + blob_len;
	out = xrealloc(NULL, *packed);
	memcpy(out, file, len);
	memset(out + len, 0, offset - len);
	memcpy(out + offset, blob, blob_len);
	return out;
}

void *image_pack(const char *path, const void *blob, size_t blob_len, size_t *packed,
		 struct err *err)
{
	size_t len;
	char *file = file_read(path, IMAGE_MAX, &len, err);
	struct err why;
	void *out;

	if (!file) {
		why = *err;
		err_set(err, -ENOENT, "%s: expected an image beside weir, where it was built, or one "
				      "named by --image", why.text);
		return NULL;
	}
	out = pack(file, len, path, blob, blob_len, packed, err);
	free(file);
	return out;
}
