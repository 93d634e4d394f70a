"""Starts Guidepost's server with the guides that ship and lets clients that nobody here wrote loose on it.

    run.py GUIDEPOST [--only NAME...] [--screenshots DIR]

What a machine lacks is skipped with a line that says so: Chromium for the page, promtool for the metrics, llama.cpp's
server for written answers.
"""

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
PATIENCE = 300


class Server:
    """A server on a free port, ended by its own process id."""

    def __init__(self, guidepost: str, home: str, *more: str):
        self.said = tempfile.NamedTemporaryFile("w+", suffix=".log")
        environment = {**os.environ, "XDG_DATA_HOME": home}
        self.process = subprocess.Popen([guidepost, "serve", "--port", "0", *more], stderr=self.said, env=environment)
        started = time.monotonic()
        while True:
            said = Path(self.said.name).read_text()
            if found := re.search(r"serving on (http://\S+)", said):
                self.address = found.group(1)
                return
            assert self.process.poll() is None and time.monotonic() - started < PATIENCE, said
            time.sleep(0.1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        assert self.process.wait(60) == 0, Path(self.said.name).read_text()


def script(name: str, *arguments: str, home: str | None = None):
    environment = {**os.environ, "XDG_DATA_HOME": home} if home else None
    subprocess.run([sys.executable, HERE / name, *arguments], check=True, env=environment)


def interface(address: str):
    """Requests made from the interface's own description, right and wrong ones; the same ones every time."""
    schemathesis = Path(sys.executable).with_name("schemathesis")
    subprocess.run(
        [schemathesis, "--config-file", HERE / "schemathesis.toml", "run", "--seed", "8", f"{address}/openapi.json"],
        check=True,
        cwd=tempfile.gettempdir(),
    )


def page(server: Server, guidepost: str, home: str, screenshots: str):
    """The page in Chromium, over the guides that ship, over one that means harm, and with a language model."""
    chromium, axe = shutil.which("chromium"), os.environ.get("AXE")
    if not chromium or not axe:
        print(f"page: skipped: {'axe-core' if chromium else 'chromium'} is not installed")
        return
    common = ["--chromium", chromium, "--axe", axe, "--screenshots", screenshots]
    script("page.py", server.address, *common)
    guide = HERE.parent / "fixtures" / "hostile" / "hostile-guide.md"
    with Server(guidepost, f"{home}/hostile", "--guides", str(guide.parent)) as other:
        script("page.py", other.address, "--hostile", str(guide), *common)
    port = str(free_port())
    language_model = ["--llm", f"http://127.0.0.1:{port}", "--llm-model", "a-small-model"]
    with Server(guidepost, home, *language_model) as writing:
        own = ["--language-port", port, "--guidepost", guidepost]
        script("page.py", writing.address, *own, *common, home=home)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def language_model(guidepost: str, home: str):
    """Answers that a server of somebody else writes."""
    python = os.environ.get("LLAMA_CPP_PYTHON")
    if not python:
        print("language model: skipped: LLAMA_CPP_PYTHON names no python with llama-cpp-python[server] and gguf")
        return
    subprocess.run([python, HERE / "llama_cpp.py", guidepost, home], check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("guidepost")
    parser.add_argument("--only", nargs="+", default=["embeddings", "agents", "metrics", "interface", "page", "language_model"])
    parser.add_argument("--screenshots", default="target/screenshots")
    arguments = parser.parse_args()
    guidepost = str(Path(arguments.guidepost).resolve())
    with tempfile.TemporaryDirectory() as home, Server(guidepost, home) as server:
        if "embeddings" in arguments.only:
            script("embeddings.py", server.address)
        if "agents" in arguments.only:
            index = str(Path(home) / "guidepost" / "index")
            script("agents.py", server.address, guidepost, "--index", index)
        if "metrics" in arguments.only:
            script("watching.py", server.address)
        if "interface" in arguments.only:
            interface(server.address)
        if "page" in arguments.only:
            page(server, guidepost, home, arguments.screenshots)
        if "language_model" in arguments.only:
            language_model(guidepost, home)


if __name__ == "__main__":
    main()
