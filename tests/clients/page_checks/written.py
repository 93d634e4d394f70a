"""Answers in a language model's words; the model is a script."""

import re
import threading

from playwright.sync_api import expect

from language_server import slowly, without_end

from .session import Checks, until

QUESTION = "/?q=How+do+I+become+a+data+analyst&ask=1"
FOLLOW_UP = "and how long does it take"
REWRITTEN = "How long does it take to become a data analyst?"
HOSTILE = (
    "<img src=x onerror=hostile()> [click me](javascript:hostile()) <script>hostile()</script>"
    " ![seen](http://seen.example/x.png) https://seen.example/y is what analysts read [1]."
)


class Written(Checks):
    def never_without_a_model(self):
        """Only a server with a language model offers to have answers written."""
        session = self.session()
        page = session.open(QUESTION)
        expect(page.locator(".answer .confidence")).to_be_visible()
        assert page.locator("#written *").count() == 0
        assert page.get_by_role("button", name="Write it out").count() == 0
        assert "nothing leaves this server" in page.locator("#about").inner_text()
        session.close()

    def write_out(self, answer, **context):
        """A session in which an answer is being written by `answer(asked)`."""
        self.language.asked.clear()
        self.language.script = lambda asked: [REWRITTEN] if asked.rewrites else answer(asked)
        session = self.session(**context)
        page = session.open(QUESTION)
        page.get_by_role("button", name="Write it out").click()
        return session, page

    def follow_up(self, page, asked=FOLLOW_UP):
        page.get_by_role("textbox", name="Ask a follow-up").fill(asked)
        page.keyboard.press("Enter")

    def written(self, page, count=1):
        """Until so many answers are there, whole."""
        expect(page.locator(".exchange")).to_have_count(count)
        expect(page.locator(".exchange[aria-busy]")).to_have_count(0, timeout=20000)

    @staticmethod
    def plain(asked):
        return [f"{asked.sentence(1)} [1] ", f"{asked.sentence(2)} [2]"]

    def written_as_it_comes(self):
        """Sentences appear while the model still writes, and lead to their lines."""
        more = threading.Event()

        def answer(asked):
            yield f"{asked.sentence(1)} [1] And"
            assert more.wait(20)
            yield f" so on.\n\n{asked.sentence(2)} [2]"

        session, page = self.write_out(answer)
        sentence = page.locator(".sentence")
        expect(sentence).to_have_count(1)
        assert not more.is_set()
        expect(page.locator(".exchange")).to_have_attribute("aria-busy", "true")
        expect(page.get_by_role("button", name="Stop")).to_be_visible()
        assert page.evaluate("document.activeElement.classList.contains('asked')"), "the focus is lost"
        more.set()
        self.written(page)
        expect(sentence).to_have_count(3)
        expect(page.locator(".sentences > p")).to_have_count(2)
        expect(page.get_by_role("button", name="Stop")).to_be_hidden()
        expect(page.locator(".exchange .hint")).to_contain_text("Written by a-small-model and held against the guides")
        expect(page.locator("#spoken")).to_contain_text("2 of 3 sentences are supported", timeout=3000)
        assert page.locator(".exchange .sources > li").evaluate_all("(all) => all.map((one) => one.value)") == [1, 2]
        self.leads_to_its_lines(page, sentence.first)
        self.back_and_forth(session, page)
        session.close()

    def leads_to_its_lines(self, page, sentence):
        cite = sentence.locator(".cite")
        cited = cite.get_attribute("data-open")
        assert cited == page.locator(".exchange .sources a").first.get_attribute("data-open")
        cite.click()
        expect(page.locator(".reader .line.marked").first).to_be_visible()
        marked = " ".join(page.locator(".reader .line.marked").all_inner_texts())
        quoted = sentence.evaluate("(own) => own.firstChild.textContent")
        assert quoted in re.sub(r"\s+", " ", marked), (quoted, marked)
        page.keyboard.press("Escape")
        expect(page.locator("#reader")).to_be_hidden()
        assert page.evaluate("document.activeElement.dataset.open") == cited

    def back_and_forth(self, session, page):
        """What was written is there again, by the address alone."""
        for view in ("Map", "Resources"):
            page.get_by_role("link", name=view, exact=True).click()
            session.settle()
        page.go_back()
        page.go_back()
        session.settle()
        expect(page.locator(".sentence")).to_have_count(3)
        page.locator("#q").fill("kubernetes")
        until(page, "location.search.includes('q=kubernetes')")
        session.settle()
        expect(page.locator("#written *")).to_have_count(0)
        page.go_back()
        session.settle()
        expect(page.locator(".sentence")).to_have_count(3)

    def written_beyond_the_guides(self):
        """What no guide says is marked in words, hidden where that is wanted, and never followed up."""

        def answer(asked):
            invented = asked.sentence(1).rstrip(".")
            yield f"{asked.sentence(1)} [1] {invented} in 98765 steps [1]. Bakers knead rye at night. {asked.sentence(2)} [2][42]"

        session, page = self.write_out(answer)
        self.written(page)
        doubts = page.locator(".sentence.unsupported .doubt")
        says = doubts.all_inner_texts()
        assert len(says) == 3 and all(text.startswith("Not supported: ") for text in says), says
        assert "its source does not have 98765" in says[0] and doubts.first.locator("q").inner_text() == "98765", says
        assert "cites no source" in says[1] and "there is no source 42" in says[2], says
        assert page.locator(".sentence.unsupported .doubted").first.inner_text() == "98765"
        lines = page.locator(".doubted").evaluate_all("(all) => all.map((one) => getComputedStyle(one).textDecorationLine)")
        assert set(lines) == {"underline"}, "color alone marks it"
        assert page.locator(".no-source").inner_text().endswith("42")
        expect(page.locator(".exchange .hint")).to_contain_text("1 of 4 sentences are supported")
        self.only_what_is_supported(session, page)
        self.follow_up(page)
        self.written(page, 2)
        told = self.language.asked[1].text
        assert self.language.asked[0].sentence(1) in told and "98765" not in told and "Bakers" not in told, told
        session.close()

    def only_what_is_supported(self, session, page):
        box = page.get_by_role("checkbox", name="Only what the guides support")
        box.check()
        expect(page.locator(".sentence:visible")).to_have_count(1)
        expect(page.locator(".exchange .hint")).to_contain_text("3 that no source supports left out")
        expect(page.locator(".exchange .sources > li")).to_have_count(1)
        kept = self.saved(page)
        assert "Bakers" not in kept and "3 that no source supports left out" in kept, kept
        page.reload()
        session.settle()
        page.get_by_role("button", name="Write it out").click()
        self.written(page)
        expect(page.get_by_role("checkbox", name="Only what the guides support")).to_be_checked()
        expect(page.locator(".sentence:visible")).to_have_count(1)
        page.get_by_role("checkbox", name="Only what the guides support").uncheck()
        expect(page.locator(".sentence:visible")).to_have_count(4)
        self.language.asked[:] = self.language.asked[-1:]

    def writing_stops(self):
        """Stop and Escape end the writing, here and at the language model's server."""
        session, page = self.write_out(lambda asked: without_end(0.01))
        for stop in (lambda: page.get_by_role("button", name="Stop").click(), lambda: page.keyboard.press("Escape")):
            left = self.language.left
            expect(page.locator(".exchange").last.locator(".sentence").nth(1)).to_be_visible()
            stop()
            self.written(page, page.locator(".exchange").count())
            shown = page.locator(".sentence").count()
            expect(page.locator(".exchange .hint").last).to_contain_text("it was stopped")
            expect(page.locator("#spoken")).to_contain_text("Stopped", timeout=3000)
            self.left_after(page, left)
            assert page.locator(".sentence").count() == shown
            if page.locator(".exchange").count() == 1:
                kept = self.saved(page)
                assert "it was stopped" in kept and "do not say" not in kept, kept
                self.follow_up(page)
        left = self.language.left
        self.follow_up(page)
        expect(page.locator(".exchange")).to_have_count(3)
        expect(page.locator(".exchange").last.locator(".sentence").first).to_be_visible()
        page.get_by_role("link", name="Map", exact=True).click()
        self.left_after(page, left)
        session.close()

    def left_after(self, page, left):
        """The language model's server saw its client leave."""
        for _ in range(100):
            if self.language.left > left:
                break
            page.wait_for_timeout(50)
        assert self.language.left == left + 1, "the model writes on for nobody"

    def written_text_is_text(self):
        """Nothing that a language model writes becomes markup, a link or a picture."""
        self.language.script = lambda asked: [HOSTILE]
        session = self.session()
        session.page.add_init_script("window.hostileRan = 0; window.hostile = () => { window.hostileRan += 1; };")
        page = session.open(QUESTION)
        page.get_by_role("button", name="Write it out").click()
        self.written(page)
        self.language.script = lambda asked: [HOSTILE[:120]] if asked.rewrites else [HOSTILE]
        self.follow_up(page)
        self.written(page, 2)
        for part in ("<img src=x onerror=hostile()>", "[click me](javascript:hostile())", "seen](http://seen.example/x.png)"):
            assert part in page.locator(".sentences").last.inner_text(), page.locator(".sentences").last.inner_text()
        expect(page.locator(".searched").last).to_contain_text("<img src=x")
        foreign = page.locator("#written").evaluate(
            """(own) => [...own.querySelectorAll('*')].filter((one) => ['SCRIPT', 'IMG', 'IFRAME', 'STYLE'].includes(one.tagName)
            || [...one.attributes].some((attribute) => attribute.name.startsWith('on'))
            || one.href && (one.origin !== location.origin || !one.dataset.open)).map((one) => one.outerHTML)"""
        )
        assert not foreign, foreign
        assert page.evaluate("window.hostileRan") == 0
        session.close()

    def written_looks(self, width, height, scheme):
        def answer(asked):
            invented = asked.sentence(1).rstrip(".")
            text = f"{asked.sentence(1)} [1] {invented} in 98765 steps [1].\n\nBakers knead rye at night. {asked.sentence(2)} [2][42]"
            return slowly(text, 0.015)

        session, page = self.write_out(
            answer, viewport={"width": width, "height": height}, color_scheme=scheme, has_touch=width == 360
        )
        self.written(page)
        self.follow_up(page)
        expect(page.locator(".exchange").nth(1).locator(".sentence").first).to_be_visible()
        self.shot(page, f"written-writing-{width}-{scheme}")
        if width == 360:
            self.large_enough(page, "writing")
        self.written(page, 2)
        page.locator("#written").scroll_into_view_if_needed()
        page.evaluate("document.querySelector('#written').scrollIntoView()")
        self.shot(page, f"written-{width}-{scheme}")
        wide = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide[0] <= wide[1], f"{wide[0]} px wide"
        if width in (360, 1280):
            self.accessible(page, f"written, {width} px, {scheme}")
        if width == 360:
            self.large_enough(page, "written")
        page.locator(".follow-up").scroll_into_view_if_needed()
        self.shot(page, f"written-end-{width}-{scheme}")
        page.get_by_role("button", name="New conversation").click()
        self.shot(page, f"written-offer-{width}-{scheme}")
        session.close()
