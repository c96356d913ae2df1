// SPDX-License-Identifier: Apache-2.0
// worker.cc — a C++ program as people write them: a pool of threads, a queue, a cache that many
// read and few write. It prints a result that does not depend on the schedule.
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <vector>

class queue {
public:
	void push(std::function<void()> job)
	{
		{
			std::lock_guard<std::mutex> guard(mutex_);
			jobs_.push_back(std::move(job));
		}
		changed_.notify_one();
	}

	bool pop(std::function<void()> &job)
	{
		std::unique_lock<std::mutex> guard(mutex_);

		changed_.wait(guard, [&] { return closed_ || !jobs_.empty(); });
		if (jobs_.empty())
			return false;
		job = std::move(jobs_.front());
		jobs_.pop_front();
		return true;
	}

	void close()
	{
		std::lock_guard<std::mutex> guard(mutex_);
		closed_ = true;
		changed_.notify_all();
	}

private:
	std::mutex mutex_;
	std::condition_variable changed_;
	std::deque<std::function<void()>> jobs_;
	bool closed_ = false;
};

class cache {
public:
	uint64_t get(unsigned key)
	{
		{
			std::shared_lock<std::shared_mutex> reading(mutex_);
			auto found = values_.find(key);

			if (found != values_.end())
				return found->second;
		}
		std::unique_lock<std::shared_mutex> writing(mutex_);
		return values_.emplace(key, compute(key)).first->second;
	}

private:
	static uint64_t compute(unsigned key)
	{
		uint64_t value = key;

		for (int i = 0; i < 1000; i++)
			value = value * 6364136223846793005u + 1442695040888963407u;
		return value;
	}

	std::shared_mutex mutex_;
	std::map<unsigned, uint64_t> values_;
};

struct account {
	std::mutex mutex;
	long money = 1000;
};

int main()
{
	constexpr int jobs = 20000, threads = 4, accounts = 50;
	queue work;
	cache values;
	std::vector<account> bank(accounts);
	std::atomic<uint64_t> sum{0};
	std::vector<std::thread> pool;
	std::once_flag announced;

	for (int i = 0; i < threads; i++) {
		pool.emplace_back([&] {
			std::function<void()> job;

			std::call_once(announced, [] { std::puts("at work"); });
			while (work.pop(job))
				job();
		});
	}
	for (unsigned i = 0; i < jobs; i++) {
		work.push([&, i] {
			account &from = bank[i % accounts], &to = bank[(i * 7 + 1) % accounts];

			sum += values.get(i % 100);
			if (&from == &to)
				return;
			std::scoped_lock both(from.mutex, to.mutex);
			from.money -= i % 10;
			to.money += i % 10;
		});
	}
	work.close();
	for (auto &thread : pool)
		thread.join();
	auto later = std::async(std::launch::async, [&] {
		long total = 0;

		for (auto &one : bank) {
			std::lock_guard<std::mutex> guard(one.mutex);
			total += one.money;
		}
		return total;
	});
	std::printf("money %ld\n", later.get());
	std::printf("sum %llu\n", static_cast<unsigned long long>(sum.load()));
	return 0;
}
