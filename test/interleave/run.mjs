// run - ./run interleave SECONDS [SEED] | --planted: random interleavings of everything that can happen to a change, until
// the time is over; the last line is "N interleavings, M disagreed".
//
// One process a kind of deployment (with and without a token to paste), each with a server of its own.  A disagreement
// prints the seed and the shortest sequence that still shows it.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { random, sequence, tour } from './actions.mjs';
import { faults } from './control.mjs';
import { deskPoints, Disagreement, Model, serverPoints, startPoints } from './model.mjs';
import { Place } from './place.mjs';

// What must have happened at least once; crash points are added.
const wanted = ['plan kept', 'plan found again', 'previewed', 'note previewed', 'applied', 'applied again: replayed', 'voided', 'asked in the client', 'applied after an answer', 'the question cancelled', 'another person\'s answer refused',
	'CONFIRMATION_INVALID decided', 'two at once', 'two at once, by two servers', 'two notes at once, by two servers',
	'noted', 'noted again: replayed', 'two notes at once', 'edited from outside', 'edited behind it', 'waited for an edit', 'waited for nothing', 'trigger added',
	'trigger dropped', 'tool changed', 'killed and resumed', 'time: 9 min', 'time: 11 min', 'time: 1500 min',
	'approve: may', 'approve: identity', 'approve: none', 'approve: state', 'approve: four_eyes', 'decline: may', 'decline: state', 'decline: none',
	'escalate: may', 'escalate: state', 'escalate: four_eyes', 'NOT_FOUND plan', 'CONFIRMATION_INVALID arguments', 'CONFIRMATION_INVALID declined',
	'CONFIRMATION_INVALID expired', 'CONFIRMATION_INVALID void', 'CONFIRMATION_INVALID tool_changed', 'CONFIRMATION_INVALID confirmation_token',
	'REQUIRES_CONFIRMATION pending', 'REQUIRES_CONFIRMATION approved', 'REQUIRES_CONFIRMATION confirmation_token', 'CONFLICT plan_changed',
	'CONFLICT idempotency_key', 'UNDECLARED_EFFECT table'];

let serial = 0;

// One interleaving; null, or what did not agree.
async function play(place, actions, hits, trace) {
	const model = new Model(place, `s${++serial}`, hits);
	try {
		for (const action of actions) {
			trace?.(action);
			await model.step(action);
			if (model.forget) break;
		}
		await model.finish();
		return null;
	} catch (error) {
		if (!(error instanceof Disagreement) && process.env.INTERLEAVE_DEBUG) throw error;
		return error.message;
	} finally {
		model.leave();
	}
}

// Leaves out whatever is not needed for it to disagree, each try in a deployment of its own.
async function shrink(actions, options, why, untilMs) {
	let best = { actions, why };
	for (let i = best.actions.length - 1; i >= 0 && Date.now() < untilMs;) {
		const fewer = best.actions.toSpliced(i, 1);
		const place = await Place.make(options);
		const found = await play(place, fewer, new Map());
		await place.close();
		if (found) best = { actions: fewer, why: found };
		i = Math.min(i - 1, best.actions.length - 1);
	}
	return best;
}

const show = (action) => '  ' + JSON.stringify(action);

// One deployment until the time is over; the worker's result is its last line.
async function work({ token, seed, seconds, planted, first }) {
	const options = { token, planted };
	const hits = new Map();
	const end = Date.now() + seconds * 1000;
	let place = await Place.make(options), count = 0, disagreed = 0;
	const known = tour({ token, whole: planted !== null });
	const starts = [];
	for (let i = 0; Date.now() < end; i++) {
		const own = seed + i;
		const actions = i < known.length ? known[i] : sequence(random(own));
		const why = await play(place, actions, hits);
		count++;
		if (!why) continue;
		disagreed++;
		starts.push(...place.starts);
		await place.close();
		if (planted) { console.log(JSON.stringify({ count, disagreed, why, actions })); return; }
		const least = await shrink(actions, options, why, Date.now() + 60000);
		console.log(`DISAGREES seed ${own}${token ? ' with a token' : ''}${i < known.length ? ` (tour ${i})` : ''}: ${least.why}\n${least.actions.map(show).join('\n')}`);
		if (first || disagreed >= 5) { place = null; break; }
		place = await Place.make(options);
	}
	if (place) {
		starts.push(...place.starts);
		await place.close();
	}
	console.log(JSON.stringify({ count, disagreed, hits: [...hits], starts: starts.length, startMs: starts.sort((a, b) => a - b)[starts.length >> 1] }));
}

