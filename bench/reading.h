/* reading - what a process and the machine have used, as /proc tells it. */
#pragma once
#include "base/def.h"

struct reading {
	uint64_t at_ns;
	uint64_t server_us; /* CPU of one process, all its threads */
	uint64_t own_us; /* CPU of this process */
	uint64_t machine_us; /* CPU of everybody */
	uint64_t rss_kib; /* of that one process */
};

/* pid 0: no server.  What cannot be read is 0. */
void reading_take(struct reading *r, int pid);
