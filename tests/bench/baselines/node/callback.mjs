// `POST /callbacks` in JavaScript, in the usual style, with the AWS SDK v3 and node:crypto.

import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import {
  DynamoDBClient,
  GetItemCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";

const TABLE = process.env.TABLE_NAME;
const QUEUES = JSON.parse(process.env.EVENT_QUEUES);

const dynamodb = new DynamoDBClient({});
const sqs = new SQSClient({});
const secrets = new SecretsManagerClient({});
let keys;

const sha256 = (text) => createHash("sha256").update(text);

/** Returns the current key of a project. The keys are read only once. */
async function projectKey(projectId) {
  if (!keys) {
    const answer = await secrets.send(new GetSecretValueCommand({ SecretId: process.env.PROJECT_KEYS_SECRET }));
    keys = JSON.parse(answer.SecretString);
  }
  return keys[projectId].current;
}

/** Returns all values of a message as `path:value`, sorted and joined. */
function canonical(message) {
  const lines = [];
  const walk = (path, value) => {
    if (value !== null && typeof value === "object") {
      for (const [name, inner] of Object.entries(value)) {
        if (name !== "signature") walk([...path, name], inner);
      }
      return;
    }
    const text = value === null ? "" : typeof value === "boolean" ? Number(value) : value;
    lines.push([...path, text].join(":"));
  };
  walk([], message);
  return lines.sort().join(";");
}

/** Returns whether the project's key has signed the message. */
async function isSigned(message, text) {
  const key = await projectKey(message.project_id);
  const expected = createHmac("sha512", key).update(text).digest();
  const signature = Buffer.from(message.signature ?? "", "base64");
  return expected.length === signature.length && timingSafeEqual(expected, signature);
}

async function load(pk) {
  const key = { pk: { S: pk }, sk: { S: "payment" } };
  const { Item: item } = await dynamodb.send(
    new GetItemCommand({ TableName: TABLE, Key: key, ConsistentRead: true }),
  );
  return item && { payment: JSON.parse(item.document.S), version: Number(item.version.N) };
}

/** Adds a report to the payment. Returns false if the report is known, or if the payment has already succeeded. */
function apply(payment, message, report) {
  const { operation } = message;
  const known = payment.reported.operations[operation.id]?.report;
  if (known === report || payment.emitted?.last?.status === "succeeded") return false;
  const isPaid = operation.status === "success";
  payment.reported.operations[operation.id] = {
    kind: operation.type,
    outcome: isPaid ? "succeeded" : "pending",
    platform_status: operation.status,
    report,
    amount: operation.sum_initial.amount,
    currency: operation.sum_initial.currency,
    code: operation.code,
    request_id: operation.request_id,
  };
  payment.platform_status = { date: message.payment.date, status: message.payment.status };
  payment.emitted.last = {
    status: isPaid ? "succeeded" : "processing",
    paid_amount: isPaid ? message.payment.sum.amount : 0,
    quarantine: [],
  };
  payment.updated_at = message.payment.date;
  payment.sequence += 1;
  return true;
}

/** Returns the payment's event in the form of CloudEvents. */
function eventOf(payment) {
  const { project_id, payment_id, sequence, order } = payment;
  return {
    specversion: "1.0",
    id: `${project_id}/${payment_id}/${sequence}`,
    source: `/ecommpay/${project_id}`,
    type: payment.emitted.last.status === "succeeded" ? "payment.succeeded" : "payment.awaiting_customer",
    subject: payment_id,
    time: payment.updated_at,
    datacontenttype: "application/json",
    data: {
      payment_id,
      order_id: order.order_id,
      status: payment.emitted.last.status,
      platform_status: payment.platform_status.status,
      sequence,
      amount: order.amount,
      currency: order.currency,
      channel: order.channel,
      paid_amount: payment.emitted.last.paid_amount,
      operations: payment.reported.operations,
      refunds: payment.refunds,
      created_at: payment.created_at,
      updated_at: payment.updated_at,
    },
  };
}

/** Returns the partition key of an order. */
function orderKey({ project_id, order }) {
  return `order#${project_id}/${order.order_id.toLowerCase()}/${order.storefront}`;
}

/**
 * Writes the payment and its event and, after a success, the record that the payment has paid its order. Fails if the
 * payment has changed since it was read.
 */
async function commit(pk, payment, version, event) {
  const now = Date.now();
  const shard = String(sha256(pk).digest()[0] % 8).padStart(2, "0");
  const update = {
    TableName: TABLE,
    Key: { pk: { S: pk }, sk: { S: "payment" } },
    UpdateExpression:
      "SET #document = :document, #version = :written, #sequence = :sequence, " +
      "#published = if_not_exists(#published, :none), #commit = :commit, #outbox = :outbox, " +
      "#since = if_not_exists(#since, :now), #next = :next, #next_at = :next_at",
    ConditionExpression: "#version = :read",
    ExpressionAttributeNames: {
      "#document": "document",
      "#version": "version",
      "#sequence": "sequence",
      "#published": "published",
      "#commit": "commit",
      "#outbox": "outbox",
      "#since": "outbox_since",
      "#next": "next",
      "#next_at": "next_at",
    },
    ExpressionAttributeValues: {
      ":document": { S: JSON.stringify(payment) },
      ":written": { N: String(version + 1) },
      ":sequence": { N: String(payment.sequence) },
      ":none": { N: "0" },
      ":commit": { S: randomBytes(8).toString("hex") },
      ":outbox": { S: `outbox#${shard}` },
      ":now": { N: String(now) },
      ":next": { S: `erase#${shard}` },
      ":next_at": { N: String(now + 2_678_400_000) },
      ":read": { N: String(version) },
    },
  };
  const eventPut = {
    TableName: TABLE,
    Item: {
      pk: { S: pk },
      sk: { S: `event#${String(payment.sequence).padStart(10, "0")}` },
      kind: { S: event.type },
      content: { S: JSON.stringify({ data: event.data, time: event.time }) },
      expires_at: { N: String(Math.floor(now / 1000) + 90 * 24 * 3_600) },
    },
  };
  const orderPut = {
    TableName: TABLE,
    Item: { pk: { S: orderKey(payment) }, sk: { S: "first" }, paid_by: { S: payment.payment_id.toLowerCase() } },
    ConditionExpression: "attribute_not_exists(pk)",
  };
  const items = [{ Update: update }, { Put: eventPut }];
  if (payment.emitted.last.status === "succeeded") items.push({ Put: orderPut });
  await dynamodb.send(new TransactWriteItemsCommand({ TransactItems: items }));
}

/** Sends an event to each queue that accepts its type, in parallel. */
async function send(payment, event) {
  const accepting = QUEUES.filter(({ types }) => !types || types.includes(event.type));
  const sends = accepting.map(({ url }) =>
    sqs.send(
      new SendMessageCommand({
        QueueUrl: url,
        MessageBody: JSON.stringify(event),
        MessageGroupId: `${payment.project_id}-${payment.payment_id}`,
        MessageDeduplicationId: sha256(event.id).digest("hex"),
      }),
    ),
  );
  await Promise.all(sends);
}

/** Marks the payment's events as published. */
async function mark(pk, payment) {
  await dynamodb.send(
    new UpdateItemCommand({
      TableName: TABLE,
      Key: { pk: { S: pk }, sk: { S: "payment" } },
      UpdateExpression: "SET #published = :through REMOVE #outbox, #since",
      ConditionExpression: "#sequence = :through",
      ExpressionAttributeNames: {
        "#published": "published",
        "#sequence": "sequence",
        "#outbox": "outbox",
        "#since": "outbox_since",
      },
      ExpressionAttributeValues: { ":through": { N: String(payment.sequence) } },
    }),
  );
}

async function handleCallback(body) {
  let message;
  try {
    message = JSON.parse(body);
  } catch {
    return [400, "malformed"];
  }
  const text = canonical(message);
  if (!(await isSigned(message, text))) return [401, "unsigned"];
  const pk = `payment#${message.project_id}/${message.payment.id.toLowerCase()}`;
  const stored = await load(pk);
  if (!stored) return [200, "no_payment"];
  const { payment, version } = stored;
  if (!apply(payment, message, sha256(text).digest("hex").slice(0, 16))) return [200, "duplicate", payment];
  const event = eventOf(payment);
  await commit(pk, payment, version, event);
  await send(payment, event);
  await mark(pk, payment);
  return [200, "applied", payment];
}

/** Writes a log line with metrics in CloudWatch's embedded format. */
function log(outcome, payment, start) {
  const line = {
    _aws: {
      Timestamp: Date.now(),
      CloudWatchMetrics: [
        {
          Namespace: process.env.METRICS_NAMESPACE,
          Dimensions: [["outcome"]],
          Metrics: [
            { Name: "callbacks", Unit: "Count" },
            { Name: "duration_ms", Unit: "Milliseconds" },
          ],
        },
      ],
    },
    level: "INFO",
    message: "callback",
    outcome,
    key: "current",
    project: payment?.project_id,
    payment: payment?.payment_id,
    platform_status: payment?.platform_status?.status,
    status: payment?.emitted?.last?.status,
    callbacks: 1,
    duration_ms: Math.round(performance.now() - start),
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

export async function handler(event) {
  const start = performance.now();
  const [statusCode, outcome, payment] = await handleCallback(event.body);
  log(outcome, payment, start);
  return { statusCode, headers: {}, body: "" };
}
