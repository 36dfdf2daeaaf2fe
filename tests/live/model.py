"""Make a tiny chat model of random weights, for both servers: `python model.py FOLDER`.

Only whole words have weights in its last layer: the likeliest token is always one of them, never
a special token or half a character. So answers are words, and run on until their limit.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import gguf
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM

CONTEXT_TOKENS = 4_096
SPECIAL = ["<pad>", "<|im_start|>", "<|im_end|>", "<tool_call>", "</tool_call>"]
PAD, END, TOOL_CALLS = 0, 2, (3, 4)  # the last two are part of what the model writes
WORDS = """
amber anchor apple arrow autumn bamboo basket beacon birch bridge candle canyon carbon cedar
circle cobalt copper coral cotton crystal dawn delta desert ember falcon feather fern flint forest
garden ginger glacier granite harbor hazel heron indigo island ivory jasmine juniper kestrel lagoon
lantern laurel lemon lichen linen lotus maple marble meadow mirror mosaic nectar nimbus oak ocean
olive onyx opal orchid otter pebble pepper pine planet plum prairie quartz raven reef river saffron
sage salmon silver sparrow spruce summit thistle timber topaz tulip tundra valley velvet violet
walnut willow winter yarrow zephyr café naïve größe señor smörgås русский ελληνικά 日本語 한국어
"""


def tokenizer() -> Tokenizer:
    """Return byte pairs that know every word as one token."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=4_000,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator([f" {word}" for word in WORDS.split()], trainer)
    return made


def network(vocabulary: Tokenizer) -> LlamaForCausalLM:
    """Return the same random network each time, with nothing but words to say."""
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=vocabulary.get_vocab_size(),
        hidden_size=256,
        intermediate_size=1_024,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=CONTEXT_TOKENS,
        initializer_range=0.2,
        tie_word_embeddings=False,
        bos_token_id=None,
        eos_token_id=END,
        pad_token_id=PAD,
    )
    made = LlamaForCausalLM(config)
    ids = {vocabulary.encode(f" {word}").ids[0] for word in WORDS.split()}
    others = [token for token in range(config.vocab_size) if token not in ids]
    with torch.no_grad():
        made.lm_head.weight[others] = 0.0
    return made


def save_folder(folder: Path, vocabulary: Tokenizer, made: LlamaForCausalLM) -> None:
    """Save the model as transformers reads it."""
    made.save_pretrained(folder)
    vocabulary.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": SPECIAL[END],
        "pad_token": SPECIAL[PAD],
        "chat_template": chat_template(),
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


def save_gguf(path: Path, vocabulary: Tokenizer, made: LlamaForCausalLM) -> None:
    """Save the model as llama.cpp reads it."""
    config = made.config
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    _add_vocabulary(writer, vocabulary)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    for name, tensor in made.state_dict().items():
        writer.add_tensor(names.get_name(name, (".weight",)), tensor.float().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_vocabulary(writer: gguf.GGUFWriter, vocabulary: Tokenizer) -> None:
    types = [gguf.TokenType.CONTROL] * len(SPECIAL)
    for token in TOOL_CALLS:
        types[token] = gguf.TokenType.USER_DEFINED
    tokens = vocabulary.get_vocab()
    merges = json.loads(vocabulary.to_str())["model"]["merges"]
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(sorted(tokens, key=tokens.__getitem__))
    writer.add_token_types(types + [gguf.TokenType.NORMAL] * (len(tokens) - len(types)))
    writer.add_token_merges([" ".join(pair) for pair in merges])
    writer.add_eos_token_id(END)
    writer.add_pad_token_id(PAD)
    writer.add_add_bos_token(False)
    writer.add_chat_template(chat_template())


def chat_template() -> str:
    """Return how a conversation becomes a prompt."""
    return Path(__file__).with_name("chat.jinja").read_text()


def main(folder: Path) -> None:
    """Write `tiny/` for transformers and `tiny.gguf` for llama.cpp into the folder."""
    vocabulary = tokenizer()
    made = network(vocabulary)
    save_folder(folder / "tiny", vocabulary, made)
    save_gguf(folder / "tiny.gguf", vocabulary, made)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
