/* SPDX-License-Identifier: Apache-2.0 */
/*
 * philosophers.pml — N philosophers for spin, the same steps as bench_explore.c's: take a fork,
 * take the other one, put it down, put the first one down. With ORDERED the last philosopher takes
 * them the other way round.
 */
#ifndef N
#define N 5
#endif

bool taken[N];

active [N] proctype philosopher()
{
	byte first = _pid, second = (_pid + 1) % N;

#ifdef ORDERED
	d_step {
		if
		:: first > second -> first = second; second = _pid
		:: else
		fi
	}
#endif
	atomic { !taken[first] -> taken[first] = true }
	atomic { !taken[second] -> taken[second] = true }
	taken[second] = false;
	taken[first] = false
}
