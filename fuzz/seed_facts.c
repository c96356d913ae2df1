/* SPDX-License-Identifier: Apache-2.0 */
/* seed_facts.c — writes the hand-made inputs of fuzz_facts into a folder: seed_facts DIR */
#include <stdio.h>

#include "facts/image_builder.h"

static void write_seed(const char *folder, const char *name, const void *control,
		       const void *bytes, size_t size)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "wb");
	if (!file || (control && fwrite(control, 16, 1, file) != 1) ||
	    fwrite(bytes, size, 1, file) != 1 || fclose(file)) {
		perror(path);
		exit(1);
	}
}

static void write_log(const char *folder, const char *name, struct image *image, uint8_t step,
		      uint8_t late, uint8_t wrappers)
{
	const uint8_t control[16] = { step, late, wrappers };

	write_seed(folder, name, control, image->bytes + LP_IMAGE_HEADER_SIZE,
		   image_head(image)->tail - LP_IMAGE_HEADER_SIZE);
	image_finish(image);
}

/* Every origin, an array, places that join. */
static struct image make_groups(void)
{
	struct image image = image_start();
	uint32_t process = image_process(&image, 1, "", "", 0);
	uint32_t module = image_module(&image, "/x", 0, 0);
	uint32_t stack[6], class = 0, node = 0;

	for (uint32_t i = 0; i < 6; i++)
		stack[i] = image_stack2(&image, module, 0x10 + i, 0x21);
	for (uint32_t i = 0; i < 10; i++)
		class = image_class(&image, LP_LOCK_MUTEX, LP_ORIGIN_INIT, stack[0],
				    (struct lp_frame){ module, 0x100 + i * 40 });
	image_class(&image, LP_LOCK_MUTEX, LP_ORIGIN_INIT, stack[1], (struct lp_frame){ 0, 0 });
	image_class(&image, LP_LOCK_MUTEX, LP_ORIGIN_STATIC, 0, (struct lp_frame){ module, 0x128 });
	for (uint32_t i = 2; i < 5; i++) {
		class = image_class(&image, LP_LOCK_RWLOCK, LP_ORIGIN_FIRST_LOCK, stack[i],
				    (struct lp_frame){ 0, 0 });
		node = image_node(&image, node, class, LP_READ, i == 3 ? 0 : stack[5],
				  (struct lp_frame){ module, 0x15 });
	}
	image_lock(&image, class, process, 1, 0x1000);
	return image;
}

/* Annotated classes, contexts, states, nodes without a lock. */
static struct image make_contexts(void)
{
	struct image image = image_start();
	uint32_t process = image_process(&image, 1, "", "", 0);
	uint32_t thread = image_thread(&image, process, 0, 0, 1);
	uint32_t softirq = image_context(&image, LP_CONTEXT_SOFTIRQ, 0, "SOFTIRQ");
	uint32_t alarm = image_context(&image, LP_CONTEXT_SIGNAL, 14, "SIGALRM");
	uint32_t in = image_state(&image, softirq, alarm, LP_WAIT_CONFIG);
	uint32_t on = image_state(&image, 0, softirq, LP_WAIT_UNCHECKED);
	uint32_t class = image_add(&image, LP_REC_CLASS, sizeof(struct lp_rec_class) + 4);
	struct lp_rec_class *at = image_at(&image, class);
	uint32_t lock = 0, node = 0, stamps;

	*at = (struct lp_rec_class){ .rec = at->rec, .kind = LP_LOCK_K_SPINLOCK,
				     .origin = LP_ORIGIN_INIT, .key = 77, .name_size = 4 };
	memcpy(at->name, "&a->b", 4);
	lock = image_lock(&image, class, process, 1, 0x1000);
	node = image_node(&image, 0, lock, LP_WRITE, 0, (struct lp_frame){ 0, 0 });
	((struct lp_rec_node *)image_at(&image, node))->state = in;
	node = image_node(&image, 0, lock, LP_READ, 0, (struct lp_frame){ 0, 0 });
	node = image_node(&image, node, 0, LP_WRITE, 0, (struct lp_frame){ 0, 0 });
	((struct lp_rec_node *)image_at(&image, node))->state = on;
	stamps = image_stamps(&image, alarm, (struct lp_frame){ 0, 0 });
	node = image_witness(&image, node, thread, 0, (uint64_t[]){ 0, 1 }, 2);
	((struct lp_rec_witness *)image_at(&image, node))->stamps = stamps;
	return image;
}

static void write_file(const char *folder)
{
	struct image image = image_start();

	image_process(&image, 1, "/bin/x", "x\0-y", 5);
	image_module(&image, "/bin/x", 0x1000, 1);
	write_seed(folder, "file", NULL, image.bytes, image_kept(&image));
	image_finish(&image);
}

int main(int argc, char **argv)
{
	struct image image = image_start();

	if (argc != 2)
		return 2;
	image_abba(&image, 0x5000, 10);
	write_log(argv[1], "abba-at-once", &image, 0, 0, 0);
	image = image_start();
	image_abba(&image, 0x5000, 10);
	write_log(argv[1], "abba-late", &image, 4, 1, 1);
	image = make_contexts();
	write_log(argv[1], "contexts", &image, 1, 0, 1);
	image = make_groups();
	write_log(argv[1], "groups-one-by-one", &image, 1, 0, 1);
	image = make_groups();
	write_log(argv[1], "groups-late", &image, 3, 1, 0);
	write_file(argv[1]);
	return 0;
}
