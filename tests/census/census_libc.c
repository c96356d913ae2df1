/* SPDX-License-Identifier: Apache-2.0 */
/* census_libc.c — functions that take locks inside libc; before and after a handler is there. */
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "census.h"

/* What must fail is asked for on purpose. */
#pragma GCC diagnostic ignored "-Walloc-size-larger-than="
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#pragma GCC diagnostic ignored "-Wunused-result"

static void handle(int signal)
{
	(void)signal;
}

static void memory(void)
{
	const size_t too_much = (size_t)PTRDIFF_MAX + 1;
	void *volatile p;
	void *q = NULL;

	T((p = malloc(10)) != NULL);
	T((p = realloc(p, 1000)) != NULL);
	T(malloc_usable_size(p) >= 1000);
	V(free(p));
	V(free(NULL));
	T((p = calloc(3, 5)) != NULL);
	V(free(p));
	T(malloc(too_much) == NULL);
	T(calloc(too_much, 2) == NULL);
	T(reallocarray(NULL, too_much, 2) == NULL);
	T((p = reallocarray(NULL, 3, 2)) != NULL);
	V(free(p));
	T(posix_memalign(&q, 64, 100));
	T((uintptr_t)q % 64);
	V(free(q));
	T(posix_memalign(&q, 3, 100));
	T((p = aligned_alloc(128, 256)) && (uintptr_t)p % 128 == 0);
	V(free(p));
	T((p = memalign(128, 256)) && (uintptr_t)p % 128 == 0);
	V(free(p));
	T((p = valloc(10)) && (uintptr_t)p % 4096 == 0);
	V(free(p));
	T((p = pvalloc(10)) && (uintptr_t)p % 4096 == 0);
	V(free(p));
	T((p = strdup("through libc itself")) != NULL);
	V(free(p));
}

static int vfile(FILE *file, const char *format, ...)
{
	va_list list;
	int result;

	va_start(list, format);
	result = vfprintf(file, format, list);
	va_end(list);
	return result;
}

static int vout(const char *format, ...)
{
	va_list list;
	int result;

	va_start(list, format);
	result = vprintf(format, list);
	va_end(list);
	return result;
}

/* What goes to standard error goes where it is compared. */
static void errors(void)
{
	int saved = dup(STDERR_FILENO);

	fflush(stdout);
	dup2(STDOUT_FILENO, STDERR_FILENO);
	V(perror("census"));
	V(warnx("%d", 1));
	dup2(saved, STDERR_FILENO);
	close(saved);
}

static void printing(void)
{
	FILE *none = fopen("/dev/full", "w"), *to = tmpfile();

	/* more arguments than registers, of both kinds */
	T(printf("%d %s %g %c %ld %g %d %g %d %g %g %g %g %g %Lg\n", 1, "two", 3.5, 'f', 5l, 6.25,
		 7, 8.0, 9, 10.0, 11.0, 12.0, 13.0, 14.5, (long double)15));
	T(vout("%d %g %s\n", 1, 2.5, "three"));
	T(fprintf(to, "%s %g\n", "line", 1.5));
	T(vfile(to, "%d %d %d %d %d %d %g\n", 1, 2, 3, 4, 5, 6, 7.5));
	T(puts("puts"));
	T(putchar('x'));
	T(putc('\n', stdout));
	T(fputc('a', to));
	T(fputs("fputs\n", to));
	T(fwrite("12345678", 2, 4, to));
	T(ftell(to));
	V(rewind(to));
	T(fgetc(to));
	T(ungetc('L', to));
	T(getc(to));
	T(fseek(to, 0, SEEK_END));
	T(fseeko(to, -4, SEEK_CUR));
	T(ftello(to));
	T(fflush(to));
	T(fflush(NULL));
	T(setvbuf(none, NULL, _IONBF, 0));
	T(fputc('x', none));		/* ENOSPC */
	T(ferror(none));
	V(clearerr(none));
	T(fprintf(none, "%d", 1));
	T(fclose(none));
	T(fclose(to));
	T(fopen("/no/such/file", "r") == NULL);
	T(fdopen(-1, "r") == NULL);
	errors();
}

