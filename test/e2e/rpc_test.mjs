// JSON-RPC and the values in it: what is not a message is refused by the book, on the modern wire and in
// legacy sessions, and what passes arrives exactly.  Cases RPC-*, SCH-*.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ask, envelope, exchange, initialize, issueKey, legacy, modern, modernHeaders, request, send, serve } from './harness.mjs';
import { makeSiteWithKeys } from './site.mjs';

const cleanup = [];
let site, server, key;

before(async () => {
	const scope = { after: (f) => cleanup.push(f) };
	site = await makeSiteWithKeys(scope);
	server = await serve(scope, site.config);
	key = site.alice;
});
after(async () => {
	for (const f of cleanup.reverse()) await f();
});

const item = (more = {}) => ({ ...request('tools/call', { name: 'get_item', arguments: { item_id: 'itm_0001' } }), ...more });
const nested = (depth) => '['.repeat(depth) + ']'.repeat(depth);
const withArguments = (text) => JSON.stringify(item()).replace('{"item_id":"itm_0001"}', text);
const string = (text) => withArguments(`{"item_id":"${text}"}`);

// A refusal is one JSON-RPC error whose id is the request's, or is left out when there was none to read.
function refused(reply, status, code, id) {
	assert.equal(reply.status, status, reply.body);
	assert.equal(reply.json.jsonrpc, '2.0');
	assert.equal(reply.json.error.code, code, reply.body);
	assert.equal(typeof reply.json.error.message, 'string');
	assert.deepEqual('id' in reply.json ? reply.json.id : 'none', id);
	assert.ok(!('result' in reply.json));
}

const notJson = [
	['an empty body', ''], ['a word', 'hello'], ['two values', '{}{}'], ['a value and a word', '{} x'],
	['a BOM', '\ufeff' + JSON.stringify(item())], ['UTF-16', Buffer.from(JSON.stringify(item()), 'utf16le')],
	...['NaN', 'Infinity', '-Infinity', '+1', '01', '.5', '1.', '1e', "'x'", '/* c */1', '[1,]', '{"a":1,}', '"\t"', '"\\x41"', '"\\u12"', 'tru', '[1 2]', '{"a" 1}', '{a:1}', '--1', '1.e1', '"abc']
		.map((text) => [text, withArguments(`{"item_id":${text}}`)]),
	['65 levels', withArguments(`{"item_id":${nested(66)}}`)], ['a hundred thousand levels', nested(100000)],
	...['\\ud800', '\\udc00', '\\udc00\\ud800', 'a\\ud800b', '\\ud800\\u0041'].map((text) => [`surrogate ${text}`, string(text)]),
	['bad UTF-8: a continuation alone', Buffer.from(string('\x80'), 'latin1')], ['bad UTF-8: overlong', Buffer.from(string('\xc0\xaf'), 'latin1')],
	['bad UTF-8: a surrogate', Buffer.from(string('\xed\xa0\x80'), 'latin1')], ['bad UTF-8: beyond U+10FFFF', Buffer.from(string('\xf4\x90\x80\x80'), 'latin1')],
	['a number of a hundred thousand digits', withArguments(`{"item_id":1${'0'.repeat(100000)}}`)],
	['an escaped NUL in a name', withArguments('{"a\\u0000b":1}')],
	['a doubled name', withArguments('{"item_id":"itm_0001","item_id":"itm_0002"}')],
];

describe('what is not JSON', () => {
	for (const [name, text] of notJson)
		it(name.length > 60 ? name.slice(0, 60) : name, async () =>
			refused(await send(server, text, { key, headers: modernHeaders(item()) }), 400, -32700, 'none'));
});

const notMessages = [
	{ name: 'a string', body: '"x"' }, { name: 'a number', body: '1' }, { name: 'null', body: 'null' }, { name: 'an empty object', body: '{}' },
	{ name: 'an empty batch', body: '[]' }, { name: 'a batch of one call', body: [item()] }, { name: 'a batch of two', body: [item(), item({ id: 2 })] },
	{ name: 'id null', body: item({ id: null }) }, { name: 'id 1.5', body: item({ id: 1.5 }) }, { name: 'id true', body: item({ id: true }) },
	{ name: 'id {}', body: item({ id: {} }) }, { name: 'id []', body: item({ id: [] }) }, { name: 'an id of 100 KiB', body: item({ id: 'x'.repeat(100 << 10) }) },
	{ name: 'no id', body: (({ id, ...rest }) => rest)(item()) },
	{ name: 'jsonrpc 1.0', body: item({ jsonrpc: '1.0' }), id: 1 }, { name: 'no jsonrpc', body: (({ jsonrpc, ...rest }) => rest)(item()), id: 1 },
	{ name: 'method as a number', body: item({ method: 7 }), id: 1 },
	{ name: 'a response', body: { jsonrpc: '2.0', id: 1, result: {} } },
	{ name: 'names that differ only in case', body: JSON.stringify(item()).replace('"method"', '"Method":"tools/list","method"'), id: 1 },
];

