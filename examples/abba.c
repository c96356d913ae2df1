/* SPDX-License-Identifier: Apache-2.0 */
/*
 * abba.c — a bug that every test passes: two threads take two locks in opposite orders.
 *
 *     lockproof run -- ./abba
 *
 * The transfer thread locks the account, then the journal; the audit thread locks the journal,
 * then the account. Here the audit waits for the transfers to be over before it starts, so the
 * program never hangs. One night the two will overlap, and then it does. Lockproof tells from
 * this run, in which nothing went wrong.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

struct account {
	pthread_mutex_t lock;
	long balance;
};

struct journal {
	pthread_mutex_t lock;
	long entries;
};

struct bank {
	struct account *account;
	struct journal *journal;
	pthread_mutex_t phase_lock;
	pthread_cond_t phase_changed;
	bool transfers_done;
};

static struct account *account_new(void)
{
	struct account *account = calloc(1, sizeof(*account));

	if (account)
		pthread_mutex_init(&account->lock, NULL);
	return account;
}

static struct journal *journal_new(void)
{
	struct journal *journal = calloc(1, sizeof(*journal));

	if (journal)
		pthread_mutex_init(&journal->lock, NULL);
	return journal;
}

static void journal_add(struct journal *journal)
{
	pthread_mutex_lock(&journal->lock);
	journal->entries++;
	pthread_mutex_unlock(&journal->lock);
}

static void transfer(struct bank *bank, long amount)
{
	pthread_mutex_lock(&bank->account->lock);
	bank->account->balance += amount;
	journal_add(bank->journal);
	pthread_mutex_unlock(&bank->account->lock);
}

static long audit(struct bank *bank)
{
	struct journal *journal = bank->journal;
	struct account *account = bank->account;
	long sum;

	pthread_mutex_lock(&journal->lock);
	pthread_mutex_lock(&account->lock);
	sum = account->balance * 1000 + journal->entries;
	pthread_mutex_unlock(&account->lock);
	pthread_mutex_unlock(&journal->lock);
	return sum;
}

static void *transfer_thread(void *arg)
{
	struct bank *bank = arg;

	for (int i = 0; i < 100; i++)
		transfer(bank, i);
	pthread_mutex_lock(&bank->phase_lock);
	bank->transfers_done = true;
	pthread_cond_signal(&bank->phase_changed);
	pthread_mutex_unlock(&bank->phase_lock);
	return NULL;
}

static void *audit_thread(void *arg)
{
	struct bank *bank = arg;

	pthread_mutex_lock(&bank->phase_lock);
	while (!bank->transfers_done)
		pthread_cond_wait(&bank->phase_changed, &bank->phase_lock);
	pthread_mutex_unlock(&bank->phase_lock);
	printf("audit: %ld\n", audit(bank));
	return NULL;
}

int main(void)
{
	struct bank bank = {
		.account = account_new(),
		.journal = journal_new(),
		.phase_lock = PTHREAD_MUTEX_INITIALIZER,
		.phase_changed = PTHREAD_COND_INITIALIZER,
	};
	pthread_t transfers, auditor;

	if (!bank.account || !bank.journal)
		return 1;
	if (pthread_create(&auditor, NULL, audit_thread, &bank) ||
	    pthread_create(&transfers, NULL, transfer_thread, &bank))
		return 1;
	pthread_setname_np(auditor, "audit");
	pthread_setname_np(transfers, "transfer");
	pthread_join(transfers, NULL);
	pthread_join(auditor, NULL);
	free(bank.account);
	free(bank.journal);
	return 0;
}
