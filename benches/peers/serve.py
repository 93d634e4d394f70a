"""One embedding runtime as a child process: loads once, then answers line commands with one JSON line each.

    python serve.py RUNTIME THREADS WORKLOAD --exports DIR

`READY` comes first. Then `question`, `natural I`, `fixed I`, `vectors FILE` and `quit`; README.md has the replies.
Each runtime is set up as its documentation advises for this processor and thread count. What is timed is text to unit
vector: tokenization, sorting by length, padding and pooling included.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# Texts per batch, sorted by length. Of 4, 8, 16, 32 and 64 the best over both workloads on two Xeon cores with
# AVX-512: larger batches of natural text carry more padding and leave the cache.
SENTENCE_TRANSFORMERS_BATCH = 16
ONNXRUNTIME_BATCH = 8
OPENVINO_BATCH = 8
CTRANSLATE2_BATCH = 8

TokenIds = list[list[int]]
Runner = Callable[[TokenIds], np.ndarray]


class Embedder(Protocol):
    """What every runtime offers."""

    def embed_one(self, text: str) -> np.ndarray:
        """The vector of one text, as soon as possible."""

    def embed_many(self, texts: list[str]) -> np.ndarray:
        """The vectors of many texts, as fast as possible altogether."""


@dataclass
class Engine:
    """A runtime that takes token ids: `answer` uses all threads for one batch, `throughput` one thread per batch."""

    batch: int
    answer: Runner
    throughput: Runner


class BatchingEmbedder:
    """Tokenizes, sorts by length and feeds batches, each thread of the machine one batch at a time."""

    def __init__(self, engine: Engine, tokenizer: Tokenizer, threads: int) -> None:
        self.engine = engine
        self.tokenizer = tokenizer
        self.pool = ThreadPoolExecutor(threads) if threads > 1 else None

    def embed_one(self, text: str) -> np.ndarray:
        return self.engine.answer([self.tokenizer.encode(text).ids])[0]

    def embed_many(self, texts: list[str]) -> np.ndarray:
        ids = [encoding.ids for encoding in self.tokenizer.encode_batch(texts)]
        longest_first = sorted(range(len(ids)), key=lambda place: -len(ids[place]))
        step = self.engine.batch
        batches = [longest_first[start : start + step] for start in range(0, len(ids), step)]
        results = self.map([[ids[place] for place in batch] for batch in batches])
        vectors = [vector for result in results for vector in result]
        ordered = np.empty((len(ids), len(vectors[0])), dtype=np.float32)
        ordered[longest_first] = vectors
        return ordered

    def map(self, batches: list[TokenIds]) -> Iterable[np.ndarray]:
        if self.pool is None:
            return map(self.engine.throughput, batches)
        return self.pool.map(self.engine.throughput, batches)


class SentenceTransformersEmbedder:
    """The library's own `encode`, which sorts and batches by itself."""

    def __init__(self, model: str, threads: int) -> None:
        import torch
        from sentence_transformers import SentenceTransformer

        torch.set_num_threads(threads)
        self.model = SentenceTransformer(model, device="cpu", local_files_only=True)

    def embed_one(self, text: str) -> np.ndarray:
        return self.embed_many([text])[0]

    def embed_many(self, texts: list[str]) -> np.ndarray:
        return self.model.encode(texts, batch_size=SENTENCE_TRANSFORMERS_BATCH, show_progress_bar=False)


def onnxruntime_engine(path: Path, threads: int) -> Engine:
    """ONNX Runtime with all graph optimizations, which are its default."""
    import onnxruntime

    def runner(session_threads: int) -> Runner:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = session_threads
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        return lambda ids: session.run(None, padded(ids))[0]

    answer = runner(threads)
    return Engine(ONNXRUNTIME_BATCH, answer, answer if threads == 1 else runner(1))


def openvino_engine(path: Path, threads: int) -> Engine:
    """OpenVINO with f32 stated, because processors with bf16 units would otherwise round silently."""
    import openvino

    core = openvino.Core()

    def runner(streams: int) -> Runner:
        options = {
            "INFERENCE_PRECISION_HINT": "f32",
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": streams,
        }
        compiled = core.compile_model(str(path), "CPU", options)
        requests = threading.local()

        def run(ids: TokenIds) -> np.ndarray:
            if not hasattr(requests, "request"):
                requests.request = compiled.create_infer_request()
            return requests.request.infer(padded(ids))[0].copy()

        return run

    answer = runner(1)
    return Engine(OPENVINO_BATCH, answer, answer if threads == 1 else runner(threads))