describe('what is not a message', () => {
	for (const row of notMessages) {
		it(row.name, async () => {
			const reply = await send(server, row.body, { key, headers: modernHeaders(item()) });
			assert.equal(reply.status, 400, reply.body);
			assert.equal(reply.json.error.code, -32600, reply.body);
			// an unreadable id is left out; a readable one may be given back
			if ('id' in reply.json) assert.equal(reply.json.id, row.id ?? reply.json.id);
			assert.notEqual(reply.json.id, null);
		});
	}
});

describe('ids come back as they were', () => {
	for (const id of ['0', '-1', '9007199254740993', '123456789012345678901234567890', '""', '"a\\"b"', '"\\u00e9"', '"server-discover-probe-1"']) {
		it(id, async () => {
			const reply = await send(server, JSON.stringify(item()).replace('"id":1', `"id":${id}`), { key, headers: modernHeaders(item()) });
			assert.equal(reply.status, 200, reply.body);
			assert.ok(new RegExp(`"id":\\s*${id.replace(/[\\"]/g, '\\$&')}[,}]`).test(reply.body) || JSON.parse(id) === reply.json.id, reply.body);
			if (/^\d+$/.test(id)) assert.match(reply.body, new RegExp(`"id":${id}[,}]`));
		});
	}
});

