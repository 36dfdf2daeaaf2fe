"""A refused parameter is named, in whatever words a server refuses it."""

from __future__ import annotations

from typing import Any

import pytest

from rolecall.registry.providers.errors import failure_of


def error(message: str, **fields: Any) -> dict[str, Any]:
    return {"error": {"message": message, **fields}}


# The parameter, and the body of a refusal with status 400.
REFUSALS: list[tuple[str, Any]] = [
    (
        "max_tokens",
        error(
            "Unsupported parameter: 'max_tokens' is not supported with this model."
            " Use 'max_completion_tokens' instead.",
            param="max_tokens",
            code="unsupported_parameter",
        ),
    ),
    (
        "max_tokens",
        error(
            "Unsupported parameter: 'max_tokens' is not supported with this model."
            " Use 'max_completion_tokens' instead.",
            code="invalid_request_body",
        ),
    ),
    ("max_tokens", error("this model is not supported MaxTokens, please use MaxCompletionTokens")),
    ("max_tokens", error("`max_tokens` is deprecated; please use `max_completion_tokens`")),
    ("max_tokens", error("Please use max_completion_tokens instead of max_tokens for this model.")),
    (
        "max_completion_tokens",
        error("Unrecognized request argument supplied: max_completion_tokens"),
    ),
    ("max_completion_tokens", error("property 'max_completion_tokens' is unsupported")),
    (
        "max_completion_tokens",
        {
            "detail": [
                {
                    "type": "extra_forbidden",
                    "loc": ["body", "max_completion_tokens"],
                    "msg": "Extra inputs are not permitted",
                    "input": 5,
                }
            ]
        },
    ),
    ("stream_options", error("Unrecognized request argument supplied: stream_options")),
    (
        "stream_options",
        error(
            "Unknown parameter: 'stream_options'.", param="stream_options", code="unknown_parameter"
        ),
    ),
    ("stream_options", {"message": "invalid request: unknown field 'stream_options'"}),
    ("stream_options", {"error": 'json: unknown field "stream_options"'}),
    (
        "stream_options",
        {
            "detail": [
                {
                    "type": "extra_forbidden",
                    "loc": ["body", "stream_options"],
                    "msg": "Extra inputs are not permitted",
                }
            ]
        },
    ),
    (
        "stream_options",
        {
            "object": "error",
            "message": "[{'type': 'extra_forbidden', 'loc': ('body', 'stream_options'),"
            " 'msg': 'Extra inputs are not permitted', 'input': {'include_usage': True}}]",
            "code": 400,
        },
    ),
    (
        "stream_options",
        error(
            "Extra inputs are not permitted, field: 'stream_options', value:"
            " {'include_usage': True}"
        ),
    ),
    (
        "stream_options",
        {
            "message": "Malformed input request: #: extraneous key [stream_options] is not"
            " permitted, please reformat your input and try again."
        },
    ),
    (
        "stream_options",
        error(
            "Failed to deserialize the JSON body into the target type: unknown"
            " field `stream_options`, expected one of `model`, `messages` at line 1 column 9"
        ),
    ),
    (
        "stream_options",
        error("Additional properties are not allowed ('stream_options' was unexpected)"),
    ),
    ("stream_options", {"detail": "create() got an unexpected keyword argument 'stream_options'"}),
    (
        "stream_options",
        error(
            "The parameter `stream_options` specified in the request is not valid: not supported."
        ),
    ),
    (
        "parallel_tool_calls",
        error("Unsupported parameter: 'parallel_tool_calls' is not supported with this model."),
    ),
    ("parallel_tool_calls", error("parallel_tool_calls is not supported by this model")),
    ("presence_penalty", error("Model grok-4 does not support parameter presencePenalty.")),
    ("presence_penalty", error("Argument not supported on this model: presencePenalty")),
    ("stop", error("Argument not supported on this model: stop")),
    (
        "temperature",
        error(
            "Unsupported value: 'temperature' does not support 0.2 with this"
            " model. Only the default (1) value is supported.",
            param="temperature",
            code="unsupported_value",
        ),
    ),
    ("temperature", error("invalid temperature: only 1 is allowed for this model")),
    ("temperature", error("temperature must be 1 for this model")),
    ("temperature", error("`temperature` may only be set to 1 when thinking is enabled")),
    ("temperature", error("temperature is not supported with this model")),
    ("top_p", error("top_p is not supported with this model")),
    ("top_p", error("invalid top_p: only 0.95 is allowed for this model")),
    ("reasoning_effort", error("Unrecognized request argument supplied: reasoning_effort")),
    ("reasoning_effort", error("reasoning_effort is not supported with this model")),
    ("reasoning_effort", error("`reasoning_effort` must be one of `none` or `default`")),
    (
        "reasoning_effort",
        error(
            "Unsupported value: 'reasoning_effort' does not support 'minimal' with"
            " this model. Supported values are: 'low', 'medium', and 'high'."
        ),
    ),
    ("response_format", error("This response_format type is unavailable now")),
    ("response_format", error("'response_format.type' must be 'json_schema' or 'text'")),
    (
        "response_format",
        error(
            "Invalid parameter: 'response_format' of type 'json_schema' is not"
            " supported with this model.",
            param="response_format",
        ),
    ),
    ("response_format", error("json_schema is not supported by this model")),
    ("response_format", error("response format json_object not supported")),
    ("tool_choice", error("tool_choice is not supported")),
    ("tool_choice", error("`tool_choice` 'required' is not supported by this server")),
    (
        "tool_choice",
        error(
            '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'
        ),
    ),
    ("system", error("System role not supported")),
    (
        "system",
        error(
            "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
            param="messages[0].role",
            code="unsupported_value",
        ),
    ),
    ("system", error("Only user and assistant roles are supported!")),
    ("system", {"message": "role 'system' is not supported"}),
    (
        "system",
        {
            "detail": [
                {
                    "loc": ["body", "messages", 0, "role"],
                    "msg": "Input should be 'user' or 'assistant'",
                }
            ]
        },
    ),
    ("system", error("Unknown role: system")),
    (
        "stream",
        error(
            "Your organization must be verified to stream this model.",
            param="stream",
            code="unsupported_value",
        ),
    ),
    ("stream", error("streaming is not supported for this model")),
    ("seed", error("seed: extra inputs are not permitted")),
    ("logprobs", error("logprobs is not supported with this model")),
    ("logit_bias", error("The following parameters are not supported: logit_bias")),
    ("n", error("'n' is not supported")),
    (
        "parallel_tool_calls",
        error("The parameter `parallel_tool_calls` is not allowed without tools"),
    ),
    ("temperature", error("Invalid 'temperature': this model only supports the default (1)")),
    ("temperature", error("Only temperature=1 is allowed for this model")),
    ("temperature", error("Cannot specify both temperature and top_p")),
    (
        "max_completion_tokens",
        error("max_completion_tokens is not a valid parameter, use max_tokens"),
    ),
    ("response_format", error("response_format.type 'json_schema' is not available")),
    ("stream_options", error("stream_options is only allowed when stream is enabled")),
    ("logprobs", error("Logprobs is not enabled for models/m")),
    ("top_k", error("unexpected parameter: top_k")),
    ("top_k", error("Extra fields not allowed: top_k")),
    ("seed", error("Unrecognized key(s) in object: 'seed'")),
    ("seed", error("Property 'seed' is not allowed")),
]


@pytest.mark.parametrize(("parameter", "document"), REFUSALS)
def test_a_refused_parameter_is_named(parameter: str, document: Any) -> None:
    failure = failure_of(400, document)
    assert (failure.error_type, failure.parameter) == ("parameter_unsupported", parameter)


@pytest.mark.parametrize(
    "message",
    [
        "temperature must be between 0 and 2",
        "temperature must be less than 2",
        "top_p must be a number",
        'option "temperature" must be of type float32',
        "messages: roles must alternate between user and assistant",
        "the temperature of the server is too high",
        "temperature is only valid between 0 and 2",
        "max_tokens is not allowed to exceed 4096",
    ],
)
def test_a_value_out_of_its_range_is_no_refused_parameter(message: str) -> None:
    assert failure_of(400, error(message)).error_type == "bad_request"
