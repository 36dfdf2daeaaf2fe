#!/usr/bin/env bash
# The main job on real input: many prompts routed, one choice explained, a role edited and the effect seen.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export ROLECALL_REGISTRY
ROLECALL_REGISTRY=$(mktemp -d)/registry.db
trap 'rm -rf "$(dirname "$ROLECALL_REGISTRY")"' EXIT

say() { printf '\n\033[1m$ %s\033[0m\n' "$*"; }
[ -t 1 ] && [ -z "${NO_COLOR:-}" ] || say() { printf '\n$ %s\n' "$*"; }

# Routing sends nothing. Placeholders stand in for keys that are not set, so that every endpoint takes part.
for key in ANTHROPIC_API_KEY OPENAI_API_KEY GEMINI_API_KEY GROQ_API_KEY DEEPSEEK_API_KEY MISTRAL_API_KEY; do
    [ -n "${!key:-}" ] || { export "$key=placeholder"; missing="${missing:-}$key "; }
done
[ -z "${missing:-}" ] || echo "Nothing is sent in this demo. Placeholders stand in for: $missing"

say "rolecall endpoints list"
rolecall endpoints list

say "rolecall route --jsonl < prompts.jsonl | python table.py"
printf '%-12s%-11s%-28s %s\n' prompt task endpoint "success  cost"
rolecall route --jsonl <"$here/prompts.jsonl" | python "$here/table.py"

say "rolecall route 'Prove that sqrt(2) is irrational'"
rolecall route 'Prove that sqrt(2) is irrational'

say "rolecall explain"
rolecall explain

say "EDITOR=\"sed -i 's/strategy: null/strategy: quality/'\" rolecall roles edit math"
EDITOR="sed -i 's/strategy: null/strategy: quality/'" rolecall roles edit math

say "rolecall route 'Prove that sqrt(2) is irrational'"
rolecall route 'Prove that sqrt(2) is irrational'

say "rolecall explain | sed -n 1,6p"
rolecall explain | sed -n 1,6p