// The ladder of the modern wire: status, code, by what stands in the message and in the headers.
const meta = (changes, params = { name: 'get_item', arguments: { item_id: 'itm_0001' } }) => {
	const all = { ...envelope(), ...changes };
	for (const name of Object.keys(all)) if (all[name] === undefined) delete all[name];
	return { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { ...params, _meta: all } };
};
const version = 'io.modelcontextprotocol/protocolVersion';
const capabilities = 'io.modelcontextprotocol/clientCapabilities';
const ladder = [
	{ name: 'no client capabilities', body: meta({ [capabilities]: undefined }), is: [400, -32602] },
	{ name: 'capabilities as an array', body: meta({ [capabilities]: [] }), is: [400, -32602] },
	{ name: 'version as a number', body: meta({ [version]: 1 }), is: [400, -32602] },
	{ name: 'client information is optional', body: meta({ 'io.modelcontextprotocol/clientInfo': undefined }), is: [200] },
	{ name: 'an unknown version in body and header', body: meta({ [version]: 'v999' }), headers: { 'MCP-Protocol-Version': 'v999' }, is: [400, -32022] },
	{ name: 'a legacy version in the envelope', body: meta({ [version]: '2025-11-25' }), headers: { 'MCP-Protocol-Version': '2025-11-25' }, is: [400, -32022] },
	{ name: 'version header and body differ', body: meta({ [version]: 'v999' }), is: [400, -32020] },
	{ name: 'no version header', body: meta({}), headers: { 'MCP-Protocol-Version': undefined }, is: [400, -32020] },
	{ name: 'no Mcp-Method', body: meta({}), headers: { 'Mcp-Method': undefined }, is: [400, -32020] },
	{ name: 'another Mcp-Method', body: meta({}), headers: { 'Mcp-Method': 'tools/list' }, is: [400, -32020] },
	{ name: 'Mcp-Method in capitals', body: meta({}), headers: { 'Mcp-Method': 'TOOLS/CALL' }, is: [400, -32020] },
	{ name: 'Mcp-Method in blanks', body: meta({}), headers: { 'Mcp-Method': '  tools/call\t' }, is: [200] },
	{ name: 'no Mcp-Name', body: meta({}), headers: { 'Mcp-Name': undefined }, is: [400, -32020] },
	{ name: 'another Mcp-Name', body: meta({}), headers: { 'Mcp-Name': 'find_items' }, is: [400, -32020] },
	{ name: 'Mcp-Name twice', body: meta({}), headers: { 'Mcp-Name': ['get_item', 'get_item'] }, is: [400, -32020] },
	{ name: 'Mcp-Name in base64', body: meta({}), headers: { 'Mcp-Name': '=?base64?Z2V0X2l0ZW0=?=' }, is: [200] },
	{ name: 'Mcp-Name in bad base64', body: meta({}), headers: { 'Mcp-Name': '=?base64?!!!?=' }, is: [400, -32020] },
	{ name: 'Mcp-Name in unpadded base64', body: meta({}), headers: { 'Mcp-Name': '=?base64?Z2V0X2l0ZW0?=' }, is: [400, -32020] },
	{ name: 'Mcp-Name in BASE64', body: meta({}), headers: { 'Mcp-Name': '=?BASE64?Z2V0X2l0ZW0=?=' }, is: [400, -32020] },
	{ name: 'Mcp-Name in base64 of bad UTF-8', body: meta({}), headers: { 'Mcp-Name': '=?base64?/w==?=' }, is: [400, -32020] },
	{ name: 'an Mcp-Param nobody declared', body: meta({}), headers: { 'Mcp-Param-Nobody': 'x' }, is: [200] },
	{ name: 'a session id is ignored', body: meta({}), headers: { 'Mcp-Session-Id': 'x', 'Last-Event-ID': '7' }, is: [200] },
	{ name: 'the modern header without an envelope', body: { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }, is: [400, -32602] },
	{ name: 'an unknown log level', body: meta({ 'io.modelcontextprotocol/logLevel': 'loud' }), is: [400, -32602, 200] },
	...['tools/execute', 'Tools/Call', 'tools/call\u0000', 'initialize', 'ping', 'logging/setLevel', 'resources/subscribe', 'resources/unsubscribe', 'unknown/method'].map((method) => (
		{ name: `method ${JSON.stringify(method)}`, body: request(method), headers: { 'Mcp-Method': method.includes('\0') ? '=?base64?dG9vbHMvY2FsbAA=?=' : method }, is: method.includes('\0') ? [404, -32601, 400, -32020] : [404, -32601] })),
	...[[[], 'an array'], ['x', 'a string'], [7, 'a number'], [null, 'null']].map(([params, name]) => (
		{ name: `params as ${name}`, body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params }, is: [400, -32602] })),
	{ name: 'no params', body: { jsonrpc: '2.0', id: 1, method: 'tools/call' }, is: [400, -32602] },
	{ name: 'an unknown tool', body: request('tools/call', { name: 'no_such_tool', arguments: {} }), is: [200, -32602] },
	{ name: 'no tool name', body: request('tools/call', { arguments: {} }), headers: { 'Mcp-Name': 'x' }, is: [400, -32602, -32020, 200] },
	{ name: 'arguments as an array', body: request('tools/call', { name: 'get_item', arguments: [] }), is: [200, -32602, 400] },
	{ name: 'an unknown resource', body: request('resources/read', { uri: 'shop://nothing' }), is: [200, -32602] },
	{ name: 'an unknown prompt', body: request('prompts/get', { name: 'nothing' }), is: [200, -32602] },
	{ name: 'a cursor nobody made', body: request('tools/list', { cursor: 'bm9ib2R5' }), is: [200, -32602] },
	{ name: 'a notification', body: { jsonrpc: '2.0', method: 'notifications/whatever', params: { _meta: envelope() } }, is: [202] },
];

describe('the ladder of the modern wire', () => {
	for (const row of ladder) {
		it(row.name, async () => {
			const reply = await send(server, row.body, { key, headers: { ...modernHeaders(item()), ...modernHeaders(row.body), ...row.headers } });
			assert.ok(row.is.includes(reply.status), `${reply.status}: ${reply.body}`);
			const codes = row.is.filter((n) => n < 0);
			if (reply.status === 202) assert.equal(reply.body, '');
			else if (codes.length) assert.ok(reply.json.error ? codes.includes(reply.json.error.code) : row.is.includes(200) && row.is.length > 2, reply.body);
			else assert.ok(reply.json.result, reply.body);
			assert.equal(reply.headers['mcp-session-id'], undefined);
		});
	}
	it('an unsupported version is told which are', async () => {
		const reply = await send(server, meta({ [version]: 'v999' }), { key, headers: { ...modernHeaders(item()), 'MCP-Protocol-Version': 'v999' } });
		assert.deepEqual(reply.json.error.data, { supported: [modern], requested: 'v999' });
	});
	it('a method name of 10 KiB is not echoed', async () => {
		const method = 'x'.repeat(4000);
		const reply = await ask(server, request(method), { key });
		refused(reply, 404, -32601, 1);
		assert.ok(reply.body.length < 1000);
	});
	it('discover says what is served', async () => {
		const { json } = await ask(server, request('server/discover'), { key });
		assert.deepEqual(json.result.supportedVersions, [modern]);
		assert.equal(json.result.resultType, 'complete');
		for (const name of ['tools', 'resources', 'prompts', 'completions']) assert.ok(json.result.capabilities[name], name);
	});
	it('no error is worded from within', async () => {
		const { json } = await ask(server, request('tools/call', { name: 'broken_promise', arguments: {} }), { key });
		assert.equal(json.result.structuredContent.error.code, 'INTERNAL');
		assert.doesNotMatch(JSON.stringify(json), /SELECT|items|sqlite|note|\.c\b|\/shop\.db/i);
	});
});

