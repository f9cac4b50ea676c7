/* html: whatever text is, it never becomes markup. */
#include "site/html.h"

#include "base/test.h"

struct fixture {
	struct arena a;
	struct buf out;
	struct html h;
};

static int begin(void **state)
{
	static struct fixture x;

	arena_init(&x.a, (size_t)1 << 20);
	buf_in(&x.out, &x.a, (size_t)1 << 16);
	html_begin(&x.h, &x.out);
	*state = &x;
	return 0;
}

static int end(void **state)
{
	struct fixture *x = *state;

	arena_done(&x->a);
	return 0;
}

static void elements_and_attributes_are_written_as_they_come(void **state)
{
	struct fixture *x = *state;

	html_open_class(&x->h, "p", "a");
	html_flag(&x->h, "hidden");
	html_say(&x->h, "one ");
	html_put(&x->h, "b", S("two"));
	html_void(&x->h, "br");
	html_close(&x->h);
	html_hidden(&x->h, "n", S("v"));
	assert_true(html_end(&x->h));
	assert_str(buf_str(&x->out), "<!doctype html>\n<p class=\"a\" hidden>one <b>two</b><br></p>"
				     "<input type=\"hidden\" name=\"n\" value=\"v\">\n");
}

static void text_never_becomes_markup(void **state)
{
	static const struct {
		const char *text, *written;
	} cases[] = {
		{ "<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;" },
		{ "\"><img src=x onerror=y>", "&quot;&gt;&lt;img src=x onerror=y&gt;" },
		{ "a & b &amp; c", "a &amp; b &amp;amp; c" },
		{ "it's", "it&#39;s" },
		{ "]]>--!>", "]]&gt;--!&gt;" },
		{ "", "" },
		{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
	};
	struct fixture *x = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t here = html_here(&x->h);

		html_text(&x->h, str_c(cases[i].text));
		assert_str(html_since(&x->h, here), cases[i].written);
		html_open(&x->h, "i");
		here = x->out.n;
		html_attr(&x->h, "title", str_c(cases[i].text));
		html_close(&x->h);
		assert_str(html_since(&x->h, here),
			arena_cstr(
				&x->a, arena_fmt(&x->a, " title=\"%s\"></i>", cases[i].written)));
	}
	assert_true(html_end(&x->h));
}

/* What nobody can see, or what turns text round, is shown as an escape. */
static void what_hides_is_shown(void **state)
{
	static const char *const hidden[] = { "\xe2\x80\xae", "\xe2\x80\x8b", "\xe2\x81\xa6",
		"\xf3\xa0\x81\x81", "\x1b", "\x7f", "\xff" };
	struct fixture *x = *state;

	for (size_t i = 0; i < ARRAY_LEN(hidden); i++) {
		size_t here = html_here(&x->h);

		html_text(&x->h, str_c(hidden[i]));
		assert_false(str_find_str(html_since(&x->h, here), 0, str_c(hidden[i])) <
			     html_since(&x->h, here).n);
		assert_true(html_since(&x->h, here).n > 0);
	}
}

static void a_page_past_its_limit_is_no_page(void **state)
{
	struct fixture *x = *state;
	struct buf small;

	buf_in(&small, &x->a, 20);
	html_begin(&x->h, &small);
	html_put(&x->h, "p", S("more than twenty bytes"));
	assert_false(html_end(&x->h));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			elements_and_attributes_are_written_as_they_come, begin, end),
		cmocka_unit_test_setup_teardown(text_never_becomes_markup, begin, end),
		cmocka_unit_test_setup_teardown(what_hides_is_shown, begin, end),
		cmocka_unit_test_setup_teardown(a_page_past_its_limit_is_no_page, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
