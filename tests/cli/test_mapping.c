/* SPDX-License-Identifier: Apache-2.0 */
/* test_mapping.c — files that shrink while they are mapped. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/mapping.h"

#define PAGE 4096

static int make_file(size_t pages)
{
	char name[] = "/tmp/lockproof-mapping-XXXXXX";
	int fd = mkstemp(name);
	char page[PAGE];

	assert_true(fd >= 0);
	unlink(name);
	for (size_t i = 0; i < pages; i++) {
		memset(page, (int)(i + 1), sizeof(page));
		assert_int_equal(write(fd, page, sizeof(page)), (int)sizeof(page));
	}
	return fd;
}

static void test_lost_pages_read_as_zeros(void **state)
{
	struct lp_mapping other, mapping;
	int fd = make_file(3), whole = make_file(1);
	volatile const char *bytes;

	(void)state;
	assert_int_equal(lp_mapping_open(&other, whole, PAGE), 0);
	assert_int_equal(lp_mapping_open(&mapping, fd, 3 * PAGE), 0);
	bytes = mapping.bytes;
	assert_int_equal(bytes[2 * PAGE], 3);
	assert_int_equal(ftruncate(fd, PAGE), 0);
	assert_int_equal(bytes[0], 1);
	assert_false(mapping.damaged);
	assert_int_equal(bytes[PAGE + 17], 0);
	assert_true(mapping.damaged);
	assert_int_equal(bytes[3 * PAGE - 1], 0);
	assert_int_equal(bytes[0], 1);
	assert_false(other.damaged);
	lp_mapping_close(&mapping);
	assert_int_equal(other.bytes[5], 1);
	lp_mapping_close(&other);
	lp_mapping_close(&other);
	close(fd);
	close(whole);
}

static void test_other_faults_stay_fatal(void **state)
{
	struct lp_mapping mapping;
	int fd = make_file(1), status;
	pid_t pid;

	(void)state;
	assert_int_equal(lp_mapping_open(&mapping, fd, PAGE), 0);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		int short_fd = make_file(1);
		volatile char *foreign = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, short_fd, 0);

		_exit(foreign[PAGE]);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
	lp_mapping_close(&mapping);
	close(fd);
}

static void test_cannot_be_mapped(void **state)
{
	struct lp_mapping mapping = { 0 };

	(void)state;
	assert_true(lp_mapping_open(&mapping, -1, PAGE) < 0);
	lp_mapping_close(&mapping);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lost_pages_read_as_zeros),
		cmocka_unit_test(test_other_faults_stay_fatal),
		cmocka_unit_test(test_cannot_be_mapped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
