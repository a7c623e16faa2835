"""Uses OpenAI's own Python SDK, unchanged, through semlb.

checks.py URL STRICT_URL PATHS_URL runs every check and prints a line for each: "ok NAME",
or "FAIL NAME: WHY"; then "done", the number of checks, and exit status 0. The Go
test beside it starts what the URLs name: semlb with demo LLMs behind the seed's
configuration, behind one that refuses more, and behind routes whose paths name
the model or the deployment (see sdk_test.go).
"""

import asyncio
import json
import sys
import time
import traceback

import openai

URL, STRICT_URL, PATHS_URL = sys.argv[1:]
KEY = "sk-client-key-of-no-worth"
MODEL = "gpt-4"  # clients always name one; the configured one serves
CODE_QUESTION = "Why does my Go program deadlock on an unbuffered channel?"
LIFE_QUESTION = "How do I get my toddler to sleep through the night?"
DESCRIPTION = "Specialist in programming problems"  # what a target is described by
TOOLS = [{"type": "function", "function": {
    "name": "find_file", "description": "Find a file", "parameters": {"type": "object", "properties": {}},
}}]

checks = []


def check(function):
    checks.append(function)
    return function


def new_client(url=URL, **options):
    return openai.OpenAI(base_url=url, api_key=KEY, **{"max_retries": 0, "timeout": 60, **options})


def ask(client=None, prompt=CODE_QUESTION, fail=None, raw=False, **members):
    """Sends a chat request; fail is what the demo LLMs are to do."""
    completions = (client or new_client()).chat.completions
    create = completions.with_raw_response.create if raw else completions.create
    request = {"model": MODEL, "messages": [{"role": "user", "content": prompt}], **members}
    if fail:
        request["extra_headers"] = {"x-demo-fail": fail}
    return create(**request)


def equal(got, want):
    if got != want:
        raise AssertionError(f"got {got!r}, want {want!r}")


def holds(text, *parts):
    for part in parts:
        if part not in text:
            raise AssertionError(f"got {text!r}, want it to hold {part!r}")


def raises(kind, call, status=None, code=None):
    """Returns the error of a call; it must be of exactly that class."""
    try:
        call()
    except openai.OpenAIError as error:
        if type(error) is not kind:
            raise AssertionError(f"got {type(error).__name__} ({error}), want {kind.__name__}") from error
        if status is not None:
            equal(error.status_code, status)
            # The SDK shows the message only if it finds it where the API puts it.
            equal(sorted(error.body), ["code", "message", "param", "type"])
            holds(error.message, error.body["message"])
        if code is not None:
            equal(error.code, code)
        return error
    raise AssertionError(f"got no error, want {kind.__name__}")


@check
def chat_is_answered_by_the_configured_model():
    raw = ask(raw=True)
    equal(raw.headers["x-kong-llm-model"], "openai/gpt-4o")
    answer = raw.parse()
    equal(answer.model, "gpt-4o")
    equal(answer.object, "chat.completion")
    equal(answer.choices[0].finish_reason, "stop")
    equal(answer.choices[0].message.role, "assistant")
    holds(answer.choices[0].message.content, "target 2", "programming")
    equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens)


@check
def prompt_chooses_the_group():
    holds(ask(prompt=LIFE_QUESTION).choices[0].message.content, "target 1", "real life")


@check
def last_user_message_of_a_conversation_chooses():
    messages = [
        {"role": "system", "content": "You are brief."},
        {"role": "user", "content": LIFE_QUESTION},
        {"role": "assistant", "content": "Patience."},
        {"role": "user", "content": [{"type": "text", "text": CODE_QUESTION}]},
    ]
    holds(ask(messages=messages).choices[0].message.content, "target 2")


@check
def failover_goes_to_the_next_model():
    raw = ask(fail="gpt-4o=429", raw=True)
    equal(raw.headers["x-kong-llm-model"], "openai/gpt-4o-mini")
    equal(raw.parse().model, "gpt-4o-mini")
    holds(raw.parse().choices[0].message.content, "target 3")


