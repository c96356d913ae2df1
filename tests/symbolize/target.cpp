/* SPDX-License-Identifier: Apache-2.0 */
/* target.cpp — a C++ program to symbolize. Lines are found by their MARK, never by number. */
#include <cstdio>
#include <functional>
#include <mutex>
#include <shared_mutex>

#include "probes.h"

namespace bank
{

struct account {
	long		balance = 0;
	std::mutex	lock;
};

class ledger
{
public:
	NOINLINE void locks(account &a);
	NOINLINE void guards(account &a, account &b);
	template <class T> NOINLINE void shared(T &m);
	static std::mutex global;

private:
	std::mutex m_;
	std::mutex all_[3];
};

std::mutex ledger::global;
account accounts[4];
std::shared_mutex registry;

void ledger::locks(account &a)
{
	script("member plain arrow index this oneline1 oneline2 static");
	a.lock.lock(); // MARK member
	m_.lock(); // MARK plain
	(&a)->lock.lock(); // MARK arrow
	all_[a.balance + 1].lock(); // MARK index
	this->m_.lock(); // MARK this
	m_.lock(); a.lock.lock(); // MARK oneline
	ledger::global.lock(); // MARK static
	AFTER();
}

void ledger::guards(account &a, account &b)
{
	script("guard brace defer temporary scoped same-field same-field-try auto");
	std::lock_guard<std::mutex> g(a.lock); // MARK guard
	std::unique_lock<std::mutex> u{b.lock}; // MARK brace
	std::unique_lock<std::mutex> later(m_, std::defer_lock);
	later.lock(); // MARK defer
	{
		std::lock_guard<std::mutex>(this->all_[0]); // MARK temporary
	}
	std::scoped_lock s(all_[1]); // MARK scoped
	AFTER();
	std::lock(a.lock, b.lock); // MARK same-field
	auto late = std::unique_lock(all_[2]); // MARK auto
	AFTER();
}

template <class T> void ledger::shared(T &m)
{
	script("writer reader");
	std::unique_lock<T> w(m); // MARK writer
	std::shared_lock r(m); // MARK reader
	AFTER();
}

namespace
{
struct hidden {
	int		pad[7];
	std::shared_mutex rw;
} secret;

NOINLINE void nameless()
{
	probe(); // MARK nameless
	AFTER();
}
}

} // namespace bank

static NOINLINE void apply(const std::function<void()> &f)
{
	f();
	AFTER();
}

static NOINLINE void show_data()
{
	static std::mutex local;

	using bank::accounts;
	probe_data("bank::accounts[2].lock", "bank::accounts", &accounts, &accounts[2].lock);
	probe_data("bank::registry", "bank::registry", &bank::registry, &bank::registry);
	probe_data("bank::ledger::global", "bank::ledger::global", &bank::ledger::global,
		   &bank::ledger::global);
	probe_data("bank::secret.rw", "bank::secret", &bank::secret, &bank::secret.rw);
	probe_data("show_data()::local", "show_data()::local", &local, &local);
}

int main()
{
	bank::ledger ledger;
	bank::account a, b;

	show_data();
	ledger.locks(a);
	ledger.guards(a, b);
	ledger.shared(bank::registry);
	script("nameless lambda");
	bank::nameless();
	apply([]() __attribute__((noinline)) {
		probe(); // MARK lambda
		AFTER();
	});
	return 0;
}
