"""Ways through the page: the keyboard alone, addresses, back and forward, the theme."""

import re

from playwright.sync_api import expect

from .session import Checks, until


class Ways(Checks):
    def keyboard_alone(self):
        session = self.session()
        page = session.open("/?view=resources")
        focused = lambda: page.evaluate(
            "(() => { const now = document.activeElement; return now.id || now.className || now.tagName; })()"
        )
        page.keyboard.press("Tab")
        assert focused() == "skip", focused()
        page.keyboard.press("Enter")
        assert focused() == "main", focused()
        page.keyboard.press("/")
        assert focused() == "q", focused()
        for _ in range(2):
            page.keyboard.press("Tab")
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("/")
        self.tab_to(page, lambda: page.evaluate("document.activeElement.dataset.view") == "search", back=True)
        page.keyboard.press("Enter")
        session.settle()
        page.keyboard.press("/")
        page.keyboard.type("error budget")
        until(page, "document.querySelectorAll('.result').length > 1")
        session.settle()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        cited = page.evaluate("document.activeElement.dataset.open")
        assert cited == page.locator(".result-link").nth(1).get_attribute("data-open"), cited
        assert (
            page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
        ), "the focus is not to be seen"
        page.keyboard.press("Enter")
        expect(page.locator(".reader .line.marked").first).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("#reader")).to_be_hidden()
        assert page.evaluate("document.activeElement.dataset.open") == cited
        page.keyboard.press("ArrowUp")
        page.keyboard.press("ArrowUp")
        assert focused() == "q", focused()
        page.keyboard.press("Enter")
        expect(page.locator(".answer .confidence")).to_be_visible()
        session.settle()
        page.keyboard.press("ArrowDown")
        assert focused() == "cite", focused()
        page.keyboard.press("Enter")
        expect(page.locator(".reader .line.marked").first).to_be_visible()
        page.keyboard.press("Escape")
        self.tab_to(page, lambda: "why-button" in focused())
        page.keyboard.press("Space")
        expect(page.locator(".why .bars").first).to_be_visible()
        self.tab_to(page, lambda: page.evaluate("document.activeElement.type") == "checkbox", back=True)
        page.keyboard.press("Space")
        session.settle()
        assert re.search(r"(kind|role|tag)=", page.url), page.url
        self.tab_to(page, lambda: page.evaluate("document.activeElement.dataset.view") == "map", back=True)
        page.keyboard.press("Enter")
        session.settle()
        self.tab_to(page, lambda: page.evaluate("Boolean(document.activeElement.closest('.map-hits'))"))
        page.keyboard.press("Enter")
        expect(page.locator(".reader-body")).to_be_visible()
        session.close()

    def tab_to(self, page, there, back=False):
        for _ in range(60):
            page.keyboard.press("Shift+Tab" if back else "Tab")
            if there():
                return
        raise AssertionError("the keyboard does not get there")

    def addresses(self):
        """A reload shows the same, and back and forward go through what was done."""
        session = self.session()
        page = session.open("/")
        page.locator("#q").fill("statistics")
        page.wait_for_selector(".result")
        session.settle()
        page.get_by_role("checkbox", name=re.compile("^role")).check()
        session.settle()
        page.locator(".result-link").first.click()
        expect(page.locator(".reader .line.marked").first).to_be_visible()
        page.locator(".why-button").first.click()
        expect(page.locator(".why .bars").first).to_be_visible()
        state = lambda of: of.evaluate("""() => JSON.stringify({
            field: document.getElementById('q').value,
            results: [...document.querySelectorAll('.results > li')].map((item) => item.dataset.cited),
            marked: [...document.querySelectorAll('.reader .line.marked')].map((line) => line.id),
            boxes: [...document.querySelectorAll('.facets input:checked')].map((box) => box.value),
            why: document.querySelectorAll('.why').length, title: document.title,
        })""")
        before = state(page)
        other = self.session()
        shared = other.open(page.url.removeprefix(self.base))
        expect(shared.locator(".reader .line.marked").first).to_be_visible()
        expect(shared.locator(".why .bars").first).to_be_visible()
        assert state(shared) == before, (state(shared), before)
        other.close()
        page.go_back()
        expect(page.locator(".why")).to_have_count(0)
        page.go_back()
        expect(page.locator("#reader")).to_be_hidden()
        page.go_back()
        session.settle()
        assert page.locator(".facets input:checked").count() == 0
        page.go_back()
        expect(page.locator(".example-group").first).to_be_visible()
        assert page.locator("#q").input_value() == ""
        for _ in range(4):
            page.go_forward()
            page.wait_for_timeout(200)
        session.settle()
        expect(page.locator(".why .bars").first).to_be_visible()
        assert state(page) == before, (state(page), before)
        session.close()

    def theme(self):
        session = self.session()
        page = session.open("/")
        background = lambda: page.evaluate("getComputedStyle(document.body).backgroundColor")
        light = background()
        page.locator("#theme").click()
        page.locator("#theme").click()
        dark = background()
        assert light != dark and "Dark" in page.locator("#theme").get_attribute("aria-label")
        page.reload()
        session.settle()
        assert background() == dark, "the theme is not kept"
        session.close()
