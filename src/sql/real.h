/* real - a double as the shortest JSON number that reads back the same: "0.1", "5.0", "1e+300". */
#pragma once
#include "base/arena.h"

/* "inf", "-inf", "nan" are no JSON: the caller looks. */
struct str real_lexeme(struct arena *a, double v);
