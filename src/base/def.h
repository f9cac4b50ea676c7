/* def - attributes and small macros that every file may use.
 *
 * bug_on(cond) is on in every build: it aborts when a fact about our own code is false.  It is
 * never reachable from input. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define must_check __attribute__((warn_unused_result))
#define printf_like(fmt, args) __attribute__((format(printf, fmt, args)))
#define no_return __attribute__((noreturn))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#define bug_on(cond)                                                                               \
	do {                                                                                       \
		if (__builtin_expect(!!(cond), 0))                                                 \
			bug_abort(__FILE__, __LINE__, #cond);                                      \
	} while (0)

/* What cannot be reached. */
#define bug(what) bug_abort(__FILE__, __LINE__, (what))

no_return void bug_abort(const char *file, int line, const char *what);

/* x_new/x_free: process-lifetime heap.  Allocation failure at this level is fatal: it happens at
 * start and reload only; requests allocate from arenas (arena.h). */
void *heap_alloc(size_t n); /* zeroed; never NULL */
void heap_free(void *p);
#define heap_new(type) ((type *)heap_alloc(sizeof(type)))
