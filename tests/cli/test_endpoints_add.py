"""`endpoints add`: which models are refused, which key is asked for, and models of one's own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Rolecall


@pytest.mark.parametrize(
    ("endpoint", "why"),
    [
        ("openai/text-embedding-3-small", "it makes embeddings"),
        ("google/gemini-embedding-001", "it makes embeddings"),
        ("openai/gpt-image-1", "it makes images"),
        ("groq/whisper-large-v3", "it makes transcripts of speech"),
        ("nvidia/nvidia/bevformer", "it takes only video"),
        ("poe/lumalabs/ray2", "it gives video"),
    ],
)
def test_a_model_that_gives_no_text_is_refused(endpoint: str, why: str, rolecall: Rolecall) -> None:
    done = rolecall("endpoints", "add", endpoint)
    assert (done.exit_code, done.stdout) == (2, "")
    said, hint = done.stderr.splitlines()
    assert said == f"error: {endpoint} answers no prompt with text: {why}"
    assert "--capability chat" in hint
    assert rolecall("endpoints", "show", endpoint).exit_code == 2


def test_one_that_is_registered_all_the_same_is_no_candidate(rolecall: Rolecall) -> None:
    rolecall("models", "add", "openai/text-embedding-3-small")
    at = ("--base-url", "http://localhost:1/v1", "--model", "text-embedding-3-small")
    assert rolecall("endpoints", "add", "lab/e", *at).exit_code == 2
    text = rolecall("registry", "export").stdout
    row = "  - {id: lab/e, model: text-embedding-3-small, base_url: 'http://localhost:1/v1'}\n"
    rolecall("registry", "apply", "-", input=f"endpoints:\n{row}")
    done = rolecall("route", "write a haiku", "-e", "lab/e", "--json")
    assert done.exit_code == 3
    [against] = [one for one in json.loads(done.stdout)["excluded"] if one["endpoint"] == "lab/e"]
    assert against["code"] == "MODALITY_UNSUPPORTED"
    assert against["detail"] == "makes embeddings, no text"
    assert "text-embedding-3-small" in text
    assert "skipped: makes embeddings, no text" in rolecall("probe", "lab/e").stdout


@pytest.mark.parametrize(
    ("endpoint", "options", "key_env"),
    [
        ("azure/gpt-5.5", ("--base-url", "https://r.openai.azure.com/openai/v1"), "AZURE_API_KEY"),
        (
            "amazon-bedrock/openai.gpt-oss-120b-1:0",
            ("--base-url", "https://bedrock-mantle.eu-west-1.api.aws/v1"),
            "AWS_BEARER_TOKEN_BEDROCK",
        ),
        (
            "cloudflare-workers-ai/@cf/openai/gpt-oss-120b",
            ("--base-url", "https://api.cloudflare.com/client/v4/accounts/x/ai/v1"),
            "CLOUDFLARE_API_KEY",
        ),
        ("databricks/databricks-gpt-oss-20b", ("--base-url", "https://h/v1"), "DATABRICKS_TOKEN"),
        ("lmstudio/openai/gpt-oss-20b", (), None),
        ("my/gpt", ("--model", "gpt-5.5"), "OPENAI_API_KEY"),
        ("my/claude", ("--model", "gpt-5.5", "--api", "anthropic"), "ANTHROPIC_API_KEY"),
        ("far/x", ("--base-url", "https://far.example/v1", "--no-key"), None),
        ("far/x", ("--base-url", "https://far.example/v1", "--key-env", "FAR_KEY"), "FAR_KEY"),
    ],
)
def test_the_key_is_the_one_that_the_server_takes(
    endpoint: str, options: tuple[str, ...], key_env: str | None, rolecall: Rolecall
) -> None:
    done = rolecall("endpoints", "add", endpoint, *options, "--json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["key_env"] == key_env


@pytest.mark.parametrize(
    ("endpoint", "options", "said"),
    [
        ("azure/gpt-5.5", (), "--base-url https://RESOURCE.openai.azure.com/openai/v1"),
        ("azure/claude-sonnet-4-6", (), "--base-url https://RESOURCE.services.ai.azure.com/anth"),
        ("amazon-bedrock/zai.glm-5", (), "--base-url https://bedrock-mantle.REGION.api.aws/v1"),
        ("google-vertex/gemini-2.5-flash", (), '--key-command "gcloud auth print-access-token"'),
        (
            "google-vertex/gemini-2.5-flash",
            ("--base-url", "https://x.googleapis.com/v1/projects/p/locations/l/endpoints/openapi"),
            '--key-command "gcloud auth print-access-token"',
        ),
        ("google-vertex-anthropic/claude-opus-4@20250514", (), "is not supported: Claude on Vert"),
        ("sap-ai-core/gpt-5", ("--base-url", "https://x/v1"), "is not supported: SAP's"),
        ("gitlab/duo-chat-gpt-5-1", (), "is not supported: GitLab's gateway"),
        ("github-copilot/gpt-5.4", (), "--key-command"),
        ("far/x", ("--base-url", "https://far.example/v1"), "--key-env NAME of the variable"),
        ("openai/gpt-4o", ("--key-env", "AWS_REGION"), "AWS_REGION holds no key"),
    ],
)
def test_what_only_its_customer_knows_is_asked_for(
    endpoint: str, options: tuple[str, ...], said: str, rolecall: Rolecall
) -> None:
    done = rolecall("endpoints", "add", endpoint, *options)
    assert (done.exit_code, done.stdout) == (2, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 2


def test_a_model_outside_the_catalog_is_one_command_that_the_hint_says(rolecall: Rolecall) -> None:
    failed = rolecall("endpoints", "add", "vllm/x")
    assert failed.exit_code == 2
    line = "rolecall endpoints add vllm/x --base-url http://localhost:8000/v1 --context 32768"
    assert failed.stderr.splitlines()[1] == f"hint: outside the catalog: {line}"
    done = rolecall(*line.split()[1:])
    assert (done.exit_code, done.stdout) == (0, "added endpoint vllm/x\n")
    assert "rolecall models edit x" in done.stderr
    endpoint = json.loads(rolecall("endpoints", "show", "vllm/x", "--json").stdout)
    assert (endpoint["api"], endpoint["key_env"], endpoint["remote_model"]) == ("openai", None, "x")
    assert json.loads(rolecall("models", "show", "x", "--json").stdout)["context_tokens"] == 32768
    assert rolecall("route", "hi", "-e", "vllm/x").stdout == "vllm/x\n"


def test_a_model_of_ones_own_server_has_what_the_catalog_says_of_it(rolecall: Rolecall) -> None:
    at = ("--base-url", "http://gpu:8000/v1")
    assert rolecall("endpoints", "add", "vllm/Qwen/Qwen3-32B", *at).exit_code == 0
    endpoint = json.loads(rolecall("endpoints", "show", "vllm/Qwen/Qwen3-32B", "--json").stdout)
    assert (endpoint["model"], endpoint["remote_model"]) == ("Qwen3-32B", "Qwen/Qwen3-32B")
    model = json.loads(rolecall("models", "show", "Qwen3-32B", "--json").stdout)
    assert "tools" in model["capabilities"]
    assert rolecall("endpoints", "add", "ollama/llama3.2:3b").exit_code == 0
    pulled = json.loads(rolecall("endpoints", "show", "ollama/llama3.2:3b", "--json").stdout)
    assert (pulled["api"], pulled["remote_model"]) == ("ollama", "llama3.2:3b")
    assert pulled["locality"] == "local"


def test_a_key_is_found_under_its_other_name(rolecall: Rolecall) -> None:
    gemini = ("-e", "google/gemini-3.5-flash")
    done = rolecall("route", "hi", *gemini, env={"GOOGLE_API_KEY": "k"})
    assert (done.exit_code, done.stdout) == (0, "google/gemini-3.5-flash\n")
    listed = rolecall("endpoints", "list", "--json", env={"GOOGLE_GENERATIVE_AI_API_KEY": "k"})
    keys = {one["id"]: one["key"] for one in json.loads(listed.stdout)["endpoints"]}
    assert keys["google/gemini-3.5-flash"] == "set"


def test_what_is_no_key_is_never_sent_though_a_registry_names_it(rolecall: Rolecall) -> None:
    row = (
        "{id: aws/x, model: gpt-5.5, base_url: 'http://localhost:1/v1', key_env: AWS_ACCESS_KEY_ID}"
    )
    rolecall("registry", "apply", "-", input=f"endpoints:\n  - {row}\n")
    done = rolecall("ask", "hi", "-e", "aws/x", env={"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE"})
    assert done.exit_code == 3
    assert "AWS_ACCESS_KEY_ID holds no key" in done.stderr