@check
def failover_by_default_headers():
    client = new_client(default_headers={"x-demo-fail": "gpt-4o=503"})
    equal(ask(client).model, "gpt-4o-mini")


@check
def failover_on_a_connection_that_breaks():
    equal(ask(fail="gpt-4o=reset").model, "gpt-4o-mini")


@check
def stream_comes_word_by_word_with_usage():
    def took():
        times, text, usage, models = [], "", None, set()
        with ask(stream=True, stream_options={"include_usage": True}) as stream:
            equal(stream.response.headers["x-kong-llm-model"], "openai/gpt-4o")
            for chunk in stream:
                times.append(time.monotonic())
                models.add(chunk.model)
                usage = chunk.usage or usage
                text += "".join(c.delta.content or "" for c in chunk.choices)
        equal(models, {"gpt-4o"})
        holds(text, "target 2")
        equal(usage.completion_tokens, len(text.split()))
        return times[-1] - times[0]

    # On a busy machine a client may find all chunks at once, but not every time.
    if not any(took() >= 0.1 for _ in range(20)):
        raise AssertionError("all chunks came within 0.1 s: they were held back")


@check
def stream_without_usage_has_none():
    equal([c.usage for c in ask(stream=True) if c.usage], [])


@check
def stream_fails_over_before_its_first_byte():
    with ask(stream=True, fail="gpt-4o=503") as stream:
        equal({chunk.model for chunk in stream}, {"gpt-4o-mini"})


@check
def stream_helper_gathers_the_answer():
    messages = [{"role": "user", "content": CODE_QUESTION}]
    with new_client().chat.completions.stream(model=MODEL, messages=messages) as stream:
        events = [event.type for event in stream]
        final = stream.get_final_completion()
    equal(events.count("content.done"), 1)
    holds(final.choices[0].message.content, "target 2")


@check
def stream_that_breaks_is_an_error_and_not_an_end():
    seen = []
    try:
        seen.extend(ask(stream=True, fail="*=sse-cut"))
    except openai.APIConnectionError:
        if not seen:
            raise
        return
    raise AssertionError(f"the stream ended in order after {len(seen)} chunks")


@check
def stream_that_is_refused_is_typed():
    raises(openai.RateLimitError, lambda: ask(stream=True, fail="*=429"), 429, "rate_limit_exceeded")


@check
def tools_are_called_and_answered():
    first = ask(tools=TOOLS, tool_choice="required")
    equal(first.choices[0].finish_reason, "tool_calls")
    call = first.choices[0].message.tool_calls[0]
    equal((call.function.name, json.loads(call.function.arguments)), ("find_file", {}))
    second = ask(tools=TOOLS, messages=[
        {"role": "user", "content": CODE_QUESTION},
        first.choices[0].message,
        {"role": "tool", "tool_call_id": call.id, "content": "main.go"},
    ])
    equal(second.choices[0].finish_reason, "stop")
    holds(second.choices[0].message.content, "target 2")


@check
def tools_are_called_in_a_stream():
    names, arguments = [], ""
    for chunk in ask(tools=TOOLS, tool_choice="required", stream=True):
        for call in (chunk.choices[0].delta.tool_calls or []) if chunk.choices else []:
            names.append(call.function.name)
            arguments += call.function.arguments or ""
    equal([n for n in names if n], ["find_file"])
    equal(arguments, "{}")


@check
def async_client_asks_many_at_once():
    async def gather():
        async with openai.AsyncOpenAI(base_url=URL, api_key=KEY, max_retries=0, timeout=60) as client:
            prompts = [CODE_QUESTION, LIFE_QUESTION] * 8
            return await asyncio.gather(*(client.chat.completions.create(
                model=MODEL, messages=[{"role": "user", "content": p}]) for p in prompts))

    answers = [a.choices[0].message.content for a in asyncio.run(gather())]
    for i, answer in enumerate(answers):
        holds(answer, ("target 2", "target 1")[i % 2])


