"""Put a request to the router and print what it decided."""

from __future__ import annotations

from collections.abc import Iterable

from rolecall.cli.render.output import note, print_json, print_text
from rolecall.registry.chat.parse import request_of
from rolecall.registry.core.chat import Chat
from rolecall.registry.core.decisions import Decision
from rolecall.registry.core.errors import ExitCode, RegistryError
from rolecall.registry.core.requests import RoutingChoices
from rolecall.registry.routing.router import Router, chosen_endpoint


def print_decision(router: Router, decision: Decision, *, as_json: bool) -> None:
    """Print the chosen endpoint's id, or the whole decision; notes go to stderr.

    Raises NothingEligible or BudgetExceeded, after the JSON, when nothing was chosen.
    """
    if as_json:
        from rolecall.registry.routing.decision_json import describe_decision

        print_json(describe_decision(decision))
    chosen = chosen_endpoint(decision, router.registry.endpoints)
    for text in decision.notes:
        note(f"note: {text}")
    if not as_json:
        print_text(chosen)


def print_decisions(
    router: Router, rows: Iterable[tuple[int, Chat, str | None]], choices: RoutingChoices
) -> int:
    """Print one decision a line, as JSON, in the order of the rows and as soon as each is made.

    Returns the exit code: a row for which nothing is eligible is printed with `chosen` null and
    said on stderr, and the rest goes on.
    """
    from rolecall.registry.routing.decision_json import describe_decision

    codes = []
    for line, chat, custom_id in rows:
        decision = router.decide(request_of(chat), choices)
        print_json({"custom_id": custom_id} | describe_decision(decision), indent=None, flush=True)
        try:
            chosen_endpoint(decision, router.registry.endpoints)
            codes.append(ExitCode.DONE)
        except RegistryError as error:
            note(f"line {line}: {error.message}")
            codes.append(error.exit_code)
    if len(set(codes)) > 1:
        return ExitCode.BATCH_PARTLY_FAILED
    return codes[0] if codes else ExitCode.DONE
