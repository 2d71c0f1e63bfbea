// Measures the official Node SDK: `node driver.js FOLDER`, where FOLDER is the folder that holds node_modules.
// Reads lines: the secret, the body, and then one number of repetitions in each line. Prints the name of the SDK, and
// then the nanoseconds that each number of repetitions took.
const { createRequire } = require('node:module');
const readline = require('node:readline');

const load = createRequire(`${process.argv[2]}/`);
const { Callback } = load('ecommpay');

function accepts(secret, body) {
  try {
    return new Callback(secret, body) instanceof Callback;
  } catch (error) {
    return false;
  }
}

async function main() {
  const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const secret = (await lines.next()).value;
  const body = (await lines.next()).value;
  if (!accepts(secret, body)) throw new Error('the SDK refuses the callback');
  if (accepts(secret, body.replace('success', 'decline'))) throw new Error('the SDK accepts a changed callback');
  console.log(`npm ecommpay ${load('ecommpay/package.json').version}, Node ${process.versions.node}`);
  for await (const count of lines) {
    const begin = process.hrtime.bigint();
    for (let left = Number(count); left > 0; left -= 1) new Callback(secret, body);
    console.log(String(process.hrtime.bigint() - begin));
  }
}

main();