@check
def async_client_streams():
    async def read():
        async with openai.AsyncOpenAI(base_url=URL, api_key=KEY, max_retries=0, timeout=60) as client:
            stream = await client.chat.completions.create(
                model=MODEL, messages=[{"role": "user", "content": CODE_QUESTION}], stream=True)
            return "".join([c.choices[0].delta.content or "" async for c in stream if c.choices])

    holds(asyncio.run(read()), "target 2")


@check
def messages_of_a_wrong_type_are_a_bad_request():
    error = raises(openai.BadRequestError, lambda: ask(messages="hello"), 400, "invalid_request")
    holds(error.message, "messages must be an array")


@check
def messages_beside_a_prompt_are_a_bad_request():
    error = raises(openai.BadRequestError, lambda: ask(extra_body={"prompt": "hello"}), 400, "invalid_request")
    holds(error.message, "both messages and prompt")


@check
def ambiguous_key_is_a_bad_request():
    error = raises(openai.BadRequestError, lambda: ask(extra_body={"Messages": []}), 400, "ambiguous_json")
    holds(error.message, '"messages" more than once, escaped or in another letter case')


@check
def completions_api_is_refused_naming_both_shapes():
    error = raises(openai.BadRequestError,
                   lambda: new_client().completions.create(model=MODEL, prompt="hello"), 400, "route_type_mismatch")
    holds(error.message, "llm/v1/completions", "llm/v1/chat")


@check
def responses_api_is_refused_naming_both_shapes():
    error = raises(openai.BadRequestError,
                   lambda: new_client().responses.create(model=MODEL, input="hello"), 400, "route_type_mismatch")
    holds(error.message, "llm/v1/responses", "llm/v1/chat")


@check
def list_of_models_names_the_targets():
    equal([m.id for m in new_client().models.list()], ["gpt-4o", "gpt-4o-mini"])


@check
def rate_limit_of_the_last_target_is_typed_with_its_wait():
    error = raises(openai.RateLimitError, lambda: ask(fail="*=429:7"), 429, "rate_limit_exceeded")
    holds(error.message, "429")
    equal(error.response.headers["retry-after"], "7")


@check
def unavailable_last_target_is_typed():
    raises(openai.InternalServerError, lambda: ask(fail="*=503"), 503)


@check
def status_that_does_not_fail_over_is_passed_on():
    raises(openai.AuthenticationError, lambda: ask(fail="gpt-4o=401"), 401, "invalid_api_key")
    raises(openai.InternalServerError, lambda: ask(fail="gpt-4o=500"), 500)


@check
def broken_connections_are_a_bad_gateway():
    error = raises(openai.InternalServerError, lambda: ask(fail="*=reset"), 502, "upstream_reset")
    holds(error.message, "closed the connection")


@check
def silent_models_are_a_gateway_timeout():
    error = raises(openai.InternalServerError, lambda: ask(new_client(STRICT_URL), DESCRIPTION, model="gpt-4o", fail="*=hang"), 504, "upstream_timeout")
    holds(error.message, "did not answer in time")


@check
def prompt_that_matches_nothing_is_unavailable():
    error = raises(openai.InternalServerError, lambda: ask(new_client(STRICT_URL), "zzz qqq xxx", model="gpt-4o"), 503, "no_match")
    holds(error.message, "threshold")
    if "zzz" in str(error):
        raise AssertionError("the message repeats the prompt")


@check
def model_of_the_clients_own_is_refused_where_told():
    error = raises(openai.BadRequestError, lambda: ask(new_client(STRICT_URL)), 400, "model_not_allowed")
    holds(error.message, "cannot use own model", "gpt-4o, gpt-4o-mini")


@check
def stream_is_refused_where_told():
    error = raises(openai.BadRequestError,
                   lambda: ask(new_client(STRICT_URL), model="gpt-4o", stream=True), 400, "streaming_not_enabled")
    holds(error.message, "streaming is not enabled")


