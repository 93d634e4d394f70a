"""Starts Guidepost's server with the guides that ship and lets clients that nobody here wrote loose on it.

    run.py GUIDEPOST [--only NAME...] [--screenshots DIR]

What a machine lacks is skipped with a line that says so: Chromium for the page, promtool for the metrics.
"""

import argparse
import os
import re
import shutil
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


def script(name: str, *arguments: str):
    subprocess.run([sys.executable, HERE / name, *arguments], check=True)


def interface(address: str):
    """Requests made from the interface's own description, right and wrong ones; the same ones every time."""
    schemathesis = Path(sys.executable).with_name("schemathesis")
    subprocess.run(
        [schemathesis, "--config-file", HERE / "schemathesis.toml", "run", "--seed", "8", f"{address}/openapi.json"],
        check=True,
        cwd=tempfile.gettempdir(),
    )


def page(server: Server, guidepost: str, home: str, screenshots: str):
    """The page in Chromium, over the guides that ship and over one that means harm."""
    chromium, axe = shutil.which("chromium"), os.environ.get("AXE")
    if not chromium or not axe:
        print(f"page: skipped: {'axe-core' if chromium else 'chromium'} is not installed")
        return
    common = ["--chromium", chromium, "--axe", axe, "--screenshots", screenshots]
    script("page.py", server.address, *common)
    guide = HERE.parent / "fixtures" / "hostile" / "hostile-guide.md"
    with Server(guidepost, f"{home}/hostile", "--guides", str(guide.parent)) as other:
        script("page.py", other.address, "--hostile", str(guide), *common)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("guidepost")
    parser.add_argument("--only", nargs="+", default=["embeddings", "agents", "metrics", "interface", "page"])
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


if __name__ == "__main__":
    main()
