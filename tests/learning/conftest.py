from __future__ import annotations

import pytest

from rolecall.registry.scorer.model import Scorer


@pytest.fixture(scope="session")
def scorer() -> Scorer:
    """Load the shipped scorer once."""
    return Scorer.load()
