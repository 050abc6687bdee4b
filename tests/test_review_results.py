"""What the guide says of reviews is what was measured."""

from pathlib import Path

import pandas as pd
import pytest

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def table():
    return pd.read_csv(DOCS / "results" / "review_labels.csv")


def test_the_shares_found_are_those_of_the_table(table):
    text = (DOCS / "results" / "review_labels.md").read_text()
    found = table[table["part"] == "doubt"].groupby(["set", "way"])["figure"]
    assert (found.count() == 5).all()
    for name in ("vnc_sstem", "jurkat", "pneumoniamnist"):
        cells = [
            f"{f.mean():.3f} [{f.min():.3f}, {f.max():.3f}]"
            for f in (found.get_group((name, way)) for way in ("random", "look-alike"))
        ]
        assert f"| {name} | {' | '.join(cells)} |" in text


def test_the_labels_needed_are_those_of_the_table(table):
    text = (DOCS / "results" / "review_labels.md").read_text()
    rows = table[table["part"] == "suggest"]
    last = rows.groupby(["set", "way", "seed"]).tail(1)
    assert (last["figure"] >= 0.9 * last["full"]).all()
    for (name, way), of_way in last.groupby(["set", "way"]):
        counts = of_way.sort_values("seed")["n_labels"].astype(int)
        assert len(counts) == 5
        cells = " | ".join(map(str, [*counts, round(counts.mean())]))
        assert f"| {name}, {way} | {cells} |" in text
    means = last.groupby(["set", "way"])["n_labels"].mean().unstack()
    saved = 1 - means["suggested"] / means["random"]
    for name, share in saved.items():
        line = next(x for x in text.splitlines() if x.startswith(f"| {name}, sugg"))
        assert line.endswith(f"| {100 * share:.0f} % |")


def test_the_figure_is_drawn(monkeypatch):
    import importlib.util

    import matplotlib.pyplot as plt

    monkeypatch.chdir(DOCS / "figures")
    spec = importlib.util.spec_from_file_location("figures", "review_labels.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.draw_curves()
    axes = plt.gcf().axes
    assert [len(ax.lines) for ax in axes] == [11, 11, 11]
    plt.close("all")
