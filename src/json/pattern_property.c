/* pattern_property - the names that \p{...} takes in ECMA-262, as PCRE2 10.42 knows them. */
#include "json/pattern_ecma.h"

static const struct {
	struct str long_name, name;
} categories[] = {
	{ STR_INIT("Cased_Letter"), STR_INIT("LC") },
	{ STR_INIT("Close_Punctuation"), STR_INIT("Pe") },
	{ STR_INIT("Connector_Punctuation"), STR_INIT("Pc") },
	{ STR_INIT("Control"), STR_INIT("Cc") },
	{ STR_INIT("cntrl"), STR_INIT("Cc") },
	{ STR_INIT("Currency_Symbol"), STR_INIT("Sc") },
	{ STR_INIT("Dash_Punctuation"), STR_INIT("Pd") },
	{ STR_INIT("Decimal_Number"), STR_INIT("Nd") },
	{ STR_INIT("digit"), STR_INIT("Nd") },
	{ STR_INIT("Enclosing_Mark"), STR_INIT("Me") },
	{ STR_INIT("Final_Punctuation"), STR_INIT("Pf") },
	{ STR_INIT("Format"), STR_INIT("Cf") },
	{ STR_INIT("Initial_Punctuation"), STR_INIT("Pi") },
	{ STR_INIT("Letter"), STR_INIT("L") },
	{ STR_INIT("Letter_Number"), STR_INIT("Nl") },
	{ STR_INIT("Line_Separator"), STR_INIT("Zl") },
	{ STR_INIT("Lowercase_Letter"), STR_INIT("Ll") },
	{ STR_INIT("Mark"), STR_INIT("M") },
	{ STR_INIT("Combining_Mark"), STR_INIT("M") },
	{ STR_INIT("Math_Symbol"), STR_INIT("Sm") },
	{ STR_INIT("Modifier_Letter"), STR_INIT("Lm") },
	{ STR_INIT("Modifier_Symbol"), STR_INIT("Sk") },
	{ STR_INIT("Nonspacing_Mark"), STR_INIT("Mn") },
	{ STR_INIT("Number"), STR_INIT("N") },
	{ STR_INIT("Open_Punctuation"), STR_INIT("Ps") },
	{ STR_INIT("Other"), STR_INIT("C") },
	{ STR_INIT("Other_Letter"), STR_INIT("Lo") },
	{ STR_INIT("Other_Number"), STR_INIT("No") },
	{ STR_INIT("Other_Punctuation"), STR_INIT("Po") },
	{ STR_INIT("Other_Symbol"), STR_INIT("So") },
	{ STR_INIT("Paragraph_Separator"), STR_INIT("Zp") },
	{ STR_INIT("Private_Use"), STR_INIT("Co") },
	{ STR_INIT("Punctuation"), STR_INIT("P") },
	{ STR_INIT("punct"), STR_INIT("P") },
	{ STR_INIT("Separator"), STR_INIT("Z") },
	{ STR_INIT("Space_Separator"), STR_INIT("Zs") },
	{ STR_INIT("Spacing_Mark"), STR_INIT("Mc") },
	{ STR_INIT("Surrogate"), STR_INIT("Cs") },
	{ STR_INIT("Symbol"), STR_INIT("S") },
	{ STR_INIT("Titlecase_Letter"), STR_INIT("Lt") },
	{ STR_INIT("Unassigned"), STR_INIT("Cn") },
	{ STR_INIT("Uppercase_Letter"), STR_INIT("Lu") },
};

static const struct str binary_properties[] = {
	STR_INIT("ASCII"),
	STR_INIT("ASCII_Hex_Digit"),
	STR_INIT("AHex"),
	STR_INIT("Alphabetic"),
	STR_INIT("Alpha"),
	STR_INIT("Any"),
	STR_INIT("Bidi_Control"),
	STR_INIT("Cased"),
	STR_INIT("Case_Ignorable"),
	STR_INIT("Dash"),
	STR_INIT("Default_Ignorable_Code_Point"),
	STR_INIT("Diacritic"),
	STR_INIT("Emoji"),
	STR_INIT("Emoji_Presentation"),
	STR_INIT("Extended_Pictographic"),
	STR_INIT("Hex_Digit"),
	STR_INIT("ID_Continue"),
	STR_INIT("ID_Start"),
	STR_INIT("Ideographic"),
	STR_INIT("Lowercase"),
	STR_INIT("Math"),
	STR_INIT("Uppercase"),
	STR_INIT("Variation_Selector"),
	STR_INIT("White_Space"),
	STR_INIT("XID_Continue"),
	STR_INIT("XID_Start"),
};

static struct str property_category(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(categories); i++)
		if (str_eq(name, categories[i].long_name) || str_eq(name, categories[i].name))
			return categories[i].name;
	return STR_NONE;
}

struct str pattern_property(struct str kind, struct str name, const char **prefix_out)
{
	*prefix_out = "";
	if (name.n == 0)
		return STR_NONE;
	if (str_eq(kind, S("General_Category")) || str_eq(kind, S("gc")))
		return property_category(name);
	*prefix_out = "sc:";
	if (str_eq(kind, S("Script")) || str_eq(kind, S("sc")))
		return name;
	*prefix_out = "scx:";
	if (str_eq(kind, S("Script_Extensions")) || str_eq(kind, S("scx")))
		return name;
	*prefix_out = "";
	for (size_t i = 0; i < ARRAY_LEN(binary_properties) && kind.n == 0; i++)
		if (str_eq(name, binary_properties[i]))
			return name;
	return kind.n == 0 ? property_category(name) : STR_NONE;
}
