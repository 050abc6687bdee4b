"""The liposome study's summary as Markdown and HTML, from the files of its parts."""

import html

import pandas as pd

from emclassify.metrics._figures import AVERAGES
from studies._markdown import as_markdown, run_line
from studies._record import read_record

FIGURES = ["TPR", "TNR", "PPV", "NPV", "F1", "F1TNR"]
TITLE = "The liposome study on simulated images"
CAUTION = (
    "All images are simulated. The figures say how the methods compare on them, and "
    "nothing about real liposomes."
)
LEGEND = (
    "Figures of each class are of the pooled out-of-fold predictions; in brackets, "
    "95 % intervals that allow for micrographs. F1 is the harmonic mean of TPR "
    "and PPV, F1TNR that of TPR and TNR: talks on the thesis call one or the other F1."
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
        ]
        blocks += [("p", record["verdict"])] if record["verdict"] else []
        folds = pd.read_csv(folder / f"{part.name}-folds.csv")
        if part.name == "length":
            curves = length_curves(folds)
            # What the page's picture is drawn from.
            curves.to_csv(folder / "length-curves.csv", index=False)
            blocks += [("p", LENGTH_LEGEND), ("table", length_table(curves))]
            blocks.append(("p", run_line(record)))
            continue
        blocks += [("p", FOLD_LEGEND), ("table", fold_table(folds))]
        if part.source:
            matrices = pd.read_csv(folder / f"{part.name}-confusion.csv")
            blocks += [("table", source_table(part.source, table, matrices))]
        blocks += [("p", "Figures of each class:"), ("table", per_class_table(table))]
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


FOLD_LEGEND = (
    "Macro mean of both kinds of F1, mean ± standard deviation over the folds, and "
    "seconds of a fit:"
)
LENGTH_LEGEND = (
    "Macro F1 on the first fold, mean ± standard deviation over three seeds of the "
    "network:"
)


def fold_table(folds):
    """Return both kinds of macro F1 by model, the best first."""
    rows = []
    for name, of_model in folds.groupby("estimator", sort=False):
        row = {"model": name}
        values = of_model["F1_macro"], f1_tnr_of_folds(of_model)
        for shown, value in zip(("F1", "F1TNR"), values, strict=True):
            row[shown] = f"{value.mean():.3f} ± {value.std(ddof=1):.3f}"
        row["seconds"] = f"{of_model['fit_time'].mean():.1f}"
        rows.append(row | {"order": -values[0].mean()})
    return pd.DataFrame(rows).sort_values("order", kind="stable").drop(columns="order")


def f1_tnr_of_folds(folds):
    """Return the macro harmonic mean of TPR and TNR in each fold."""
    known = [c.removeprefix("TPR_") for c in folds if c.startswith("TPR_")]
    classes = [name for name in known if name not in AVERAGES]
    of_classes = pd.DataFrame(
        {
            name: (2 * tpr * tnr / (tpr + tnr)).where((tpr + tnr != 0), 0.0)
            for name in classes
            for tpr, tnr in [(folds[f"TPR_{name}"], folds[f"TNR_{name}"])]
        }
    )
    return of_classes.mean(axis=1)


def length_curves(folds):
    """Return augmentation, number of epochs, seed and macro F1 of each training."""
    curves = folds["estimator"].str.extract(
        r"(?P<way>.+), (?P<epochs>\d+) epochs, seed (?P<seed>\d+)"
    )
    curves = curves.astype({"epochs": int, "seed": int})
    return curves.assign(F1_macro=folds["F1_macro"].round(4))


def length_table(curves):
    """Return the macro F1 by augmentation and number of epochs."""
    cells = curves.groupby(["epochs", "way"], sort=False)["F1_macro"]
    text = cells.mean().map("{:.3f}".format) + " ± " + cells.std().map("{:.3f}".format)
    table = text.unstack().sort_index().reset_index()
    return table.rename(columns=str).astype(str)


def source_table(claims, table, matrices):
    """Return what the thesis says, and the figures here that bear on it."""
    names = list(dict.fromkeys(table["estimator"]))
    rows = []
    for claim, what in claims:
        figure, _, label = what.partition(" ")
        if figure == "best":
            macro = table[table["class"] == "macro"].set_index("estimator")["F1"]
            order = macro.sort_values(ascending=False)
            here = [f"{name} {value:.3f}" for name, value in order.items()]
            figure = "macro F1"
        elif figure in ("FN", "FP"):
            here = [
                f"{name} {false_count(matrices, name, label, figure)}" for name in names
            ]
        else:
            rows_of = table[table["class"] == label].set_index("estimator")
            here = [f"{name} {rows_of.loc[name, figure]:.3f}" for name in names]
        what = f"{figure} {label}".strip()
        rows.append({"the thesis, on real images": claim, "figure": what})
        rows[-1]["here, on simulated ones"] = "; ".join(here)
    return pd.DataFrame(rows)


def false_count(matrices, name, label, kind):
    """Return how many false negatives ("FN") or positives ("FP") a class has."""
    matrix = matrices[matrices["estimator"] == name].set_index("true")
    right = int(matrix.loc[label, label])
    if kind == "FN":
        return int(matrix.drop(columns="estimator").loc[label].sum()) - right
    return int(matrix[label].sum()) - right


def _data_line(part, record):
    counts = ", ".join(f"{n:,} {name}" for name, n in record["counts"].items())
    return (
        f"{part.task.capitalize()}: {record['n_images']:,} simulated images ({counts}) "
        f"of {record['n_groups']:,} micrographs, {record['n_folds']} folds by "
        f"micrograph, {record['max_epochs']} epochs in batches of "
        f"{record['batch_size']}, seed {record['seed']}."
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
