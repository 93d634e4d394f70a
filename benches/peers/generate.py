"""Reads and writes with a language model, in Guidepost and in llama.cpp by turns, and says how fast each is.

    pip install llama-cpp-python==0.3.36 gguf==0.19.0 tokenizers
    cargo build --release -p guidepost-benches --bin generate_speed
    python benches/peers/generate.py MODEL.gguf
    python benches/peers/generate.py --random Q4_K_M --shape 1.5B --layers 8

The second form makes a model of random numbers in the shape of a Qwen2.5: speed depends on shapes and on what kind of numbers
the weights are, not on what the numbers are. llama.cpp's own tool chooses the kinds, as it does for real files of that name.
Fewer layers than the original has save time; the part of the vocabulary grows accordingly. Each system runs alone, with all
processors, and they take turns; the median of the rounds counts. Reading is the time to the first token of a prompt that is new,
writing the time for 64 tokens more (Guidepost's includes cutting the prompt again). `--other` takes another build of
`generate_speed` into the turns.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
TINY = ROOT / "tests/fixtures/language_models/qwen2.gguf"
TOKENS = 151936
TRAINED = 24000
# Types of tokens in a GGUF file.
NORMAL, CONTROL = 1, 3
# Layers, width, heads, heads of keys, numbers per head, inner width.
SHAPES = {"0.5B": (24, 896, 14, 2, 64, 4864), "1.5B": (28, 1536, 12, 2, 128, 8960)}
# llama.cpp's numbers for kinds of files.
KINDS = {"Q4_0": 2, "Q8_0": 7, "Q4_K_M": 15, "Q5_K_M": 17, "Q6_K": 18}


def tensors(shape, layers):
    _, width, heads, key_heads, head, inner = shape
    yield "token_embd.weight", (TOKENS, width)
    yield "output_norm.weight", (width,)
    for layer in range(layers):
        block = f"blk.{layer}"
        for part, outputs in (("q", heads * head), ("k", key_heads * head), ("v", key_heads * head)):
            yield f"{block}.attn_{part}.weight", (outputs, width)
            yield f"{block}.attn_{part}.bias", (outputs,)
        yield f"{block}.attn_output.weight", (width, heads * head)
        yield f"{block}.ffn_gate.weight", (inner, width)
        yield f"{block}.ffn_up.weight", (inner, width)
        yield f"{block}.ffn_down.weight", (width, inner)
        yield f"{block}.attn_norm.weight", (width,)
        yield f"{block}.ffn_norm.weight", (width,)


def vocabulary():
    """Pieces and merges of pairs of bytes, so that texts of guides have about as many tokens as with a real vocabulary."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=TRAINED, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train([str(guide) for guide in sorted((ROOT / "corpus").glob("*.md"))], trainer)
    made = json.loads(tokenizer.to_str())["model"]
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in made["merges"]]
    return sorted(made["vocab"], key=made["vocab"].get), merges


def write_random(path, shape, layers):
    """A model with a vocabulary made from the guides that ship, filled up with tokens of no meaning."""
    from gguf import GGUFReader, GGUFWriter

    generator = np.random.default_rng(7)
    tiny = {name: field.contents() for name, field in GGUFReader(TINY).fields.items()}
    pieces, merges = vocabulary()
    types = [NORMAL] * len(pieces)
    special = [at for at, kind in enumerate(tiny["tokenizer.ggml.token_type"]) if kind == CONTROL]
    pieces += [tiny["tokenizer.ggml.tokens"][at] for at in special]
    types += [CONTROL] * len(special)
    pieces += [f"[PAD{token}]" for token in range(len(pieces), TOKENS)]
    types += [NORMAL] * (TOKENS - len(types))
    _, width, heads, key_heads, _, inner = shape
    writer = GGUFWriter(path, "qwen2")
    writer.add_context_length(32768)
    writer.add_embedding_length(width)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(inner)
    writer.add_head_count(heads)
    writer.add_head_count_kv(key_heads)
    writer.add_rope_freq_base(1e6)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_file_type(1)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(pieces)
    writer.add_token_types(types)
    writer.add_token_merges(merges)
    # A token that random numbers hardly ever choose.
    writer.add_eos_token_id(pieces.index("<|im_end|>"))
    writer.add_chat_template(tiny["tokenizer.chat_template"])
    for name, size in tensors(shape, layers):
        numbers = generator.standard_normal(size, dtype=np.float32) / np.float32(size[-1] ** 0.5)
        writer.add_tensor(name, numbers.astype(np.float16) if len(size) == 2 else np.abs(numbers))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def make_random(path, kind, shape, layers):
    import llama_cpp

    exact = f"{path}.f16"
    write_random(exact, shape, layers)
    options = llama_cpp.llama_model_quantize_default_params()
    options.ftype = KINDS[kind]
    failed = llama_cpp.llama_model_quantize(exact.encode(), path.encode(), options)
    os.unlink(exact)
    if failed:
        raise SystemExit("llama.cpp could not make the file")


