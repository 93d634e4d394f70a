"""Resources, comparison and map."""

from playwright.sync_api import expect

from .session import Checks, until


class Views(Checks):
    def resources(self):
        session = self.session()
        page = session.open("/?view=resources")
        total = page.locator("p.count").inner_text()
        page.locator(".pill", has_text="Books").click()
        session.settle()
        assert set(page.locator(".resource .kind").all_inner_texts()) == {"book"}
        assert page.locator("p.count").inner_text() != total
        page.locator("#serves").select_option("Data analyst")
        session.settle()
        titles = page.locator(".resource strong").all_inner_texts()
        wanted = [
            one["title"] for one in self.api("resources", kind="book", **{"for": "Data analyst"}, limit=20)["resources"]
        ]
        assert titles == wanted, (titles, wanted)
        page.locator("#q").fill("statistics")
        session.settle()
        until(page, "location.search.includes('q=statistics')")
        session.settle()
        assert page.locator(".resource strong").all_inner_texts() != titles
        page = session.open("/?view=resources&want=course&want=link")
        for link in page.locator(".resource strong a").all():
            assert link.get_attribute("href").startswith(("http://", "https://"))
            assert set(link.get_attribute("rel").split()) == {"noopener", "noreferrer", "nofollow"}
            assert link.get_attribute("target") == "_blank"
        page.locator(".resource .mentions a").first.click()
        expect(page.locator(".reader .line.marked").first).to_be_visible()
        session.close()

    def compare(self):
        session = self.session()
        page = session.open("/?view=compare")
        page.locator("#first").select_option("Data analyst")
        page.locator("#second").select_option("Data scientist")
        session.settle()
        assert page.locator(".comparison h3").all_inner_texts() == ["Data analyst", "Data scientist"]
        sides = self.api("compare", first="Data analyst", second="Data scientist")["roles"]
        keys = [{item["text"].lower() for item in side["skills"]} for side in sides]
        skills = page.locator(".comparison .row").first
        assert {text.lower() for text in skills.locator(".both a").all_inner_texts()} == keys[0] & keys[1]
        only = [
            {text.lower() for text in side.locator("a").all_inner_texts()}
            for side in skills.locator(".sides > div").all()
        ]
        assert only == [keys[0] - keys[1], keys[1] - keys[0]], only
        page.get_by_role("button", name="Swap the two roles").click()
        session.settle()
        assert page.locator(".comparison h3").all_inner_texts() == ["Data scientist", "Data analyst"]
        item = page.locator(".comparison .row .sides a").first
        cited = item.get_attribute("data-open")
        item.click()
        expect(page.locator(".reader .line.marked").first).to_be_visible()
        assert page.locator(".reader code.place").first.inner_text() == cited
        session.close()

    def map(self):
        session = self.session()
        page = session.open("/?view=map")
        guides = len(self.api("map")["guides"])
        assert page.locator(".map-hits a").count() == guides
        dark = self.lit(page)
        assert dark == 0, dark
        page.locator("#q").fill("databases")
        until(page, "document.querySelector('.map-hits .rank')")
        session.settle()
        found = self.api("search", q="databases", limit=20)["results"]
        assert page.locator(".map-hits a").count() == len(found)
        assert self.lit(page) > 100, "no hit is lit up"
        page.get_by_role("button", name="Zoom in").click()
        until(page, "new URLSearchParams(location.search).get('at')")
        at = page.evaluate("new URLSearchParams(location.search).get('at')")
        page.locator("canvas").focus()
        page.keyboard.press("ArrowRight")
        until(page, "(at) => new URLSearchParams(location.search).get('at') !== at", at)
        page.keyboard.press("0")
        until(page, "!new URLSearchParams(location.search).get('at')")
        box = page.locator("canvas").bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] / 2 + 80, box["y"] + box["height"] / 2 + 30, steps=5)
        page.mouse.up()
        page.mouse.wheel(0, -300)
        until(page, "new URLSearchParams(location.search).get('at')")
        page.get_by_role("button", name="Show all of the map").click()
        session.settle()
        spot = self.lit_spot(page)
        page.mouse.click(box["x"] + spot[0], box["y"] + spot[1])
        expect(page.locator(".reader-body")).to_be_visible()
        session.close()

    LIT = """(canvas) => {
        const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
        const [red, green, blue] = [242, 165, 22];
        const found = [];
        for (let at = 0; at < pixels.length; at += 4) {
            const near = Math.abs(pixels[at] - red) + Math.abs(pixels[at + 1] - green) + Math.abs(pixels[at + 2] - blue) < 12;
            if (near && pixels[at + 3] > 240) found.push([(at / 4) % canvas.width, Math.floor(at / 4 / canvas.width)]);
        }
        return found;
    }"""

    def lit(self, page):
        page.wait_for_timeout(100)
        return len(page.locator("canvas").evaluate(self.LIT))

    def lit_spot(self, page):
        found = page.locator("canvas").evaluate(self.LIT)
        return found[len(found) // 2]
