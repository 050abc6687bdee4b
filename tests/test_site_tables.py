"""The tables of the site on a phone, with the site's own style and script."""

from pathlib import Path

import pytest
from browser import show_at, start_browser

STATIC = Path(__file__).parents[1] / "docs" / "_static"
SENTENCE = "as many simulated as there were real ones, in the same ratios of classes"
TABLES = {
    "sentences": [["What", "There", "Here"], ["Images", "14,169", SENTENCE]],
    "numbers": [
        ["model", *["macro F1"] * 6],
        ["LipNet-8", *["0.891 ± 0.032"] * 5, "0.955 [0.947, 0.962]"],
    ],
}


def table(name):
    head, *rows = TABLES[name]
    cells = "".join(f"<th>{text}</th>" for text in head)
    body = "".join(
        "<tr>" + "".join(f"<td><p>{text}</p></td>" for text in row) + "</tr>"
        for row in rows
    )
    return (
        f'<div class="pst-scrollable-table-container" style="overflow-x:auto" '
        f'id="{name}"><table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody>'
        "</table></div>"
    )


@pytest.mark.browser
def test_sentences_are_blocks_and_numbers_one_line(tmp_path):
    page = tmp_path / "page.html"
    page.write_text(
        '<!doctype html><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f'<link rel="stylesheet" href="{(STATIC / "emclassify.css").as_uri()}">'
        f'<script src="{(STATIC / "tables.js").as_uri()}"></script>'
        f'<article class="bd-article">{table("sentences")}{table("numbers")}</article>',
        "utf-8",
    )
    browser = start_browser(tmp_path)

    def say(script):
        return browser.execute_script(f"return {script}")

    cell = "document.querySelector('#sentences td:last-child')"
    try:
        show_at(browser, page, 390)
        width = "document.querySelector('#sentences').scrollWidth"
        assert say(f"{width} <= innerWidth")
        # All of the width is used, and the head of the column stands above.
        assert say(f"{cell}.getBoundingClientRect().width") > 300
        assert say(f"getComputedStyle({cell}, '::before').content") == '"Here"'
        # Numbers scroll, each on one line.
        heights = say(
            "[...document.querySelectorAll('#numbers td p')].map(p => p.clientHeight)"
        )
        assert max(heights) < 30
        assert say("document.querySelector('#numbers').scrollWidth > innerWidth")
        show_at(browser, page, 1280)
        assert say(f"getComputedStyle({cell}).display") == "table-cell"
        assert say(f"getComputedStyle({cell}, '::before').content") == "none"
        seen = [e for e in browser.get_log("browser") if e["level"] != "INFO"]
        assert seen == []
    finally:
        browser.quit()
