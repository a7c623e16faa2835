// Uses OpenAI's own Node SDK, unchanged, through semlb.
//
// checks.cjs URL STRICT_URL PATHS_URL runs every check and prints a line for each: "ok NAME",
// or "FAIL NAME: WHY"; then "done", the number of checks, and exit status 0. The Go
// test beside it starts what the URLs name, and says in SEMLB_SDK_NODE where the SDK
// is (see sdk_test.go).
'use strict';

const assert = require('node:assert/strict');
const { createRequire } = require('node:module');

const OpenAI = createRequire(process.env.SEMLB_SDK_NODE + '/')('openai');

const [url, strictURL, pathsURL] = process.argv.slice(2);
const apiKey = 'sk-client-key-of-no-worth';
const model = 'gpt-4'; // clients always name one; the configured one serves
const codeQuestion = 'Why does my Go program deadlock on an unbuffered channel?';
const lifeQuestion = 'How do I get my toddler to sleep through the night?';
const description = 'Specialist in programming problems'; // what a target is described by
const tools = [{ type: 'function', function: { name: 'find_file', parameters: { type: 'object', properties: {} } } }];

const newClient = (options) => new OpenAI({ baseURL: url, apiKey, maxRetries: 0, timeout: 60_000, ...options });
const azureClient = () => new OpenAI.AzureOpenAI({ endpoint: pathsURL, apiKey, apiVersion: '2024-10-21', maxRetries: 0, timeout: 60_000 });
const strictClient = () => newClient({ baseURL: strictURL });

// ask sends a chat request; fail is what the demo LLMs are to do. It returns the
// SDK's own promise, which has withResponse.
function ask({ client = newClient(), prompt = codeQuestion, fail, ...members } = {}) {
  const messages = [{ role: 'user', content: prompt }];
  const headers = fail ? { 'x-demo-fail': fail } : {};
  return client.chat.completions.create({ model, messages, ...members }, { headers });
}

// rejects returns the error of a call; it must be of exactly that class.
async function rejects(kind, promise, status, code) {
  let error;
  try {
    await promise;
  } catch (e) {
    error = e;
  }
  assert(error, `got no error, want ${kind.name}`);
  assert.equal(error.constructor, kind, `got ${error.constructor.name} (${error.message})`);
  if (status) {
    assert.equal(error.status, status);
    assert.deepEqual(Object.keys(error.error).sort(), ['code', 'message', 'param', 'type']);
    assert(error.message.includes(error.error.message), error.message);
  }
  if (code) assert.equal(error.code, code);
  return error;
}

async function gather(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push({ ...chunk, at: performance.now() });
  return chunks;
}

const text = (chunks) => chunks.flatMap((c) => c.choices).map((c) => c.delta.content ?? '').join('');

// countingFetch counts the requests the SDK makes, and may change each.
function countingFetch(change = () => {}) {
  const sent = [];
  const counting = (address, init) => {
    sent.push(performance.now());
    change(init.headers, sent.length);
    return fetch(address, init);
  };
  return { sent, fetch: counting };
}

