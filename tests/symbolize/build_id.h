/* SPDX-License-Identifier: Apache-2.0 */
/* build_id.h — the build id of an ELF file, read from its notes by hand, for tests. */
#ifndef LP_TESTS_SYMBOLIZE_BUILD_ID_H
#define LP_TESTS_SYMBOLIZE_BUILD_ID_H

#include <elf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of the id, 0: the file has none or is not a 64-bit ELF file. */
static inline size_t read_build_id(const char *path, uint8_t *id, size_t room)
{
	FILE *in = fopen(path, "r");
	uint8_t note[4096];
	size_t found = 0, size, at;
	Elf64_Phdr segment;
	Elf64_Ehdr header;
	unsigned int i;

	if (!in)
		return 0;
	if (fread(&header, sizeof(header), 1, in) != 1)
		header.e_phnum = 0;
	for (i = 0; i < header.e_phnum && !found; i++) {
		fseek(in, (long)(header.e_phoff + i * sizeof(segment)), SEEK_SET);
		if (fread(&segment, sizeof(segment), 1, in) != 1 || segment.p_type != PT_NOTE)
			continue;
		fseek(in, (long)segment.p_offset, SEEK_SET);
		size = fread(note, 1, segment.p_filesz < sizeof(note) ? segment.p_filesz
								    : sizeof(note), in);
		for (at = 0; at + 16 <= size && !found; ) {
			Elf64_Nhdr head;

			memcpy(&head, note + at, sizeof(head));
			if (head.n_type == NT_GNU_BUILD_ID && head.n_namesz == 4 &&
			    head.n_descsz <= room && at + 16 + head.n_descsz <= size) {
				memcpy(id, note + at + 16, head.n_descsz);
				found = head.n_descsz;
			}
			at += 12 + ((head.n_namesz + 3) & ~3u) + ((head.n_descsz + 3) & ~3u);
		}
	}
	fclose(in);
	return found;
}

#endif