def guidepost(program, model, prompt, written):
    """Tokens per second: reading and writing."""
    command = [program, model, str(prompt), str(written + 1), "1"]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found["read"] / found["read_seconds"], found["written"] / found["write_seconds"], found["read"]


def llama_cpp(model, prompt, written):
    """The same, in a process of its own."""
    command = [sys.executable, __file__, "--child", model, str(prompt), str(written)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found["read"], found["write"], prompt


def child(model, prompt, written):
    from llama_cpp import Llama

    threads = len(os.sched_getaffinity(0))
    options = {"n_ctx": prompt + written + 64, "n_threads": threads, "n_threads_batch": threads, "verbose": False}
    llama = Llama(model, **options)
    tokens = [token % 250 for token in range(7, 7 + prompt)]
    start = time.perf_counter()
    steps = llama.generate(tokens, top_k=1, temp=0.0, repeat_penalty=1.0)
    next(steps)
    read = time.perf_counter()
    for _ in range(written):
        next(steps)
    end = time.perf_counter()
    print(json.dumps({"read": prompt / (read - start), "write": written / (end - read)}))


def compare(options, model):
    ours = partial(guidepost, ROOT / "target/release/generate_speed", model)
    systems = {"Guidepost": ours, "llama.cpp": partial(llama_cpp, model)}
    if options.other:
        systems["other build"] = partial(guidepost, options.other, model)
    found = {name: [] for name in systems}
    # The chat template adds to what Guidepost reads; llama.cpp gets as many tokens.
    asked = {name: options.prompt for name in systems} | {"llama.cpp": ours(options.prompt, 1)[2]}
    for turn in range(options.rounds):
        for name in sorted(systems, reverse=turn % 2 == 1):
            found[name].append(systems[name](asked[name], options.written))
    processors = len(os.sched_getaffinity(0))
    print(f"median of {options.rounds} rounds, {processors} processors, {options.written} tokens written")
    for name, rows in found.items():
        reads, writes = ([row[column] for row in rows] for column in (0, 1))
        print(
            f"{name:11} reads {rows[0][2]} tokens at {statistics.median(reads):.1f}/s"
            f" ({min(reads):.1f} to {max(reads):.1f}),"
            f" writes {statistics.median(writes):.2f}/s ({min(writes):.2f} to {max(writes):.2f})"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", nargs="?", help="a GGUF file")
    parser.add_argument("--random", metavar="KIND", choices=KINDS, help=f"instead of a file: {', '.join(KINDS)}")
    parser.add_argument("--shape", choices=SHAPES, default="0.5B")
    parser.add_argument("--layers", type=int, help="of a random model [default: as the original]")
    parser.add_argument("--keep", metavar="FILE", help="where a random model goes, made unless it is there")
    parser.add_argument("--other", metavar="PROGRAM", help="another build of generate_speed")
    parser.add_argument("--prompt", type=int, default=512, help="tokens to read")
    parser.add_argument("--written", type=int, default=64, help="tokens to write")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = options.model
        if options.random:
            model = options.keep or str(Path(folder) / "random.gguf")
            if not Path(model).exists():
                shape = SHAPES[options.shape]
                make_random(model, options.random, shape, options.layers or shape[0])
        if model is None:
            parser.error("a model, or --random")
        compare(options, model)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        main()
