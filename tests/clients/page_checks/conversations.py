"""Follow-up questions to a language model, the file that keeps them, and what is said when the model fails."""

import pathlib
import re
import subprocess
import tempfile

from playwright.sync_api import expect

from language_server import Broken, Fails

from .written import FOLLOW_UP, QUESTION, REWRITTEN, Written


class Conversations(Written):
    def follow_ups(self):
        """A follow-up is searched as it was meant, after what was said before."""
        session, page = self.write_out(self.plain)
        self.written(page)
        self.follow_up(page)
        self.written(page, 2)
        assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Ask a follow-up"
        first, rewriting, second = self.language.asked
        assert first.question == "How do I become a data analyst"
        assert rewriting.rewrites and rewriting.question == FOLLOW_UP
        assert "| Asked: How do I become a data analyst" in rewriting.text
        assert f"| Answered: {first.sentence(1)} {first.sentence(2)}"[:300] in rewriting.text, rewriting.text
        assert second.question == REWRITTEN
        assert page.locator(".asked").all_inner_texts() == ["How do I become a data analyst", FOLLOW_UP]
        expect(page.locator(".exchange").nth(1).locator(".searched")).to_have_text(f"Searched as: {REWRITTEN}")
        expect(page.locator(".exchange").nth(0).locator(".searched")).to_be_hidden()
        expect(page.locator(".exchange").nth(0).locator(".sentence")).to_have_count(2)
        self.language.script = lambda asked: ["what is the moon made of"] if asked.rewrites else ["It is cheese."]
        self.follow_up(page, "and the moon")
        self.written(page, 3)
        expect(page.locator(".exchange").nth(2)).to_contain_text("No guide here answers that.")
        page.get_by_role("button", name="New conversation").click()
        expect(page.locator(".exchange")).to_have_count(0)
        assert page.evaluate("document.activeElement.textContent") == "Write it out"
        self.language.script = lambda asked: ["The guides do not say."]
        page.keyboard.press("Enter")
        self.written(page)
        expect(page.locator(".verdict")).to_have_text("The guides do not say.")
        session.close()

    def writing_is_filtered(self):
        """Filters of the page hold for what is written, and for what follows."""
        kinds = {one["path"]: one["kind"] for one in self.api("documents")["documents"]}
        answer = lambda asked: ["SQL is a language [1]."]
        self.language.script = lambda asked: ["How do I learn SQL well?"] if asked.rewrites else answer(asked)
        session = self.session()
        page = session.open("/?q=how+do+I+learn+SQL&ask=1&kind=skill")
        asked = []
        page.on("request", lambda request: asked.append(request) if request.url.endswith("/api/write") else None)
        page.get_by_role("button", name="Write it out").click()
        self.written(page)
        self.follow_up(page)
        self.written(page, 2)
        posted = [request.post_data_json for request in asked]
        assert [one["kind"] for one in posted] == [["skill"], ["skill"]], posted
        assert [len(one["turns"]) for one in posted] == [0, 1], posted
        paths = page.locator(".exchange .sources a").evaluate_all(
            "(all) => all.map((link) => link.dataset.open.replace(/:.*/, ''))"
        )
        assert paths and {kinds[path] for path in paths} == {"skill"}, paths
        session.close()

    def saved(self, page):
        with page.expect_download() as download:
            page.get_by_role("button", name="Save as Markdown").click()
        assert download.value.suggested_filename == "how-do-i-become-a-data-analyst.md"
        with open(download.value.path(), encoding="utf-8") as file:
            return file.read()

    def conversation_kept(self):
        """The file has questions, answers with their marks, and sources: what `guidepost chat --save` writes."""
        answer = lambda asked: [f"{asked.sentence(1)} [1] Bakers knead rye.\n\n", f"{asked.sentence(2)} [2]"]
        session, page = self.write_out(answer)
        self.written(page)
        self.follow_up(page)
        self.written(page, 2)
        kept = self.saved(page)
        assert kept.startswith("# Questions to the guides\n\n## How do I become a data analyst\n\n"), kept
        assert f"## {FOLLOW_UP}\n\n*Searched as: {REWRITTEN}*\n\n" in kept, kept
        assert "Bakers knead rye. (? it cites no source)\n\n" in kept, kept
        assert len(re.findall(r"^[12]\. `corpus/\S+\.md:\d+(-\d+)?` \S", kept, re.MULTILINE)) == 4, kept
        there = self.saved_by_the_command(f"How do I become a data analyst\n{FOLLOW_UP}\n")
        assert kept == there, (kept, there)
        session.close()

    def saved_by_the_command(self, questions):
        command = [self.guidepost, "chat", "--llm", self.language.address, "--llm-model", "a-small-model"]
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "chat.md"
            subprocess.run([*command, "--save", file], input=questions, text=True, check=True, capture_output=True)
            return file.read_text(encoding="utf-8")

    def writing_fails(self):
        """What went wrong is said where the answer would be, and what was written stays."""

        def breaks(asked):
            yield f"{asked.sentence(1)} [1] And"
            raise Broken

        session, page = self.write_out(breaks)
        expect(page.locator(".exchange .notice")).to_contain_text("stopped in the midst")
        expect(page.locator(".sentence")).to_have_count(1)
        expect(page.locator(".exchange .hint")).to_contain_text("1 of 1 sentences are supported")
        expect(page.locator(".exchange .hint")).to_contain_text("it was broken off")
        self.accessible(page, "a broken answer")
        self.shot(page, "state-writing-breaks")
        self.language.script = lambda asked: Fails(404, "no such model")
        page.get_by_role("button", name="Try again").click()
        expect(page.locator(".exchange .notice")).to_contain_text("has no model")
        expect(page.locator(".exchange")).to_have_count(1)
        self.follow_up(page)
        expect(page.locator(".exchange .notice")).to_have_count(1)
        expect(page.locator(".exchange").nth(1).locator(".notice")).to_contain_text("has no model")
        self.language.script = self.plain
        page.get_by_role("button", name="Try again").click()
        self.written(page, 2)
        expect(page.locator(".notice")).to_have_count(0)
        self.language.script = lambda asked: Fails(401, "wrong key")
        self.follow_up(page, "and then")
        expect(page.locator(".exchange").nth(2).locator(".notice")).to_contain_text("OPENAI_API_KEY")
        page.route("**/api/write", self.error(429, "too many requests at once", **{"Retry-After": "1"}))
        page.get_by_role("button", name="Try again").click()
        expect(page.locator(".exchange .waiting")).to_contain_text("Trying again in")
        page.unroute("**/api/write")
        self.language.script = lambda asked: [REWRITTEN] if asked.rewrites else self.plain(asked)
        self.written(page, 3)
        expect(page.locator(".exchange").nth(2).locator(".sentence")).to_have_count(2, timeout=8000)
        expect(page.locator(".notice")).to_have_count(0)
        session.close()

    def writing_by_keyboard(self):
        self.language.script = lambda asked: [REWRITTEN] if asked.rewrites else self.plain(asked)
        session = self.session()
        page = session.open(QUESTION)
        reach = lambda name: self.tab_to(page, lambda: page.evaluate("document.activeElement.textContent") == name)
        page.locator("#q").focus()
        reach("Write it out")
        page.keyboard.press("Enter")
        self.written(page)
        self.tab_to(page, lambda: page.evaluate("Boolean(document.activeElement.closest('.sentence'))"))
        page.keyboard.press("Enter")
        expect(page.locator(".reader .line.marked").first).to_be_visible()
        page.keyboard.press("Escape")
        page.keyboard.press("ArrowDown")
        assert page.evaluate("document.activeElement.textContent") == "Source 2"
        self.tab_to(page, lambda: page.evaluate("Boolean(document.activeElement.closest('.follow-up'))"))
        page.keyboard.type("and then/")
        page.keyboard.press("Enter")
        self.written(page, 2)
        reach("New conversation")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.textContent") == "Write it out"
        session.close()
