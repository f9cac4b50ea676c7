// The official TypeScript clients, as their users call them: 1.x, and 2.x in its three ways of choosing a
// revision, over HTTP and over stdio.  Their own validation of replies is on.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as Stdio1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as Http1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { Client as Client2, StreamableHTTPClientTransport as Http2 } from '@modelcontextprotocol/client';
import { StdioClientTransport as Stdio2 } from '@modelcontextprotocol/client/stdio';
import { program, serve } from './harness.mjs';
import { makeSiteWithKeys } from './site.mjs';

const self = { name: 'e2e', version: '1' };
const answer = async () => ({ action: 'accept', content: { name: 'Ada' } });

function client1() {
	const client = new Client1(self, { capabilities: { elicitation: { form: {} } } });
	client.setRequestHandler(ElicitRequestSchema, answer);
	return client;
}

function client2(mode) {
	const client = new Client2(self, { capabilities: { elicitation: { form: {} } }, versionNegotiation: { mode } });
	client.setRequestHandler('elicitation/create', answer);
	return client;
}

const clients = [
	{ name: 'sdk 1.32', make: client1, Http: Http1, Stdio: Stdio1 },
	{ name: 'client 2.4 legacy', make: () => client2('legacy'), Http: Http2, Stdio: Stdio2 },
	{ name: 'client 2.4 auto', make: () => client2('auto'), Http: Http2, Stdio: Stdio2 },
	{ name: 'client 2.4 pinned to 2026-07-28', make: () => client2({ pin: '2026-07-28' }), Http: Http2, Stdio: Stdio2 },
];

const transports = {
	http: (client, site) => new client.Http(new URL(site.server.url),
		{ requestInit: { headers: { Authorization: `Bearer ${site.alice}` } } }),
	stdio: (client, site) => new client.Stdio({ command: program, args: ['stdio', site.config],
		env: { PATH: process.env.PATH, POSTERN_KEY: site.alice }, stderr: 'ignore' }),
};

for (const client of clients) {
	for (const [kind, transport] of Object.entries(transports)) {
		describe(`${client.name} over ${kind}`, () => {
			const cleanup = [];
			let c;

			before(async () => {
				const scope = { after: (f) => cleanup.push(f) };
				const site = await makeSiteWithKeys(scope);
				if (kind === 'http') site.server = await serve(scope, site.config);
				c = client.make();
				await c.connect(transport(client, site));
				cleanup.push(() => c.close());
			});
			after(async () => {
				for (const f of cleanup.reverse()) await f();
			});

			it('lists tools in the order of the catalog', async () => {
				const { tools } = await c.listTools();
				assert.deepEqual(tools.slice(0, 2).map((tool) => tool.name), ['get_item', 'find_items']);
				assert.equal(tools[0].inputSchema.type, 'object');
			});
			it('calls a tool and accepts its structured result', async () => {
				const result = await c.callTool({ name: 'get_item', arguments: { item_id: 'itm_0001' } });
				assert.ok(!result.isError, JSON.stringify(result));
				assert.deepEqual(result.structuredContent,
					{ id: 'itm_0001', name: 'item b', price: '1.50', stock: '1', note: 'noted' });
				assert.deepEqual(JSON.parse(result.content[0].text), result.structuredContent);
			});
			it('gets a typed error that says what to do', async () => {
				const result = await c.callTool({ name: 'get_item', arguments: { item_id: 'itm_9999' } });
				assert.equal(result.isError, true);
				assert.equal(result.structuredContent.error.code, 'NOT_FOUND');
				assert.equal(result.structuredContent.error.suggestion, 'Check the id, or use find_items.');
				assert.match(result.structuredContent.error.call_id, /./);
			});
			it('walks through pages', async () => {
				const seen = [];
				let cursor;
				do {
					const { structuredContent: page } = await c.callTool({ name: 'find_items',
						arguments: { prefix: 'item', limit: 10, ...(cursor ? { cursor } : {}) } });
					seen.push(...page.rows.map((row) => row.id));
					cursor = page.next_cursor;
				} while (cursor);
				assert.equal(seen.length, 23);
				assert.equal(new Set(seen).size, 23);
			});
			it('reads a resource and one of a template', async () => {
				const { resources } = await c.listResources();
				assert.deepEqual(resources.map((one) => one.uri), ['shop://about']);
				const about = await c.readResource({ uri: 'shop://about' });
				assert.equal(about.contents[0].text, 'A shop of the tests.');
				const { resourceTemplates } = await c.listResourceTemplates();
				assert.deepEqual(resourceTemplates.map((one) => one.uriTemplate), ['shop://items/{item_id}']);
				const item = await c.readResource({ uri: 'shop://items/itm_0002' });
				assert.equal(JSON.parse(item.contents[0].text).name, 'item c');
			});
			it('gets a prompt and completes its argument', async () => {
				const { prompts } = await c.listPrompts();
				assert.deepEqual(prompts.map((prompt) => prompt.name), ['describe_item']);
				const prompt = await c.getPrompt({ name: 'describe_item', arguments: { item: 'itm_0001' } });
				assert.equal(prompt.messages[0].content.text, 'Describe the item itm_0001.');
				const { completion } = await c.complete({ ref: { type: 'ref/prompt', name: 'describe_item' },
					argument: { name: 'item', value: 'itm_000' } });
				assert.deepEqual(completion.values, ['itm_0001', 'itm_0002']);
			});
			it('answers a question of the server', async () => {
				const result = await c.callTool({ name: 'hello', arguments: {} });
				assert.equal(result.content[0].text, 'greeted');
			});
			it('sees an unknown tool as a protocol error', async () => {
				await assert.rejects(c.callTool({ name: 'no_such_tool', arguments: {} }), (error) => error.code === -32602);
			});
		});
	}
}