def ctranslate2_engine(path: Path, threads: int, compute_type: str) -> Engine:
    """CTranslate2, which returns token states: pooling and normalization are ours."""
    import ctranslate2

    def runner(replicas: int, threads_each: int) -> Runner:
        encoder = ctranslate2.Encoder(
            str(path), device="cpu", compute_type=compute_type, inter_threads=replicas, intra_threads=threads_each
        )
        return lambda ids: mean_pooled(np.asarray(encoder.forward_batch(ids).last_hidden_state), ids)

    answer = runner(1, threads)
    return Engine(CTRANSLATE2_BATCH, answer, answer if threads == 1 else runner(threads, 1))


def padded(ids: TokenIds) -> dict[str, np.ndarray]:
    """Token ids and mask, padded to the longest of the batch."""
    shape = (len(ids), max(map(len, ids)))
    inputs = {"input_ids": np.zeros(shape, np.int64), "attention_mask": np.zeros(shape, np.int64)}
    for row, text_ids in enumerate(ids):
        inputs["input_ids"][row, : len(text_ids)] = text_ids
        inputs["attention_mask"][row, : len(text_ids)] = 1
    return inputs


def mean_pooled(states: np.ndarray, ids: TokenIds) -> np.ndarray:
    """Unit vectors of the mean over each text's own tokens."""
    lengths = np.array([len(text_ids) for text_ids in ids])
    mask = (np.arange(states.shape[1]) < lengths[:, None]).astype(np.float32)
    sums = np.matmul(mask[:, None, :], states)[:, 0]
    return sums / np.linalg.norm(sums, axis=1, keepdims=True)


def load_embedder(runtime: str, threads: int, workload: dict[str, Any], exports: Path) -> Embedder:
    """The embedder named `runtime`; the names are those of run.py."""
    if runtime == "sentence-transformers":
        return SentenceTransformersEmbedder(workload["model"], threads)
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(Path(workload["model"]) / "tokenizer.json"))
    tokenizer.enable_truncation(workload["max_tokens"])
    tokenizer.no_padding()
    return BatchingEmbedder(load_engine(runtime, threads, exports), tokenizer, threads)


def load_engine(runtime: str, threads: int, exports: Path) -> Engine:
    """The engine of a runtime, over the file that export.py wrote for it."""
    if runtime.startswith("onnxruntime"):
        return onnxruntime_engine(exports / f"{runtime}.onnx", threads)
    if runtime.startswith("openvino"):
        return openvino_engine(exports / f"{runtime}.xml", threads)
    if runtime.startswith("ctranslate2"):
        compute_type = "int8" if runtime.endswith("int8") else "float32"
        return ctranslate2_engine(exports / runtime, threads, compute_type)
    raise SystemExit(f"no runtime `{runtime}`")


def time_questions(embedder: Embedder, questions: list[str]) -> dict[str, float]:
    """Each question by itself; median and 95th percentile in milliseconds."""
    milliseconds = []
    for question in questions:
        start = time.perf_counter()
        embedder.embed_one(question)
        milliseconds.append((time.perf_counter() - start) * 1e3)
    return {"p50_ms": float(np.percentile(milliseconds, 50)), "p95_ms": float(np.percentile(milliseconds, 95))}


def time_block(embedder: Embedder, texts: list[str]) -> dict[str, float]:
    """A block of texts in one call."""
    start = time.perf_counter()
    vectors = embedder.embed_many(texts)
    return {"seconds": time.perf_counter() - start, "texts": len(vectors)}


def reply(embedder: Embedder, workload: dict[str, Any], line: str) -> dict[str, Any]:
    """The answer to one command."""
    command, _, argument = line.partition(" ")
    if command == "question":
        return time_questions(embedder, workload["questions"])
    if command in ("natural", "fixed"):
        return time_block(embedder, workload[command][int(argument)])
    if command == "vectors":
        np.save(argument, embedder.embed_many(workload["vectors"]).astype(np.float32))
        return {}
    return {"error": f"no command `{line}`"}


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runtime")
    parser.add_argument("threads", type=int)
    parser.add_argument("workload", type=Path)
    parser.add_argument("--exports", type=Path, required=True)
    return parser.parse_args()


def main() -> None:
    """Load, say so, and answer until `quit` or the end of input."""
    arguments = parse_arguments()
    for pool in ("OMP_NUM_THREADS", "RAYON_NUM_THREADS"):
        os.environ[pool] = str(arguments.threads)
    workload = json.loads(arguments.workload.read_text(encoding="utf-8"))
    embedder = load_embedder(arguments.runtime, arguments.threads, workload, arguments.exports)
    print("READY", flush=True)
    for line in sys.stdin:
        if line.strip() == "quit":
            break
        print(json.dumps(reply(embedder, workload, line.strip())), flush=True)


if __name__ == "__main__":
    main()
