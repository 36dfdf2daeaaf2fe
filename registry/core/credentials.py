"""Environment variables: which of them hold a key, and by what other names a key is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

# The names by which one and the same key goes in providers' own clients and in other tools.
_SAME_KEY: tuple[tuple[str, ...], ...] = (
    ("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GENERATIVE_AI_API_KEY"),
    ("AZURE_API_KEY", "AZURE_OPENAI_API_KEY"),
    ("TOGETHER_API_KEY", "TOGETHERAI_API_KEY", "TOGETHER_AI_API_KEY"),
    ("HF_TOKEN", "HUGGINGFACE_API_KEY", "HUGGING_FACE_HUB_TOKEN", "HUGGINGFACEHUB_API_TOKEN"),
    ("COHERE_API_KEY", "CO_API_KEY"),
    ("ZHIPU_API_KEY", "ZHIPUAI_API_KEY", "ZAI_API_KEY"),
    ("FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY"),
    ("NVIDIA_API_KEY", "NVIDIA_NIM_API_KEY", "NIM_API_KEY"),
    ("PERPLEXITY_API_KEY", "PERPLEXITYAI_API_KEY", "PPLX_API_KEY"),
    ("AI_GATEWAY_API_KEY", "VERCEL_AI_GATEWAY_API_KEY"),
    ("DEEPINFRA_API_KEY", "DEEPINFRA_TOKEN", "DEEPINFRA_API_TOKEN"),
    ("DIGITALOCEAN_ACCESS_TOKEN", "DIGITALOCEAN_INFERENCE_KEY"),
    ("CLOUDFLARE_API_KEY", "CLOUDFLARE_API_TOKEN"),
)
# Words that a variable with a key has in its name, and endings of those that hold something else:
# an account, a place, or a secret from which a token has yet to be made.
_KEY_WORDS = frozenset({"KEY", "APIKEY", "TOKEN", "PAT"})
_NO_KEY_ENDINGS = (
    *("_ID", "_NAME", "_REGION", "_LOCATION", "_ZONE", "_PROJECT", "_ACCOUNT", "_ORGANIZATION"),
    *("_HOST", "_URL", "_URI", "_ENDPOINT", "_BASE", "_PORT", "_VERSION", "_DEPLOYMENT"),
    *("_CREDENTIALS", "_CREDENTIALS_FILE", "_SECRET_ACCESS_KEY", "_SERVICE_KEY", "_KEY_FILE"),
    *("_PROFILE", "_USERNAME", "_USER", "_PRIVATE_KEY"),
)


def holds_no_key(variable: str) -> bool:
    """Tell whether a variable, by its name, holds something that no server takes for a key."""
    return variable.endswith(_NO_KEY_ENDINGS)


def first_key(variables: Iterable[str]) -> str | None:
    """Return the first of the variables that, by its name, holds a key; null where none does."""
    return next((one for one in variables if _has_key_word(one) and not holds_no_key(one)), None)


def key_in(environment: Mapping[str, str], variable: str) -> str:
    """Return the key that a variable holds, else one of the same key's other names; else ""."""
    names = next((names for names in _SAME_KEY if variable in names), ())
    for name in (variable, *names):
        key = environment.get(name, "").strip()
        if key:
            return key
    return ""


def available_keys(environment: Mapping[str, str]) -> frozenset[str]:
    """Return every variable for which `key_in` finds a key: those set, and their other names."""
    found = {name for name, value in environment.items() if value}
    return frozenset(found.union(*(names for names in _SAME_KEY if not found.isdisjoint(names))))


def _has_key_word(variable: str) -> bool:
    return not _KEY_WORDS.isdisjoint(variable.split("_"))