describe('legacy sessions', () => {
	for (const revision of legacy) {
		it(`${revision}: opens, lists, calls, pings`, async () => {
			const { result, headers } = await initialize(server, { key, version: revision });
			assert.equal(result.protocolVersion, revision);
			const say = (method, params, id) => send(server, { jsonrpc: '2.0', id, method, params }, { key, headers });
			assert.deepEqual((await say('ping', undefined, 1)).json, { jsonrpc: '2.0', id: 1, result: {} });
			const { json: { result: { tools } } } = await say('tools/list', {}, 2);
			const structured = revision >= '2025-06-18';
			assert.equal('outputSchema' in tools[0], structured);
			assert.equal('title' in tools[0], structured);
			const { json: { result: called } } = await say('tools/call', { name: 'get_item', arguments: { item_id: 'itm_0001' } }, 3);
			assert.equal('structuredContent' in called, structured);
			assert.equal(JSON.parse(called.content[0].text).id, 'itm_0001');
			assert.ok(!('resultType' in called));
			const unknown = await say('tools/execute', {}, 4);
			refused(unknown, 200, -32601, 4);
			const missing = await say('resources/read', { uri: 'shop://nothing' }, 5);
			refused(missing, 200, -32002, 5);
		});
	}
	it('an unknown version gets the newest legacy one', async () => {
		for (const wanted of ['1999-01-01', modern])
			assert.equal((await initialize(server, { key, version: wanted })).result.protocolVersion, '2025-11-25');
	});
	it('without a session 400, with a dead, foreign or forged one 404', async () => {
		const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
		assert.equal((await send(server, ping, { key })).status, 400);
		const { headers, session } = await initialize(server, { key });
		assert.equal((await send(server, ping, { key: site.bob, headers })).status, 404, 'another principal');
		for (const forged of [session.slice(0, -1), `${session}x`, session.replace(/.$/, (c) => (c === 'A' ? 'B' : 'A')), 'v1.x.y', ''])
			assert.ok([400, 404].includes((await send(server, ping, { key, headers: { ...headers, 'Mcp-Session-Id': forged } })).status), forged);
		assert.equal((await send(server, ping, { key, headers })).status, 200);
	});
	it('a version header that is not the session\'s is refused', async () => {
		const { headers } = await initialize(server, { key });
		const reply = await send(server, { jsonrpc: '2.0', id: 1, method: 'ping' }, { key, headers: { ...headers, 'MCP-Protocol-Version': '1999-01-01' } });
		assert.equal(reply.status, 400);
	});
	it('batches only for 2025-03-26', async () => {
		const batch = [{ jsonrpc: '2.0', id: 1, method: 'ping' }, { jsonrpc: '2.0', method: 'notifications/x' }, { jsonrpc: '2.0', id: 2, method: 'ping' }];
		const { headers } = await initialize(server, { key, version: '2025-03-26' });
		const reply = await send(server, batch, { key, headers });
		assert.equal(reply.status, 200, reply.body);
		assert.deepEqual((reply.events?.flat() ?? reply.json).map((one) => one.id).sort(), [1, 2]);
		for (const newer of ['2025-06-18', '2025-11-25']) {
			const session = await initialize(server, { key, version: newer });
			const refusal = await send(server, batch, { key, headers: session.headers });
			assert.equal(refusal.json.error.code, -32600, newer);
		}
	});
	it('the retired HTTP+SSE pair is pointed to Streamable HTTP', async () => {
		const { replies: [reply] } = await exchange(server.port,
			`GET /mcp HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nAccept: text/event-stream\r\nAuthorization: Bearer ${key}\r\n\r\n`);
		assert.ok(reply.status >= 400 && reply.status < 500, `${reply.status}`);
		assert.match(reply.body, /Streamable HTTP/);
	});
});

