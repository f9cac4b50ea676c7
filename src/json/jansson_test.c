/* jansson_test - the reader beside jansson 2.14: both accept the same texts and see the same
 * values, but for what is refused, or kept, on purpose.
 *
 * The texts are mutations of seeds under a fixed seed of their own.  jansson is found at run time:
 * linked in, its json_integer and json_equal would be ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* names that both have */
#define JSON_OBJECT JANSSON_OBJECT
#define JSON_ARRAY JANSSON_ARRAY
#define JSON_STRING JANSSON_STRING
#define JSON_NULL JANSSON_NULL
#define json_integer jansson_integer
#define json_equal jansson_equal
#include <jansson.h>
#undef JSON_OBJECT
#undef JSON_ARRAY
#undef JSON_STRING
#undef JSON_NULL
#undef json_integer
#undef json_equal

#include "base/buf.h"
#include "json/json.h"

#define ROUNDS 20000
#define TEXT_BYTES 400

static struct {
	json_t *(*loadb)(const char *, size_t, size_t, json_error_t *);
	void (*delete)(json_t *);
	size_t (*object_size)(const json_t *);
	json_t *(*object_getn)(const json_t *, const char *, size_t);
	size_t (*array_size)(const json_t *);
	json_t *(*array_get)(const json_t *, size_t);
	const char *(*string_value)(const json_t *);
	size_t (*string_length)(const json_t *);
	json_int_t (*integer_value)(const json_t *);
	double (*real_value)(const json_t *);
} jansson;

static void find_function(void *library, const char *name, void *function_out)
{
	void *found = dlsym(library, name);

	if (!found)
		fail_msg("jansson has no %s", name);
	memcpy(function_out, &found, sizeof found);
}

static int open_jansson(void **state)
{
	void *library = dlopen("libjansson.so.4", RTLD_NOW | RTLD_LOCAL);

	(void)state;
	if (!library)
		fail_msg("%s", dlerror());
	find_function(library, "json_loadb", &jansson.loadb);
	find_function(library, "json_delete", &jansson.delete);
	find_function(library, "json_object_size", &jansson.object_size);
	find_function(library, "json_object_getn", &jansson.object_getn);
	find_function(library, "json_array_size", &jansson.array_size);
	find_function(library, "json_array_get", &jansson.array_get);
	find_function(library, "json_string_value", &jansson.string_value);
	find_function(library, "json_string_length", &jansson.string_length);
	find_function(library, "json_integer_value", &jansson.integer_value);
	find_function(library, "json_real_value", &jansson.real_value);
	return 0;
}

static bool same_number(struct str lexeme, const json_t *theirs)
{
	char text[JSON_MAX_NUMBER + 1] = { 0 };
	int64_t n;

	memcpy(text, lexeme.p, lexeme.n);
	if (theirs->type == JSON_REAL)
		return strtod(text, NULL) == jansson.real_value(theirs);
	return theirs->type == JSON_INTEGER && str_to_i64(lexeme, &n) &&
	       n == jansson.integer_value(theirs);
}

static bool same_tree(const struct json *ours, const json_t *theirs)
{
	switch (ours->kind) {
	case JSON_NULL:
		return theirs->type == JANSSON_NULL;
	case JSON_BOOL:
		return theirs->type == (ours->truth ? JSON_TRUE : JSON_FALSE);
	case JSON_NUMBER:
		return same_number(ours->text, theirs);
	case JSON_STRING:
		return theirs->type == JANSSON_STRING &&
		       str_eq(ours->text,
			       str_n(jansson.string_value(theirs), jansson.string_length(theirs)));
	case JSON_ARRAY:
		if (theirs->type != JANSSON_ARRAY || jansson.array_size(theirs) != ours->count)
			return false;
		for (uint32_t i = 0; i < ours->count; i++)
			if (!same_tree(&ours->items[i], jansson.array_get(theirs, i)))
				return false;
		return true;
	case JSON_OBJECT:
		if (theirs->type != JANSSON_OBJECT || jansson.object_size(theirs) != ours->count)
			return false;
		for (uint32_t i = 0; i < ours->count; i++) {
			const struct json_member *m = &ours->members[i];
			const json_t *other = jansson.object_getn(theirs, m->name.p, m->name.n);

			if (!other || !same_tree(&m->value, other))
				return false;
		}
		return true;
	}
	return false;
}

/* What one may accept and the other not. */
static bool allowed_to_differ(
	bool ours, const struct json_error *error, const json_error_t *theirs, struct str text)
{
	if (ours) /* a lexeme is kept whatever its size */
		return json_error_code(theirs) == json_error_numeric_overflow;
	if (error->fault == JSON_BAD_DEPTH || error->fault == JSON_BAD_NUMBER_LENGTH)
		return true;
	/* to jansson, a NUL between tokens is the end of the text */
	return error->offset < text.n && text.p[error->offset] == '\0';
}

struct tally {
	unsigned both, neither, differ;
};

