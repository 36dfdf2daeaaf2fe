"""Print decisions (JSON lines on stdin) as a short table, each as soon as it comes."""

import json
import sys

for line in sys.stdin:
    decision = json.loads(line)
    best = next(iter(decision["candidates"]), None)
    figures = f"{best['success']:.2f}  ${best['cost_usd']:.4f}" if best else ""
    words = (decision["custom_id"], decision["task"]["kind"], decision["chosen"] or "nobody")
    print("{:<12}{:<11}{:<28}".format(*words), figures, flush=True)
