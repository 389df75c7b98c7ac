// SPDX-License-Identifier: Apache-2.0
// OpenAI's client for Node.js against the door:  node openai_client.mjs PACKAGE BASE_URL
import assert from 'node:assert/strict';
import {pathToFileURL} from 'node:url';

const [folder, baseURL] = process.argv.slice(2);
const {default: OpenAI} = await import(pathToFileURL(`${folder}/index.mjs`));
const client = new OpenAI({baseURL, apiKey: 'client-secret', maxRetries: 0});

const listed = [];
for await (const model of client.models.list()) listed.push(model.id);
assert.ok(listed.includes('minilm'), listed.join());

// This client asks for base64 unless told otherwise, and decodes it itself.
const byDefault = await client.embeddings.create({model: 'minilm', input: ['a pump', 'a fan']});
const asFloat = await client.embeddings.create(
    {model: 'minilm', input: ['a pump', 'a fan'], encoding_format: 'float'});
for (const [i, item] of byDefault.data.entries()) {
  assert.equal(item.embedding.length, 384);
  const other = asFloat.data[i].embedding;
  assert.ok(item.embedding.every((x, k) => Math.abs(x - other[k]) < 1e-6));
}

const messages = [{role: 'user', content: 'hello'}];
const answer = await client.chat.completions.create({model: 'small', messages});
assert.equal(answer.choices[0].message.content, 'you said hello');
let said = '';
for await (const event of await client.chat.completions.create({model: 'small', messages, stream: true})) {
  said += event.choices[0]?.delta?.content ?? '';
}
assert.equal(said, 'you said hello');
await assert.rejects(client.models.retrieve('absent'), OpenAI.NotFoundError);
console.log('all checks passed');
