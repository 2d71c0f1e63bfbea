// Reads each sample with the types that quicktype made, writes it again, and compares both.
//
//     node round_trip.mjs TYPES SAMPLES
import assert from "node:assert";
import { readFileSync, readdirSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [types, samples] = process.argv.slice(2);
const { Convert } = await import(pathToFileURL(types));

// A date is written with milliseconds.
const withoutMilliseconds = (json) => json.replaceAll(/(\d\d:\d\d:\d\d)\.000Z/g, "$1Z");

for (const name of readdirSync(samples)) {
  const sample = JSON.parse(readFileSync(`${samples}/${name}`, "utf8"));
  const type = sample.type.replaceAll(/(^|[._])([a-z])/g, (_, _separator, letter) => letter.toUpperCase());
  const event = Convert[`to${type}`](JSON.stringify(sample));
  assert.equal(typeof event.data.paid_amount, "number", name);
  assert.ok(event.data.created_at instanceof Date, name);
  const writer = `${type[0].toLowerCase()}${type.slice(1)}ToJson`;
  const written = withoutMilliseconds(Convert[writer](event));
  assert.deepEqual(JSON.parse(written), sample, name);
}
