"""The Markdown report: what was measured, on what, and the medians.

The share of the f32 peak counts the arithmetic that the model needs for the real tokens, whatever a system really did;
int8 systems can therefore exceed it.
"""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from statistics import median

from child import System
from workload import Lengths, Workload

REPOSITORY = Path(__file__).resolve().parents[2]

PACKAGES = (
    "torch",
    "sentence-transformers",
    "transformers",
    "tokenizers",
    "onnxruntime",
    "openvino",
    "nncf",
    "ctranslate2",
    "numpy",
)
CRATES = ("guidepost-model", "candle-core", "candle-transformers", "tokenizers")
SIMD_FLAGS = ("avx2", "fma", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_bf16", "amx_int8")
RATIO_REFERENCES = ("guidepost-f32", "sentence-transformers")


@dataclass
class Sample:
    """One turn of one system: what it took in one round with one thread count."""

    system: str
    threads: int
    round: int
    block: int
    question_p50_ms: float
    question_p95_ms: float
    natural_tokens_per_second: float
    fixed_tokens_per_second: float


@dataclass
class Peak:
    """The machine's f32 peak as it was in one round."""

    threads: int
    round: int
    gflops: float


@dataclass
class Measurement:
    """All that was seen; `cosines` are smallest and mean per system, shares are of one core and of the machine."""

    samples: list[Sample]
    peaks: list[Peak]
    cosines: dict[str, tuple[float, float]]
    idle_share: float
    foreign_share: float


Figure = Callable[[Sample], float]


def render(measurement: Measurement, systems: list[System], workload: Workload, arguments: list[str]) -> str:
    """Header, medians, ratios, and how quiet the machine was; cosines alone where there were no rounds."""
    if not measurement.samples:
        return f"{header(measurement, workload, arguments)}\n\n{cosine_table(measurement, systems, workload)}"
    parts = (
        header(measurement, workload, arguments),
        main_table(measurement, systems, workload),
        ratio_table(measurement, systems),
        footer(measurement),
    )
    return "\n\n".join(part for part in parts if part)


def header(measurement: Measurement, workload: Workload, arguments: list[str]) -> str:
    """What was measured, where, and with which versions."""
    rounds = len({sample.round for sample in measurement.samples})
    what = f"medians of {rounds} rounds, all systems interleaved" if rounds else "vectors compared"
    return "\n".join(
        (
            "# Guidepost and its peers on one machine",
            "",
            f"{Path(workload.model).name}, text to unit vector; {what}.",
            "",
            f"- Processor: {processor()} ({simd_flags()})",
            f"- Date: {date.today().isoformat()}",
            f"- Command: `{' '.join(['benches/peers/run', *arguments])}`",
            f"- Python {platform.python_version()}: {', '.join(f'{name} {version(name)}' for name in PACKAGES)}",
            f"- Rust: {crate_versions()}",
            f"- Texts: {describe_lengths(workload)}",
        )
    )


def processor() -> str:
    """Model name and number of cores, as the kernel has them."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]}, {len(names)} cores" if names else platform.machine()


def simd_flags() -> str:
    """Those of the flags that decide between kernels."""
    flags = re.search(r"^flags\s*:(.*)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    present = flags.group(1).split() if flags else []
    return ", ".join(flag for flag in SIMD_FLAGS if flag in present) or "no known SIMD flags"


def crate_versions() -> str:
    """Locked versions of the crates that compute."""
    lock = (REPOSITORY / "Cargo.lock").read_text(encoding="utf-8")
    found = {name: re.search(rf'name = "{name}"\nversion = "([^"]+)"', lock) for name in CRATES}
    return ", ".join(f"{name} {match.group(1)}" for name, match in found.items() if match)


def describe_lengths(workload: Workload) -> str:
    """Mean tokens per text of each workload."""
    parts = []
    for kind, blocks in workload.lengths.items():
        texts, tokens = sum(block.texts for block in blocks), sum(block.tokens for block in blocks)
        shape = f"{len(blocks)} blocks of {blocks[0].texts}" if len(blocks) > 1 else str(texts)
        parts.append(f"{kind} {shape}, mean {tokens / texts:.1f} tokens")
    return "; ".join(parts)


def main_table(measurement: Measurement, systems: list[System], workload: Workload) -> str:
    """One row per system: medians over rounds."""
    question = median_of(measurement, lambda sample: sample.question_p50_ms, "{:.2f}")
    natural = median_of(measurement, lambda sample: sample.natural_tokens_per_second, "{:.0f}")
    fixed = median_of(measurement, lambda sample: sample.fixed_tokens_per_second, "{:.0f}")
    columns = [("question p50 ms", question), ("natural tokens/s", natural)]
    if measurement.peaks:
        share = peak_share(measurement, workload)
        columns.append(("share of f32 peak", median_of(measurement, share, "{:.0%}")))
    columns.append(("256 tokens, tokens/s", fixed))
    titles = [f"{title}, {threads}t" for title, _ in columns for threads in (1, 2)]
    rows = [
        [
            system.label,
            *(cell(system.name, threads) for _, cell in columns for threads in (1, 2)),
            cosine_cell(measurement, system.name),
        ]
        for system in systems
    ]
    return markdown_table(["system", *titles, "min cosine"], rows)


def median_of(measurement: Measurement, figure: Figure, form: str) -> Callable[[str, int], str]:
    """A function from system and threads to the text of the median."""

    def cell(system: str, threads: int) -> str:
        turns = [sample for sample in measurement.samples if (sample.system, sample.threads) == (system, threads)]
        return form.format(median(map(figure, turns))) if turns else "-"

    return cell


def peak_share(measurement: Measurement, workload: Workload) -> Figure:
    """Share of the f32 peak of the same round that the natural texts' arithmetic amounts to."""
    config = json.loads((Path(workload.model) / "config.json").read_text(encoding="utf-8"))
    peaks = {(peak.threads, peak.round): peak.gflops * 1e9 for peak in measurement.peaks}

    def share(sample: Sample) -> float:
        needed = flops_per_token(config, workload.lengths["natural"][sample.block])
        return needed * sample.natural_tokens_per_second / peaks[sample.threads, sample.round]

    return share


def flops_per_token(config: dict[str, int], lengths: Lengths) -> float:
    """Two per weight of the linear layers, and the two products of attention, which grow with the text's length."""
    width, inner = config["hidden_size"], config["intermediate_size"]
    linear = 2 * (4 * width * width + 2 * width * inner)
    attention = 4 * width * lengths.squared_tokens / lengths.tokens
    return config["num_hidden_layers"] * (linear + attention)


def cosine_table(measurement: Measurement, systems: list[System], workload: Workload) -> str:
    """Smallest and mean cosine of each system to the reference."""
    rows = [
        [system.label, *(f"{cosine:.7f}" for cosine in measurement.cosines[system.name])]
        for system in systems
        if system.name in measurement.cosines
    ]
    title = f"{len(workload.vectors)} texts against sentence-transformers"
    return markdown_table([title, "min cosine", "mean cosine"], rows)


def cosine_cell(measurement: Measurement, system: str) -> str:
    """The smallest cosine, with enough digits to tell rounding from quantization."""
    return f"{measurement.cosines[system][0]:.5f}" if system in measurement.cosines else "-"


def ratio_table(measurement: Measurement, systems: list[System]) -> str:
    """How many times as fast as the first reference present: median of the rounds' ratios, and their range."""
    names = [system.name for system in systems]
    reference = next((name for name in RATIO_REFERENCES if name in names), None)
    if reference is None:
        return ""
    columns: tuple[tuple[str, Figure], ...] = (
        ("question", lambda sample: 1 / sample.question_p50_ms),
        ("natural", lambda sample: sample.natural_tokens_per_second),
        ("256 tokens", lambda sample: sample.fixed_tokens_per_second),
    )
    titles = [f"{title}, {threads}t" for title, _ in columns for threads in (1, 2)]
    rows = [
        [system.label]
        + [
            ratio_cell(measurement, system.name, reference, threads, figure)
            for _, figure in columns
            for threads in (1, 2)
        ]
        for system in systems
    ]
    label = systems[names.index(reference)].label
    return f"Speed as a multiple of {label} (median of the ratios within each round, and their range):\n\n" + (
        markdown_table(["system", *titles], rows)
    )


def ratio_cell(measurement: Measurement, system: str, reference: str, threads: int, figure: Figure) -> str:
    """Median and range of one system's ratios to the reference."""
    by_turn = {(sample.system, sample.threads, sample.round): figure(sample) for sample in measurement.samples}
    rounds = sorted({sample.round for sample in measurement.samples})
    ratios = [by_turn[system, threads, turn] / by_turn[reference, threads, turn] for turn in rounds]
    return f"{median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})" if ratios else "-"


def footer(measurement: Measurement) -> str:
    """How far the figures can be trusted."""
    lines = [
        f"Waiting systems used {measurement.idle_share:.1%} of one core together; programs that are not part of this "
        f"run used {measurement.foreign_share:.0%} of the machine."
    ]
    for threads in (1, 2):
        peaks = [peak.gflops for peak in measurement.peaks if peak.threads == threads]
        if peaks:
            lines.append(f"f32 peak, {threads}t: {median(peaks):.0f} GFLOP/s ({min(peaks):.0f} to {max(peaks):.0f}).")
    return " ".join(lines)


def markdown_table(titles: list[str], rows: list[list[str]]) -> str:
    """First column left, numbers right."""
    rule = ["---"] + ["---:"] * (len(titles) - 1)
    return "\n".join(f"| {' | '.join(row)} |" for row in (titles, rule, *rows))
