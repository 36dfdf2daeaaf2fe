"""The registry document of a fault server, applied by the command itself."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import yaml

from rolecall.registry.core.entities import Price
from rolecall.registry.documents.schema import TYPES
from tests.conftest import Rolecall
from tests.faults.__main__ import all_served
from tests.faults.asking import APIS, body
from tests.faults.registry import Served, registry_yaml
from tests.faults.server import FaultServer

ROOT = Path(__file__).parents[2]


def test_a_document_makes_a_registry_of_these_endpoints_alone(
    rolecall: Rolecall, tmp_path: Path
) -> None:
    file = tmp_path / "registry.yaml"
    with FaultServer() as server:
        served = [
            Served(endpoint="here/alpha", api="ollama", key_env="A_KEY", context_tokens=9000),
            Served(endpoint="there/alpha", price=Price(0.5, 1.5), modalities=("text",)),
            Served(endpoint="gone/beta", base_url=server.refusing_url("openai")),
        ]
        file.write_text(registry_yaml(server, served))
        base_urls = [server.base_url("ollama"), server.base_url("openai")]
        base_urls.append(server.refusing_url("openai"))
    assert rolecall("registry", "apply", file).exit_code == 0
    assert rolecall("registry", "check").exit_code == 0
    listed = json.loads(rolecall("endpoints", "list", "--json").stdout)
    found = {one["id"]: one for one in listed["endpoints"]}
    assert list(found) == ["gone/beta", "here/alpha", "there/alpha"]
    assert [found[one.endpoint]["base_url"] for one in served] == base_urls
    assert found["here/alpha"]["key_env"] == "A_KEY"
    assert found["there/alpha"]["remote_model"] == "alpha"
    assert found["there/alpha"]["price"]["output_usd_per_mtok"] == 1.5
    again = rolecall("registry", "apply", file, "--prune", "--dry-run")
    assert again.stdout == "no change\n"


def test_a_document_names_every_section_and_the_built_in_strategies() -> None:
    with FaultServer() as server:
        document = yaml.safe_load(registry_yaml(server, all_served(server)))
    assert set(document) == set(TYPES) - {"judged_rows"}  # which is there only with rows
    assert (document["roles"], document["tasks"], document["scopes"]) == ([], [], [])
    names = [one["id"] for one in document["strategies"]]
    assert names == ["balanced", "cheapest", "fast", "private", "quality"]
    ids = [one["id"] for one in document["endpoints"]]
    assert {f"{api}/good" for api in APIS} < set(ids)
    assert "gemini/fault-cut-middle" in ids
    assert len(ids) > 150


def test_it_runs_on_its_own_and_prints_its_registry() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    names = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.faults", "--port", str(port)]
    with subprocess.Popen(
        command, cwd=ROOT, env=names, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            assert process.stdout is not None
            first = process.stdout.readline()
            url = f"http://127.0.0.1:{port}/v1/chat/completions"
            answer = httpx.post(
                url, json=body("openai", "fault-not_found"), trust_env=False, verify=False
            )
        finally:
            process.terminate()
    assert first.startswith("# A rolecall registry")
    assert answer.status_code == 404
