/* SPDX-License-Identifier: Apache-2.0 */
/* launch.c — finding and checking programs; see launch.h. */
#include "cli/launch.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define SCRIPT_LINE	256u	/* what the kernel reads of a #! line */
#define SCRIPT_LEVELS	4u
#define PROGRAM_HEADERS	128u	/* more than any real program has */

#if defined(__x86_64__)
#define NATIVE_MACHINE	EM_X86_64
#define NATIVE_LOADER	"ld-linux-x86-64.so.2"
#else
#error "Lockproof's runtime is for x86-64"
#endif

/* What execvp would think of a candidate: 0, or an errno value. */
static int try_candidate(const char *path)
{
	struct stat status;

	if (stat(path, &status))
		return errno;
	if (S_ISDIR(status.st_mode))
		return EISDIR;
	if (!S_ISREG(status.st_mode) || faccessat(AT_FDCWD, path, X_OK, AT_EACCESS))
		return EACCES;
	return 0;
}

/* One element of PATH and a name; an empty element is the current directory. */
static char *join_path(const char *directory, size_t size, const char *name)
{
	char *path = malloc(size + strlen(name) + 2);

	if (!path)
		return NULL;
	memcpy(path, directory, size);
	if (size)
		path[size++] = '/';
	strcpy(path + size, name);
	return path;
}

/* Search PATH. 0 with *path set, or an errno value. */
static int search_path(const char *name, char **path)
{
	const char *list = getenv("PATH");
	int seen = ENOENT;

	if (!list)
		list = "/bin:/usr/bin";
	for (;;) {
		size_t size = strcspn(list, ":");
		int error;

		*path = join_path(list, size, name);
		if (!*path)
			return ENOMEM;
		error = try_candidate(*path);
		if (!error)
			return 0;
		if (error == EACCES || (error == EISDIR && seen == ENOENT))
			seen = error;
		free(*path);
		*path = NULL;
		if (!list[size])
			return seen;
		list += size + 1;
	}
}

/* 0 with *path set, or an errno value. */
static int locate(const char *name, char **path)
{
	int error;

	*path = NULL;
	if (!*name)
		return ENOENT;
	if (!strchr(name, '/'))
		return search_path(name, path);
	error = try_candidate(name);
	if (error)
		return error;
	*path = strdup(name);
	return *path ? 0 : ENOMEM;
}

static int locate_problem(const char *name, int error, struct lp_problem *problem)
{
	switch (error) {
	case ENOENT:
		return lp_problem_set(problem, strchr(name, '/') ? "no such file" :
				      "no such program in PATH");
	case EISDIR:
		return lp_problem_set(problem, "is a directory");
	case EACCES:
		return lp_problem_set(problem, "is not an executable file");
	default:
		return lp_problem_set(problem, "%s", strerror(error));
	}
}

static const char *machine_name(unsigned machine, unsigned class)
{
	static const struct {
		unsigned	machine;
		const char	*name;
	} names[] = {
		{ EM_386, "i386" }, { EM_ARM, "ARM" }, { EM_AARCH64, "AArch64" },
		{ EM_PPC, "PowerPC" }, { EM_PPC64, "PowerPC 64" }, { EM_S390, "S/390" },
		{ EM_RISCV, "RISC-V" }, { EM_MIPS, "MIPS" }, { EM_SPARCV9, "SPARC" },
		{ EM_LOONGARCH, "LoongArch" },
	};

	if (machine == EM_X86_64 && class == ELFCLASS32)
		return "x32";
	for (size_t i = 0; i < lp_array_size(names); i++)
		if (names[i].machine == machine)
			return names[i].name;
	return "another architecture";
}

/* The dynamic loader a program asks for: must be the one whose libc the runtime knows. */
static int check_loader(const char *loader, struct lp_problem *problem)
{
	const char *slash = strrchr(loader, '/');
	const char *base = slash ? slash + 1 : loader;

	if (strcmp(base, NATIVE_LOADER))
		return lp_problem_set(problem, "uses the C library of %s, Lockproof supports glibc",
				      loader);
	if (access(loader, X_OK))
		return lp_problem_set(problem, "its dynamic loader %s cannot be run: %s", loader,
				      strerror(errno));
	return 0;
}

/* Read the path in a PT_INTERP segment. */
static int read_loader(int fd, const Elf64_Phdr *header, char *loader, size_t size,
		       struct lp_problem *problem)
{
	size_t want = header->p_filesz;