// ---- values ----

const echo = async (args, token = key) => {
	const message = request('tools/call', { name: 'echo_values', arguments: '@' });
	const text = JSON.stringify(message).replace('"@"', () => (typeof args === 'string' ? args : JSON.stringify(args)));
	return send(server, text, { key: token, headers: modernHeaders(message) });
};

async function invalid(args, pointer) {
	const { status, json, body } = await echo(args);
	assert.equal(status, 200, body);
	assert.equal(json.result?.isError, true, body);
	assert.equal(json.result.structuredContent.error.code, 'VALIDATION_ERROR', body);
	assert.equal(json.result.structuredContent.error.retryable, false);
	if (pointer !== undefined) assert.ok(body.includes(pointer), `${pointer} is not in ${body}`);
}

async function gives(args, field, value) {
	const { json, body } = await echo(args);
	assert.ok(json.result && !json.result.isError, body);
	assert.deepEqual(json.result.structuredContent[field], value);
	assert.deepEqual(JSON.parse(json.result.content[0].text)[field], value);
	return body;
}

describe('arguments that do not fit', () => {
	const rows = [
		['an unknown argument', '{"colour":"red"}', '/colour'], ['__proto__', '{"__proto__":1}', '/__proto__'], ['constructor', '{"constructor":1}', '/constructor'],
		['$ref', '{"$ref":"#"}', '/$ref'], ['an empty name', '{"":1}'], ['a slash and a tilde in a name', '{"a/b~c":1}', '/a~1b~0c'],
		['a string for an integer', '{"whole":"5"}', '/whole'], ['an integer for a string', '{"words":5}', '/words'], ['"true" for a boolean', '{"yes":"true"}', '/yes'],
		['1 for a boolean', '{"yes":1}', '/yes'], ['an array for a string', '{"words":[]}', '/words'], ['an object for a string', '{"words":{}}', '/words'], ['null for a string', '{"words":null}', '/words'],
		['5.5 for an integer', '{"whole":5.5}', '/whole'], ['1e400 for an integer', '{"whole":1e400}', '/whole'], ['2^53', '{"whole":9007199254740992}', '/whole'], ['-2^53', '{"whole":-9007199254740992}', '/whole'],
		['2^63 for an int64', '{"wide":9223372036854775808}', '/wide'], ['too long', '{"short":"abcdef"}', '/short'], ['too short', '{"short":"a"}', '/short'],
		['a code with a line feed', '{"code":"cust_ABCDEFGHIJKL\\n"}', '/code'], ['a code with U+2028', '{"code":"cust_ABCDEFGHIJK\\u2028"}', '/code'],
		['full-width digits', '{"code":"cust_\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19\uff11\uff12\uff13"}', '/code'], ['13 characters', '{"code":"cust_ABCDEFGHIJKLM"}', '/code'],
		['the 30th of February', '{"day":"2026-02-30"}', '/day'], ['an escaped NUL', '{"words":"ab\\u0000cd"}'],
	];
	for (const [name, args, pointer] of rows) it(name, () => invalid(args, pointer));
	it('a required one that is missing is named', async () => {
		const { json, body } = await ask(server, request('tools/call', { name: 'get_item' }), { key });
		assert.equal(json.result.structuredContent.error.code, 'VALIDATION_ERROR');
		assert.match(body, /item_id/);
	});
	it('at most sixteen are listed', async () => {
		const { json } = await echo(Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`x${i}`, i])));
		const { details } = json.result.structuredContent.error;
		assert.ok(Object.values(details).some((list) => Array.isArray(list) && list.length > 1 && list.length <= 16), JSON.stringify(details));
	});
	it('ten thousand members', async () => {
		const reply = await echo(Object.fromEntries(Array.from({ length: 10001 }, (_, i) => [`x${i}`, i])));
		assert.ok(reply.status === 413 || reply.json.error || reply.json.result.structuredContent.error.code === 'VALIDATION_ERROR');
	});
});

