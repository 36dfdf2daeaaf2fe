"""`rolecall endpoints`: the models as they are served, with API, price and key."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from rolecall.cli.commands.records import (
    RecordHelp,
    StarterOption,
    add_record_commands,
    given,
    print_rows,
    report_added,
)
from rolecall.cli.completion.names import effort_levels, endpoint_names, model_names
from rolecall.cli.options.common import JsonOption, RegistryOption
from rolecall.cli.render.output import Column, note, print_json
from rolecall.registry.core.credentials import key_in
from rolecall.registry.core.formatting import tokens, usd

if TYPE_CHECKING:
    from rolecall.registry.core.entities import Endpoint

app = typer.Typer(help="Manage endpoints.")


@app.command("list")
def list_endpoints(registry: RegistryOption = None, as_json: JsonOption = False) -> None:
    """List the endpoints, and which have a key here.

    Prices are USD per million tokens in and out; with a +, long input costs more, as
    `endpoints show` says. A key is looked for in the environment variable that the endpoint
    names, else its key command would be run; the key itself is never shown.

    \b
    Examples:
      rolecall endpoints list
      rolecall endpoints list --json | jq -r '.endpoints[].id'
    """
    from rolecall.registry.documents.fields import to_plain
    from rolecall.registry.editing.edit import read_content
    from rolecall.registry.editing.open import open_registry

    with open_registry(registry) as db:
        content = read_content(db)
    records = content.endpoints
    contexts = {model.id: model.context_tokens for model in content.models}
    if as_json:
        print_json({"endpoints": [{**to_plain(one), "key": key_state(one)} for one in records]})
        return
    columns = [
        Column("endpoint"),
        Column("model", drop=2),
        Column("$/Mtok", is_number=True),
        Column("context", drop=1, is_number=True),
        Column("effort", drop=3),
        Column("where"),
        Column("key"),
        Column("status"),
    ]
    print_rows("endpoints", columns, [row_of(one, contexts[one.model]) for one in records])


def row_of(endpoint: Endpoint, model_context_tokens: int | None) -> list[str]:
    """Return an endpoint's cells."""
    return [
        endpoint.id,
        endpoint.model,
        _paid(endpoint),
        tokens(endpoint.context_tokens or model_context_tokens),
        "–" if endpoint.reasoning_effort is None else str(endpoint.reasoning_effort),
        "local" if endpoint.is_local else "remote",
        key_state(endpoint),
        endpoint.status,
    ]


def _paid(endpoint: Endpoint) -> str:
    """Return the prices in and out; + where long input has others, 0? for an unpriced local one."""
    price = endpoint.price
    if price is None:
        return "0?" if endpoint.locality == "local" else "?"
    paid = (price.input_usd_per_mtok, price.output_usd_per_mtok)
    return "/".join(usd(one).removeprefix("$") for one in paid) + ("+" if price.tiers else "")


def effort_of(text: str) -> str | int:
    """Return an effort as typed: a number is a budget in tokens."""
    return int(text) if text.isdecimal() else text


def key_state(endpoint: Endpoint) -> str:
    """Return where an endpoint's key would come from, never the key."""
    if endpoint.key_env is not None and key_in(os.environ, endpoint.key_env):
        return "set"
    if endpoint.key_command is not None:
        return "command"
    return "none needed" if endpoint.key_env is None else "missing"