// A worker of this file; its lines but the last are printed.
function worker(options) {
	const child = spawn(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url), '--work', JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'inherit'] });
	let out = '';
	child.stdout.setEncoding('utf8').on('data', (text) => (out += text));
	return new Promise((done, failed) => child.on('close', (code) => {
		const lines = out.trimEnd().split('\n');
		if (code !== 0) return failed(new Error(`a worker ended with ${code}: ${out}`));
		for (const line of lines.slice(0, -1)) console.log(line);
		done(JSON.parse(lines.at(-1)));
	}));
}

async function interleave(seconds, seed) {
	console.log(`seed ${seed}, ${seconds} s, two deployments: with and without a token to paste`);
	const began = Date.now();
	const results = await Promise.all([false, true].map((token, i) => worker({ token, seed: seed + i * 500_000_000, seconds, planted: null })));
	const hits = new Map();
	for (const r of results) for (const [name, n] of r.hits ?? []) hits.set(name, (hits.get(name) ?? 0) + n);
	const points = [...serverPoints, ...startPoints, ...deskPoints].map((p) => `crash at ${p}`);
	for (const name of [...new Set([...wanted, ...points, ...hits.keys()])]) console.log(`  ${String(hits.get(name) ?? 0).padStart(8)}  ${name}`);
	const missed = [...wanted, ...points].filter((name) => !hits.get(name));
	const count = results.reduce((n, r) => n + r.count, 0), disagreed = results.reduce((n, r) => n + r.disagreed, 0);
	const took = (Date.now() - began) / 1000;
	console.log(`${(count / took).toFixed(1)} interleavings/s; ${results.reduce((n, r) => n + (r.starts ?? 0), 0)} starts of the server, half of them within ${results[0].startMs?.toFixed(0)} ms`);
	if (missed.length) console.log(`never happened: ${missed.join(', ')}`);
	console.log(`${count} interleavings, ${disagreed} disagreed`);
	process.exitCode = disagreed || missed.length ? 1 : 0;
}

// Each planted fault must be found within a minute.
async function plantedRun(names) {
	let missed = 0;
	for (const name of names.length ? names : faults) {
		const began = Date.now();
		const found = await worker({ token: name === 'token_not_consumed', seed: 1, seconds: 60, planted: name });
		if (!found.disagreed) missed++;
		console.log(found.disagreed ? `${name}: found in ${((Date.now() - began) / 1000).toFixed(1)} s, interleaving ${found.count}: ${found.why.slice(0, 200)}`
			: `${name}: NOT FOUND in ${found.count} interleavings`);
	}
	console.log(`${(names.length || faults.length) - missed} planted faults found, ${missed} not`);
	process.exitCode = missed ? 1 : 0;
}

const [first, ...rest] = process.argv.slice(2);
if (first === '--work') await work(JSON.parse(rest[0]));
else if (first === '--planted') await plantedRun(rest);
else if (/^[1-9]\d*$/.test(first ?? '') && (rest.length === 0 || /^\d+$/.test(rest[0]))) await interleave(Number(first), Number(rest[0] ?? Date.now() % 1_000_000_000));
else {
	console.error('usage: ./run interleave SECONDS [SEED] | --planted [NAME...]');
	process.exitCode = 2;
}