static void reading(void)
{
	char text[] = "12 abc 3.5\nsecond line\nthird\n", buffer[32];
	FILE *from = fmemopen(text, sizeof(text) - 1, "r");
	char *line = NULL;
	float f = 0;
	size_t size = 0;
	int i = 0;
	fpos_t at;

	T(fscanf(from, "%d %31s %f", &i, buffer, &f));
	printf("%d %s %g\n", i, buffer, f);
	T(fgetpos(from, &at));
	T(fgets(buffer, sizeof(buffer), from) == buffer);
	T(getline(&line, &size, from));
	printf("%s", line);
	T(getdelim(&line, &size, 'i', from));
	T(fread(buffer, 1, 4, from));
	T(fread(buffer, 1, 4, from));
	T(getline(&line, &size, from));
	T(fgetc(from));
	T(fsetpos(from, &at));
	T(fgetc(from));
	T(ftrylockfile(from));
	V(flockfile(from));
	T(getc(from));
	V(funlockfile(from));
	V(funlockfile(from));
	T(fclose(from));
	free(line);
	from = popen("exit 3", "r");
	T(from != NULL);
	T(pclose(from));
}

static void times(void)
{
	time_t when = 86400 * 365, far = INT64_MAX;
	char text[64];
	struct tm tm;

	T(localtime(&when)->tm_year);
	T(localtime_r(&when, &tm)->tm_year);
	T(gmtime(&when)->tm_yday);
	T(gmtime_r(&when, &tm)->tm_hour);
	T(gmtime_r(&far, &tm) == NULL);		/* EOVERFLOW */
	T(mktime(&tm));
	T(strftime(text, sizeof(text), "%Y %Z %s", &tm));
	T(strlen(ctime(&when)));
	T(strlen(ctime_r(&when, text)));
	V(tzset());
}

static void databases(void)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST }, *found = NULL;
	struct passwd entry, *result = NULL;
	char buffer[1024];

	T(getaddrinfo("127.0.0.1", "80", &hints, &found));
	freeaddrinfo(found);
	T(getaddrinfo("no number", "80", &hints, &found));
	T(getpwnam("root")->pw_uid);
	T(getpwnam("nobody-has-this-name") == NULL);
	T(getpwuid(0)->pw_uid);
	T(getpwnam_r("root", &entry, buffer, sizeof(buffer), &result));
	T(getpwnam_r("root", &entry, buffer, 1, &result));	/* ERANGE */
	T(getpwuid_r(0, &entry, buffer, sizeof(buffer), &result));
	T(getgrnam("root")->gr_gid);
	T(getgrgid(0)->gr_gid);
	V(setpwent());
	T(getpwent() != NULL);
	V(endpwent());
}

static int count_objects(struct dl_phdr_info *info, size_t size, void *data)
{
	(void)info;
	(void)size;
	++*(int *)data;
	return 7;
}

static void loader(void)
{
	int count = 0;
	Dl_info info;
	void *self;

	T((self = dlopen(NULL, RTLD_NOW)) != NULL);
	T(dlsym(self, "malloc") != NULL);
	T(dlsym(self, "no_such_function") == NULL);
	printf("%s\n", strrchr(dlerror(), ':'));
	T(dlclose(self));
	T(dlopen("/no/such/object.so", RTLD_NOW) == NULL);
	printf("%s\n", dlerror());
	T(dlopen("no-such-object.so", RTLD_NOW) == NULL);
	printf("%s\n", dlerror());
	T((self = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD)) != NULL);
	T(dlclose(self));
	T(dladdr((void *)loader, &info) != 0);
	T(dl_iterate_phdr(count_objects, &count));
	printf("%d\n", count);
}

static void others(void)
{
	char state[32];
	locale_t locale;

	T(setenv("CENSUS", "1", 1));
	T(setenv("CENSUS=", "1", 1));		/* EINVAL */
	T(unsetenv("CENSUS"));
	T(putenv("CENSUS=2"));
	V(srandom(1));
	T(random());
	V(srand(2));
	T(rand());
	T(initstate(1, state, sizeof(state)) != NULL);
	T(setstate(state) != NULL);
	T(setlocale(LC_ALL, NULL) != NULL);
	T(setlocale(LC_ALL, "no such locale") == NULL);
	T((locale = newlocale(LC_ALL_MASK, "C", NULL)) != NULL);
	V(freelocale(locale));
	V(openlog("census", 0, LOG_USER));
	T(setlogmask(LOG_UPTO(LOG_EMERG)));
	V(syslog(LOG_DEBUG, "%d", 1));		/* masked */
	V(closelog());
	T(atexit(tzset));
}

static void all(void)
{
	memory();
	printing();
	reading();
	times();
	databases();
	loader();
	others();
}

void libc_locks(void)
{
	all();
	signal(SIGUSR2, handle);
	printf("a handler is installed\n");
	all();
	signal(SIGUSR2, SIG_DFL);
}
