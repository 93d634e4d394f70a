#!/usr/bin/env python3
"""Guidepost's vector search beside faiss, usearch and hnswlib: the same vectors, queries and machine, in one run.

Each contender is a child process that holds all vectors, answers one line at a time, and waits while the others work.
Builds come first, one after another, on all cores. Then come rounds, in which every contender answers all queries at every
list length (`ef`) on one thread, taking turns; medians over the rounds count. The time is that for which the thread had
a processor, so that other work on the machine counts for little. The speed at a recall lies on the straight
line between the two list lengths around it, over the logarithm of the queries per second.

`LIMIT=100` asks for so many rows instead of 10.

    cargo build --release -p guidepost-benches --bin graph_search
    target/release/graph_search questions target/questions.f32 DIR/mlquestions DIR/feedbackqa
    benches/peers/vector_search.py --vectors INDEX/generation-000001/vectors --questions target/questions.f32 --rows 100000
"""

import argparse
import json
import math
import os
import random
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

DIMENSIONS = 384
LIMIT = int(os.environ.get("LIMIT", 10))
M = 16
EF_CONSTRUCTION = 200
LENGTHS = [16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512]
RECALLS = [0.95, 0.99]


# What is searched


def read_index_vectors(path: str) -> np.ndarray:
    """The f32 rows of an index's `vectors` file."""
    head = np.fromfile(path, dtype="<u4", count=4)
    dimensions, rows = int(head[2]), int(head[3])
    assert dimensions == DIMENSIONS, path
    return np.fromfile(path, dtype="<f4", count=rows * dimensions, offset=64).reshape(rows, dimensions)


def make_rows(real: np.ndarray, count: int, cosine: float) -> np.ndarray:
    """The real rows, shuffled, then copies of them at about this cosine from the original until there are enough."""
    generator = np.random.default_rng(7)
    real = real[generator.permutation(len(real))][:count]
    rows = np.empty((count, DIMENSIONS), dtype=np.float32)
    rows[: len(real)] = real
    length = math.sqrt(1 / cosine**2 - 1)
    for start in range(len(real), count, 50_000):
        end = min(count, start + 50_000)
        noise = generator.standard_normal((end - start, DIMENSIONS), dtype=np.float32)
        noise *= length / np.linalg.norm(noise, axis=1, keepdims=True)
        copies = real[generator.integers(0, len(real), end - start)] + noise
        rows[start:end] = copies / np.linalg.norm(copies, axis=1, keepdims=True)
    return rows