@check
def body_beyond_the_default_limit_is_too_large():
    error = raises(openai.APIStatusError, lambda: ask(prompt="x" * (1 << 20)), 413, "request_too_large")
    holds(error.message, "longer than 1048576 bytes")


@check
def body_far_beyond_the_default_limit_is_too_large():
    raises(openai.APIStatusError, lambda: ask(prompt="x" * (8 << 20)), 413, "request_too_large")


@check
def clients_own_timeout_is_typed():
    raises(openai.APITimeoutError, lambda: ask(new_client(timeout=0.5), fail="*=hang"))


@check
def default_retries_try_again_after_a_failure():
    sent = []

    def fail_first(request):
        sent.append(request.headers.get("x-stainless-retry-count"))
        if len(sent) == 1:
            request.headers["x-demo-fail"] = "*=503"

    with openai.DefaultHttpxClient(event_hooks={"request": [fail_first]}) as http:
        raw = ask(openai.OpenAI(base_url=URL, api_key=KEY, http_client=http), raw=True)
    equal(raw.retries_taken, 1)
    equal(sent, ["0", "1"])
    equal(raw.parse().model, "gpt-4o")


@check
def default_retries_heed_the_wait_and_end_typed():
    sent = []
    with openai.DefaultHttpxClient(event_hooks={"request": [lambda r: sent.append(time.monotonic())]}) as http:
        client = openai.OpenAI(base_url=URL, api_key=KEY, http_client=http)
        raises(openai.RateLimitError, lambda: ask(client, fail="*=429:1"), 429)
    equal(len(sent), 3)  # the SDK's default is two more tries
    for earlier, later in zip(sent, sent[1:]):
        if later - earlier < 0.9:
            raise AssertionError(f"tried again after {later - earlier:.2f} s, want the Retry-After of 1 s")


@check
def default_retries_leave_bad_requests_alone():
    sent = []
    with openai.DefaultHttpxClient(event_hooks={"request": [lambda r: sent.append(r)]}) as http:
        raises(openai.BadRequestError, lambda: ask(openai.OpenAI(base_url=URL, api_key=KEY, http_client=http), messages="hello"), 400)
    equal(len(sent), 1)


@check
def the_path_names_the_model():
    for model in ("gpt-4", "gpt-4o-mini", "org%2Fown-model"):
        raw = ask(new_client(PATHS_URL + "/" + model), raw=True)
        equal(raw.headers["x-kong-llm-model"], "openai/" + model.replace("%2F", "/"))
        equal(raw.parse().model, model.replace("%2F", "/"))


def new_azure_client():
    return openai.AzureOpenAI(azure_endpoint=PATHS_URL, api_key=KEY, api_version="2024-10-21", max_retries=0, timeout=60)


@check
def the_deployment_of_azures_sdk_is_the_paths():
    for deployment in ("west-gpt-4o", "east-gpt-4o"):
        raw = ask(new_azure_client(), raw=True, model=deployment)
        equal(raw.headers["x-kong-llm-model"], "azure/" + deployment)


@check
def the_deployment_is_known_to_later_attempts():
    raw = ask(new_azure_client(), raw=True, model="west-gpt-4o", fail="west-gpt-4o=503")
    equal(raw.headers["x-kong-llm-model"], "azure/backup-west-gpt-4o")


@check
def a_route_of_its_own_has_a_deployment_of_its_own():
    raw = ask(new_azure_client(), raw=True, model="azure-gpt-4", stream=True)
    equal(raw.headers["x-kong-llm-model"], "azure/gpt-4")
    raw = ask(new_client(PATHS_URL + "/openai/deployments/azure-gpt-4"), raw=True)
    equal(raw.headers["x-kong-llm-model"], "azure/gpt-4")


def main():
    failed = 0
    for function in checks:
        try:
            function()
        except Exception as error:
            failed += 1
            traceback.print_exc()
            print(f"FAIL {function.__name__}: {type(error).__name__}: {' '.join(str(error).split())}", flush=True)
        else:
            print(f"ok {function.__name__}", flush=True)
    print(f"done {len(checks)}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
