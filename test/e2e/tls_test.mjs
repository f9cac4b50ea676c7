// TLS: old versions and missing client certificates are refused, a good one is served, a key others can
// read is none, and SIGHUP takes a new certificate.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import https from 'node:https';
import tls from 'node:tls';
import { modernHeaders, request, run, serve, until } from './harness.mjs';
import { makeSiteWithKeys } from './site.mjs';

const openssl = (home, ...args) => execFileSync('openssl', args, { cwd: home, stdio: 'pipe' });

// A certificate authority, a server's and a client's certificate, and one of a stranger.
function certificates(home) {
	openssl(home, 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=test ca', '-keyout', 'ca.key', '-out', 'ca.pem');
	for (const [name, extension] of [['server', 'subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth'], ['client', 'extendedKeyUsage=clientAuth']]) {
		openssl(home, 'req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
		execFileSync('sh', ['-c', `printf '${extension.replace('\n', '\\n')}' > ${name}.ext`], { cwd: home });
		openssl(home, 'x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', `${name}.ext`, '-out', `${name}.pem`);
	}
	openssl(home, 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=stranger', '-keyout', 'stranger.key', '-out', 'stranger.pem');
	for (const name of ['ca', 'server', 'client', 'stranger']) chmodSync(join(home, `${name}.key`), 0o600);
}

const site = (t, more = '') => makeSiteWithKeys(t, { prepare: certificates, changes: {
	listen: `listen: { http: { address: 127.0.0.1:8477, tls: { cert: server.pem, key: server.key${more} } } }` } });

function call(server, made, options = {}) {
	const message = request('tools/call', { name: 'get_item', arguments: { item_id: 'itm_0001' } });
	return new Promise((done) => {
		const sent = https.request({ host: '127.0.0.1', port: server.port, path: '/mcp', method: 'POST', agent: false,
			ca: readFileSync(join(made.home, 'ca.pem')), headers: { ...modernHeaders(message), Authorization: `Bearer ${made.alice}` }, ...options }, (reply) => {
			let text = '';
			const certificate = reply.socket.getPeerCertificate().fingerprint256;
			reply.on('data', (data) => (text += data)).on('error', (error) => done({ error: error.code }))
				.on('end', () => done({ status: reply.statusCode, json: JSON.parse(text), certificate, protocol: reply.socket.getProtocol?.() }));
		});
		sent.on('error', (error) => done({ error: error.code }));
		sent.end(JSON.stringify(message));
	});
}

describe('tls', () => {
	it('serves TLS 1.2 and 1.3, nothing older, and no plain HTTP', async (t) => {
		const made = await site(t);
		const server = await serve(t, made.config);
		for (const version of ['TLSv1.2', 'TLSv1.3']) {
			const reply = await call(server, made, { minVersion: version, maxVersion: version });
			assert.equal(reply.json?.result.structuredContent.id, 'itm_0001', `${version}: ${JSON.stringify(reply)}`);
		}
		assert.ok((await call(server, made, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })).error);
		const plain = await fetch(`http://127.0.0.1:${server.port}/mcp`, { method: 'POST', body: '{}' }).then((reply) => reply.status, () => 'refused');
		assert.ok(plain === 'refused' || plain === 400);
		assert.equal((await call(server, made)).status, 200);
	});
	it('asks for a client certificate when it names an authority', async (t) => {
		const made = await site(t, ', client_ca: ca.pem');
		const server = await serve(t, made.config);
		const shown = (name) => ({ cert: readFileSync(join(made.home, `${name}.pem`)), key: readFileSync(join(made.home, `${name}.key`)) });
		assert.equal((await call(server, made, shown('client'))).status, 200);
		assert.ok((await call(server, made)).error, 'without a certificate');
		assert.ok((await call(server, made, shown('stranger'))).error, 'with a stranger\'s');
		assert.ok((await call(server, made, shown('server'))).error, 'with one that is not for clients');
	});
	it('a client certificate that is over, not for clients, of another authority or its own is none; nothing is served', async (t) => {
		const made = await site(t, ', client_ca: ca.pem');
		const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
		const sign = (name, by, days, extensions) => {
			openssl(made.home, 'req', ...key, '-subj', '/CN=client', '-keyout', `${name}.key`, '-out', `${name}.csr`);
			writeFileSync(join(made.home, `${name}.ext`), extensions);
			openssl(made.home, 'x509', '-req', '-in', `${name}.csr`, '-CA', `${by}.pem`, '-CAkey', `${by}.key`, '-CAcreateserial', '-days', days, '-extfile', `${name}.ext`, '-out', `${name}.pem`);
		};
		const forClients = 'extendedKeyUsage=clientAuth\n';
		// an authority of the same name with a key of its own
		openssl(made.home, 'req', '-x509', ...key, '-days', '2', '-subj', '/CN=test ca', '-keyout', 'twin.key', '-out', 'twin.pem');
		openssl(made.home, 'req', '-x509', ...key, '-days', '2', '-subj', '/CN=client', '-addext', 'extendedKeyUsage=clientAuth', '-keyout', 'self.key', '-out', 'self.pem');
		sign('over', 'ca', '-1', forClients);
		sign('mail', 'ca', '2', 'extendedKeyUsage=emailProtection\n');
		sign('signing', 'ca', '2', `${forClients}keyUsage=critical,keyCertSign\n`);
		sign('odd', 'ca', '2', `${forClients}1.2.3.4=critical,ASN1:NULL\n`);
		sign('twins', 'twin', '2', forClients);
		sign('below', 'client', '2', forClients); // by somebody who is no authority
		const server = await serve(t, made.config);
		const read = (name) => readFileSync(join(made.home, name));
		const shown = (name, chain = []) => ({ cert: Buffer.concat([name, ...chain].map((one) => read(`${one}.pem`))), key: read(`${name}.key`) });
		for (const version of ['TLSv1.2', 'TLSv1.3']) {
			const only = { minVersion: version, maxVersion: version };
			assert.equal((await call(server, made, { ...shown('client'), ...only })).status, 200);
			for (const [name, chain] of [['over'], ['mail'], ['signing'], ['odd'], ['twins'], ['twins', ['twin']], ['self'], ['below', ['client']], ['server']]) {
				const reply = await call(server, made, { ...shown(name, chain), ...only });
				assert.ok(reply.error, `${version} ${name}: ${JSON.stringify(reply)}`);
			}
		}
		assert.equal((await call(server, made, shown('client'))).status, 200);
		const served = await run(['audit', 'tail', made.config, '--count', '50']);
		assert.equal(served.stdout.match(/get_item/g).length, 3, served.stdout);
	});
	it('a broken handshake, or a connection that says nothing, holds up nobody', async (t) => {
		const made = await site(t);
		const server = await serve(t, made.config);
		const idle = Array.from({ length: 50 }, () => tls.connect({ host: '127.0.0.1', port: server.port, rejectUnauthorized: false }).on('error', () => {}));
		assert.equal((await call(server, made)).status, 200);
		for (const socket of idle) socket.destroy();
	});
	it('a private key that others can read is refused', async (t) => {
		const made = await site(t);
		chmodSync(join(made.home, 'server.key'), 0o644);
		const end = await run(['serve', made.config, '--listen', '127.0.0.1:0']);
		assert.ok(end.code > 0);
		assert.match(end.stderr, /server\.key/);
	});
	it('SIGHUP takes a new certificate', async (t) => {
		const made = await site(t);
		const server = await serve(t, made.config);
		const first = (await call(server, made)).certificate;
		copyFileSync(join(made.home, 'server.pem'), join(made.home, 'old.pem'));
		openssl(made.home, 'x509', '-req', '-in', 'server.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '1', '-extfile', 'server.ext', '-out', 'server.pem');
		server.child.kill('SIGHUP');
		await until('the new certificate', async () => (await call(server, made)).certificate !== first);
	});
});