const checks = {
  async chat_is_answered_by_the_configured_model() {
    const { data, response } = await ask().withResponse();
    assert.equal(response.headers.get('x-kong-llm-model'), 'openai/gpt-4o');
    assert.equal(data.model, 'gpt-4o');
    assert.equal(data.choices[0].finish_reason, 'stop');
    assert.match(data.choices[0].message.content, /target 2.*programming/s);
    assert.equal(data.usage.total_tokens, data.usage.prompt_tokens + data.usage.completion_tokens);
  },
  async prompt_chooses_the_group() {
    const answer = await ask({ prompt: lifeQuestion });
    assert.match(answer.choices[0].message.content, /target 1.*real life/s);
  },
  async failover_goes_to_the_next_model() {
    const { data, response } = await ask({ fail: 'gpt-4o=429' }).withResponse();
    assert.equal(response.headers.get('x-kong-llm-model'), 'openai/gpt-4o-mini');
    assert.equal(data.model, 'gpt-4o-mini');
    assert.match(data.choices[0].message.content, /target 3/);
  },
  async failover_by_default_headers() {
    const client = newClient({ defaultHeaders: { 'x-demo-fail': 'gpt-4o=503' } });
    assert.equal((await ask({ client })).model, 'gpt-4o-mini');
  },
  async stream_comes_word_by_word_with_usage() {
    const took = async () => {
      const { data, response } = await ask({ stream: true, stream_options: { include_usage: true } }).withResponse();
      assert.equal(response.headers.get('x-kong-llm-model'), 'openai/gpt-4o');
      const chunks = await gather(data);
      assert.deepEqual(new Set(chunks.map((c) => c.model)), new Set(['gpt-4o']));
      assert.match(text(chunks), /target 2/);
      const { usage } = chunks.at(-1);
      assert.equal(usage.completion_tokens, text(chunks).split(/\s+/).length);
      return chunks.at(-1).at - chunks[0].at;
    };
    // On a busy machine a client may find all chunks at once, but not every time.
    let longest = 0;
    for (let n = 0; n < 20 && longest <= 100; n++) longest = Math.max(longest, await took());
    assert(longest > 100, `all chunks came within ${longest} ms: they were held back`);
  },
  async stream_fails_over_before_its_first_byte() {
    const chunks = await gather(await ask({ stream: true, fail: 'gpt-4o=503' }));
    assert.deepEqual(new Set(chunks.map((c) => c.model)), new Set(['gpt-4o-mini']));
  },
  async stream_that_breaks_is_an_error_and_not_an_end() {
    const seen = [];
    await assert.rejects(async () => {
      for await (const chunk of await ask({ stream: true, fail: '*=sse-cut' })) seen.push(chunk);
    });
    assert(seen.length > 0);
  },
  async stream_that_is_refused_is_typed() {
    await rejects(OpenAI.RateLimitError, ask({ stream: true, fail: '*=429' }), 429, 'rate_limit_exceeded');
  },
  async stream_that_is_given_up_leaves_the_service_well() {
    for await (const chunk of await ask({ stream: true })) if (chunk.choices[0].delta.content) break;
    assert.equal((await ask()).model, 'gpt-4o');
  },
  async tools_are_called_and_answered() {
    const first = await ask({ tools, tool_choice: 'required' });
    assert.equal(first.choices[0].finish_reason, 'tool_calls');
    const [call] = first.choices[0].message.tool_calls;
    assert.equal(call.function.name, 'find_file');
    const messages = [
      { role: 'user', content: codeQuestion },
      first.choices[0].message,
      { role: 'tool', tool_call_id: call.id, content: 'main.go' },
    ];
    assert.match((await ask({ tools, messages })).choices[0].message.content, /target 2/);
  },
  async tools_are_run_by_the_helper() {
    let calls = 0;
    const find_file = { name: 'find_file', parameters: { type: 'object', properties: {} }, function: () => `${++calls}` };
    const runner = newClient().chat.completions.runTools({
      model, messages: [{ role: 'user', content: `${codeQuestion} Use find_file.` }], tools: [{ type: 'function', function: find_file }],
    });
    assert.match(await runner.finalContent(), /target/);
    assert.equal(calls, 1);
  },
  async many_at_once_are_not_mixed_up() {
    const prompts = Array.from({ length: 16 }, (_, i) => [codeQuestion, lifeQuestion][i % 2]);
    const answers = await Promise.all(prompts.map((prompt) => ask({ prompt })));
    answers.forEach((a, i) => assert.match(a.choices[0].message.content, [/target 2/, /target 1/][i % 2]));
  },
  async messages_of_a_wrong_type_are_a_bad_request() {
    const error = await rejects(OpenAI.BadRequestError, ask({ messages: 'hello' }), 400, 'invalid_request');
    assert.match(error.message, /messages must be an array/);
  },
  async messages_beside_an_input_are_a_bad_request() {
    const error = await rejects(OpenAI.BadRequestError, ask({ input: 'hello' }), 400, 'invalid_request');
    assert.match(error.message, /input beside messages/);
  },
  async ambiguous_key_is_a_bad_request() {
    const error = await rejects(OpenAI.BadRequestError, ask({ Messages: [] }), 400, 'ambiguous_json');
    assert.match(error.message, /more than once, escaped or in another letter case/);
  },
  async completions_api_is_refused_naming_both_shapes() {
    const refused = newClient().completions.create({ model, prompt: 'hello' });
    const error = await rejects(OpenAI.BadRequestError, refused, 400, 'route_type_mismatch');
    assert.match(error.message, /llm\/v1\/completions.*llm\/v1\/chat/);
  },
  async responses_api_is_refused_naming_both_shapes() {
    const refused = newClient().responses.create({ model, input: 'hello' });
    const error = await rejects(OpenAI.BadRequestError, refused, 400, 'route_type_mismatch');
    assert.match(error.message, /llm\/v1\/responses.*llm\/v1\/chat/);
  },
  async rate_limit_of_the_last_target_is_typed_with_its_wait() {
    const error = await rejects(OpenAI.RateLimitError, ask({ fail: '*=429:7' }), 429, 'rate_limit_exceeded');
    assert.equal(error.headers.get('retry-after'), '7');
  },
  async unavailable_last_target_is_typed() {
    await rejects(OpenAI.InternalServerError, ask({ fail: '*=503' }), 503);
  },
  async status_that_does_not_fail_over_is_passed_on() {
    await rejects(OpenAI.AuthenticationError, ask({ fail: 'gpt-4o=401' }), 401, 'invalid_api_key');
    await rejects(OpenAI.NotFoundError, ask({ fail: 'gpt-4o=404' }), 404, 'model_not_found');
  },
  async broken_connections_are_a_bad_gateway() {
    await rejects(OpenAI.InternalServerError, ask({ fail: '*=reset' }), 502, 'upstream_reset');
  },
  async silent_models_are_a_gateway_timeout() {
    const silent = ask({ client: strictClient(), model: 'gpt-4o', prompt: description, fail: '*=hang' });
    await rejects(OpenAI.InternalServerError, silent, 504, 'upstream_timeout');
  },
  async prompt_that_matches_nothing_is_unavailable() {
    const refused = ask({ client: strictClient(), model: 'gpt-4o', prompt: 'zzz qqq xxx' });
    const error = await rejects(OpenAI.InternalServerError, refused, 503, 'no_match');
    assert.match(error.message, /threshold/);
    assert.doesNotMatch(error.message, /zzz/);
  },
  async model_of_the_clients_own_is_refused_where_told() {
    const error = await rejects(OpenAI.BadRequestError, ask({ client: strictClient() }), 400, 'model_not_allowed');
    assert.match(error.message, /cannot use own model/);
  },
  async body_beyond_the_default_limit_is_too_large() {
    await rejects(OpenAI.APIError, ask({ prompt: 'x'.repeat(1 << 20) }), 413, 'request_too_large');
  },
  async body_far_beyond_the_default_limit_is_too_large() {
    await rejects(OpenAI.APIError, ask({ prompt: 'x'.repeat(8 << 20) }), 413, 'request_too_large');
  },
  async clients_own_timeout_is_typed() {
    await rejects(OpenAI.APIConnectionTimeoutError, ask({ client: newClient({ timeout: 500 }), fail: '*=hang' }));
  },
  async default_retries_try_again_after_a_failure() {
    const { sent, fetch } = countingFetch((headers, n) => n === 1 && headers.set('x-demo-fail', '*=503'));
    const client = new OpenAI({ baseURL: url, apiKey, fetch });
    assert.equal((await ask({ client })).model, 'gpt-4o');
    assert.equal(sent.length, 2);
  },
  async default_retries_heed_the_wait_and_end_typed() {
    const { sent, fetch } = countingFetch();
    const client = new OpenAI({ baseURL: url, apiKey, fetch });
    await rejects(OpenAI.RateLimitError, ask({ client, fail: '*=429:1' }), 429);
    assert.equal(sent.length, 3); // the SDK's default is two more tries
    for (const i of [1, 2]) assert(sent[i] - sent[i - 1] > 900, `tried again after ${sent[i] - sent[i - 1]} ms`);
  },
  async the_path_names_the_model() {
    for (const name of ['gpt-4', 'gpt-4o-mini']) {
      const { data, response } = await ask({ client: newClient({ baseURL: `${pathsURL}/${name}` }) }).withResponse();
      assert.equal(response.headers.get('x-kong-llm-model'), `openai/${name}`);
      assert.equal(data.model, name);
    }
  },
  async the_deployment_of_azures_sdk_is_the_paths() {
    for (const deployment of ['west-gpt-4o', 'east-gpt-4o']) {
      const { response } = await ask({ client: azureClient(), model: deployment }).withResponse();
      assert.equal(response.headers.get('x-kong-llm-model'), `azure/${deployment}`);
    }
  },
  async the_deployment_is_known_to_later_attempts() {
    const { response } = await ask({ client: azureClient(), model: 'west-gpt-4o', fail: 'west-gpt-4o=503' }).withResponse();
    assert.equal(response.headers.get('x-kong-llm-model'), 'azure/backup-west-gpt-4o');
  },
};

async function main() {
  let failed = 0;
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check();
      console.log(`ok ${name}`);
    } catch (error) {
      failed++;
      console.error(error);
      console.log(`FAIL ${name}: ${String(error).replaceAll(/\s+/g, ' ')}`);
    }
  }
  console.log(`done ${Object.keys(checks).length}`);
  process.exitCode = failed ? 1 : 0;
}

main();
