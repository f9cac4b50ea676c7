// The digest of a plan, computed again by doc/plan-format.md alone.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const file = new URL('../vectors/plan.json', import.meta.url);
const { format, vectors } = JSON.parse(readFileSync(file, 'utf8'));

// --- RFC 8785 for values without numbers: names by UTF-16 code units, which is how strings compare here

function canonical(v) {
	if (v === null) return 'null';
	if (typeof v === 'string') return JSON.stringify(v);
	if (Array.isArray(v)) return `[${v.map(canonical).join(',')}]`;
	assert.equal(typeof v, 'object', 'no numbers, no booleans');
	return `{${Object.keys(v).sort().map((k) => `${JSON.stringify(k)}:${canonical(v[k])}`).join(',')}}`;
}

// --- cells and names

const isText = (v) => typeof v === 'string';
const bytesOf = (text) => (isText(text) ? Buffer.from(text) : Buffer.from(text[1], 'base64'));
const compareTexts = (a, b) => Buffer.compare(bytesOf(a), bytesOf(b));

const kinds = { integer: 1, real: 2, text: 3, bytes: 3, blob: 4 };
const rankOf = (cell) => (cell === null ? 0 : kinds[cell[0]]);

function compareCells(a, b) {
	if (rankOf(a) !== rankOf(b)) return rankOf(a) - rankOf(b);
	if (a === null) return 0;
	if (a[0] === 'integer') {
		const difference = BigInt(a[1]) - BigInt(b[1]);
		return difference < 0n ? -1 : difference > 0n ? 1 : 0;
	}
	const raw = (c) => Buffer.from(c[1], c[0] === 'blob' || c[0] === 'bytes' ? 'base64' : 'utf8');
	return Buffer.compare(raw(a), raw(b));
}

// --- fresh keys: Map of "table\0cell" to a list of { step, number }

const nameOf = (table, cell) => `${JSON.stringify(table)}\0${JSON.stringify(cell)}`;
const makes = (column, effect) =>
	effect.operation === 'insert' && column.key && column.varies && !column.refers;

function takeFresh(fresh, counts, effects, step) {
	for (const e of effects)
		e.columns.forEach((column, i) => {
			if (!makes(column, e) || e.after[i] === null) return;
			const name = nameOf(e.table, e.after[i]);
			const made = fresh.get(name) ?? [];
			if (made.some((f) => f.step === step)) return;
			const table = JSON.stringify(e.table);
			counts.set(table, (counts.get(table) ?? 0) + 1);
			fresh.set(name, [...made, { step, number: counts.get(table) }]);
		});
}

/** What stands in a cell's place: { number, table }, 'varies', or undefined for itself. */
function placeholder(fresh, e, step, side, i) {
	const column = e.columns[i];
	const table = column.refers ?? (column.key && column.varies ? e.table : undefined);
	if (table === undefined) return column.varies ? 'varies' : undefined;
	if (e[side][i] === null) return undefined;
	const made = (fresh.get(nameOf(table, e[side][i])) ?? []).filter((f) =>
		side === 'before' ? f.step < step : f.step <= step);
	return made.length ? { number: made.at(-1).number, table } : undefined;
}

// --- order

const operations = ['insert', 'update', 'delete'];

function compareAt(fresh, a, b, sideA, sideB, i) {
	const see = (e, side) => {
		if (side === 'after' && makes(e.columns[i], e)) return { rank: 3 };
		const p = placeholder(fresh, e, 0, side, i);
		if (p === 'varies') return { rank: 2 };
		return p ? { rank: 1, number: p.number } : { rank: 0, cell: e[side][i] };
	};
	const [x, y] = [see(a, sideA), see(b, sideB)];
	if (x.rank !== y.rank) return x.rank - y.rank;
	if (x.rank === 0) return compareCells(x.cell, y.cell);
	return x.rank === 1 ? x.number - y.number : 0;
}

function compareEffects(fresh, a, b) {
	let order = compareTexts(a.table, b.table);
	const side = (e) => (e.before ? 'before' : 'after');
	for (let i = 0; !order && i < a.columns.length; i++)
		if (a.columns[i].key) order = compareAt(fresh, a, b, side(a), side(b), i);
	order ||= operations.indexOf(a.operation) - operations.indexOf(b.operation);
	for (const s of ['before', 'after'])
		for (let i = 0; !order && a[s] && i < a.columns.length; i++)
			order = compareAt(fresh, a, b, s, s, i);
	return order || a.statement - b.statement;
}

