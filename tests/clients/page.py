"""Drives the page of `guidepost serve` in Chromium, end to end.

    page.py http://127.0.0.1:PORT --screenshots DIR --axe axe.min.js
    page.py http://127.0.0.1:PORT --hostile tests/fixtures/hostile/hostile-guide.md --screenshots DIR --axe axe.min.js
    page.py http://127.0.0.1:PORT --language-port PORT --guidepost target/release/guidepost ...

The first form wants a server over the guides that ship; the second one over a folder that holds the hostile guide, and
looks at that alone; the third one over the guides that ship, with `--llm http://127.0.0.1:PORT --llm-model a-small-model`,
and looks at what is written alone: this program plays the model on that port. Needs the packages `playwright`, a Chromium
(`--chromium`), and axe-core's file. Every check prints a line; the exit code is 1 if one failed. Screenshots are for people
to judge.
"""

import argparse
import sys

from playwright.sync_api import sync_playwright

from language_server import LanguageServer
from page_checks.conversations import Conversations
from page_checks.hostile import Hostile
from page_checks.looks import WIDTHS, Looks
from page_checks.questions import Questions
from page_checks.states import States
from page_checks.views import Views
from page_checks.ways import Ways


class Page(Questions, Views, Ways, States, Looks, Hostile, Conversations):
    """All of it."""

    def all(self, only):
        for act in (
            *(self.no_markup_from_text, self.first_screen, self.typing, self.late_answers, self.answer_and_citation),
            *(self.whole_guide, self.facets, self.why, self.resources, self.compare, self.map, self.keyboard_alone),
            *(self.addresses, self.theme, self.still, self.server_gone, self.server_busy, self.wants_key),
            *(self.misunderstood, self.stream_breaks, self.nothing_there, self.never_without_a_model),
        ):
            if only in act.__name__:
                self.check(act.__name__.replace("_", " "), act)
        for width in WIDTHS if only in "looks" else []:
            for scheme in ("light", "dark"):
                self.check(f"looks, {width} px, {scheme}", lambda: self.looks(width, scheme))

    def all_written(self, only):
        """All of what a language model writes."""
        for act in (
            *(self.written_as_it_comes, self.written_beyond_the_guides, self.written_text_is_text, self.writing_stops),
            *(self.writing_fails, self.writing_by_keyboard, self.follow_ups, self.conversation_kept),
            self.writing_is_filtered,
        ):
            if only in act.__name__:
                self.check(act.__name__.replace("_", " "), act)
        for width, height in WIDTHS.items() if only in "written_looks" else []:
            for scheme in ("light", "dark"):
                self.check(f"written looks, {width} px, {scheme}", lambda: self.written_looks(width, height, scheme))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", help="address of a running server")
    parser.add_argument("--screenshots", help="folder for screenshots")
    parser.add_argument("--axe", help="axe-core's axe.min.js; without it accessibility is not checked")
    parser.add_argument("--hostile", help="the hostile guide's file; the server serves its folder")
    parser.add_argument("--language-port", type=int, help="where the server looks for its language model")
    parser.add_argument("--guidepost", help="the binary, for what is written")
    parser.add_argument("--only", default="", help="only checks with this in their names")
    parser.add_argument("--chromium", default="/usr/bin/chromium", help="the browser [default: %(default)s]")
    options = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.chromium, args=["--no-sandbox"])
        page = Page(browser, options)
        if options.hostile:
            page.check("a hostile guide is text", lambda: page.hostile_guide(options.hostile))
        elif options.language_port:
            page.language, page.guidepost = LanguageServer(options.language_port), options.guidepost
            page.all_written(options.only)
            page.language.close()
        else:
            page.all(options.only)
        browser.close()
    if page.failed:
        sys.exit(f"{len(page.failed)} failed: {', '.join(page.failed)}")


if __name__ == "__main__":
    main()
