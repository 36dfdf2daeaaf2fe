"""Speak to endpoints over HTTP: four APIs, one request, one stream of events."""

import sys
from types import ModuleType
from typing import cast

# httpx imports its own command line where rich and click are there: 40 ms of every `ask` for
# nothing. A module that is None cannot be imported, and httpx then goes without.
sys.modules.setdefault("httpx._main", cast(ModuleType, None))
