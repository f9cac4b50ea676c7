// The official clients' own OAuth: from a 401 over our metadata to an authorization server, registration,
// PKCE and the resource parameter, to a call; then a tool that needs more scope, and the step-up to it.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { UnauthorizedError as Unauthorized1 } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as Http1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Client as Client2, StreamableHTTPClientTransport as Http2, UnauthorizedError as Unauthorized2 } from '@modelcontextprotocol/client';
import { serve, until } from './harness.mjs';
import { authorize, makeKey, startIssuer } from './issuer.mjs';
import { makeSite } from './site.mjs';

const self = { name: 'e2e', version: '1' };
const clients = [
	{ name: 'sdk 1.32', make: () => new Client1(self), Http: Http1, Unauthorized: Unauthorized1 },
	...['legacy', 'auto', { pin: '2026-07-28' }].map((mode) => ({ name: `client 2.4 ${mode.pin ?? mode}`,
		make: () => new Client2(self, { versionNegotiation: { mode } }), Http: Http2, Unauthorized: Unauthorized2 })),
];

// The person's browser, and the client's memory.
function makeProvider() {
	const it = { codes: [], authorizations: [] };
	it.provider = {
		get redirectUrl() { return 'http://127.0.0.1:1/callback'; },
		get clientMetadata() {
			return { client_name: 'e2e', redirect_uris: ['http://127.0.0.1:1/callback'], grant_types: ['authorization_code'], response_types: ['code'], token_endpoint_auth_method: 'none' };
		},
		clientInformation: () => it.client,
		saveClientInformation: (client) => void (it.client = client),
		tokens: () => it.tokens,
		saveTokens: (tokens) => void (it.tokens = tokens),
		saveCodeVerifier: (verifier) => void (it.verifier = verifier),
		codeVerifier: () => it.verifier,
		saveDiscoveryState: (state) => void (it.discovery = state),
		discoveryState: () => it.discovery,
		redirectToAuthorization: async (url) => {
			const reply = await fetch(url, { redirect: 'manual' });
			assert.equal(reply.status, 302, await reply.text());
			it.authorizations.push(url);
			it.codes.push(new URL(reply.headers.get('location')).searchParams.get('code'));
		},
	};
	return it;
}

// A deployment whose audience is its own address, as the resource parameter will name it.
async function deploy(t) {
	const issuer = authorize(await startIssuer(t, [makeKey('ES256', 'k')]));
	const site = makeSite(t, { changes: { identity: issuer.identity('      scopes: narrow\n      initial_scopes: [shop.read]\n') } });
	const server = await serve(t, site.config);
	writeFileSync(site.config, readFileSync(site.config, 'utf8').replace(issuer.audience, server.url));
	server.child.kill('SIGHUP');
	await until('the reload', () => /reloaded/.test(server.stderr));
	return { issuer, server };
}

for (const kind of clients) {
	describe(kind.name, () => {
		it('gets a token where our metadata says, and more scope when a tool needs it', async (t) => {
			const { issuer, server } = await deploy(t);
			const person = makeProvider();
			const url = new URL(server.url);
			const connect = async () => {
				const client = kind.make(), transport = new kind.Http(url, { authProvider: person.provider });
				t.after(() => client.close());
				await client.connect(transport);
				return { client, transport };
			};
			// the browser's part: with the code that came back, the client goes on
			const finish = async (transport) => transport.finishAuth(person.codes.shift());

			const first = new kind.Http(url, { authProvider: person.provider });
			await assert.rejects(kind.make().connect(first), kind.Unauthorized);
			await finish(first);
			assert.equal(issuer.grants.length, 1);
			assert.equal(issuer.grants[0].resource, server.url);
			assert.equal(issuer.grants[0].scope, 'shop.read');

			const { client, transport } = await connect();
			const item = await client.callTool({ name: 'get_item', arguments: { item_id: 'itm_0001' } });
			assert.equal(item.structuredContent.id, 'itm_0001');

			await assert.rejects(client.callTool({ name: 'read_secret', arguments: {} }), kind.Unauthorized);
			await finish(transport);
			assert.equal(issuer.grants.length, 2);
			assert.deepEqual(issuer.grants[1].scope.split(' ').sort(), ['shop.read', 'shop.secret']);
			const secret = await client.callTool({ name: 'read_secret', arguments: {} });
			assert.equal(secret.structuredContent.word, 'open');
			assert.equal((await client.callTool({ name: 'get_item', arguments: { item_id: 'itm_0001' } })).structuredContent.id, 'itm_0001');
			assert.equal(person.authorizations.length, 2);
		});
	});
}
