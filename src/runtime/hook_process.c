/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook_process.c — what happens to the whole process: fork without handlers, vfork, locking of
 * all memory. fork() itself is seen through handlers registered with libc.
 */
#include <string.h>
#include <unistd.h>

#include "runtime/os.h"
#include "runtime/runtime.h"

#define LOCK_SLACK	(4u << 20)	/* more than a few threads back at a time */

LP_PUBLIC pid_t _Fork(void)
{
	pid_t result;

	if (!lp_slot())
		return lp_real._Fork();
	lp_fork_prepare();
	result = lp_real._Fork();
	if (result < 0 && lp_self.child) {
		lp_slot_free(lp_self.child);
		lp_self.child = NULL;
	}
	if (result == 0)
		lp_fork_child();
	else
		lp_fork_parent();
	return result;
}

__attribute__((visibility("hidden"), used)) void *lp_vfork_begins(void);

/* What to go on to. */
void *lp_vfork_begins(void)
{
	void *real;

	lp_slot();
	lp_self.vforked = true;
	memcpy(&real, &lp_real.vfork, sizeof(real));
	return real;
}

/* It returns twice to the program, so there must be no frame of ours: a note, and a jump. */
__asm__(
	".text\n"
	".globl vfork\n"
	".type vfork, @function\n"
	"vfork:\n"
	".cfi_startproc\n"
	"	sub $8, %rsp\n"
	".cfi_adjust_cfa_offset 8\n"
	"	call lp_vfork_begins\n"
	"	add $8, %rsp\n"
	".cfi_adjust_cfa_offset -8\n"
	"	jmp *%rax\n"
	".cfi_endproc\n"
	".size vfork, . - vfork\n");

/*
 * The image is a large sparse mapping: locking it would back all of it with storage. The part that
 * is not used yet is out of reach while the kernel works, then the image is unlocked again.
 */
LP_PUBLIC int mlockall(int flags)
{
	struct lp_writer *writer = &lp_rt.track.writer;
	struct lp_image *image = lp_slot() ? writer->image : NULL;
	uint64_t used;
	int result;

	if (!image)
		return lp_real.mlockall(flags);
	/* with room for what other threads write meanwhile */
	used = (__atomic_load_n(&image->populated, __ATOMIC_ACQUIRE) + LOCK_SLACK + 4095) &
	       ~(uint64_t)4095;
	if (used > writer->size)
		used = writer->size;
	lp_sys3(SYS_mprotect, (char *)image + used, writer->size - used, PROT_NONE);
	result = lp_real.mlockall(flags);
	lp_sys2(SYS_munlock, image, writer->size);
	lp_sys3(SYS_mprotect, (char *)image + used, writer->size - used, PROT_READ | PROT_WRITE);
	return result;
}
