"""A system under measurement as a child process, and what the kernel says about processor time."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class System:
    """How to start one system: `command THREADS WORKLOAD options`."""

    name: str
    label: str
    command: tuple[str, ...]
    options: tuple[str, ...]


class Child:
    """A loaded system that answers one command at a time."""

    def __init__(self, system: System, threads: int, workload_file: Path, log: Path) -> None:
        self.title = f"{system.name} with {threads} threads"
        self.log = log
        with log.open("a", encoding="utf-8") as errors:
            self.process = subprocess.Popen(
                [*system.command, str(threads), str(workload_file), *system.options],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        while self.read_line() != "READY":
            pass

    def ask(self, command: str) -> dict[str, Any]:
        """Send a command; the reply, which must not be an error."""
        reply = self.send(command)
        if "error" in reply:
            raise SystemExit(f"{self.title} answered `{command}` with `{reply['error']}`")
        return reply

    def ask_peak(self) -> float | None:
        """The machine's f32 peak in GFLOP/s, from those that can measure it."""
        return self.send("peak").get("gflops")

    def send(self, command: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        reply: dict[str, Any] = json.loads(self.read_line())
        return reply

    def read_line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.title} ended early; its messages are in `{self.log}`")
        return line.strip()

    def cpu_seconds(self) -> float:
        """Processor time it has used so far, all threads together."""
        return cpu_seconds(self.process.pid)

    def stop(self) -> None:
        """Ask it to end, then see to it."""
        try:
            self.process.communicate("quit\n", timeout=10)
        except (subprocess.TimeoutExpired, BrokenPipeError, ValueError):
            self.process.kill()


def cpu_seconds(process: int) -> float:
    """User and system time of a process, from field 14 and 15 of its `stat`."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def machine_ticks() -> tuple[int, int]:
    """Busy and total clock ticks of all processors since boot; waiting for disks is not busy, stolen time is."""
    names_first = Path("/proc/stat").read_text(encoding="utf-8").split("\n", 1)[0].split()
    user, nice, system, idle, wait, interrupt, soft_interrupt, stolen = map(int, names_first[1:9])
    busy = user + nice + system + interrupt + soft_interrupt + stolen
    return busy, busy + idle + wait