def exact(rows: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """For each query the cosine that a row needs to be among the nearest."""
    best = np.full((len(queries), LIMIT), -2, dtype=np.float32)
    for start in range(0, len(rows), 20_000):
        scores = np.concatenate([best, queries @ rows[start : start + 20_000].T], axis=1)
        best = -np.partition(-scores, LIMIT - 1, axis=1)[:, :LIMIT]
    return best.min(axis=1)


def recall(rows: np.ndarray, queries: np.ndarray, bar: np.ndarray, found: np.ndarray) -> float:
    """Share of the nearest that were found. Rows that are as near as the last one count as it does."""
    good = 0
    for query, worst, ids in zip(queries, bar, found):
        ids = np.unique(ids[ids < len(rows)])
        good += min(LIMIT, int((rows[ids] @ query >= worst - 2e-6).sum()))
    return good / (len(queries) * LIMIT)


# Contenders


class Faiss:
    def build(self, rows, _folder):
        import faiss

        faiss.omp_set_num_threads(os.cpu_count())
        self.faiss = faiss
        self.index = faiss.IndexHNSWFlat(DIMENSIONS, M, faiss.METRIC_INNER_PRODUCT)
        self.index.hnsw.efConstruction = EF_CONSTRUCTION
        self.index.add(rows)

    def save(self, path):
        self.faiss.write_index(self.index, path)

    def open(self, path):
        import faiss

        self.faiss = faiss
        self.index = faiss.read_index(path)

    def walk(self, queries, ef):
        self.faiss.omp_set_num_threads(1)
        self.index.hnsw.efSearch = ef
        return self.index.search(queries, LIMIT)[1]


class FaissInt8(Faiss):
    """The same graph over rows of eight bits, which it scores without a second look."""

    def build(self, rows, _folder):
        import faiss

        faiss.omp_set_num_threads(os.cpu_count())
        self.faiss = faiss
        self.index = faiss.IndexHNSWSQ(DIMENSIONS, faiss.ScalarQuantizer.QT_8bit, M, faiss.METRIC_INNER_PRODUCT)
        self.index.hnsw.efConstruction = EF_CONSTRUCTION
        self.index.train(rows)
        self.index.add(rows)


class Usearch:
    dtype = "f32"

    def empty(self):
        from usearch.index import Index

        return Index(
            ndim=DIMENSIONS, metric="cos", dtype=self.dtype, connectivity=M, expansion_add=EF_CONSTRUCTION
        )

    def build(self, rows, _folder):
        self.index = self.empty()
        self.index.add(np.arange(len(rows)), rows, threads=os.cpu_count())

    def save(self, path):
        self.index.save(path)

    def open(self, path):
        self.index = self.empty()
        self.index.load(path)

    def walk(self, queries, ef):
        self.index.expansion_search = ef
        return self.index.search(queries, LIMIT, threads=1).keys


class UsearchInt8(Usearch):
    dtype = "i8"


class Hnswlib:
    def build(self, rows, _folder):
        import hnswlib

        self.index = hnswlib.Index(space="ip", dim=DIMENSIONS)
        self.index.init_index(max_elements=len(rows), ef_construction=EF_CONSTRUCTION, M=M)
        self.index.add_items(rows, np.arange(len(rows)), num_threads=os.cpu_count())

    def save(self, path):
        self.index.save_index(path)

    def open(self, path):
        import hnswlib

        self.index = hnswlib.Index(space="ip", dim=DIMENSIONS)
        self.index.load_index(path)

    def walk(self, queries, ef):
        self.index.set_ef(ef)
        return self.index.knn_query(queries, k=LIMIT, num_threads=1)[0]


CONTENDERS = {
    "faiss": Faiss,
    "faiss int8": FaissInt8,
    "usearch": Usearch,
    "usearch int8": UsearchInt8,
    "hnswlib": Hnswlib,
}


def megabytes(field: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    return 0.0


def serve(name: str, folder: str, rows_path: str, queries_path: str) -> None:
    """A contender as a child process; the commands are those of `graph_search serve`."""
    contender = CONTENDERS[name]()
    queries = np.fromfile(queries_path, dtype="<f4").reshape(-1, DIMENSIONS)
    path = os.path.join(folder, "index")
    print("READY", flush=True)
    for line in sys.stdin:
        command, *arguments = line.split()
        answer = {}
        if command == "build":
            rows = np.fromfile(rows_path, dtype="<f4").reshape(-1, DIMENSIONS)
            start, cpu = time.perf_counter(), time.process_time()
            contender.build(rows, folder)
            answer["seconds"] = time.perf_counter() - start
            answer["cpu_seconds"] = time.process_time() - cpu
            os.makedirs(folder, exist_ok=True)
            contender.save(path)
            answer["bytes"] = os.path.getsize(path)
        elif command == "open":
            start = time.perf_counter()
            contender.open(path)
            contender.walk(queries[:1], 64)
            answer["seconds"] = time.perf_counter() - start
        elif command == "walk":
            start, cpu = time.perf_counter(), time.process_time()
            found = contender.walk(queries, int(arguments[0]))
            answer["seconds"] = time.perf_counter() - start
            answer["cpu_seconds"] = time.process_time() - cpu
            found.astype("<u4").tofile(arguments[1])
        elif command == "memory":
            answer = {"resident_mb": megabytes("VmRSS:"), "of_files_mb": megabytes("RssFile:"), "most_mb": megabytes("VmHWM:")}
        elif command == "quit":
            return
        print(json.dumps(answer), flush=True)


class Child:
    def __init__(self, name: str, command: list[str]):
        self.name = name
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline().strip() == "READY", name

    def ask(self, line: str) -> dict:
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert "error" not in answer, (self.name, answer)
        return answer

    def quit(self):
        self.process.stdin.write("quit\n")
        self.process.stdin.flush()
        self.process.wait()


# The run


def start(name: str, arguments) -> Child:
    folder = str(Path(arguments.work) / name.replace(" ", "-"))
    paths = [folder, str(Path(arguments.work) / "rows.f32"), str(Path(arguments.work) / "queries.f32")]
    if name == "guidepost":
        return Child(name, [arguments.server, "serve", *paths, str(DIMENSIONS), str(LIMIT)])
    return Child(name, [sys.executable, __file__, "--serve", name, *paths])


def speed_at(points: list[tuple[float, float]], wanted: float) -> float | None:
    """Queries per second at a recall, between the points around it."""
    points = sorted(points)
    if not points or points[-1][0] < wanted:
        return None
    # Only what nothing else beats in both.
    front = [p for p in points if not any(q[0] >= p[0] and q[1] > p[1] for q in points)]
    above = next(p for p in front if p[0] >= wanted)
    below = [p for p in front if p[0] < wanted]
    if not below:
        return above[1]
    below = below[-1]
    share = (wanted - below[0]) / (above[0] - below[0])
    return math.exp((1 - share) * math.log(below[1]) + share * math.log(above[1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vectors", nargs="+", default=[], help="`vectors` files of indexes")
    parser.add_argument("--questions", help="raw f32 from `graph_search questions`")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--noise-cosine", type=float, default=0.9)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--work", default="target/vector_search")
    parser.add_argument("--server", default="target/release/graph_search")
    parser.add_argument("--systems", default="guidepost,faiss,faiss int8,usearch,usearch int8,hnswlib")
    parser.add_argument("--lengths", type=lambda text: [int(part) for part in text.split(",")], default=LENGTHS)
    parser.add_argument("--builds", type=int, default=1, help="builds of each, of which the median counts")
    parser.add_argument("--keep", action="store_true", help="search what an earlier run built")
    parser.add_argument("--json", help="also writes everything here")
    arguments = parser.parse_args()
    Path(arguments.work).mkdir(parents=True, exist_ok=True)
    real = np.concatenate([read_index_vectors(path) for path in arguments.vectors])
    questions = np.fromfile(arguments.questions, dtype="<f4").reshape(-1, DIMENSIONS)
    chosen = np.random.default_rng(11).permutation(len(questions))[: arguments.queries]
    queries = np.ascontiguousarray(questions[chosen])
    rows = make_rows(real, arguments.rows, arguments.noise_cosine)
    rows.tofile(Path(arguments.work) / "rows.f32")
    queries.tofile(Path(arguments.work) / "queries.f32")
    print(f"{len(rows)} rows, {min(len(real), len(rows))} of them real; {len(queries)} queries", file=sys.stderr)
    bar = exact(rows, queries)
    names = arguments.systems.split(",")
    results = {name: {"builds": []} for name in names}
    for turn in range(0 if arguments.keep else arguments.builds):
        for name in names:
            child = start(name, arguments)
            built = child.ask("build")
            built["most_mb"] = child.ask("memory")["most_mb"]
            child.quit()
            results[name]["builds"].append(built)
            print(name, built, file=sys.stderr)
    children = []
    for name in names:
        child = start(name, arguments)
        opened = [child.ask("open")["seconds"] for _ in range(3)]
        results[name]["open_seconds"] = opened
        children.append(child)
    found_path = str(Path(arguments.work).resolve() / "found.u32")
    tasks = {name: [f"walk {ef}" for ef in arguments.lengths] + (["scan"] if name == "guidepost" else []) for name in names}
    seconds = {(name, task): [] for name in names for task in tasks[name]}
    recalls = {}
    for turn in range(arguments.rounds):
        order = [(child, at) for at in range(max(map(len, tasks.values()))) for child in random.Random(turn * 100 + at).sample(children, len(children))]
        for child, at in order:
            if at >= len(tasks[child.name]):
                continue
            task = tasks[child.name][at]
            seconds[child.name, task].append(child.ask(f"{task} {found_path}")["cpu_seconds"])
            if (child.name, task) not in recalls:
                found = np.fromfile(found_path, dtype="<u4").reshape(len(queries), LIMIT)
                recalls[child.name, task] = recall(rows, queries, bar, found)
    for child in children:
        results[child.name]["memory"] = child.ask("memory")
        child.quit()
        results[child.name]["points"] = [
            [task, recalls[child.name, task], len(queries) / statistics.median(seconds[child.name, task])]
            for task in tasks[child.name]
        ]
    report(results, arguments)


def report(results: dict, arguments) -> None:
    print("| | build s | CPU s | peak MB | bytes on disk | open ms | resident MB (of files) | queries/s at .95 | at .99 |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name, result in results.items():
        walks = [(recall, speed) for task, recall, speed in result["points"] if task.startswith("walk")]
        at = [speed_at(walks, wanted) for wanted in RECALLS]
        result["at"] = at
        builds = result["builds"]
        built = statistics.median(build["seconds"] for build in builds) if builds else float("nan")
        cpu = statistics.median(build["cpu_seconds"] for build in builds) if builds else float("nan")
        most = max((build["most_mb"] for build in builds), default=float("nan"))
        size = builds[0]["bytes"] if builds else 0
        memory = result["memory"]
        speeds = " | ".join("-" if speed is None else f"{speed:,.0f}" for speed in at)
        opened = statistics.median(result["open_seconds"]) * 1000
        print(
            f"| {name} | {built:.1f} | {cpu:.1f} | {most:,.0f} | {size:,} | {opened:.1f} |"
            f" {memory['resident_mb']:,.0f} ({memory['of_files_mb']:,.0f}) | {speeds} |"
        )
    print("\n| | " + " | ".join(f"ef {ef}" for ef in arguments.lengths) + " |")
    print("|---|" + "---|" * len(arguments.lengths))
    for name, result in results.items():
        cells = [f"{recall:.4f} {speed:,.0f}" for task, recall, speed in result["points"] if task.startswith("walk")]
        print(f"| {name} | " + " | ".join(cells) + " |")
    for name, result in results.items():
        for task, recall, speed in result["points"]:
            if task == "scan":
                print(f"\n{name} scan: recall {recall:.4f}, {speed:,.0f} queries/s, {1e6 / speed:,.0f} us")
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(*sys.argv[2:6])
    else:
        main()