	if (want < 2 || want > size ||
	    pread(fd, loader, want, (off_t)header->p_offset) != (ssize_t)want || loader[want - 1])
		return lp_problem_set(problem, "is a damaged program file");
	return 0;
}

static int check_segments(int fd, const Elf64_Ehdr *elf, struct lp_problem *problem)
{
	Elf64_Phdr header[PROGRAM_HEADERS];
	char loader[PATH_MAX];
	size_t size = elf->e_phnum * sizeof(*header);

	if (elf->e_phentsize != sizeof(*header) || elf->e_phnum > PROGRAM_HEADERS ||
	    pread(fd, header, size, (off_t)elf->e_phoff) != (ssize_t)size)
		return lp_problem_set(problem, "is a damaged program file");
	for (unsigned i = 0; i < elf->e_phnum; i++) {
		if (header[i].p_type != PT_INTERP)
			continue;
		if (read_loader(fd, &header[i], loader, sizeof(loader), problem))
			return -1;
		return check_loader(loader, problem);
	}
	return lp_problem_set(problem, "is statically linked: it has no dynamic loader that could "
			      "load Lockproof");
}

/* The loader ignores LD_PRELOAD in programs that gain rights. */
static int check_rights(int fd, const struct stat *status, struct lp_problem *problem)
{
	if (status->st_mode & S_ISUID)
		return lp_problem_set(problem, "is set-user-ID: such programs cannot be validated");
	if ((status->st_mode & S_ISGID) && (status->st_mode & S_IXGRP))
		return lp_problem_set(problem, "is set-group-ID: such programs cannot be validated");
	if (fgetxattr(fd, "security.capability", NULL, 0) > 0)
		return lp_problem_set(problem, "has file capabilities: such programs cannot be "
				      "validated");
	return 0;
}

static int check_elf(int fd, const struct stat *status, struct lp_problem *problem)
{
	Elf64_Ehdr elf;

	if (pread(fd, &elf, sizeof(elf), 0) != (ssize_t)sizeof(elf))
		return lp_problem_set(problem, "is a damaged program file");
	if (elf.e_ident[EI_DATA] != ELFDATA2LSB)
		return lp_problem_set(problem, "is a program for a big-endian machine");
	/* e_machine is at the same place in both classes */
	if (elf.e_machine != NATIVE_MACHINE || elf.e_ident[EI_CLASS] != ELFCLASS64)
		return lp_problem_set(problem, "is a program for %s, not for x86-64",
				      machine_name(elf.e_machine, elf.e_ident[EI_CLASS]));
	if (elf.e_type != ET_EXEC && elf.e_type != ET_DYN)
		return lp_problem_set(problem, "is an object file, not a program");
	if (check_rights(fd, status, problem))
		return -1;
	return check_segments(fd, &elf, problem);
}

static int check_file(const char *path, unsigned level, struct lp_problem *problem);

static const char *interpreter_error(int error)
{
	switch (error) {
	case EISDIR:
		return "is a directory";
	case EACCES:
		return "is not an executable file";
	case ENOENT:
		return "does not exist";
	default:
		return strerror(error);
	}
}

/* Check what a script names; its problem is the script's. Only env looks in PATH. */
static int check_interpreter(const char *path, bool search, unsigned level,
			     struct lp_problem *problem)
{
	struct lp_problem inner = { "" };
	char *found = NULL;
	int error = search ? locate(path, &found) : try_candidate(path);

	if (error)
		return lp_problem_set(problem, "its interpreter %s %s", path,
				      interpreter_error(error));
	error = check_file(found ? found : path, level, &inner);
	free(found);
	if (error)
		return lp_problem_set(problem, "its interpreter %.256s %.640s", path, inner.text);
	return 0;
}

/*
 * The program in the argument of `#!/usr/bin/env ...`: behind options and assignments. NULL when
 * the options are none that we know: then what runs is not known either, and env itself is fine.
 */
static char *env_operand(char *argument)
{
	char *save = NULL;

	for (char *word = strtok_r(argument, " \t", &save); word;
	     word = strtok_r(NULL, " \t", &save)) {
		if (!strcmp(word, "-S") || !strcmp(word, "-i") || !strcmp(word, "-") ||
		    !strcmp(word, "--split-string") || !strcmp(word, "-v"))
			continue;
		if (word[0] == '-')
			return NULL;
		if (!strchr(word, '='))
			return word;
	}
	return NULL;
}

