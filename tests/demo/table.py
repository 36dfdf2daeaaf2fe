"""Print decisions (JSON lines on stdin) as a short table, each as soon as it comes."""

import json
import sys

from rolecall.registry.core.formatting import usd

for line in sys.stdin:
    decision = json.loads(line)
    best = next(iter(decision["candidates"]), None)
    figures = f"{best['success']:.2f}  {usd(best['cost_usd'])}" if best else ""
    words = (decision["custom_id"], decision["task"]["kind"], decision["chosen"] or "none")
    print("{:<12}{:<11}{:<28}".format(*words), figures, flush=True)
