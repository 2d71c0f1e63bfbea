// `POST /callbacks` in JavaScript, as one writes it with the AWS SDK v3 and node:crypto.

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

/** The current key of a project, fetched once. */
async function projectKey(projectId) {
  if (!keys) {
    const answer = await secrets.send(new GetSecretValueCommand({ SecretId: process.env.PROJECT_KEYS_SECRET }));
    keys = JSON.parse(answer.SecretString);
  }
  return keys[projectId].current;
}

/** All values of a message as `path:value`, sorted and joined. */
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

/** Whether a key of ours has signed it. */
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

/** What the platform says becomes part of the payment; gives whether that is new. */
function apply(payment, message, news) {
  const { operation } = message;
  const known = payment.operations[operation.id]?.news ?? [];
  if (known.includes(news) || payment.announced?.status === "succeeded") return false;
  const isPaid = operation.status === "success";
  payment.operations[operation.id] = {
    kind: operation.type,
    outcome: isPaid ? "succeeded" : "pending",
    platform_status: operation.status,
    news: [operation.date, operation.date, news],
    amount: operation.sum_initial.amount,
    currency: operation.sum_initial.currency,
    code: operation.code,
    request_id: operation.request_id,
  };
  payment.platform_status = { date: message.payment.date, status: message.payment.status };
  payment.announced = {
    status: isPaid ? "succeeded" : "processing",
    paid_amount: isPaid ? message.payment.sum.amount : 0,
    quarantine: [],
  };
  payment.updated_at = message.payment.date;
  payment.sequence += 1;
  return true;
}

/** The event that announces it, in the form of CloudEvents. */
function eventOf(payment) {
  const { project_id, payment_id, sequence, order } = payment;
  return {
    specversion: "1.0",
    id: `${project_id}/${payment_id}/${sequence}`,
    source: `/ecommpay/${project_id}`,
    type: payment.announced.status === "succeeded" ? "payment.succeeded" : "payment.awaiting_customer",
    subject: payment_id,
    time: payment.updated_at,
    datacontenttype: "application/json",
    data: {
      payment_id,
      order_id: order.order_id,
      status: payment.announced.status,
      platform_status: payment.platform_status.status,
      sequence,
      amount: order.amount,
      currency: order.currency,
      channel: order.channel,
      paid_amount: payment.announced.paid_amount,
      operations: payment.operations,
      refunds: payment.refunds,
      created_at: payment.created_at,
      updated_at: payment.updated_at,
    },
  };
}

/** Where the payments of an order are found. */
function orderKey({ project_id, order }) {
  return `order#${project_id}/${order.order_id.toLowerCase()}/${order.storefront}`;
}

/** Writes the payment with its event and its order, unless others were faster. */
async function commit(pk, payment, version, event) {
  const now = Date.now();
  const shard = String(sha256(pk).digest()[0] % 10).padStart(2, "0");
  const update = {
    TableName: TABLE,
    Key: { pk: { S: pk }, sk: { S: "payment" } },
    UpdateExpression:
      "SET #document = :document, #version = :written, #sequence = :sequence, " +
      "#published = if_not_exists(#published, :none), #commit = :commit, #outbox = :unsent, " +
      "#since = if_not_exists(#since, :now), #next = :next, #next_at = :next_at",
    ConditionExpression: "#version = :read",
    ExpressionAttributeNames: {
      "#document": "document",
      "#version": "version",
      "#sequence": "sequence",
      "#published": "published",
      "#commit": "commit",
      "#outbox": "unsent",
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
      ":unsent": { S: `unsent#${shard}` },
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
  if (payment.announced.status === "succeeded") items.push({ Put: orderPut });
  await dynamodb.send(new TransactWriteItemsCommand({ TransactItems: items }));
}

/** Sends an event to each queue that wants it, side by side. */
async function send(payment, event) {
  const wanting = QUEUES.filter(({ types }) => !types || types.includes(event.type));
  const sends = wanting.map(({ url }) =>
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

/** Marks what was announced as sent. */
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
        "#outbox": "unsent",
        "#since": "outbox_since",
      },
      ExpressionAttributeValues: { ":through": { N: String(payment.sequence) } },
    }),
  );
}

async function take(body) {
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

/** One line, with metrics in CloudWatch's embedded format. */
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
    status: payment?.announced?.status,
    callbacks: 1,
    duration_ms: Math.round(performance.now() - start),
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

export async function handler(event) {
  const start = performance.now();
  const [statusCode, outcome, payment] = await take(event.body);
  log(outcome, payment, start);
  return { statusCode, headers: {}, body: "" };
}