@app.command()
def add(
    endpoint: Annotated[
        str, typer.Argument(metavar="ENDPOINT", help="Its new id, such as PROVIDER/MODEL.")
    ],
    model: Annotated[
        str | None,
        typer.Option(
            help="A model of the registry; by default the one that ENDPOINT names.",
            autocompletion=model_names,
        ),
    ] = None,
    api: Annotated[
        Literal["openai", "anthropic", "gemini", "ollama"] | None,
        typer.Option(metavar="API", help="openai (the default), anthropic, gemini or ollama."),
    ] = None,
    base_url: Annotated[
        str | None, typer.Option(metavar="URL", help="By default the API's own address.")
    ] = None,
    remote_model: Annotated[
        str | None, typer.Option(metavar="NAME", help="What the model is called there.")
    ] = None,
    key_env: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The environment variable that holds the key."),
    ] = None,
    key_command: Annotated[
        str | None,
        typer.Option(metavar="COMMAND", help="A shell command that prints the key."),
    ] = None,
    no_key: Annotated[bool, typer.Option("--no-key", help="It takes no key.")] = False,
    locality: Annotated[
        Literal["local", "remote"] | None,
        typer.Option(metavar="SIDE", help="local or remote; by default told by the URL."),
    ] = None,
    region: Annotated[
        str | None, typer.Option(metavar="NAME", help="Where it runs, such as eu.")
    ] = None,
    quantization: Annotated[
        str | None, typer.Option(metavar="NAME", help="Such as q4_k_m or fp8.")
    ] = None,
    reasoning_effort: Annotated[
        str | None,
        typer.Option(
            metavar="EFFORT",
            help="none, low, medium, high or a number of tokens; else the server's own.",
            autocompletion=effort_levels,
        ),
    ] = None,
    context_tokens: Annotated[
        int | None,
        typer.Option(
            "--context-tokens",
            "--context",
            min=1,
            metavar="N",
            help="Where it takes fewer tokens than the model.",
        ),
    ] = None,
    input_price: Annotated[
        float | None, typer.Option(min=0, metavar="USD", help="Price of a million tokens read.")
    ] = None,
    output_price: Annotated[
        float | None, typer.Option(min=0, metavar="USD", help="Price of a million tokens written.")
    ] = None,
    starter: StarterOption = False,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add an endpoint, from the catalog or from options.

    The catalog is the models.dev data that came with rolecall; nothing is fetched. Options
    win over it. An endpoint with a reasoning effort may be called PROVIDER/MODEL:EFFORT: the
    catalog is asked for PROVIDER/MODEL. At an address of your own, or with Ollama, the model
    may be any: where the registry lacks it, it is added too.

    \b
    Examples:
      rolecall endpoints add mistral/mistral-large-latest
      rolecall endpoints add openai/gpt-5.5:low --reasoning-effort low
      rolecall endpoints add ollama/llama3.2:3b
      rolecall endpoints add lab/q3 --model qwen3-8b --base-url http://gpu:8000/v1
      rolecall endpoints add vllm/x --base-url http://gpu:8000/v1 --context 32768
    """
    from rolecall.registry.editing.add import add_endpoint, add_starter_endpoint
    from rolecall.registry.editing.open import open_registry

    facts = given(
        {
            "model": model,
            "api": api,
            "base_url": base_url,
            "remote_model": remote_model,
            "key_env": key_env,
            "key_command": key_command,
            "locality": locality,
            "region": region,
            "quantization": quantization,
            "reasoning_effort": reasoning_effort and effort_of(reasoning_effort),
            "context_tokens": context_tokens,
        }
    )
    price = given({"input_usd_per_mtok": input_price, "output_usd_per_mtok": output_price})
    with open_registry(registry) as db:
        if starter:
            added = add_starter_endpoint(db, endpoint, facts)
        else:
            added = add_endpoint(db, endpoint, facts, price, no_key=no_key)
    if added.model is not None:
        name = added.model.id
        unknown = "" if added.is_model_known else f"; what it can do: rolecall models edit {name}"
        note(f"added model {name} too{unknown}")
    report_added("endpoints", added.endpoint, as_json=as_json)
    if added.warning is not None:
        note(f"note: {added.warning}")


add_record_commands(
    app,
    "endpoints",
    RecordHelp(
        completion=endpoint_names,
        show=("anthropic/claude-sonnet-4-6", "ollama/qwen3-8b"),
        edit='EDITOR="sed -i s/active/disabled/" rolecall endpoints edit ollama/qwen3-8b',
        remove="lab/q3",
        edit_note="Its reasoning effort is none, low, medium, high, a number of tokens, or null.",
        unless="that no role is assigned",
    ),
)
