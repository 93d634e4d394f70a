"""Drives the page of `guidepost serve` in Chromium, end to end.

    page.py http://127.0.0.1:PORT --screenshots DIR --axe axe.min.js
    page.py http://127.0.0.1:PORT --hostile tests/fixtures/hostile/hostile-guide.md --screenshots DIR --axe axe.min.js

The first form wants a server over the guides that ship; the second one over a folder that holds the hostile guide, and
looks at that alone. Needs the packages `playwright`, a Chromium (`--chromium`), and axe-core's file. Every check prints a
line; the exit code is 1 if one failed. Screenshots are for people to judge.
"""

import argparse
import sys

from playwright.sync_api import sync_playwright

from page_checks.hostile import Hostile
from page_checks.looks import WIDTHS, Looks
from page_checks.questions import Questions
from page_checks.states import States
from page_checks.views import Views
from page_checks.ways import Ways


class Page(Questions, Views, Ways, States, Looks, Hostile):
    """All of it."""

    def all(self, only):
        for act in (
            *(self.no_markup_from_text, self.first_screen, self.typing, self.late_answers, self.answer_and_citation),
            *(self.whole_guide, self.facets, self.why, self.resources, self.compare, self.map, self.keyboard_alone),
            *(self.addresses, self.theme, self.still, self.server_gone, self.server_busy, self.wants_key),
            *(self.misunderstood, self.stream_breaks, self.nothing_there),
        ):
            if only in act.__name__:
                self.check(act.__name__.replace("_", " "), act)
        for width in WIDTHS if only in "looks" else []:
            for scheme in ("light", "dark"):
                self.check(f"looks, {width} px, {scheme}", lambda: self.looks(width, scheme))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", help="address of a running server")
    parser.add_argument("--screenshots", help="folder for screenshots")
    parser.add_argument("--axe", help="axe-core's axe.min.js; without it accessibility is not checked")
    parser.add_argument("--hostile", help="the hostile guide's file; the server serves its folder")
    parser.add_argument("--only", default="", help="only checks with this in their names")
    parser.add_argument("--chromium", default="/usr/bin/chromium", help="the browser [default: %(default)s]")
    options = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.chromium, args=["--no-sandbox"])
        page = Page(browser, options)
        if options.hostile:
            page.check("a hostile guide is text", lambda: page.hostile_guide(options.hostile))
        else:
            page.all(options.only)
        browser.close()
    if page.failed:
        sys.exit(f"{len(page.failed)} failed: {', '.join(page.failed)}")


if __name__ == "__main__":
    main()
