"""A guide that wants to do harm."""

import pathlib
import urllib.parse

from playwright.sync_api import expect

from .session import Checks


class Hostile(Checks):
    def hostile_guide(self, file):
        name = pathlib.Path(file).name
        document = next(one for one in self.api("documents")["documents"] if one["path"].endswith(name))
        path = document["path"]
        lines = self.api("get", citation=path)["text"].removesuffix("\n").split("\n")
        assert any("<script>hostile(" in line for line in lines), "that guide is not hostile"
        marked = urllib.parse.quote(f"{path}:1-{len(lines)}")
        question = urllib.parse.quote("hostile engineer")
        views = {
            "reader": f"/?open={marked}",
            "results": f"/?q={question}",
            "answer": f"/?q={question}&ask=1",
            "resources": "/?view=resources",
            "compare": "/?view=compare",
            "map": f"/?view=map&q={question}",
            "first-screen": "/",
            "facets": (
                f"/?q={question}&tag={urllib.parse.quote(document['tags'][0])}" if document["tags"] else "/?q=hostile"
            ),
        }
        for view, address in views.items():
            session = self.session()
            page = session.page
            page.add_init_script("window.hostileRan = []; window.hostile = (what) => window.hostileRan.push(what);")
            page = session.open(address)
            if view in ("results", "answer"):
                page.locator(".why-button").first.click()
                expect(page.locator(".why .bars").first).to_be_visible()
            page.wait_for_timeout(300)
            assert page.evaluate("window.hostileRan") == [], page.evaluate("window.hostileRan")
            foreign = page.evaluate(
                """() => [...document.querySelectorAll('#view *, #reader *, #notice *')].filter((one) =>
                ['SCRIPT', 'IMG', 'IFRAME', 'STYLE', 'BASE', 'META', 'OBJECT', 'PLAINTEXT', 'MATH'].includes(one.tagName.toUpperCase())
                || [...one.attributes].some((attribute) => attribute.name.startsWith('on'))
                || one.href && !/^https?:$/.test(one.protocol)).map((one) => one.outerHTML.slice(0, 200))"""
            )
            assert not foreign, foreign
            outside = page.locator("#view a[target=_blank], #reader a[target=_blank]").evaluate_all(
                "(all) => all.map((link) => [link.href, link.rel])"
            )
            assert all(
                href.startswith(("http://", "https://")) and rel == "noopener noreferrer nofollow"
                for href, rel in outside
            ), outside
            if view == "reader":
                shown = dict(
                    page.locator(".reader .line").evaluate_all(
                        "(all) => all.map((line) => [Number(line.dataset.line), line.textContent])"
                    )
                )
                assert all(shown[at] == line for at, line in enumerate(lines, 1) if line.strip())
            wide = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
            assert wide[0] <= wide[1], f"{view} is {wide[0]} px wide"
            self.shot(page, f"hostile-{view}")
            session.close()
