"""Why an answer ended is put in few words, and what is not known is no good end."""

from __future__ import annotations

import pytest

from rolecall.registry.providers.finish_reasons import finish_word


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        *(("stop", "stop"), ("STOP", "stop"), ("eos", "stop"), ("end_turn", "stop")),
        *(("stop_sequence", "stop"), ("COMPLETE", "stop"), ("pause_turn", "stop")),
        *(("length", "length"), ("model_length", "length"), ("MAX_TOKENS", "length")),
        *(("max_output_tokens", "length"), ("model_context_window_exceeded", "length")),
        *(("function_call", "tool_calls"), ("tool_use", "tool_calls")),
        *(("content_filter", "content_filter"), ("content_filter: SAFETY", "content_filter")),
        *(("RECITATION", "content_filter"), ("PROHIBITED_CONTENT", "content_filter")),
        *(("BLOCKLIST", "content_filter"), ("IMAGE_SAFETY", "content_filter")),
        *(("refusal", "content_filter"), ("sensitive", "content_filter")),
        *(("guardrail_intervened", "content_filter"), ("content_filtered", "content_filter")),
        *(("ERROR_TOXIC", "content_filter"), ("unsafe", "content_filter")),
        *(("repetition_truncation", "repetition_truncation"), ("OTHER", "OTHER")),
        *(("unstoppable", "unstoppable"), ("eos_failure", "eos_failure")),
    ],
)
def test_a_reason_is_told_in_openais_words_or_as_it_was_said(said: str, meant: str) -> None:
    assert finish_word(said) == meant
