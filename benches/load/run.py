#!/usr/bin/env python3
"""Load on `guidepost serve`: requests a second and latencies beside what the same process embeds, overload, memory, updates.

Needs wrk. The server listens on loopback, with the guides that ship.

    cargo build --release && benches/load/run.py [--seconds 15] [--many 100000]
"""

import argparse
import json
import os
import re
import subprocess
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent


class Server:
    def __init__(self, guidepost: str, home: str, *more: str):
        self.log = Path(home) / "serve.log"
        environment = {**os.environ, "XDG_DATA_HOME": home}
        with self.log.open("w") as log:
            self.process = subprocess.Popen([guidepost, "serve", "--port", "0", *more], stderr=log, env=environment)
        while not (found := re.search(r"serving on (http://\S+)", self.log.read_text())):
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.1)
        self.address = found.group(1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(60)

    def megabytes(self, field="VmRSS:") -> float:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(field):
                return int(line.split()[1]) / 1024
        return 0.0

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wrk(address: str, questions: str, connections: int, seconds: int, seed: int, path: str = "/api/search") -> dict:
    """Requests a second, and milliseconds at three percentiles."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", HERE / "distinct.lua", address]
    said = subprocess.run([*command, "--", questions, path, str(seed)], capture_output=True, text=True, check=True).stdout
    figures = [int(figure) for figure in re.search(r"FIGURES (.*)", said).group(1).split()]
    requests, microseconds, p50, p95, p99, refused, broken = figures
    return {
        "connections": connections,
        "requests": requests,
        "per_second": (requests - refused) / (microseconds / 1e6),
        "p50_ms": p50 / 1000,
        "p95_ms": p95 / 1000,
        "p99_ms": p99 / 1000,
        "refused": refused,
        "broken": broken,
    }


def embed(address: str, questions: list[str], seconds: int, threads: int = 4, batch: int = 32) -> float:
    """Questions a second that the process embeds when they come `batch` at a time, and nothing else is asked."""
    stop, done = time.monotonic() + seconds, [0] * threads

    def work(thread: int):
        at = thread * 1000
        while time.monotonic() < stop:
            texts = [f"{questions[(at + i) % len(questions)]} {thread}{at}{i}" for i in range(batch)]
            at += batch
            body = json.dumps({"inputs": texts, "prompt_name": "query"}).encode()
            request = urllib.request.Request(f"{address}/embed", body, {"content-type": "application/json"})
            urllib.request.urlopen(request).read()
            done[thread] += batch

    workers = [threading.Thread(target=work, args=(thread,)) for thread in range(threads)]
    started = time.monotonic()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(done) / (time.monotonic() - started)


def metric(address: str, name: str) -> float:
    text = urllib.request.urlopen(f"{address}/metrics").read().decode()
    return float(re.search(rf"^{re.escape(name)} (.*)$", text, re.MULTILINE).group(1))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--guidepost", default=str(ROOT / "target/release/guidepost"))
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=["throughput", "memory", "update", "overload"], help="one of the four parts")
    parser.add_argument("--many", type=int, default=100_000, help="requests over which memory is watched")
    arguments = parser.parse_args()
    lines = (ROOT / "corpus/questions.jsonl").read_text().splitlines()
    questions = [json.loads(line)["question"] for line in lines]
    with tempfile.TemporaryDirectory() as home:
        escaped = Path(home) / "questions.txt"
        escaped.write_text("\n".join(urllib.parse.quote_plus(question) for question in questions) + "\n")
        wanted = lambda part: arguments.only in (None, part)  # noqa: E731
        with Server(arguments.guidepost, home) as server:
            if wanted("throughput"):
                throughput(server, str(escaped), questions, arguments)
            if wanted("memory"):
                memory(server, str(escaped), arguments)
        with Server(arguments.guidepost, home, "--max-concurrent-requests", "32") as server:
            if wanted("overload"):
                overload(server, str(escaped), arguments)
        with Server(arguments.guidepost, home) as server:
            if wanted("update"):
                update(server, str(escaped), arguments, home)


def middle(values):
    return sorted(values)[len(values) // 2]


def throughput(server: Server, questions: str, texts: list[str], arguments):
    """Rounds in which embedding and searching take turns; medians count."""
    wrk(server.address, questions, 8, 3, 1)
    embedded, single, rounds = [], [], []
    for turn in range(arguments.rounds):
        embedded.append(embed(server.address, texts, arguments.seconds))
        single.append(wrk(server.address, questions, 64, arguments.seconds, 20 + turn, "/embed")["per_second"])
        rounds.append([wrk(server.address, questions, connections, arguments.seconds, 10 + turn) for connections in (1, 8, 64, 256)])
    base = middle(embedded)
    print(f"embedding alone, 32 questions a request: {base:,.0f} questions a second")
    print(f"one question a request, 64 connections: {middle(single):,.0f}, {middle(single) / base:.2f} of it\n")
    print("| connections | searches a second | of embedding alone | p50 ms | p95 ms | p99 ms | refused | broken |")
    print("|---|---|---|---|---|---|---|---|")
    for column in zip(*rounds):
        figures = {name: middle([one[name] for one in column]) for name in column[0]}
        print(
            f"| {figures['connections']} | {figures['per_second']:,.0f} | {figures['per_second'] / base:.2f} | {figures['p50_ms']:.1f} |"
            f" {figures['p95_ms']:.1f} | {figures['p99_ms']:.1f} | {figures['refused']} | {figures['broken']} |"
        )
    batches = metric(server.address, "guidepost_batch_texts_count")
    print(f"\ntexts of a batch, on average over all of it: {metric(server.address, 'guidepost_batch_texts_sum') / batches:.1f}")


def memory(server: Server, questions: str, arguments):
    before, done, seen = server.megabytes(), 0, []
    while done < arguments.many:
        done += wrk(server.address, questions, 64, arguments.seconds, 1000 + done)["requests"]
        seen.append((done, server.megabytes()))
    print(f"\nmemory: {before:.0f} MB before; " + ", ".join(f"{mb:.0f} after {done:,}" for done, mb in seen))


def update(server: Server, questions: str, arguments, home: str):
    """Updates of the index in the midst of requests."""
    guides = Path(home) / "guides"
    guides.mkdir()
    stop = threading.Event()
    updates = [0]

    def change():
        while not stop.is_set():
            (guides / "new.md").write_text(f"# Weathercock {updates[0]}\n\nIt turns with the wind, for the {updates[0]}th time.\n")
            environment = {**os.environ, "XDG_DATA_HOME": home}
            subprocess.run([arguments.guidepost, "index", "--quiet", guides], env=environment, check=True, stdout=subprocess.DEVNULL)
            updates[0] += 1

    worker = threading.Thread(target=change)
    worker.start()
    figures = wrk(server.address, questions, 8, arguments.seconds, 5000)
    stop.set()
    worker.join()
    reloads = metric(server.address, "guidepost_index_reloads_total")
    failed = figures["refused"] + figures["broken"]
    print(f"\n{updates[0]} updates in the midst of {figures['requests']:,} requests: {failed} failed, {reloads:.0f} generations taken up")


def overload(server: Server, questions: str, arguments):
    """More connections than places, then few: what was refused, and how soon all is answered again."""
    crowded = wrk(server.address, questions, 256, arguments.seconds, 7000)
    # What had a place when the crowd left comes to its end.
    time.sleep(1)
    after = wrk(server.address, questions, 8, 3, 8000)
    print(
        f"\n32 places, 256 connections: {crowded['per_second']:,.0f} answered a second, {crowded['refused']:,} refused, {crowded['broken']} broken;"
        f" a second later, 8 connections: {after['refused']} refused of {after['requests']:,}"
    )


if __name__ == "__main__":
    main()
