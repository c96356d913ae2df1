/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_explore.c — how fast the explorer is: states a second on the dining philosophers.
 *
 *   bench_explore [FILE.litmus...]     5 to 9 philosophers, or the files given
 *
 * `deadlock`: each takes the left fork, then the right one. `ordered`: the last one takes them the
 * other way round, so that nobody gets stuck and all states must be seen. `all`: nothing is left
 * out, depth first; `reduced`: what partial-order reduction leaves, breadth first; both up to the
 * first deadlock. Times are of the processor; short runs are repeated and the
 * best is taken. The fixed cost is that of a scenario of one task with one lock.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "scenario/explore.h"

#define TEXT_MAX	65536u
#define ENOUGH_NS	200000000ull	/* repeat until this long */

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static struct lp_scenario *parse(const char *file, const char *text, size_t size)
{
	struct lp_scenario_error error;
	struct lp_scenario *scenario = lp_scenario_parse(file, text, size, &error);

	if (!scenario) {
		fprintf(stderr, "%s:%u:%u: %s\n", file, error.line, error.column, error.text);
		exit(2);
	}
	return scenario;
}

static struct lp_scenario *philosophers(uint32_t count, bool ordered)
{
	char text[TEXT_MAX];
	size_t size = (size_t)snprintf(text, sizeof(text), "C philosophers\n{ struct mutex f0");

	for (uint32_t i = 1; i < count; i++)
		size += (size_t)snprintf(text + size, sizeof(text) - size, ", f%u", i);
	size += (size_t)snprintf(text + size, sizeof(text) - size, "; }\n");
	for (uint32_t i = 0; i < count; i++) {
		uint32_t first = i, second = (i + 1) % count;

		if (ordered && first > second) {
			first = second;
			second = i;
		}
		size += (size_t)snprintf(text + size, sizeof(text) - size, "P%u() { "
			"mutex_lock(&f%u); mutex_lock(&f%u); mutex_unlock(&f%u); "
			"mutex_unlock(&f%u); }\n", i, first, second, second, first);
	}
	size += (size_t)snprintf(text + size, sizeof(text) - size, "expect none\n");
	return parse("philosophers", text, size);
}

/* Fastest of several runs. */
static uint64_t explore(const struct lp_scenario *scenario, bool all, struct lp_exploration *result)
{
	struct lp_explore_options options = { .full = all, .any = all };
	uint64_t best = UINT64_MAX, total = 0;

	while (total < ENOUGH_NS) {
		uint64_t time = now_ns();

		if (total)
			lp_exploration_finish(result);
		lp_explore(scenario, &options, result);
		time = now_ns() - time;
		best = time < best ? time : best;
		total += time;
	}
	return best;
}

static void show(const char *name, const struct lp_scenario *scenario, bool all)
{
	static const char *const verdicts[] = { "free", "deadlock", "bound", "no memory" };
	struct lp_exploration result;
	uint64_t time = explore(scenario, all, &result);

	printf("%-28s %-8s %-9s %12llu %12.3f %12.2f\n", name, all ? "all" : "reduced",
	       verdicts[result.verdict], (unsigned long long)result.states, (double)time / 1e6,
	       (double)result.states * 1e3 / (double)time);
	fflush(stdout);
	lp_exploration_finish(&result);
}

static void show_both(const char *name, struct lp_scenario *scenario)
{
	show(name, scenario, true);
	show(name, scenario, false);
	lp_scenario_destroy(scenario);
}

static void show_fixed_cost(void)
{
	const char *text = "C one { struct mutex m; } P0() { mutex_lock(&m); mutex_unlock(&m); }"
			   " expect none";
	struct lp_scenario *scenario = parse("one", text, strlen(text));
	struct lp_exploration result;
	uint64_t time = explore(scenario, false, &result);

	lp_exploration_finish(&result);
	lp_scenario_destroy(scenario);
	printf("\nfixed cost of one exploration: %.2f us\n", (double)time / 1e3);
}

static void show_file(const char *file)
{
	char *text = malloc(TEXT_MAX);
	FILE *in = fopen(file, "r");
	size_t size;

	if (!in || !text) {
		perror(file);
		exit(2);
	}
	size = fread(text, 1, TEXT_MAX, in);
	fclose(in);
	show_both(file, parse(file, text, size));
	free(text);
}

int main(int argc, char **argv)
{
	printf("%-28s %-8s %-9s %12s %12s %12s\n", "scenario", "states", "verdict", "number",
	       "ms", "M states/s");
	for (int i = 1; i < argc; i++)
		show_file(argv[i]);
	for (uint32_t count = 5; argc < 2 && count <= 9; count++) {
		char name[32];

		snprintf(name, sizeof(name), "philosophers %u deadlock", count);
		show_both(name, philosophers(count, false));
		snprintf(name, sizeof(name), "philosophers %u ordered", count);
		show_both(name, philosophers(count, true));
	}
	show_fixed_cost();
	return 0;
}