static void compare(struct str text, struct tally *tally)
{
	size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL;
	struct json v = { 0 };
	struct json_error error = { 0 };
	json_error_t why;
	struct arena a;
	json_t *theirs;
	bool ours;

	arena_init(&a, (size_t)1 << 20);
	ours = json_parse(&a, text, &v, &error);
	theirs = jansson.loadb(text.p, text.n, flags, &why);
	if (ours && theirs) {
		if (!same_tree(&v, theirs))
			fail_msg("different values: %.*s", STR_ARG(text));
		tally->both++;
	} else if (!ours && !theirs) {
		tally->neither++;
	} else {
		if (!allowed_to_differ(ours, &error, &why, text))
			fail_msg("%s accepts, the other says %s: %.*s",
				ours ? "postern" : "jansson",
				ours ? why.text : json_fault_name(error.fault), STR_ARG(text));
		tally->differ++;
	}
	if (theirs && theirs->refcount != (size_t)-1 && --theirs->refcount == 0)
		jansson.delete(theirs);
	arena_done(&a);
}

static uint32_t draw(uint64_t *seed, uint32_t below)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((*seed >> 33) % below);
}

static void mutate(uint64_t *seed, char *text, size_t *n)
{
	static const struct str pieces[] = {
		STR_INIT("\""),
		STR_INIT("\\"),
		STR_INIT("\\u00e4"),
		STR_INIT("\\ud83d\\ude00"),
		STR_INIT("\\ud800"),
		STR_INIT("\\u0000"),
		STR_INIT("{"),
		STR_INIT("}"),
		STR_INIT("["),
		STR_INIT("]"),
		STR_INIT(","),
		STR_INIT(":"),
		STR_INIT("0"),
		STR_INIT("-"),
		STR_INIT("1.5"),
		STR_INIT("e9"),
		STR_INIT("E-400"),
		STR_INIT("e308"),
		STR_INIT("99999999999999999999"),
		STR_INIT("null"),
		STR_INIT("true"),
		STR_INIT("\xc3\xa4"),
		STR_INIT("\xff"),
		STR_INIT("\xed\xa0\x80"),
		STR_INIT(" "),
		STR_INIT("\n"),
		STR_INIT("\x1f"),
		STR_INIT("\"a\":1,"),
		STR_INIT("[[[[[[[["),
	};
	size_t at = draw(seed, (uint32_t)*n + 1);
	struct str piece = pieces[draw(seed, ARRAY_LEN(pieces))];
	size_t cut = draw(seed, 4);

	cut = MIN(cut, *n - at);
	switch (draw(seed, 3)) {
	case 0: /* one byte becomes another */
		if (at < *n)
			text[at] = (char)draw(seed, 256);
		return;
	case 1: /* some bytes go */
		piece = STR_NONE;
		break;
	default: /* a piece comes instead of some or none */
		if (draw(seed, 2))
			cut = 0;
		break;
	}
	if (*n - cut + piece.n > TEXT_BYTES)
		return;
	memmove(text + at + piece.n, text + at + cut, *n - at - cut);
	if (piece.n)
		memcpy(text + at, piece.p, piece.n);
	*n = *n - cut + piece.n;
}

static void mutated_texts_are_read_as_jansson_reads_them(void **state)
{
	static const struct str seeds[] = {
		STR_INIT("{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/"
			 "call\",\"params\":{\"name\":"
			 "\"ticket_find\",\"arguments\":{\"status\":\"open\",\"limit\":20}}}"),
		STR_INIT("[1,-2,3.5,1e10,-0,0.0,1E+2,12345678901234567890,1e400,-1e-400]"),
		STR_INIT("[\"\\u00e4\\ud83d\\ude00\\\"\\\\\\/"
			 "\\b\\f\\n\\r\\t\",\"\xc3\xa4\xe2\x80\xa8\"]"),
		STR_INIT(" { \"a\" : [ true , false , null ] , \"b\" : { } , \"c\" : [ ] } "),
		STR_INIT("{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,\"i\":9,"
			 "\"j\":0}"),
		STR_INIT("\"a string of more than sixteen plain bytes, then \\n and more\""),
		STR_INIT("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"),
	};
	struct tally tally = { 0 };
	uint64_t seed = 20261121;

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct str from = seeds[round % ARRAY_LEN(seeds)];
		size_t n = from.n, steps = 1 + draw(&seed, 3);
		char text[TEXT_BYTES + 1];

		memcpy(text, from.p, n);
		for (size_t i = 0; i < steps; i++)
			mutate(&seed, text, &n);
		compare(str_n(text, n), &tally);
	}
	print_message("both %u, neither %u, differ as listed %u\n", tally.both, tally.neither,
		tally.differ);
	assert_true(tally.both > ROUNDS / 20 && tally.neither > ROUNDS / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mutated_texts_are_read_as_jansson_reads_them),
	};

	return cmocka_run_group_tests(tests, open_jansson, NULL);
}
