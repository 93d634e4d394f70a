"""Answers that llama.cpp's server writes, with a model of random numbers: nothing of it may pass for what guides say.

    llama_cpp.py GUIDEPOST HOME
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from gguf import GGUFReader

ROOT = Path(__file__).resolve().parents[2]
TINY = ROOT / "tests/fixtures/language_models/qwen2.gguf"
CONTEXT = 16384
QUESTIONS = ["How do I become a data analyst?", "What is an error budget?"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def with_context(folder: str) -> Path:
    """The tiny model, with room for whole prompts."""
    model = Path(folder) / "tiny.gguf"
    shutil.copy(TINY, model)
    length = GGUFReader(model, "r+").fields["qwen2.context_length"]
    length.parts[length.data[0]][0] = CONTEXT
    return model


def serve(model: Path, log) -> tuple[subprocess.Popen, str]:
    port = free_port()
    command = [sys.executable, "-m", "llama_cpp.server", "--model", model, "--model_alias", "tiny", "--host", "127.0.0.1"]
    options = ["--port", str(port), "--n_ctx", str(CONTEXT), "--n_gpu_layers", "0"]
    process = subprocess.Popen([*command, *options], stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    for _ in range(600):
        try:
            urllib.request.urlopen(f"{address}/v1/models", timeout=5).close()
            return process, address
        except urllib.error.URLError:
            assert process.poll() is None, Path(log.name).read_text()
            time.sleep(0.1)
    raise AssertionError("llama.cpp's server does not start")


def ask(guidepost: str, home: str, question: str, *model: str) -> dict:
    command = [guidepost, "ask", question, "--json", "--llm-budget", "600", *model]
    run = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "XDG_DATA_HOME": home})
    assert run.returncode == 1, run.stderr
    return json.loads(run.stdout)["written"]


def main():
    guidepost, home = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder, open(Path(folder) / "log", "w+") as log:
        model = with_context(folder)
        process, address = serve(model, log)
        try:
            for question in QUESTIONS:
                written = ask(guidepost, home, question, "--llm", address)
                assert written["model"] == "tiny", "its only model is taken"
                assert written["sources"] and written["sentences"] and written["times_ms"]["first_token"], written
                assert all(sentence["marks"] for sentence in written["sentences"]), written
                assert not written["supported"], written
        finally:
            process.terminate()
            process.wait(60)
    print(f"llama.cpp: {len(QUESTIONS)} answers of random words, each sentence marked")


if __name__ == "__main__":
    main()
