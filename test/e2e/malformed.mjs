// malformed - requests as bytes: how they are put together, and every way to put one together wrongly.
import { modernHeaders, request } from './harness.mjs';

// `at` gives the port that Host names, and the key; it is asked when bytes are made, not before.
export function requests(at) {
	const call = (id = 1, item = 'itm_0001') => request('tools/call', { name: 'get_item', arguments: { item_id: item } }, { id });
	const body = JSON.stringify(call());
	const headers = () => ({ ...modernHeaders(call()), Host: `127.0.0.1:${at().port}`, Authorization: `Bearer ${at().key}` });

	// The request as text, from header lines: `without` leaves some out, `extra` are lines as they are.
	function raw({ line = 'POST /mcp HTTP/1.1', without = [], extra = [], payload = body, length = true, end = '\r\n' } = {}) {
		const lines = Object.entries(headers()).filter(([name]) => !without.includes(name)).map(([name, value]) => `${name}: ${value}`);
		if (length) lines.push(`Content-Length: ${Buffer.byteLength(payload, 'latin1')}`);
		return [line, ...lines, ...extra, '', payload].join(end);
	}
	const chunked = (payload) => raw({ length: false, extra: ['Transfer-Encoding: chunked'], payload });
	const chunk = (text) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;

	// Every row: refused with one of these statuses (or cut without a word where `cut`), the connection closed,
	// and nothing behind it read as a request.
	const malformed = [
		{ name: 'Content-Length and Transfer-Encoding', bytes: () => raw({ extra: ['Transfer-Encoding: chunked'] }), is: [400] },
		{ name: 'Transfer-Encoding and Content-Length', bytes: () => raw({ length: false, extra: ['Transfer-Encoding: chunked', 'Content-Length: 5'], payload: `${chunk(body)}0\r\n\r\n` }), is: [400] },
		{ name: 'two different Content-Lengths', bytes: () => raw({ extra: ['Content-Length: 3'] }), is: [400] },
		{ name: 'two equal Content-Lengths', bytes: () => raw({ extra: [`Content-Length: ${body.length}`] }), is: [400] },
		{ name: 'a list of Content-Lengths', bytes: () => raw({ length: false, extra: [`Content-Length: ${body.length}, ${body.length}`] }), is: [400] },
		{ name: 'a signed Content-Length', bytes: () => raw({ length: false, extra: [`Content-Length: +${body.length}`] }), is: [400] },
		{ name: 'a negative Content-Length', bytes: () => raw({ length: false, extra: ['Content-Length: -1'] }), is: [400] },
		{ name: 'a hexadecimal Content-Length', bytes: () => raw({ length: false, extra: ['Content-Length: 0x10'] }), is: [400] },
		{ name: 'an empty Content-Length', bytes: () => raw({ length: false, extra: ['Content-Length: '] }), is: [400] },
		{ name: 'a Content-Length past 64 bits', bytes: () => raw({ length: false, extra: ['Content-Length: 18446744073709551617'] }), is: [400, 413] },
		{ name: 'a Content-Length with a blank in it', bytes: () => raw({ length: false, extra: ['Content-Length: 1 0'] }), is: [400] },
		...['identity', 'gzip, chunked', 'chunked, chunked', 'xchunked', 'chunked\x0b', 'chunked;a=b', '', 'Chunked, identity', '"chunked"'].map((value) => (
			{ name: `Transfer-Encoding: ${JSON.stringify(value)}`, bytes: () => raw({ length: false, extra: [`Transfer-Encoding: ${value}`], payload: `${chunk(body)}0\r\n\r\n` }), is: [400, 501] })),
		{ name: 'Transfer-Encoding twice', bytes: () => raw({ length: false, extra: ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], payload: `${chunk(body)}0\r\n\r\n` }), is: [400, 501] },
		{ name: 'Transfer-Encoding on HTTP/1.0', bytes: () => raw({ line: 'POST /mcp HTTP/1.0', length: false, extra: ['Transfer-Encoding: chunked'], payload: `${chunk(body)}0\r\n\r\n` }), is: [400, 501, 505] },
		{ name: 'chunk size FFFFFFFFFFFFFFFF', bytes: () => chunked(`FFFFFFFFFFFFFFFF\r\n${body}`), is: [400, 413] },
		{ name: 'chunk size -1', bytes: () => chunked(`-1\r\n${body}\r\n0\r\n\r\n`), is: [400] },
		{ name: 'chunk size 0x10', bytes: () => chunked(`0x10\r\n${body}\r\n0\r\n\r\n`), is: [400] },
		{ name: 'chunk size of 17 digits', bytes: () => chunked(`00000000000000001\r\nx\r\n0\r\n\r\n`), is: [400, 413] },
		{ name: 'chunk size with a blank before it', bytes: () => chunked(` 5\r\nhello\r\n0\r\n\r\n`), is: [400] },
		{ name: 'an empty chunk size', bytes: () => chunked(`\r\n${body}\r\n0\r\n\r\n`), is: [400] },
		{ name: 'no CRLF after chunk data', bytes: () => chunked(`${body.length.toString(16)}\r\n${body}0\r\n\r\n`), is: [400] },
		{ name: 'a chunk extension of 64 KiB', bytes: () => chunked(`1;${'a'.repeat(65536)}\r\nx\r\n0\r\n\r\n`), is: [400, 413, 431] },
		{ name: 'chunk lines that end in a bare LF', bytes: () => chunked(`${body.length.toString(16)}\n${body}\n0\n\n`), is: [400] },
		{ name: 'a folded header line', bytes: () => raw({ extra: ['X-A: b', ' folded'] }), is: [400] },
		{ name: 'a folded first header line', bytes: () => raw({ line: 'POST /mcp HTTP/1.1\r\n folded: x' }), is: [400] },
		{ name: 'a blank before the colon', bytes: () => raw({ extra: ['X-A : b'] }), is: [400] },
		{ name: 'a header line without colon', bytes: () => raw({ extra: ['X-A'] }), is: [400] },
		{ name: 'a header line without name', bytes: () => raw({ extra: [': b'] }), is: [400] },
		{ name: 'NUL in a value', bytes: () => raw({ extra: ['X-A: a\0b'] }), is: [400] },
		{ name: 'CR in a value', bytes: () => raw({ extra: ['X-A: a\rb'] }), is: [400] },
		{ name: 'LF in a value', bytes: () => raw({ extra: ['X-A: a\nb: c'] }), is: [400] },
		{ name: 'DEL in a value', bytes: () => raw({ extra: ['X-A: a\x7fb'] }), is: [400] },
		{ name: 'bare LF line ends', bytes: () => raw({ end: '\n' }), is: [400] },
		{ name: 'UTF-8 in a header name', bytes: () => raw({ extra: ['X-\xc3\xa4: b'] }), is: [400] },
		{ name: 'no Host', bytes: () => raw({ without: ['Host'] }), is: [400] },
		{ name: 'Host twice', bytes: () => raw({ extra: [`Host: 127.0.0.1:${at().port}`] }), is: [400] },
		{ name: 'an absolute target that is not the Host', bytes: () => raw({ line: 'POST http://evil.test/mcp HTTP/1.1' }), is: [400, 403] },
		{ name: 'Host with user information', bytes: () => raw({ without: ['Host'], extra: [`Host: a@127.0.0.1:${at().port}`] }), is: [400] },
		{ name: 'Host with a path', bytes: () => raw({ without: ['Host'], extra: [`Host: 127.0.0.1:${at().port}/x`] }), is: [400] },
		{ name: 'an empty Host', bytes: () => raw({ without: ['Host'], extra: ['Host: '] }), is: [400, 403] },
		{ name: 'two blanks in the request line', bytes: () => raw({ line: 'POST  /mcp HTTP/1.1' }), is: [400] },
		{ name: 'a tab in the request line', bytes: () => raw({ line: 'POST\t/mcp HTTP/1.1' }), is: [400] },
		{ name: 'a blank behind the request line', bytes: () => raw({ line: 'POST /mcp HTTP/1.1 ' }), is: [400, 505] },
		{ name: 'no version', bytes: () => raw({ line: 'POST /mcp' }), is: [400] },
		{ name: 'HTTP/0.9', bytes: () => 'GET /healthz\r\n\r\n', is: [400] },
		{ name: 'HTTP/2.0', bytes: () => raw({ line: 'POST /mcp HTTP/2.0' }), is: [400, 505] },
		{ name: 'http/1.1 in lower case', bytes: () => raw({ line: 'POST /mcp http/1.1' }), is: [400, 505] },
		{ name: 'HTTP/1.01', bytes: () => raw({ line: 'POST /mcp HTTP/1.01' }), is: [400, 505] },
		{ name: 'the preface of HTTP/2', bytes: () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', is: [400, 405, 505] },
		{ name: 'a NUL in the target', bytes: () => raw({ line: 'POST /mcp\0 HTTP/1.1' }), is: [400] },
		{ name: 'a fragment in the target', bytes: () => raw({ line: 'POST /mcp#x HTTP/1.1' }), is: [400, 404] },
		{ name: 'a target without slash', bytes: () => raw({ line: 'POST mcp HTTP/1.1' }), is: [400] },
		{ name: 'a blank in the method', bytes: () => raw({ line: 'PO ST /mcp HTTP/1.1' }), is: [400] },
		{ name: 'a TLS client hello', bytes: () => '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' + '\0'.repeat(64), is: [400], cut: true },
		{ name: '101 header lines', bytes: () => raw({ extra: Array.from({ length: 101 }, (_, i) => `X-${i}: a`) }), is: [431] },
		{ name: 'a header block of 17 KiB', bytes: () => raw({ extra: [`X-A: ${'a'.repeat(17 * 1024)}`] }), is: [431] },
		{ name: 'a request line of 9 KiB', bytes: () => raw({ line: `POST /mcp?${'a'.repeat(9 * 1024)} HTTP/1.1` }), is: [414] },
		{ name: 'a body over the limit', bytes: () => raw({ length: false, extra: ['Content-Length: 10000000'], payload: '' }), is: [413] },
		{ name: 'a compressed body', bytes: () => raw({ extra: ['Content-Encoding: gzip'] }), is: [415], open: true },
		{ name: 'an unknown expectation', bytes: () => raw({ extra: ['Expect: 200-maybe'] }), is: [417, 400], open: true },
	];
	return { body, call, chunk, chunked, headers, malformed, raw };
}