describe('values arrive as they were sent', () => {
	for (const text of ["'; DROP TABLE items; --", '"', "\\'", '$$', ';--', '%s%n', '{{x}}', ':item_id', '?1', '\\', '\u202e\u200b', '😀é', 'e\u0301', '</script><!--', ' ', ''])
		it(JSON.stringify(text), () => gives({ words: text }, 'words', text));
	it('short counts characters, not bytes', () => gives({ short: '😀😀😀😀😀' }, 'short', '😀😀😀😀😀'));
	for (const [lexeme, value] of [['5', 5], ['5.0', 5], ['5e0', 5], ['50e-1', 5], ['-0', 0], ['9007199254740991', 9007199254740991], ['-9007199254740991', -9007199254740991]])
		it(`${lexeme} is the integer ${value}`, () => gives(`{"whole":${lexeme}}`, 'whole', value));
	for (const lexeme of ['9007199254740993', '9223372036854775807', '-9223372036854775808'])
		it(`int64 ${lexeme} keeps its digits`, () => gives(`{"wide":${lexeme}}`, 'wide', lexeme));
	it('stored numbers keep their digits', async () => {
		const { body } = await ask(server, request('tools/call', { name: 'wide_numbers', arguments: {} }), { key });
		assert.match(body, /"9007199254740993"/);
		assert.match(body, /"0\.1000000000000000055"/);
	});
	it('booleans and absent values', async () => {
		await gives({ yes: true }, 'yes', true);
		await gives({ yes: false }, 'yes', false);
		await gives({}, 'yes', null);
	});
});

describe('what a principal may', () => {
	it('a tool outside the grants is not listed, and refused or unknown', async () => {
		const clerk = await issueKey(site.config, { subject: 'carol', roles: ['clerk'] });
		const { json: { result: { tools } } } = await ask(server, request('tools/list'), { key: clerk });
		assert.ok(!tools.some((tool) => tool.name === 'read_secret'));
		const { json } = await ask(server, request('tools/call', { name: 'read_secret', arguments: {} }), { key: clerk });
		if (json.error) assert.equal(json.error.code, -32602);
		else assert.equal(json.result.structuredContent.error.code, 'PERMISSION_DENIED');
	});
	it('a role without grants sees nothing but the tools of the server itself', async () => {
		const nobody = await issueKey(site.config, { subject: 'dave', roles: ['nobody'] });
		for (const [method, field] of [['tools/list', 'tools'], ['resources/list', 'resources'], ['prompts/list', 'prompts'], ['resources/templates/list', 'resourceTemplates']])
			assert.deepEqual((await ask(server, request(method), { key: nobody })).json.result[field].map((entry) => entry.name),
				field === 'tools' ? ['whoami', 'list_scopes'] : [], method);
	});
	it('a page cursor of another principal, tool or argument is refused', async () => {
		const find = (args, token) => ask(server, request('tools/call', { name: 'find_items', arguments: args }), { key: token });
		const { json: { result: { structuredContent: { next_cursor: cursor } } } } = await find({ prefix: 'item' }, key);
		assert.ok(cursor);
		assert.ok(!(await find({ prefix: 'item', cursor }, key)).json.result.isError);
		for (const [args, token] of [[{ prefix: 'item', cursor }, site.bob], [{ prefix: 'i', cursor }, key], [{ prefix: 'item', cursor: cursor.slice(0, -2) }, key],
			[{ prefix: 'item', cursor: `${cursor}AA` }, key], [{ prefix: 'item', cursor: '' }, key]]) {
			const { json, body } = await find(args, token);
			assert.equal(json.result.structuredContent.error.code, 'VALIDATION_ERROR', body);
		}
	});
	it('a question\'s state cannot be changed, moved or given to another', async () => {
		const hello = (more, token = key) => ask(server, request('tools/call', { name: 'hello', arguments: {}, ...more }, { capabilities: { elicitation: { form: {} } } }), { key: token });
		const inputResponses = { user_name: { action: 'accept', content: { name: 'Ada' } } };
		const { json: { result: asked } } = await hello({});
		assert.equal(asked.resultType, 'input_required');
		const { requestState } = asked;
		for (const [state, token] of [[`${requestState}-TAMPERED`, key], [requestState.slice(0, -3), key], ['', key], [requestState, site.bob]]) {
			const { json, body } = await hello({ inputResponses, requestState: state }, token);
			assert.equal(json.error?.code, -32602, body);
		}
		const { json: cold, body } = await hello({ inputResponses });
		assert.equal(cold.error?.code, -32602, body);
		const { json: { result: done } } = await hello({ inputResponses, requestState });
		assert.equal(done.content[0].text, 'greeted');
	});
});

it('after all of this the server is there', () => server.alive());
