"""A whole registry document whose endpoints are at a fault server, for `registry apply`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rolecall.registry.catalog.models_dev import seed_text
from rolecall.registry.core.effort import Effort
from rolecall.registry.core.entities import Api, Endpoint, Locality, Model, Price, Profile, Registry
from rolecall.registry.documents.document import dump_registry, parse_document
from rolecall.registry.editing.diff import merged
from tests.faults.server import FaultServer

_STRATEGIES = "strategies.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """An endpoint at a fault server; what is left out is the same for all, so that they tie.

    `remote_model` is the name by which the server plans its answers, usually the part of the
    endpoint's id behind the slash; `model` is the registry's, usually that name too. `base_url`
    stands in for the server's own.
    """

    endpoint: str
    api: Api = "openai"
    remote_model: str | None = None
    model: str | None = None
    base_url: str | None = None
    price: Price | None = Price(1.0, 2.0, source="test")  # noqa: RUF009
    profile: Profile | None = None
    capabilities: tuple[str, ...] = ("tools", "json_schema", "reasoning", "vision")
    modalities: tuple[str, ...] = ("text", "image", "pdf")
    unsupported_parameters: tuple[str, ...] = ()
    key_env: str | None = None
    key_command: str | None = None
    context_tokens: int | None = 128_000
    max_output_tokens: int | None = None
    reasoning_effort: Effort | None = None
    locality: Locality = "remote"

    @property
    def name(self) -> str:
        """The model's name at the server."""
        return self.remote_model or self.endpoint.rpartition("/")[2]

    def records(self, server: FaultServer) -> tuple[Model, Endpoint]:
        """Return the records of the model and of the endpoint."""
        model = Model(
            id=self.model or self.name,
            capabilities=self.capabilities,
            modalities=self.modalities,
            context_tokens=self.context_tokens,
            max_output_tokens=self.max_output_tokens,
        )
        endpoint = Endpoint(
            id=self.endpoint,
            model=model.id,
            api=self.api,
            base_url=self.base_url or server.base_url(self.api),
            remote_model=self.name,
            key_env=self.key_env,
            key_command=self.key_command,
            locality=self.locality,
            context_tokens=self.context_tokens,
            max_output_tokens=self.max_output_tokens,
            reasoning_effort=self.reasoning_effort,
            unsupported_parameters=self.unsupported_parameters,
            price=self.price,
            profile=self.profile,
        )
        return model, endpoint


def registry_yaml(server: FaultServer, served: Sequence[Served]) -> str:
    """Return a document with these endpoints, the built-in strategies and nothing else.

    Of a model served at several places the first counts.
    """
    models: dict[str, Model] = {}
    endpoints = []
    for one in served:
        model, endpoint = one.records(server)
        models.setdefault(model.id, model)
        endpoints.append(endpoint)
    strategies = parse_document(seed_text(_STRATEGIES), _STRATEGIES)
    pool = Registry(0, models=tuple(models.values()), endpoints=tuple(endpoints))
    return dump_registry(merged(pool, strategies, prune=False))
