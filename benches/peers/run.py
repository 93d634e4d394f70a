"""Measures Guidepost and its peers side by side on this machine and prints a Markdown table.

Every system is a child process that stays loaded; in each round every one takes its turn with one thread, then with
two, in an order that rotates. One works at a time. Figures are medians over rounds, and ratios are taken within a
round before the median, so that a slow minute of the machine touches both sides of a ratio alike.

`benches/peers/run` prepares everything this needs and calls it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from child import Child, System, cpu_seconds, machine_ticks
from report import Measurement, Peak, Sample, render
from workload import BLOCKS, Workload, build_workload

REPOSITORY = Path(__file__).resolve().parents[2]

THREADS = (1, 2)
WARM_UP_BLOCK = BLOCKS - 1

# Longer than any runtime's threads spin after their last task (200 ms for the OpenMP of CTranslate2).
SETTLE_SECONDS = 0.3

GUIDEPOST = {
    "guidepost-f32": ("Guidepost f32", "f32"),
    "guidepost-fast": ("Guidepost fast", "fast"),
    "guidepost-int8": ("Guidepost int8", "int8"),
    "candle-transformers": ("candle-transformers f32", "stock"),
}
PEERS = {
    "sentence-transformers": "sentence-transformers f32",
    "onnxruntime": "ONNX Runtime f32",
    "onnxruntime-fused": "ONNX Runtime f32, BERT fusion",
    "openvino": "OpenVINO f32",
    "ctranslate2": "CTranslate2 f32",
    "onnxruntime-int8": "ONNX Runtime int8",
    "onnxruntime-int8-reduced": "ONNX Runtime int8, reduced range",
    "onnxruntime-int8-channel": "ONNX Runtime int8 per channel",
    "onnxruntime-int8-channel-reduced": "ONNX Runtime int8 per channel, reduced range",
    "openvino-int8-weights": "OpenVINO int8 weights",
    "openvino-int8": "OpenVINO int8, calibrated",
    "ctranslate2-int8": "CTranslate2 int8",
}
COSINE_REFERENCE = "sentence-transformers"


def main() -> None:
    """Build the workload, start everything, measure, report."""
    arguments = parse_arguments()
    workload = build_workload(
        arguments.model, REPOSITORY / "corpus", arguments.texts, compare_all=arguments.compare_all
    )
    arguments.scratch.mkdir(parents=True, exist_ok=True)
    workload_file = arguments.scratch / "workload.json"
    workload.write(workload_file)
    systems = chosen_systems(arguments)
    with started(systems, workload_file, arguments.scratch) as children:
        measurement = measure(children, workload, arguments)
    table = render(measurement, systems, workload, shown_arguments(sys.argv[1:]))
    print(table)
    if arguments.out:
        arguments.out.write_text(table + "\n", encoding="utf-8")
    if arguments.json:
        write_raw(arguments.json, measurement, workload)


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="benches/peers/run", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7, help="rounds to take medians over; 0 compares vectors alone (default 7)")
    parser.add_argument("--compare-all", action="store_true", help="compare the vectors of all texts, not of 200")
    parser.add_argument("--texts", type=Path, help="also draw from this BEIR folder (corpus.jsonl, queries.jsonl)")
    parser.add_argument("--systems", help="only these, comma-separated: " + ", ".join([*GUIDEPOST, *PEERS]))
    parser.add_argument("--guidepost", type=Path, default=default_server(), help="the `embed_server` binary")
    parser.add_argument("--out", type=Path, help="write the table here as well")
    parser.add_argument("--json", type=Path, help="write all raw numbers here")
    parser.add_argument("--model", type=Path, required=True, help="folder of the model (set by the script)")
    parser.add_argument("--exports", type=Path, required=True, help="folder of the exports (set by the script)")
    parser.add_argument("--scratch", type=Path, required=True, help="folder for scratch files (set by the script)")
    return parser.parse_args()


def shown_arguments(arguments: list[str]) -> list[str]:
    """The arguments a person gave: those the script adds come first, as three pairs."""
    return arguments[6:]


def default_server() -> Path:
    """`GUIDEPOST_SERVER`, or where cargo puts it."""
    return Path(os.environ.get("GUIDEPOST_SERVER") or REPOSITORY / "target/release/embed_server")


def chosen_systems(arguments: argparse.Namespace) -> list[System]:
    """All systems that can run here, or those asked for."""
    serve = [sys.executable, str(Path(__file__).with_name("serve.py"))]
    exports = ("--exports", str(arguments.exports))
    systems = [
        System(name, label, (str(arguments.guidepost), precision), ()) for name, (label, precision) in GUIDEPOST.items()
    ]
    if not arguments.guidepost.exists():
        print("no `embed_server`: Guidepost and candle-transformers are left out; build it or name it by --guidepost")
        systems = []
    systems += [System(name, label, (*serve, name), exports) for name, label in PEERS.items()]
    if not arguments.systems:
        return systems
    wanted = arguments.systems.split(",")
    if unknown := [name for name in wanted if name not in GUIDEPOST and name not in PEERS]:
        raise SystemExit(f"no system `{unknown[0]}`; there are {', '.join([*GUIDEPOST, *PEERS])}")
    return [system for system in systems if system.name in wanted]


@contextmanager
def started(systems: list[System], workload_file: Path, scratch: Path) -> Iterator[dict[tuple[str, int], Child]]:
    """One loaded child per system and thread count; all are stopped at the end, whatever happens."""
    children: dict[tuple[str, int], Child] = {}
    try:
        for threads in THREADS:
            for system in systems:
                progress(f"loading {system.name}, {threads} threads")
                children[system.name, threads] = Child(system, threads, workload_file, scratch / "children.log")
        yield children
    finally:
        for child in children.values():
            child.stop()


def measure(children: dict[tuple[str, int], Child], workload: Workload, arguments: argparse.Namespace) -> Measurement:
    """Vectors once, a warm-up, then the rounds."""
    cosines = compare_vectors(children, arguments.scratch)
    if arguments.rounds:
        for child in children.values():
            take_turn(child, WARM_UP_BLOCK)
    recorder = Recorder(children, workload)
    for round_number in range(arguments.rounds):
        progress(f"round {round_number + 1} of {arguments.rounds}")
        for threads in THREADS:
            recorder.record_peak(threads, round_number)
            for name in rotated([name for name, count in children if count == threads], round_number):
                recorder.record(name, threads, round_number)
    return recorder.measurement(cosines)


def rotated(names: list[str], by: int) -> list[str]:
    """The same order, begun elsewhere in each round."""
    start = by % len(names) if names else 0
    return names[start:] + names[:start]


def compare_vectors(children: dict[tuple[str, int], Child], scratch: Path) -> dict[str, tuple[float, float]]:
    """Smallest and mean cosine of each system to the reference, over both thread counts."""
    vectors: dict[str, list[np.ndarray]] = {}
    for (name, threads), child in children.items():
        file = scratch / f"vectors-{name}-{threads}.npy"
        child.ask(f"vectors {file}")
        vectors.setdefault(name, []).append(np.load(file))
    if COSINE_REFERENCE not in vectors:
        return {}
    reference = vectors[COSINE_REFERENCE][0]
    similar = {name: [np.sum(run * reference, axis=1) for run in runs] for name, runs in vectors.items()}
    return {name: (float(np.min(rows)), float(np.mean(rows))) for name, rows in similar.items()}


def take_turn(child: Child, block: int) -> dict[str, dict[str, float]]:
    """The three commands of one turn, then quiet, so that no thread of this system spins into the next turn."""
    replies = {
        "question": child.ask("question"),
        "natural": child.ask(f"natural {block}"),
        "fixed": child.ask(f"fixed {block}"),
    }
    time.sleep(SETTLE_SECONDS)
    return replies


@dataclass
class Recorder:
    """Collects samples, and watches that idle children stay idle and how busy the rest of the machine is."""

    children: dict[tuple[str, int], Child]
    workload: Workload
    samples: list[Sample] = field(default_factory=list)
    peaks: list[Peak] = field(default_factory=list)
    idle_cpu_seconds: float = 0.0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.first_ticks = machine_ticks()
        self.first_cpu_seconds = self.cpu_seconds_of_all()

    def record_peak(self, threads: int, round_number: int) -> None:
        """The machine's f32 peak, where a Guidepost child runs and knows the command."""
        child = next((self.children[key] for key in self.children if key[1] == threads and key[0] in GUIDEPOST), None)
        gflops = child.ask_peak() if child else None
        if gflops is not None:
            self.peaks.append(Peak(threads, round_number, gflops))

    def record(self, name: str, threads: int, round_number: int) -> None:
        """One turn of one system."""
        child = self.children[name, threads]
        block = round_number % WARM_UP_BLOCK
        others = [other for other in self.children.values() if other is not child]
        idle_before, start = sum(map(Child.cpu_seconds, others)), time.perf_counter()
        replies = take_turn(child, block)
        self.seconds += time.perf_counter() - start
        self.idle_cpu_seconds += sum(map(Child.cpu_seconds, others)) - idle_before
        self.samples.append(self.sample(name, threads, round_number, block, replies))

    def sample(
        self, name: str, threads: int, round_number: int, block: int, replies: dict[str, dict[str, float]]
    ) -> Sample:
        natural, fixed = (self.workload.lengths[kind][block].tokens for kind in ("natural", "fixed"))
        return Sample(
            system=name,
            threads=threads,
            round=round_number,
            block=block,
            question_p50_ms=replies["question"]["p50_ms"],
            question_p95_ms=replies["question"]["p95_ms"],
            natural_tokens_per_second=natural / replies["natural"]["seconds"],
            fixed_tokens_per_second=fixed / replies["fixed"]["seconds"],
        )

    def measurement(self, cosines: dict[str, tuple[float, float]]) -> Measurement:
        """Everything that was seen."""
        busy, total = (after - before for before, after in zip(self.first_ticks, machine_ticks(), strict=True))
        ours = (self.cpu_seconds_of_all() - self.first_cpu_seconds) * os.sysconf("SC_CLK_TCK")
        return Measurement(
            samples=self.samples,
            peaks=self.peaks,
            cosines=cosines,
            idle_share=self.idle_cpu_seconds / max(self.seconds, 1e-9),
            foreign_share=max(0.0, busy - ours) / max(total, 1),
        )

    def cpu_seconds_of_all(self) -> float:
        return sum(map(Child.cpu_seconds, self.children.values())) + cpu_seconds(os.getpid())


def write_raw(path: Path, measurement: Measurement, workload: Workload) -> None:
    """All raw numbers."""
    lengths = {kind: [asdict(block) for block in blocks] for kind, blocks in workload.lengths.items()}
    raw: dict[str, Any] = {**asdict(measurement), "lengths": lengths}
    path.write_text(json.dumps(raw, indent=1) + "\n", encoding="utf-8")


def progress(message: str) -> None:
    """A line for whoever waits."""
    print(message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
