"""A browser with the page in it, what went wrong there, and how checks are run."""

import json
import pathlib
import re
import time
import traceback
import urllib.parse
import urllib.request

# What the browser itself says of an answer that is an error, and of reading pixels as `map` does: not the page's doing.
EXPECTED_CONSOLE = re.compile(r"Failed to load resource|willReadFrequently")


def until(page, condition, argument=None, seconds=10):
    """Waits for something to be true. The page's content-security policy forbids Playwright's own way, which is `eval`."""
    deadline = time.monotonic() + seconds
    while not page.evaluate(condition, argument):
        assert time.monotonic() < deadline, f"never so: {condition}"
        page.wait_for_timeout(30)


class Session:
    """A browser context with its page, and what went wrong in it."""

    def __init__(self, browser, base, **context):
        self.context = browser.new_context(**context)
        self.base = base
        self.wrong = []
        self.foreign = []
        self.page = self.context.new_page()
        self.page.add_init_script(
            "window.violations = []; document.addEventListener('securitypolicyviolation',"
            " (event) => window.violations.push(event.violatedDirective + ' ' + event.blockedURI));"
        )
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.wrong.append(f"page error: {error}"))
        self.page.on("dialog", lambda dialog: (self.wrong.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        self.page.on("request", self._request)

    def _console(self, message):
        if message.type in ("error", "warning") and not EXPECTED_CONSOLE.search(message.text):
            self.wrong.append(f"console: {message.text}")

    def _request(self, request):
        if not request.url.startswith((self.base, "data:")):
            self.foreign.append(request.url)

    def open(self, address):
        self.page.goto(self.base + address)
        self.settle()
        return self.page

    def settle(self):
        """Until nothing is loading."""
        until(self.page, "document.body.dataset.screen && document.getElementById('view').children.length > 0")
        until(self.page, "document.getElementById('progress').hidden")
        self.page.wait_for_timeout(120)

    def close(self):
        violations = self.page.evaluate("window.violations")
        self.context.close()
        assert not self.wrong, self.wrong
        assert not violations, violations
        assert not self.foreign, self.foreign


class Checks:
    def __init__(self, browser, options):
        self.browser = browser
        self.base = options.base.rstrip("/")
        self.shots = pathlib.Path(options.screenshots) if options.screenshots else None
        self.axe = pathlib.Path(options.axe).read_text(encoding="utf-8") if options.axe else None
        self.failed = []

    def api(self, name, **parameters):
        query = urllib.parse.urlencode(parameters, doseq=True)
        with urllib.request.urlopen(f"{self.base}/api/{name}?{query}", timeout=60) as answer:
            return json.load(answer)

    def session(self, **context):
        context.setdefault("viewport", {"width": 1280, "height": 900})
        context.setdefault("color_scheme", "light")
        return Session(self.browser, self.base, **context)

    def shot(self, page, name):
        if self.shots:
            self.shots.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=self.shots / f"{name}.png")

    def accessible(self, page, name):
        if not self.axe:
            return
        page.evaluate(self.axe)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        bad = [
            f"{one['id']}: {node['html'][:160]} {node['failureSummary'][:300]}"
            for one in found
            if one["impact"] in ("serious", "critical")
            for node in one["nodes"]
        ]
        assert not bad, f"{name}: " + "\n    ".join(bad)

    def check(self, name, act):
        started = time.monotonic()
        try:
            act()
        except Exception as error:
            self.failed.append(name)
            print(f"FAILED {name}: {error}")
            traceback.print_exc(limit=-3)
        else:
            print(f"ok {name} ({time.monotonic() - started:.1f} s)", flush=True)
