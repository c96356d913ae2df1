// SPDX-License-Identifier: Apache-2.0
// guards.cc — locks as C++ programs write them: guards, std::lock, std::condition_variable.
// Built without and with optimisation: the marked lines must be found through inlined code.
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

namespace {

struct gate {
	std::mutex mutex;
	std::condition_variable changed;
	int turn = 0;
};

// Runs each function in a thread of its own, one after the other, while all are alive.
void in_phases(const std::vector<std::function<void()>> &work)
{
	gate g;
	std::vector<std::thread> threads;
	const int last = static_cast<int>(work.size());

	for (int i = 0; i < last; i++) {
		threads.emplace_back([&, i] {
			{
				std::unique_lock<std::mutex> guard(g.mutex);
				g.changed.wait(guard, [&] { return g.turn == i; });
			}
			work[i]();
			std::unique_lock<std::mutex> guard(g.mutex);
			g.turn = i + 1;
			g.changed.notify_all();
			g.changed.wait(guard, [&] { return g.turn == last; });
		});
	}
	for (auto &thread : threads)
		thread.join();
}

class bank {
public:
	void deposit()
	{
		std::lock_guard<std::mutex> first(money_);	// MARK guard-a1
		std::lock_guard<std::mutex> second(log_);	// MARK guard-b1
		value_++;
	}

	void audit()
	{
		std::unique_lock<std::mutex> first(log_);	// MARK guard-b2
		std::unique_lock<std::mutex> second(money_);	// MARK guard-a2
		value_++;
	}

	void deposit_at_once()
	{
		std::scoped_lock both(money_, log_);
		value_++;
	}

	void audit_at_once()
	{
		std::scoped_lock both(log_, money_);
		value_++;
	}

private:
	std::mutex money_;
	std::mutex log_;
	int value_ = 0;
};

class table {
public:
	void put()
	{
		std::unique_lock<std::shared_mutex> first(rows_);	// MARK shared-a1
		std::unique_lock<std::shared_mutex> second(index_);	// MARK shared-b1
		value_++;
	}

	void rebuild()
	{
		std::lock_guard<std::shared_mutex> first(index_);	// MARK shared-b2
		std::lock_guard<std::shared_mutex> second(rows_);	// MARK shared-a2
		value_++;
	}

	int get()
	{
		std::shared_lock<std::shared_mutex> first(rows_);
		std::shared_lock<std::shared_mutex> second(index_);
		return value_;
	}

	int find()
	{
		std::shared_lock<std::shared_mutex> first(index_);
		std::shared_lock<std::shared_mutex> second(rows_);
		return value_;
	}

private:
	std::shared_mutex rows_;
	std::shared_mutex index_;
	int value_ = 0;
};

void mutexes()
{
	auto b = std::make_unique<bank>();

	in_phases({ [&] { b->deposit(); }, [&] { b->audit(); } });
}

// std::lock backs off, so the order of its arguments means nothing.
void at_once()
{
	auto b = std::make_unique<bank>();

	in_phases({ [&] { b->deposit_at_once(); }, [&] { b->audit_at_once(); } });
}

void shared()
{
	auto t = std::make_unique<table>();

	in_phases({ [&] { t->put(); }, [&] { t->rebuild(); } });
}

void shared_readers()
{
	auto t = std::make_unique<table>();

	in_phases({ [&] { t->get(); }, [&] { t->find(); } });
}

void consistent()
{
	auto b = std::make_unique<bank>();
	auto t = std::make_unique<table>();

	in_phases({ [&] { b->deposit(); t->put(); }, [&] { b->deposit(); t->get(); },
		    [&] { t->put(); } });
}

void thrown()
{
	static std::mutex m;

	in_phases({ [&] {
		try {
			std::lock_guard<std::mutex> guard(m);
			throw 1;
		} catch (int) {
		}
		std::lock_guard<std::mutex> guard(m);
	} });
}

void once()
{
	std::once_flag flag;
	int count = 0;

	in_phases({ [&] { std::call_once(flag, [&] { count++; }); },
		    [&] { std::call_once(flag, [&] { count++; }); } });
	std::printf("%d\n", count);
}

std::mutex log_lock;
std::atomic<bool> constructed;

struct logged {
	logged()
	{
		log_lock.lock();		// MARK static-log
		log_lock.unlock();
		constructed = true;
		usleep(50000);
	}
};

void use_static()
{
	static logged instance;			// MARK static-run
}

/* The other thread comes while the constructor runs. */
void static_while(bool hold)
{
	std::thread other(use_static);

	while (!constructed)
		usleep(1000);
	if (hold)
		log_lock.lock();		// MARK static-hold
	use_static();				// MARK static-wait
	if (hold)
		log_lock.unlock();
	other.join();
}

void static_local()
{
	static_while(true);
}

void static_local_first()
{
	static_while(false);
}

struct broken {
	explicit broken(bool fails)
	{
		if (fails)
			throw 1;
	}
};

void make_broken(bool fails)
{
	static broken instance(fails);
}

std::atomic<int> constructions;

struct slow {
	slow()
	{
		usleep(100);
		if (constructions++ % 3 == 0)
			throw 1;	// abandoned: another thread tries again
	}
};

template<int number> void use_slow()
{
	for (;;) {
		try {
			static slow instance;
			return;
		} catch (int) {
		}
	}
}

template<int... numbers> void use_all(std::integer_sequence<int, numbers...>)
{
	(use_slow<numbers>(), ...);
}

/* Many threads at the same statics at the same time: each is made once, and nobody is left behind. */
void static_race()
{
	std::vector<std::thread> threads;
	const int count = 30;

	for (int i = 0; i < 8; i++)
		threads.emplace_back([] {
			use_all(std::make_integer_sequence<int, count>());
		});
	for (auto &thread : threads)
		thread.join();
	std::printf("%d\n", constructions - (constructions + 2) / 3 == count);
}

/* Its initialisation needs itself: the library throws in a program with one thread. */
int itself(int depth)
{
	static int value = depth ? itself(depth - 1) : 1;

	return value;
}

void static_itself()
{
	std::set_terminate([] {
		std::puts("terminated");
		std::fflush(stdout);
		_exit(3);
	});
	itself(1);
}

/* What was left by an exception is not held: the lock is taken on top of nothing. */
void once_thrown()
{
	std::once_flag flag;

	for (int i = 0; i < 2; i++) {
		try {
			std::call_once(flag, [] { throw 1; });
		} catch (int) {
			log_lock.lock();
			log_lock.unlock();
		}
		try {
			make_broken(true);
		} catch (int) {
			log_lock.lock();
			log_lock.unlock();
		}
	}
	log_lock.lock();
	std::call_once(flag, [] { });
	make_broken(false);
	log_lock.unlock();
}

const struct {
	const char *name;
	void (*run)();
} scenarios[] = {
	{ "mutexes", mutexes }, { "at-once", at_once },
	{ "shared", shared }, { "shared-readers", shared_readers },
	{ "consistent", consistent }, { "thrown", thrown }, { "once", once },
	{ "static-local", static_local }, { "static-local-first", static_local_first },
	{ "static-itself", static_itself }, { "once-thrown", once_thrown }, { "static-race", static_race },
};

} // namespace

int main(int argc, char **argv)
{
	for (const auto &scenario : scenarios) {
		if (argc > 1 && !std::strcmp(argv[1], scenario.name)) {
			scenario.run();
			std::printf("%s: done\n", argv[1]);
			return 0;
		}
	}
	return 98;
}
