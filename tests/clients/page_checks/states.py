"""What the page says when something is wrong, or not there."""

import json
import urllib.parse

from playwright.sync_api import expect

from .session import Checks


class States(Checks):
    def fails(self, name, answer, says, address="/?q=kubernetes", at="**/api/search*"):
        session = self.session()
        session.page.route(at, answer)
        page = session.page
        page.goto(self.base + address)
        expect(page.locator("#notice")).to_contain_text(says)
        self.shot(page, f"state-{name}")
        self.accessible(page, name)
        return session, page

    @staticmethod
    def error(status, text, **headers):
        body = json.dumps({"error": text, "error_type": "test"})
        return lambda route: route.fulfill(status=status, body=body, content_type="application/json", headers=headers)

    @staticmethod
    def stream(body):
        return lambda route: route.fulfill(status=200, body=body, content_type="text/event-stream")

    def server_gone(self):
        session, page = self.fails("gone", lambda route: route.abort(), "does not answer")
        page.unroute("**/api/search*")
        page.get_by_role("button", name="Try again").click()
        expect(page.locator(".result").first).to_be_visible()
        expect(page.locator(".notice")).to_have_count(0)
        session.close()

    def server_busy(self):
        session, page = self.fails("busy", self.error(429, "the queue is full", **{"Retry-After": "2"}), "busy")
        expect(page.locator(".waiting")).to_contain_text("Trying again in")
        page.unroute("**/api/search*")
        expect(page.locator(".result").first).to_be_visible(timeout=6000)
        expect(page.locator(".notice")).to_have_count(0)
        session.close()

    def wants_key(self):
        def guard(route):
            if route.request.headers.get("authorization") == "Bearer right":
                route.continue_()
            else:
                self.error(401, "this server asks for a key")(route)

        session, page = self.fails("key", guard, "asks for a key", at="**/api/**")
        assert page.evaluate("document.activeElement.id") == "key"
        page.get_by_label("API key").fill("wrong")
        page.keyboard.press("Enter")
        expect(page.locator("#notice")).to_contain_text("refused")
        page.get_by_label("API key").fill("right")
        page.keyboard.press("Enter")
        expect(page.locator(".result").first).to_be_visible()
        page.reload()
        expect(page.locator(".result").first).to_be_visible()
        session.close()

    def misunderstood(self):
        session, _ = self.fails(
            "misunderstood", self.error(400, "no guide here is of the kind `nope`"), "of the kind `nope`"
        )
        session.close()

    def stream_breaks(self):
        for body, says in [
            ('event: progress\ndata: {"stage": "searching"}\n\n', "stopped in the middle"),
            (
                'event: error\ndata: {"error": "the model went away", "error_type": "internal"}\n\n',
                "he model went away",
            ),
        ]:
            session, _ = self.fails("stream", self.stream(body), says, address="/?q=kubernetes&ask=1", at="**/api/ask*")
            session.close()

    def nothing_there(self):
        empty = {
            "schema_version": 1,
            "command": "documents",
            "documents": [],
            "facets": {"kind": [], "role": [], "tag": []},
        }
        session = self.session()
        session.page.route("**/api/documents*", lambda route: route.fulfill(json=empty))
        session.page.route("**/api/map*", lambda route: route.fulfill(json={"guides": [], "points": []}))
        page = session.open("/")
        expect(page.locator("#view")).to_contain_text("No guides yet")
        self.shot(page, "state-no-guides")
        page = session.open("/?view=map")
        expect(page.locator("#view")).to_contain_text("no map without vectors")
        self.shot(page, "state-no-vectors")
        session.close()
        session = self.session()
        found = self.api("search", q="kubernetes", limit=10, mode="bm25")
        session.page.route("**/api/search*", lambda route: route.fulfill(json=found))
        page = session.open("/?q=kubernetes")
        expect(page.locator(".told")).to_contain_text("words alone")
        page = session.open("/?q=" + urllib.parse.quote('"qqqq zzzz"') + "&kind=role")
        session.page.unroute("**/api/search*")
        page = session.open("/?q=" + urllib.parse.quote('"qqqq zzzz"') + "&tag=SRE")
        expect(page.locator(".empty")).to_contain_text("Nothing found")
        page.get_by_role("button", name="Search without filters").click()
        session.settle()
        assert "tag=" not in page.url
        session.close()
