/* test - what every unit test includes: cmocka and what it needs, and comparing a str. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"

#define assert_str(s, lit) test_str((s), (lit), __FILE__, __LINE__)

static inline void test_str(struct str s, const char *expected, const char *file, int line)
{
	if (str_eq(s, str_c(expected)))
		return;
	print_error("got \"%.*s\", expected \"%s\"\n", STR_ARG(s), expected);
	_fail(file, line);
}
