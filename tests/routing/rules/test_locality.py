"""Who is local: stated to be so, and not at an address that says otherwise."""

from __future__ import annotations

import pytest

from rolecall.registry.core.entities import Endpoint, Model, Strategy
from rolecall.registry.core.requests import Task
from rolecall.registry.routing.rules.eligibility import find_eligible
from rolecall.registry.routing.rules.inputs import DecisionInputs

TASK = Task("code", "declared", 1.0, "x")


@pytest.mark.parametrize(
    ("base_url", "is_local"),
    [
        ("", True),
        ("http://127.0.0.1:8000", True),
        ("http://gpu-box", True),
        ("https://llm.example.com/v1", False),
        ("http://127.0.0.1@evil.com", False),
    ],
)
def test_an_endpoint_that_is_only_stated_to_be_local_is_remote(
    base_url: str, is_local: bool
) -> None:
    endpoint = Endpoint("p/m", "m", base_url=base_url, locality="local")
    strategy = Strategy("here", local_only=True)
    found = find_eligible(DecisionInputs((endpoint,), {"m": Model("m")}, TASK, strategy, None))
    denied = ("POLICY_DENY_REMOTE", "only local is allowed, and its address is not")
    assert [(one.code, one.detail) for one in found.excluded] == ([] if is_local else [denied])
