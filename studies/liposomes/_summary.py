"""The liposome study's summary as Markdown and HTML, from the files of its parts."""

import html

import pandas as pd

from studies._markdown import as_markdown, run_line
from studies._record import read_record

FIGURES = ["TPR", "TNR", "PPV", "NPV", "F1"]
TITLE = "The liposome study on simulated images"
CAUTION = (
    "All images are simulated. The figures say how the methods compare on them, and "
    "nothing about real liposomes."
)
LEGEND = (
    "Figures of each class are of the pooled out-of-fold predictions; in brackets, "
    "95 % intervals from a bootstrap over micrographs."
)


def write_summary(folder, parts):
    """Write summary.md and summary.html of the parts that are done; return them."""
    done = [part for part in parts if (folder / f"{part.name}.csv").exists()]
    blocks = [("h1", TITLE), ("p", CAUTION), ("p", LEGEND)]
    for part in done:
        record = read_record(folder, part.name)
        table = pd.read_csv(folder / f"{part.name}.csv")
        blocks += [
            ("h2", part.question),
            ("p", f"{_data_line(part, record)} {part.note}"),
            ("p", record["verdict"]),
            ("table", per_class_table(table)),
        ]
        if part.shows_confusion:
            matrices = pd.read_csv(folder / f"{part.name}-confusion.csv", dtype=str)
            blocks += [
                ("p", "Images of each class (rows) by prediction (columns):"),
                ("table", matrices),
            ]
        blocks.append(("p", run_line(record)))
    (folder / "summary.md").write_text(as_markdown(blocks), "utf-8")
    (folder / "summary.html").write_text(_as_html(blocks), "utf-8")
    return done


def per_class_table(table):
    """Return the rows of a part's table as text, for classes and their macro mean."""
    shown = table[~table["class"].isin(["weighted", "micro"])]
    columns = {"model": shown["estimator"], "class": shown["class"]}
    for figure in FIGURES:
        columns[figure] = shown[figure].map("{:.3f}".format)
    spans = zip(shown["F1_low"], shown["F1_high"], strict=True)
    columns["F1"] += [f" [{low:.3f}, {high:.3f}]" for low, high in spans]
    columns["images"] = shown["support"].map("{:.0f}".format)
    return pd.DataFrame(columns)


def _data_line(part, record):
    counts = ", ".join(f"{n:,} {name}" for name, n in record["counts"].items())
    return (
        f"{part.task.capitalize()}: {record['n_images']:,} simulated images ({counts}) "
        f"of {record['n_groups']:,} micrographs, {record['n_folds']} folds by "
        f"micrograph, {record['max_epochs']} epochs, seed {record['seed']}."
    )


def _as_html(blocks):
    body = [
        content.to_html(index=False, border=0)
        if kind == "table"
        else f"<{kind}>{html.escape(content)}</{kind}>"
        for kind, content in blocks
    ]
    style = (
        "body{font:16px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em}"
        "table{border-collapse:collapse;font-size:14px}"
        "th,td{padding:.2em .8em;text-align:left;border-bottom:1px solid #ccc}"
    )
    return (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{TITLE}</title>'
        f"<style>{style}</style>\n" + "\n".join(body) + "\n</html>\n"
    )
