// Verifies deliveries with the official library: `node verify.js FOLDER DELIVERIES`, where FOLDER is the folder that
// holds node_modules. Prints a JSON list with true or false for each delivery.
const { createRequire } = require('node:module');

const [folder, deliveries] = process.argv.slice(2);
const { Webhook, WebhookVerificationError } = createRequire(`${folder}/`)('standardwebhooks');

function accepts({ secret, headers, body }) {
  try {
    new Webhook(secret).verify(body, headers);
    return true;
  } catch (error) {
    if (error instanceof WebhookVerificationError) return false;
    throw error;
  }
}

console.log(JSON.stringify(JSON.parse(deliveries).map(accepts)));
