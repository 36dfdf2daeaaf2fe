"""Run the fault server on its own: `python -m tests.faults --port 8081 > registry.yaml`."""

from __future__ import annotations

import argparse
import contextlib
import sys
import threading
from typing import get_args

from rolecall.registry.core.entities import Api, Price
from tests.faults.plan import FAULTS, REFUSALS, Plan
from tests.faults.registry import Served, registry_yaml
from tests.faults.server import FaultServer

_ONLY_BEFORE = {"refuse", "empty", "no_finish", "slow_header"}
_MODEL = "fault"


def all_served(server: FaultServer) -> list[Served]:
    """Return a good endpoint of each API, and one for each fault and place that it can have.

    All serve the same model, and the faulty ones are the cheaper: they are asked first.
    """
    found = []
    for api in get_args(Api):
        found.append(Served(endpoint=f"{api}/good", api=api, model=_MODEL, price=Price(2.0, 4.0)))
        for fault in FAULTS:
            places = ["before"] if fault in _ONLY_BEFORE else ["before", "middle"]
            url = server.refusing_url(api) if fault == "refuse" else None
            for place in places:
                name = f"fault-{fault}-{place}"
                found.append(Served(endpoint=f"{api}/{name}", api=api, model=_MODEL, base_url=url))
    return found


def main() -> None:
    """Print a registry of every fault, and serve until interrupted."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults",
        description="Serve four LLM APIs that misbehave, and print the registry of them.",
        epilog=f"faults: {', '.join(FAULTS)}; as a status before the answer: {len(REFUSALS)}",
    )
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--token-delay", type=float, default=0.05, help="seconds between tokens")
    options = parser.parse_args()
    plan = Plan(token_delay_s=options.token_delay)
    with FaultServer(plan, port=options.port) as server, contextlib.suppress(KeyboardInterrupt):
        sys.stdout.write(registry_yaml(server, all_served(server)))
        sys.stdout.flush()
        sys.stderr.write(f"listening on http://127.0.0.1:{server.port} until interrupted\n")
        threading.Event().wait()


if __name__ == "__main__":
    main()
