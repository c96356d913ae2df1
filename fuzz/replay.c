/* SPDX-License-Identifier: Apache-2.0 */
/* replay.c — run a fuzz target over files and folders of inputs, without a fuzzer. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct stat status;
	uint8_t *data;
	size_t size;

	if (!file || fstat(fileno(file), &status)) {
		perror(path);
		exit(2);
	}
	size = (size_t)status.st_size;
	data = malloc(size ? size : 1);	/* exact: a sanitizer sees a read past the end */
	if (!data || fread(data, 1, size, file) != size) {
		perror(path);
		exit(2);
	}
	fclose(file);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 1;
}

static int replay(const char *path)
{
	struct dirent **entry;
	int count = scandir(path, &entry, NULL, alphasort), files = 0;

	if (count < 0)
		return replay_file(path);
	for (int i = 0; i < count; i++) {
		char name[4096];

		snprintf(name, sizeof(name), "%s/%s", path, entry[i]->d_name);
		if (entry[i]->d_name[0] != '.')
			files += replay(name);
		free(entry[i]);
	}
	free(entry);
	return files;
}

int main(int argc, char **argv)
{
	int files = 0;

	for (int i = 1; i < argc; i++)
		files += replay(argv[i]);
	printf("%d inputs replayed\n", files);
	return files ? 0 : 1;	/* an empty corpus tests nothing */
}
