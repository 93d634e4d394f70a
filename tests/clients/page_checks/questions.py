"""Asking: the first screen, results while typing, the answer, its citations, filters, and why."""

import re
import urllib.parse

from playwright.sync_api import expect

from .session import Checks, until


class Questions(Checks):
    def first_screen(self):
        session = self.session()
        page = session.open("/")
        texts = page.locator(".example-group a").all_inner_texts()
        assert len(texts) >= 6, texts
        assert page.evaluate("document.activeElement.id") == "q"
        for text in texts:
            page = session.open("/")
            page.get_by_role("link", name=text, exact=True).click()
            session.settle()
            answers = page.locator(".statement, .resource, .comparison .row, .map-hits a")
            expect(answers.first).to_be_visible()
        session.close()

    def typing(self):
        session = self.session()
        page = session.open("/")
        entries = page.evaluate("history.length")
        page.locator("#q").press_sequentially("error", delay=30)
        expect(page.locator(".result").first).to_be_visible()
        session.settle()
        before = page.locator(".result-link").all_inner_texts()
        page.evaluate("""() => {
            window.emptied = 0;
            const list = document.querySelector('.results');
            new MutationObserver(() => { if (list.children.length === 0) window.emptied += 1; }).observe(list, {childList: true});
        }""")
        page.locator("#q").press_sequentially(" budget of a service", delay=40)
        session.settle()
        until(page, "new URLSearchParams(location.search).get('q') === 'error budget of a service'")
        session.settle()
        assert page.locator(".result-link").all_inner_texts() != before
        assert page.evaluate("window.emptied") == 0, "the list was emptied while somebody typed"
        assert page.evaluate("history.length") == entries + 1, "typing filled the history"
        marked = {word.lower() for word in page.locator(".result mark.word").all_inner_texts()}
        assert {"error", "budget"} <= marked, marked
        expect(page.locator("#spoken")).to_contain_text("passage", timeout=3000)
        session.close()

    def late_answers(self):
        """An answer that comes late does not take the place of a newer one, and nobody waits for it."""
        session = self.session()
        page = session.open("/")

        held = []

        def slow(route):
            asked = urllib.parse.parse_qs(urllib.parse.urlparse(route.request.url).query)["q"][0]
            if asked == "sql":
                held.append(route)
            else:
                route.continue_()

        page.route("**/api/search*", slow)
        failed = []
        page.on("requestfailed", lambda request: failed.append(request.url))
        page.locator("#q").fill("sql")
        until(page, "location.search.includes('q=sql')")
        page.wait_for_timeout(300)
        assert held, "nothing was asked while somebody typed"
        page.locator("#q").fill("kubernetes")
        expect(page.locator(".result-link").first).to_contain_text("Kubernetes")
        held[0].fulfill(json=self.api("search", q="sql", limit=10))
        page.wait_for_timeout(500)
        expect(page.locator(".result-link").first).to_contain_text("Kubernetes")
        assert any("q=sql" in url for url in failed), "the older request went on"
        session.close()

    def answer_and_citation(self):
        session = self.session()
        page = session.open("/")
        page.locator("#q").fill("How do I become a data analyst?")
        page.keyboard.press("Enter")
        expect(page.locator(".answer .confidence")).to_be_visible()
        session.settle()
        statements = page.locator(".statement")
        assert statements.count() >= 1
        assert statements.count() == page.locator(".sources > li").count()
        words = page.locator(".answer .confidence .words").inner_text()
        assert words in ("very likely", "likely", "perhaps", "unlikely", "a long shot"), words
        assert re.fullmatch(r"(under )?\d+ %", page.locator(".answer .confidence .number").inner_text())
        for at in range(statements.count()):
            self.citation(session, statements.nth(at))
        session.close()

    def citation(self, session, statement):
        page = session.page
        link = statement.locator(".cite")
        cited = link.get_attribute("data-open")
        path, first, last = re.fullmatch(r"(.*):(\d+)(?:-(\d+))?", cited).groups()
        lines = self.api("get", citation=path)["text"].removesuffix("\n").split("\n")
        wanted = list(range(int(first), int(last or first) + 1))
        link.click()
        self.marked(page, [number for number in wanted if lines[number - 1].strip()], lines)
        stands = re.sub(r"\s+", " ", " ".join(lines[number - 1] for number in wanted))
        quoted = statement.locator(".prose").evaluate(
            "(own) => [...own.querySelectorAll('.line')].map((line) => line.textContent).join(' ')"
        )
        assert re.sub(r"\s+", " ", quoted).strip() in stands, (quoted, stands)
        page.keyboard.press("Escape")
        expect(page.locator("#reader")).to_be_hidden()
        assert (
            page.evaluate("document.activeElement.dataset.open") == cited
        ), "closing did not lead back to the citation"

    def marked(self, page, wanted, lines):
        """The marked lines are those, say what the guide says, and the first is in sight."""
        expect(page.locator(".reader .line.marked").first).to_be_visible()
        marked = page.locator(".reader .line.marked").evaluate_all(
            "(all) => all.map((line) => [Number(line.dataset.line), line.textContent])"
        )
        assert [number for number, _ in marked] == wanted, (marked, wanted)
        for number, text in marked:
            assert text == lines[number - 1], (text, lines[number - 1])
        top, bottom = page.locator(".reader-body").evaluate(
            "(body) => [body.getBoundingClientRect().top, body.getBoundingClientRect().bottom]"
        )
        box = page.locator(".reader .line.marked").first.bounding_box()
        assert top <= box["y"] and box["y"] + box["height"] <= bottom, (top, bottom, box)
        assert page.evaluate("document.activeElement.classList.contains('reader-body')"), "the reader has no focus"

    def whole_guide(self):
        """Every line of a guide is there, letter by letter."""
        session = self.session()
        for path in ("corpus/data-analyst.md", "corpus/sql.md", "corpus/containers-and-kubernetes.md"):
            lines = self.api("get", citation=path)["text"].removesuffix("\n").split("\n")
            page = session.open("/?" + urllib.parse.urlencode({"open": path}))
            expect(page.locator(".reader-body")).to_be_visible()
            shown = dict(
                page.locator(".reader .line").evaluate_all(
                    "(all) => all.map((line) => [Number(line.dataset.line), line.textContent])"
                )
            )
            assert {at: line for at, line in enumerate(lines, 1) if line.strip()} == {
                at: line for at, line in shown.items() if line.strip()
            }
        page = session.open("/?open=corpus/sql.md:9000-9001")
        expect(page.locator(".reader .note")).to_contain_text("9000 to 9001 are not among them")
        assert page.locator(".reader .line.marked").count() == 0
        page = session.open("/?open=corpus/containers-and-kubernetes.md")
        page.locator(".reader a[data-open^='corpus/']:not(.number)").first.click()
        until(page, "document.querySelector('.reader h2').textContent !== 'Containers and Kubernetes'")
        session.close()

    def facets(self):
        kinds = {one["path"]: one["kind"] for one in self.api("documents")["documents"]}
        session = self.session()
        page = session.open("/?q=statistics")
        paths = lambda: page.locator(".results > li").evaluate_all(
            "(all) => all.map((item) => item.dataset.cited.replace(/:.*/, ''))"
        )
        assert {kinds[path] for path in paths()} != {"role"}
        page.get_by_role("checkbox", name=re.compile("^role")).check()
        session.settle()
        assert {kinds[path] for path in paths()} == {"role"}, paths()
        assert "kind=role" in page.url
        page.get_by_role("button", name="All", exact=False).first.click()
        page.get_by_role("searchbox", name="Find a role").fill("quant")
        assert page.locator(".choice[data-facet=role]:visible").count() < 5
        page.locator(".chip").first.click()
        session.settle()
        assert "kind=role" not in page.url and {kinds[path] for path in paths()} != {"role"}
        page.locator("#mode").select_option("bm25")
        session.settle()
        assert "mode=bm25" in page.url
        session.close()

    def why(self):
        session = self.session()
        page = session.open("/?q=which+certification+fits+SQL")
        button = page.get_by_role("button", name="Why this result").first
        button.click()
        expect(page.locator(".why .bars").first).to_be_visible()
        assert button.get_attribute("aria-expanded") == "true" and "why=" in page.url
        levels = page.locator(".why .tinted .heat").evaluate_all("(all) => all.map((word) => word.className)")
        assert any("heat-4" in level for level in levels) and len(set(levels)) >= 3, set(levels)
        lines = page.locator(".why .heat").evaluate_all(
            "(all) => all.map((word) => getComputedStyle(word).textDecorationLine)"
        )
        assert set(lines) == {"underline"}, "color alone tells words apart"
        words = " ".join(page.locator(".why .tinted").all_inner_texts())
        hit = self.api("search", q="which certification fits SQL", limit=10)["results"][0]
        missing = [word for word in re.findall(r"\w+", hit["text"]) if word not in words]
        assert not missing, missing
        numbers = page.locator(".why .bars").first.locator(".number").all_inner_texts()
        assert numbers == sorted(numbers, reverse=True) and len(numbers) >= 3, numbers
        button.click()
        expect(page.locator(".why")).to_have_count(0)
        session.close()
