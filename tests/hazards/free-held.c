/* SPDX-License-Identifier: Apache-2.0 */
/* free-held.c — memory is freed with a held mutex in it. */
#include "hazard.h"

struct table {
	int size;
	pthread_mutex_t lock;
};

int main(void)
{
	struct table *table = malloc(sizeof(*table));

	hz_must(!table, "malloc");
	pthread_mutex_init(&table->lock, NULL);
	pthread_mutex_lock(&table->lock);
	IF_SAFE(pthread_mutex_unlock(&table->lock));
	free(table);
	return hz_done();
}
