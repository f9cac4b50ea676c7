// control - the page that a process of the faults build looks at (src/base/planted.c): what is planted, where to
// crash, how far its clock is put forward, and how often it passed each crash point.
import { readFileSync, openSync, readSync, writeSync } from 'node:fs';

const size = 4096, slots = 126;
const header = new URL('../../src/base/planted.h', import.meta.url);

// The planted faults, in the order of their enum.
export const faults = [...readFileSync(header, 'utf8').matchAll(/^\tPLANTED_([A-Z_]+),/gm)].map((m) => m[1].toLowerCase())
	.filter((name) => name !== 'count');

export class Control {
	constructor(file) {
		this.file = file;
		this.fd = openSync(file, 'w+', 0o600);
		writeSync(this.fd, Buffer.alloc(size), 0, size, 0);
	}
	clock(ms) {
		const b = Buffer.alloc(8);
		b.writeBigInt64LE(BigInt(ms));
		writeSync(this.fd, b, 0, 8, 0);
	}
	plant(name) {
		const b = Buffer.alloc(4);
		b.writeUInt32LE(name ? faults.indexOf(name) + 1 : 0);
		writeSync(this.fd, b, 0, 4, 8);
	}
	// At the n-th pass from now on; 0: nowhere.
	crash(point, n = 1) {
		const b = Buffer.alloc(48);
		b.writeUInt32LE(0);
		b.write(point ?? '', 4, 43);
		writeSync(this.fd, b, 0, 48, 16);
		b.writeUInt32LE(n);
		if (point) writeSync(this.fd, b, 0, 4, 16);
	}
	// How often each crash point was passed, by its name.
	passed() {
		const b = Buffer.alloc(size - 64);
		const all = {};
		readSync(this.fd, b, 0, b.length, 64);
		for (let i = 0; i < slots; i++) {
			const at = i * 32;
			if (!b[at + 4]) break;
			all[b.toString('utf8', at + 4, b.indexOf(0, at + 4))] = b.readUInt32LE(at);
		}
		return all;
	}
}
