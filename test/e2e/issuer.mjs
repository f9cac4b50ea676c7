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
