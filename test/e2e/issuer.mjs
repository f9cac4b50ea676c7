// issuer - an authorization server of the tests' own, on loopback: keys, tokens, and every way to serve
// them badly.
import { createHash, createSign, generateKeyPairSync, randomUUID, sign as signRaw } from 'node:crypto';
import http from 'node:http';

const b64 = (value) => Buffer.from(typeof value === 'string' || Buffer.isBuffer(value) ? value : JSON.stringify(value)).toString('base64url');

const makers = {
	RS256: (bits = 2048) => generateKeyPairSync('rsa', { modulusLength: bits }),
	ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
	EdDSA: () => generateKeyPairSync('ed25519'),
};

export function makeKey(alg, kid, more) {
	const { publicKey, privateKey } = makers[alg](more);
	return { alg, kid, publicKey, privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg } };
}

export function signature(key, text) {
	if (key.alg === 'RS256') return createSign('sha256').update(text).sign(key.privateKey);
	if (key.alg === 'ES256') return signRaw('sha256', Buffer.from(text), { key: key.privateKey, dsaEncoding: 'ieee-p1363' });
	return signRaw(null, Buffer.from(text), key.privateKey);
}

// header and claims: objects, or text that goes in as it is.
export function token(key, claims, header = { alg: key.alg, kid: key.kid, typ: 'at+jwt' }) {
	const text = `${b64(header)}.${b64(claims)}`;
	return `${text}.${signature(key, text).toString('base64url')}`;
}

// A server of key sets: `serve` may be replaced to answer otherwise; `hits` counts.
export async function startIssuer(t, keys) {
	const it = { keys, hits: 0, sockets: new Set(), audience: 'urn:test:postern' };
	it.jwks = () => ({ keys: it.keys.map((key) => key.jwk) });
	it.serve = (_, reply) => reply.setHeader('Content-Type', 'application/json').end(JSON.stringify(it.jwks()));
	it.server = http.createServer((request, reply) => {
		if (request.url === '/jwks') {
			it.hits++;
			it.serve(request, reply);
		} else if (!it.route?.(request, reply)) {
			reply.writeHead(404).end();
		}
	});
	it.server.on('connection', (socket) => {
		it.sockets.add(socket);
		socket.on('close', () => it.sockets.delete(socket));
	});
	it.listen = (port = 0) => new Promise((done) => it.server.listen(port, '127.0.0.1', done));
	it.stop = () => new Promise((done) => {
		it.server.close(() => done());
		for (const socket of it.sockets) socket.destroy();
	});
	await it.listen();
	it.port = it.server.address().port;
	it.url = `http://127.0.0.1:${it.port}`;
	it.claims = (more = {}) => {
		const now = Math.floor(Date.now() / 1000);
		return { iss: it.url, aud: it.audience, sub: 'ada', azp: 'assistant', org: 'acme', groups: ['reader'], iat: now, exp: now + 300, jti: randomUUID(), ...more };
	};
	it.token = (more, key = it.keys[0]) => token(key, it.claims(more));
	it.identity = (more = '') => `identity:
  api_keys: true
  jwt:
    - issuer: ${it.url}
      audience: [urn:test:other, "${it.audience}"]
      jwks: ${it.url}/jwks
      algorithms: [RS256, ES256, EdDSA]
      typ: at+jwt
      claims: { tenant: org, roles: groups }
${more}`;
	t.after(() => it.server.listening && it.stop());
	return it;
}

export const thumbprint = (der) => createHash('sha256').update(der).digest('base64url');

// ---- OAuth 2.1: metadata, registration, authorization code with PKCE and resource ----

const readBody = async (request) => {
	let text = '';
	for await (const piece of request.setEncoding('utf8')) text += piece;
	return text;
};

// Makes the issuer an authorization server.  `grants` are the requests for a token that it served.
export function authorize(it) {
	const clients = new Map(), codes = new Map();
	const say = (reply, status, value) => reply.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
	const metadata = {
		issuer: it.url, authorization_endpoint: `${it.url}/authorize`, token_endpoint: `${it.url}/token`,
		registration_endpoint: `${it.url}/register`, jwks_uri: `${it.url}/jwks`, response_types_supported: ['code'],
		grant_types_supported: ['authorization_code'], code_challenge_methods_supported: ['S256'],
		token_endpoint_auth_methods_supported: ['none'],
	};
	const register = async (request, reply) => {
		const client = { ...JSON.parse(await readBody(request)), client_id: `client-${clients.size + 1}` };
		clients.set(client.client_id, client);
		say(reply, 201, client);
	};
	// The person behind the browser agrees to everything that is asked for.
	const agree = (url, reply) => {
		const q = url.searchParams;
		const client = clients.get(q.get('client_id'));
		if (!client?.redirect_uris.includes(q.get('redirect_uri')) || q.get('code_challenge_method') !== 'S256' || q.get('response_type') !== 'code')
			return say(reply, 400, { error: 'invalid_request' });
		const code = randomUUID();
		codes.set(code, { client: client.client_id, challenge: q.get('code_challenge'), resource: q.get('resource'), scope: q.get('scope') ?? '', redirect: q.get('redirect_uri') });
		const to = new URL(q.get('redirect_uri'));
		to.searchParams.set('code', code);
		if (q.get('state')) to.searchParams.set('state', q.get('state'));
		reply.writeHead(302, { Location: to.href }).end();
	};
	const give = async (request, reply) => {
		const form = new URLSearchParams(await readBody(request));
		const code = codes.get(form.get('code'));
		codes.delete(form.get('code'));
		const fits = code && form.get('grant_type') === 'authorization_code' && form.get('redirect_uri') === code.redirect &&
			form.get('client_id') === code.client && form.get('resource') === code.resource &&
			createHash('sha256').update(form.get('code_verifier') ?? '').digest('base64url') === code.challenge;
		if (!fits) return say(reply, 400, { error: 'invalid_grant' });
		it.grants.push(code);
		say(reply, 200, { access_token: it.token({ aud: code.resource, azp: code.client, scope: code.scope }), token_type: 'Bearer', expires_in: 300, scope: code.scope });
	};
	it.grants = [];
	it.route = (request, reply) => {
		const url = new URL(request.url, it.url);
		if (url.pathname === '/.well-known/oauth-authorization-server') say(reply, 200, metadata);
		else if (url.pathname === '/register') register(request, reply);
		else if (url.pathname === '/authorize') agree(url, reply);
		else if (url.pathname === '/token') give(request, reply);
		else return false;
		return true;
	};
	return it;
}
