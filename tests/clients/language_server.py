"""A server on this machine that speaks OpenAI's protocol as far as a check tells it to, and remembers what it was asked."""

import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class LanguageServer:
    """Answers each request with what `script(asked)` gives: pieces of text, which may come slowly, or `Fails`."""

    def __init__(self, port: int):
        self.asked = []
        self.left = 0
        self.script = lambda asked: ["The guides do not say."]
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                server.answer(self)

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.http.daemon_threads = True
        self.address = f"http://127.0.0.1:{port}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def answer(self, handler):
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        asked = Asked(json.loads(body))
        self.asked.append(asked)
        said = self.script(asked)
        if isinstance(said, Fails):
            handler.send_response(said.status)
            handler.send_header("Content-Type", "application/json")
            handler.end_headers()
            handler.wfile.write(json.dumps({"error": {"message": said.message}}).encode())
            return
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.end_headers()
        try:
            for piece in said:
                self.send(handler, json.dumps({"choices": [{"delta": {"content": piece}, "finish_reason": None}]}))
            self.send(handler, json.dumps({"choices": [{"delta": {}, "finish_reason": "stop"}]}))
            self.send(handler, "[DONE]")
        except Broken:
            handler.close_connection = True
        except OSError:
            self.left += 1

    @staticmethod
    def send(handler, data):
        handler.wfile.write(f"data: {data}\n\n".encode())
        handler.wfile.flush()

    def close(self):
        self.http.shutdown()


class Broken(Exception):
    """Raised among the pieces: the connection ends there."""


class Fails:
    """A status and what is said with it."""

    def __init__(self, status: int, message: str):
        self.status, self.message = status, message


class Asked:
    """A request: the rules, and what was asked with them."""

    def __init__(self, body: dict):
        self.body = body
        self.rules, self.text = (message["content"] for message in body["messages"])

    @property
    def rewrites(self):
        """Whether it wants a question that stands alone, and no answer."""
        return self.rules.startswith("You write questions")

    @property
    def question(self):
        return self.text.rsplit("Question: ", 1)[1]

    def sentence(self, number: int, at: int = 0):
        """A sentence that source `number` says, word by word."""
        lines = re.findall(rf"^{number}\| (.*)$", self.text, re.MULTILINE)[1:]
        return re.findall(r"[A-Z][a-z][^.`\[\]*#!?:]{40,200}\.", " ".join(lines))[at]


def slowly(text: str, seconds: float):
    """A text in pieces of a few letters, with a pause before each."""
    for at in range(0, len(text), 6):
        time.sleep(seconds)
        yield text[at : at + 6]


def without_end(seconds: float):
    """Sentences until nobody listens any more."""
    at = 0
    while True:
        at += 1
        yield from slowly(f"Bakers knead {at} loaves of rye at night. ", seconds)
