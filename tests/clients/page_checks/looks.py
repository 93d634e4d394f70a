"""How the page looks, from 360 to 2,560 pixels, light and dark, and whether it is accessible."""

import re
import urllib.parse
import urllib.request

from playwright.sync_api import expect

from .session import Checks

WIDTHS = {360: 780, 768: 1000, 1280: 900, 2560: 1300}
VIEWS = {
    "first-screen": "/",
    "results": "/?q=kubernetes",
    "answer": "/?q=How+do+I+become+a+data+analyst&ask=1",
    "no-answer": "/?q=what+is+the+moon+made+of&ask=1",
    "nothing-found": "/?q=title%3Aqqqqqq",
    "reader": "/?q=SQL+window+functions&open=corpus/sql.md:107-113",
    "why": "/?q=containers&why={first}",
    "resources": "/?view=resources&want=book&for=Data+analyst",
    "compare": "/?view=compare&first=Data+analyst&second=Data+scientist",
    "map": "/?view=map&q=databases",
}


class Looks(Checks):
    def looks(self, width, scheme):
        session = self.session(
            viewport={"width": width, "height": WIDTHS[width]}, color_scheme=scheme, has_touch=width == 360
        )
        first = self.api("search", q="containers", limit=10)["results"][0]
        place = f"{first['path']}:{first['first_line']}-{first['last_line']}"
        for name, address in VIEWS.items():
            page = session.open(address.format(first=urllib.parse.quote(place)))
            if name == "reader":
                expect(page.locator(".reader .line.marked").first).to_be_visible()
            if name == "why":
                expect(page.locator(".why .bars").first).to_be_visible()
                page.locator(".why").scroll_into_view_if_needed()
            wide = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
            assert wide[0] <= wide[1], f"{name} is {wide[0]} px wide"
            self.shot(page, f"{name}-{width}-{scheme}")
            if width in (360, 1280):
                self.accessible(page, f"{name}, {width} px, {scheme}")
            if width == 360:
                self.large_enough(page, name)
        session.close()

    def large_enough(self, page, name):
        small = page.locator(
            "button:visible, nav a:visible, select:visible, summary:visible, label.choice:visible"
        ).evaluate_all(
            "(all) => all.filter((one) => !one.closest('[inert]') && one.getBoundingClientRect().height < 43.5)"
            ".map((one) => one.textContent.slice(0, 40) + ' ' + one.getBoundingClientRect().height)"
        )
        assert not small, f"{name}: too small to touch: {small}"

    def still(self):
        session = self.session(reduced_motion="reduce")
        page = session.open("/?q=containers")
        page.locator(".why-button").first.click()
        seconds = page.locator(".why").evaluate("(panel) => parseFloat(getComputedStyle(panel).animationDuration)")
        assert seconds < 0.01, seconds
        session.close()

    def no_markup_from_text(self):
        """No module of the page has a way from text to markup or code."""
        with urllib.request.urlopen(self.base + "/", timeout=60) as answer:
            page = answer.read().decode()
        seen, left = set(), re.findall(r'src="(/page/[^"]+)"', page)
        while left:
            path = left.pop()
            if path in seen:
                continue
            seen.add(path)
            with urllib.request.urlopen(self.base + path, timeout=60) as answer:
                source = answer.read().decode()
            left += ["/page/" + name for name in re.findall(r'from "\./([^"]+)"', source)]
            banned = re.findall(
                r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc|DOMParser|createContextualFragment",
                source,
            )
            assert not banned, (path, banned)
        assert len(seen) > 15, seen