/* `line` is what follows #!, without the newline. */
static int check_script(char *line, unsigned level, struct lp_problem *problem)
{
	char *interpreter = line + strspn(line, " \t");
	char *argument = interpreter + strcspn(interpreter, " \t");
	const char *base;

	if (!*interpreter)
		return lp_problem_set(problem, "names no interpreter in its #! line");
	if (level >= SCRIPT_LEVELS)
		return lp_problem_set(problem, "is a script with too many levels of interpreters");
	if (*argument)
		*argument++ = '\0';
	if (check_interpreter(interpreter, false, level + 1, problem))
		return -1;
	base = strrchr(interpreter, '/');
	if (!strcmp(base ? base + 1 : interpreter, "env")) {
		char *operand = env_operand(argument);

		if (operand)
			return check_interpreter(operand, true, level + 1, problem);
	}
	return 0;
}

static int check_open_file(int fd, unsigned level, struct lp_problem *problem)
{
	char start[SCRIPT_LINE + 1];
	struct stat status;
	ssize_t size;

	if (fstat(fd, &status))
		return lp_problem_set(problem, "%s", strerror(errno));
	size = pread(fd, start, SCRIPT_LINE, 0);
	if (size < 0)
		return lp_problem_set(problem, "cannot be read: %s", strerror(errno));
	start[size] = '\0';
	if (size >= SELFMAG && !memcmp(start, ELFMAG, SELFMAG))
		return check_elf(fd, &status, problem);
	if (size < 2 || start[0] != '#' || start[1] != '!')
		return lp_problem_set(problem, "is neither a program nor a script with a #! line");
	start[strcspn(start, "\n")] = '\0';
	return check_script(start + 2, level, problem);
}

static int check_file(const char *path, unsigned level, struct lp_problem *problem)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int result;

	if (fd < 0)
		return lp_problem_set(problem, "cannot be read, so it cannot be checked: %s",
				      strerror(errno));
	result = check_open_file(fd, level, problem);
	close(fd);
	return result;
}

int lp_launch_find(const char *name, char **path, struct lp_problem *problem)
{
	int error = locate(name, path);

	if (error)
		return locate_problem(name, error, problem);
	if (!check_file(*path, 0, problem))
		return 0;
	free(*path);
	*path = NULL;
	return -1;
}

/* LD_PRELOAD is a list: blanks and colons end a name. */
static int check_runtime(const char *path, struct lp_problem *problem)
{
	if (access(path, R_OK))
		return lp_problem_set(problem, "%s: %s", path, strerror(errno));
	if (strpbrk(path, ": \t\n"))
		return lp_problem_set(problem, "%s: LD_PRELOAD cannot carry a path with a blank or "
				      "colon", path);
	return 0;
}

/* The directory of this executable, without the last slash. */
static int own_directory(char *directory, size_t size)
{
	ssize_t length = readlink("/proc/self/exe", directory, size - 1);
	char *slash;

	if (length <= 0)
		return -1;
	directory[length] = '\0';
	slash = strrchr(directory, '/');
	if (!slash)
		return -1;
	*slash = '\0';
	return 0;
}

/* Where the runtime is, as it is named; checked by the caller. */
static int name_runtime(char *path, size_t size, struct lp_problem *problem)
{
	/* the build tree's, then the installed ones, seen from the executable */
	static const char *const places[] = { "../runtime", "../" LP_LIBDIR,
					      "../lib/x86_64-linux-gnu", "../lib64", "../lib" };
	const char *given = getenv("LOCKPROOF_LIB");
	char directory[PATH_MAX];

	if (given && *given) {
		snprintf(path, size, "%s", given);
		return 0;
	}
	if (own_directory(directory, sizeof(directory)))
		return lp_problem_set(problem, "cannot tell where lockproof is installed: set "
				      "LOCKPROOF_LIB to the path of liblockproof.so");
	for (size_t i = 0; i < lp_array_size(places); i++) {
		snprintf(path, size, "%s/%s/liblockproof.so", directory, places[i]);
		if (!access(path, F_OK))
			return 0;
	}
	return lp_problem_set(problem, "liblockproof.so is neither installed beside %.512s nor "
			      "named by LOCKPROOF_LIB", directory);
}

int lp_launch_find_runtime(char **path, struct lp_problem *problem)
{
	char name[PATH_MAX + 64];

	*path = NULL;
	if (name_runtime(name, sizeof(name), problem))
		return -1;
	*path = realpath(name, NULL);
	if (!*path)
		return lp_problem_set(problem, "%.512s: %s", name, strerror(errno));
	if (!check_runtime(*path, problem))
		return 0;
	free(*path);
	*path = NULL;
	return -1;
}
