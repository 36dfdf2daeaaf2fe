"""Serve a GGUF file by llama.cpp on loopback: `python llama.py FILE PORT KEY`.

One slot and one thread: requests wait for one another, and nothing spins on a busy machine.
Ends when stdin does, so that it never outlives who started it.
"""

from __future__ import annotations

import sys

import xllamacpp


def main(path: str, port: int, key: str) -> None:
    """Serve until stdin ends."""
    wanted = xllamacpp.CommonParams()
    wanted.model.path = path
    wanted.model_alias = {"tiny"}
    wanted.port = port
    wanted.api_keys = [key]
    wanted.n_parallel = 1
    wanted.cpuparams.n_threads = 1
    wanted.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(wanted)
    sys.stdin.read()
    del server


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
