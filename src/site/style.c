/* style - the stylesheet of all pages (inside.h).
 *
 * Colours come in pairs that are told apart at 4.5:1 and more, light and dark; nothing is said by
 * colour alone.  Narrow screens stack the cells of a row under their column's names.  The countdown
 * is a whole number that the browser animates: where it cannot, the number has no size, and the
 * time of the end stands beside it anyway. */
#include "site/inside.h"

static const struct str parts[] = {
	STR_INIT("@property --left{syntax:'<integer>';inherits:true;initial-value:0}\n"
		 "@property --h{syntax:'<integer>';inherits:true;initial-value:0}\n"
		 "@property --m{syntax:'<integer>';inherits:true;initial-value:0}\n"
		 "@property --s{syntax:'<integer>';inherits:true;initial-value:0}\n"
		 "@property --off{syntax:'<number>';inherits:true;initial-value:0}\n"
		 ":root{color-scheme:light "
		 "dark;--bg:#fff;--fg:#1b1e24;--soft:#545b68;--line:#c9ced8;"
		 "--box:#f4f6f9;--link:#1c4fb8;--was-bg:#fdeceb;--was:#86181a;--is-bg:#e7f6ec;--is:"
		 "#10502a;"
		 "--yes:#0f6b37;--no:#a01d1f;--on:#fff;--told:#fff6dc;--told-line:#b88a00}\n"
		 "@media(prefers-color-scheme:dark){:root{--bg:#14161a;--fg:#e8eaef;--soft:#a8b0be;"
		 "--line:#3c434f;--box:#1d2026;--link:#9dbdff;--was-bg:#3a1a1c;--was:#ffb9b7;"
		 "--is-bg:#143020;--is:#a5ebc0;--yes:#7fe0a4;--no:#ff9d9a;--on:#14161a;--told:#"
		 "2d2710;"
		 "--told-line:#d9b23c}}\n"
		 "*{box-sizing:border-box}\n"
		 "html{-webkit-text-size-adjust:100%;text-size-adjust:100%}\n"
		 "body{margin:0;background:var(--bg);color:var(--fg);"
		 "font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}\n"
		 ".skip{position:absolute;left:-100vw;padding:.5rem 1rem;background:var(--bg)}\n"
		 ".skip:focus{left:0;top:0;z-index:1}\n"
		 "a{color:var(--link)}\n"
		 ":focus-visible{outline:3px solid var(--link);outline-offset:2px}\n"
		 "header{display:flex;flex-wrap:wrap;gap:.5rem 1.5rem;align-items:center;"
		 "padding:.75rem 1rem;border-bottom:1px solid var(--line)}\n"
		 "header p{margin:0}\n"
		 "header ul{display:flex;gap:1rem;list-style:none;margin:0;padding:0}\n"
		 "header [aria-current]{font-weight:700;text-decoration:none;color:var(--fg)}\n"
		 ".who{display:flex;flex-wrap:wrap;gap:.5rem;align-items:center;margin-left:auto}\n"
		 ".environment{margin-left:.5rem;padding:.1rem .5rem;border:1px solid var(--line);"
		 "border-radius:1rem;font-size:.875rem}\n"
		 ".production{border-color:var(--no);color:var(--no);font-weight:700}\n"
		 "main{max-width:64rem;margin:0 auto;padding:1rem}\n"
		 "h1{font-size:1.5rem;line-height:1.25;margin:.5rem 0 1rem}\n"
		 "h2{font-size:1.2rem;line-height:1.3;margin:1.75rem 0 .5rem}\n"
		 "h3{font-size:1rem;margin:0 0 .5rem}\n"
		 "code,.number,.value,.before,.after,.id{font-family:ui-monospace,monospace}\n"
		 ".number{font-variant-numeric:tabular-nums}\n"
		 ".id{display:block;font-size:.8rem;font-weight:400;color:var(--soft)}\n"
		 ".help,caption{color:var(--soft)}\n"
		 ".help{margin:.25rem 0 .75rem;font-size:.9rem}\n"
		 ".nothing{color:var(--soft)}\n"
		 ".notice{padding:.6rem .8rem;border:1px solid var(--line);border-left-width:.4rem;"
		 "background:var(--box)}\n"),
	STR_INIT(".alarm{border-color:var(--no)}\n"
		 ".good{border-color:var(--yes)}\n"
		 ".standing,.token,.totals{padding:.75rem 1rem;background:var(--box);"
		 "border:1px solid var(--line)}\n"
		 ".standing p{margin:.25rem 0}\n"
		 ".token .number{font-size:1.5rem;letter-spacing:.1em}\n"
		 "table{width:100%;border-collapse:collapse;margin:.5rem 0 1rem}\n"
		 "caption{text-align:left;padding:.25rem 0}\n"
		 "th,td{padding:.4rem .6rem;border:1px solid var(--line);text-align:left;"
		 "vertical-align:top}\n"
		 "thead th{background:var(--box)}\n"
		 "tbody th{font-weight:600}\n"
		 ".arguments,.diff{table-layout:fixed}\n"
		 ".arguments thead th:first-child{width:26%}\n"
		 "td.value,td.before,td.after{white-space:pre-wrap}\n"
		 ".before{background:var(--was-bg);color:var(--was)}\n"
		 ".after{background:var(--is-bg);color:var(--is)}\n"
		 ".diff caption{color:var(--fg);font-weight:600}\n"
		 ".diff thead th:first-child{width:26%}\n"
		 ".mark{font-style:italic}\n"
		 "dl{margin:.5rem 0}\n"
		 "dl div{display:flex;flex-wrap:wrap;gap:0 1rem;padding:.2rem 0}\n"
		 "dt{flex:0 0 12rem;color:var(--soft)}\n"
		 "dd{flex:1 1 14rem;margin:0;white-space:pre-wrap}\n"
		 ".sums strong{font-size:1.4rem}\n"
		 ".told{margin-top:1.75rem;padding:.75rem 1rem;background:var(--told);"
		 "border:2px dashed var(--told-line)}\n"
		 ".told h2{margin-top:0}\n"
		 ".actions{margin-top:2rem;border-top:2px solid var(--fg)}\n"
		 ".sheets{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,18rem)"
		 ",1fr));"
		 "gap:1rem}\n"
		 ".sheet{padding:1rem;border:1px solid var(--line);background:var(--box)}\n"
		 "label{display:block;font-weight:600}\n"
		 "input,textarea{width:100%;padding:.5rem;font:inherit;color:var(--fg);"
		 "background:var(--bg);border:1px solid var(--soft)}\n"
		 "button{min-height:2.75rem;padding:.5rem 1.25rem;font:inherit;font-weight:600;"
		 "cursor:pointer;border:2px solid "
		 "var(--link);background:var(--link);color:var(--on)}\n"
		 ".yes{background:var(--yes);border-color:var(--yes)}\n"
		 ".no{background:var(--bg);border-color:var(--no);color:var(--no)}\n"
		 ".plain{background:var(--bg);border-color:var(--soft);color:var(--fg)}\n"
		 ".countdown{display:inline-block;margin-left:1rem;padding:0 .5rem;"
		 "border:1px solid var(--line);font-family:ui-monospace,monospace;"
		 "font-size:calc(1em*(1 - var(--off,1)));animation-name:left;"
		 "animation-timing-function:linear;animation-fill-mode:forwards;"
		 "--h:calc(var(--left)/3600 - .5);"
		 "--m:calc((var(--left) - 3600*var(--h))/60 - .5);"
		 "--s:calc(var(--left) - 3600*var(--h) - 60*var(--m));"
		 "counter-reset:h var(--h) m var(--m) s var(--s)}\n"
		 ".countdown::after{content:counter(m) ':' counter(s,decimal-leading-zero)}\n"),
	STR_INIT(".hours::after{content:counter(h) ':' counter(m,decimal-leading-zero) ':' "
		 "counter(s,decimal-leading-zero)}\n"
		 "@media(max-width:40rem){\n"
		 "table,caption,thead,tbody,tr,th,td{display:block;width:100%}\n"
		 ".list thead,.diff thead,.arguments thead,.touched "
		 "thead{position:absolute;width:1px;"
		 "height:1px;overflow:hidden;clip-path:inset(50%)}\n"
		 "tbody tr{border:1px solid var(--line);margin-bottom:.5rem}\n"
		 "tbody th,tbody td{border:0;border-top:1px solid var(--line)}\n"
		 "tbody th{border-top:0;background:var(--box)}\n"
		 "td::before{content:attr(data-label) ': ';font-family:system-ui,sans-serif;"
		 "font-weight:600}\n"
		 "dt{flex-basis:100%}\n"
		 ".who{margin-left:0}\n"
		 ".sheet button{width:100%}\n"
		 "}\n"
		 "@media(prefers-reduced-motion:no-preference){a,button{transition:outline-offset "
		 ".1s}}\n"
		 "@media print{header,.actions{display:none}}\n"),
};

struct str style_sheet(struct arena *a)
{
	struct buf out;

	buf_in(&out, a, (size_t)32 << 10);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		buf_add(&out, parts[i]);
	return buf_str(&out);
}

/* The rest of a countdown is how long it runs. */
struct str style_countdown(struct arena *a, uint64_t seconds)
{
	return arena_fmt(a,
		"@keyframes "
		"left{from{--left:%llu}to{--left:0}}\n.countdown{animation-duration:%llus}"
		"\n",
		(unsigned long long)seconds, (unsigned long long)seconds);
}