function ordered(effects) {
	const numbers = (list, alike) => {
		const fresh = new Map();
		takeFresh(fresh, new Map(), list, 0);
		if (alike) for (const made of fresh.values()) for (const f of made) f.number = 0;
		return fresh;
	};
	const alike = numbers(effects, true);
	const first = [...effects].sort((a, b) => compareEffects(alike, a, b));
	const numbered = numbers(first, false);
	return [...effects].sort((a, b) => compareEffects(numbered, a, b));
}

// --- sums: decimals as integers of their smallest unit

function decimal(cell) {
	if (cell === null || cell === undefined) return { units: 0n, scale: 0 };
	const [whole, fraction = ''] = cell[1].split('.');
	return { units: BigInt(whole + fraction), scale: fraction.length };
}

function atScale(d, scale) {
	return d.units * 10n ** BigInt(scale - d.scale);
}

function decimalText(units, scale) {
	const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, '0');
	const text = scale ? `${digits.slice(0, -scale)}.${digits.slice(-scale)}` : digits;
	return units < 0n ? `-${text}` : text;
}

function sumOf(effects, impact) {
	const changes = [];
	for (const e of effects.filter((e) => e.table === impact.table)) {
		const i = e.columns.findIndex((c) => c.name === impact.column);
		changes.push([decimal(e.before?.[i]), decimal(e.after?.[i])]);
	}
	const scale = Math.max(0, ...changes.flat().map((d) => d.scale));
	let net = 0n, gross = 0n;
	for (const [before, after] of changes) {
		const change = atScale(after, scale) - atScale(before, scale);
		net += change;
		gross += change < 0n ? -change : change;
	}
	return { name: impact.name, net: decimalText(net, scale), gross: decimalText(gross, scale) };
}

// --- the text

function tablesOf(effects) {
	const tables = new Map();
	for (const e of effects) {
		const name = JSON.stringify(e.table);
		if (!tables.has(name))
			tables.set(name, { name: e.table, columns: e.columns.map((c) => c.name), insert: 0, update: 0, delete: 0 });
		tables.get(name)[e.operation]++;
	}
	return [...tables.values()].sort((a, b) => compareTexts(a.name, b.name)).map((t) => ({
		name: t.name, columns: t.columns,
		inserted: `${t.insert}`, updated: `${t.update}`, deleted: `${t.delete}`,
	}));
}

function effectText(fresh, e, step) {
	const side = (s) => e[s]?.map((cell, i) => {
		const p = placeholder(fresh, e, step, s, i);
		if (p === 'varies') return ['varies'];
		return p ? ['new', p.table, `${p.number}`] : cell;
	}) ?? null;
	return { table: e.table, operation: e.operation, before: side('before'), after: side('after') };
}

/** effects: of each step, in any order. */
function planText(plan, effectsOfSteps, impacts) {
	const fresh = new Map(), counts = new Map();
	const { issuer, subject, tenant, agent } = plan.who;
	const all = effectsOfSteps.flat();
	const steps = effectsOfSteps.map((effects, step) => {
		const inOrder = ordered(effects), { tool, version, definition } = plan.steps[step];
		takeFresh(fresh, counts, inOrder, step);
		return {
			tool, version: `${version}`, definition,
			arguments: JSON.parse(plan.steps[step].arguments),
			tables: tablesOf(inOrder),
			effects: inOrder.map((e) => effectText(fresh, e, step)),
		};
	});
	return canonical({
		format, deployment: plan.deployment, environment: plan.environment, source: plan.source,
		database: plan.database, role: plan.role, who: { issuer, subject, tenant, agent }, steps,
		rows: `${all.length}`, sums: impacts.map((i) => sumOf(all, i)),
	});
}

/** The kept plan's effects, each with its table's name and columns. */
function effectsOf(step) {
	return step.effects.map((e) => {
		const table = step.tables[e.table];
		return { ...e, table: table.name, columns: table.columns };
	});
}

const digestOf = (text) => `sha256:${createHash('sha256').update(text).digest('hex')}`;

test('there are vectors of every kind', () => {
	assert.equal(format, 'postern-plan-1');
	assert.ok(vectors.length >= 12);
	assert.equal(new Set(vectors.map((v) => v.digest)).size, vectors.length);
	const all = vectors.map((v) => v.canonical).join();
	for (const kind of ['integer', 'real', 'text', 'bytes', 'blob', 'new', 'varies']) assert.ok(all.includes(`["${kind}"`), kind);
});

for (const v of vectors) {
	test(`the digest of "${v.name}" is reproduced from the plan`, () => {
		const steps = v.plan.steps.map(effectsOf);
		const turned = steps.map((s) => s.toReversed());
		for (const effects of [steps, turned]) {
			const text = planText(v.plan, effects, v.impacts ?? []);
			assert.equal(text, v.canonical);
			assert.equal(digestOf(text), v.digest);
			assert.equal(v.plan.digest, v.digest);
		}
	});
}
