"""compare_domains: figures by hand and by others, its level, what it takes."""

import h5py
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy import stats
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics import roc_auc_score

from emclassify import make_ion_images
from emclassify.display import DomainComparisonDisplay
from emclassify.model_selection import compare_domains
from emclassify.model_selection.transfer._two_sample import (
    auc_interval,
    cross_validated_auc,
    draw_folds,
    exceedance,
    feature_aucs,
    ks_distances,
    placements,
    relabel,
    standardised_differences,
)

QUICK = {"families": ["histogram", "moments"], "n_permutations": 39, "random_state": 0}


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def noise(n=40, seed=0, shift=0.0, size=12):
    rng = np.random.default_rng(seed)
    return rng.integers(60, 180, (n, size, size)) + shift


def two_sets(n_first=23, n_second=31, n_features=4, seed=0):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 9, (n_first + n_second, n_features)).astype(float)
    second = np.repeat([False, True], [n_first, n_second])
    values[second, 0] += 3
    return values, second


class TestNumbers:
    def test_ks_distances_are_scipys(self):
        values, second = two_sets()
        expected = [
            stats.ks_2samp(column[second], column[~second]).statistic
            for column in values.T
        ]
        assert ks_distances(values, second) == pytest.approx(expected)

    def test_aucs_are_scikit_learns(self):
        values, second = two_sets()
        expected = [roc_auc_score(second, column) for column in values.T]
        found = feature_aucs(values, second[:, np.newaxis])[:, 0]
        assert found == pytest.approx(expected)

    def test_standardised_differences_by_hand(self):
        second = np.array([False, False, True, True])
        values = np.array([[0, 1, 5.0], [2, 1, 5], [3, 2, 5], [5, 2, 5]])
        # Means 1 and 4, both deviations 1; constant and unlike; constant and equal.
        assert standardised_differences(values, second).tolist() == [3, np.inf, 0]

    def test_scores_are_those_of_kernel_ridge_regression(self):
        values, second = two_sets()
        values = values / 5
        folds = np.arange(len(second)) % 3
        auc, scores = cross_validated_auc(values, second[:, np.newaxis], folds)
        won = pairs = 0
        for fold in range(3):
            test = folds == fold
            ridge = KernelRidge(alpha=0.1, kernel="rbf", gamma=0.3)
            ridge.fit(values[~test], second[~test] - second[~test].mean())
            expected = ridge.predict(values[test])
            assert scores[test] == pytest.approx(expected)
            n = second[test].sum() * (~second[test]).sum()
            won += n * roc_auc_score(second[test], expected)
            pairs += n
        assert auc == pytest.approx([won / pairs])

    def test_placements_by_hand(self):
        scores = np.array([0.0, 2, 1, 2, 9])
        second = np.array([False, False, True, True, True])
        folds = np.array([0, 0, 0, 0, 0])
        # Of the first: 0 lies below all three; 2 below one, level with one.
        expected = [1, 0.5, 0.5, 0.75, 1]
        assert placements(scores, second, folds) == pytest.approx(expected)

    def test_without_groups_and_folds_the_variance_is_delongs(self):
        rng = np.random.default_rng(0)
        second = np.repeat([False, True], [300, 200])
        scores = rng.normal(size=500) + second
        low, high = auc_interval(
            scores, second, np.arange(500), np.zeros(500, int), 0.95
        )
        over = scores[second][:, np.newaxis] > scores[~second]
        auc = over.mean()
        parts = (
            over.mean(axis=1).var(ddof=1) / 200,
            over.mean(axis=0).var(ddof=1) / 300,
        )
        assert low < auc < high
        expected = 2 * 1.972 * np.sqrt(sum(parts))  # Student's t, 199 degrees
        assert high - low == pytest.approx(expected, rel=0.03)

    def test_groups_widen_the_interval(self):
        second = np.repeat([False, True], 100)
        units = np.arange(200) // 10
        scores = np.random.default_rng(0).normal(size=20)[units]
        folds = np.zeros(200, int)
        alone = auc_interval(scores, second, np.arange(200), folds, 0.95)
        together = auc_interval(scores, second, units, folds, 0.95)
        assert together[1] - together[0] > 2 * (alone[1] - alone[0])

    def test_units_stay_whole_and_both_sets_are_in_every_fold(self):
        units = np.repeat(np.arange(9), np.arange(1, 10))
        second = units >= 4
        rng = np.random.default_rng(0)
        folds = draw_folds(rng, second, units, 5)
        assert set(folds) == {0, 1}  # 4 units of a set make 2 folds
        drawn = relabel(rng, second, units, folds, 50)
        assert (drawn[:, 0] == second).all()
        for unit in range(9):
            own = units == unit
            assert len(set(folds[own])) == 1
            assert np.ptp(drawn[own].astype(int), axis=0).max() == 0
        for fold in (0, 1):
            heads = np.unique(units, return_index=True)[1]
            of_fold = heads[folds[heads] == fold]
            counts = drawn[of_fold].sum(axis=0)
            assert (counts == counts[0]).all()

    def test_p_values_by_hand(self):
        statistics = np.array([[3, 1, 2, 9], [1, 0, 0, 0.0]])
        # The largest of each draw: 1, 2, 9.
        assert exceedance(statistics).tolist() == [2 / 4, 4 / 4]


class TestAnswers:
    def test_what_differs_is_found_and_named(self):
        result = compare_domains(
            {"dark": noise(), "bright": noise(seed=1, shift=20)}, **QUICK
        )
        assert result.auc > 0.99
        assert result.p_value == 1 / 40
        assert result.families["family"][0] == "histogram"
        mean = result.features.set_index("feature").loc["grey_mean"]
        assert mean["difference"] > 3
        assert mean[["ks", "auc"]].tolist() == pytest.approx([1, 1])
        low, high = result.feature_values("grey_mean")
        assert low.max() < high.min()
        assert str(result).splitlines()[1].startswith("The sets differ: AUC 1.00")

    def test_equal_sets(self):
        result = compare_domains({"one": noise(60), "two": noise(60, seed=1)}, **QUICK)
        assert result.p_value > 0.05
        assert result.auc_low < 0.5 < result.auc_high
        assert "No difference was found, which shows no equality" in str(result)

    def test_scores_belong_to_their_images(self):
        mixed = noise()
        mixed[7] += 40  # the only bright one among dark ones
        result = compare_domains(
            {"dark": mixed, "bright": noise(seed=1, shift=40)}, **QUICK
        )
        own = result.scores[result.scores["domain"] == "dark"]
        assert own.loc[own["score"].idxmax(), "image"] == 7

    def test_groups_that_differ_by_themselves_are_no_difference(self):
        # Images of a group are nearly the same; taken as independent, they are known
        # again, and the sets seem to differ.
        group = np.repeat(np.arange(8), 10)
        sets = [noise(8, s)[group] + noise(80, s + 9) / 20 for s in (0, 1)]
        domains = dict(zip("ab", sets, strict=True))
        grouped = compare_domains(
            domains, groups=dict.fromkeys("ab", group), **QUICK | {"random_state": 1}
        )
        alone = compare_domains(domains, **QUICK)
        assert alone.p_value == 1 / 40
        assert grouped.p_value > 0.05
        assert grouped.n_groups == [8, 8]
        assert alone.n_groups == [None, None]

    def test_a_bunch_brings_its_groups(self):
        data = make_ion_images(40, n_groups=4, image_size=(12, 16), random_state=0)
        kept = data.groups < 2
        result = compare_domains(
            {"all": data, "some": [data.images[i] for i in np.flatnonzero(kept)]},
            groups={"some": data.groups[kept]},
            **QUICK,
        )
        assert result.n_groups == [4, 2]
        assert result.scores.loc[:39, "group"].tolist() == data.groups.tolist()

    def test_max_images_draws_and_says_which(self):
        result = compare_domains(
            {"one": noise(60), "two": noise(30, seed=1)}, max_images=20, **QUICK
        )
        assert result.n_images == [20, 20]
        one = result.scores[result.scores["domain"] == "one"]["image"]
        assert one.is_unique
        assert one.max() < 60

    def test_the_same_seed_gives_the_same_numbers(self):
        domains = {"one": noise(), "two": noise(seed=1)}
        first, second = (compare_domains(domains, **QUICK) for _ in range(2))
        pd.testing.assert_frame_equal(first.features, second.features)
        assert (first.auc, first.p_value) == (second.auc, second.p_value)


class TestInput:
    def test_lists_paths_and_stored_images_are_as_arrays(self, tmp_path):
        images = noise().astype(np.uint8)
        other = noise(seed=1).astype(np.uint8)
        paths = []
        for i, image in enumerate(images):
            paths.append(tmp_path / f"{i:02}.png")
            Image.fromarray(image).save(paths[-1])
        expected = compare_domains({"a": images, "b": other}, **QUICK)
        with h5py.File(tmp_path / "images.h5", "w") as file:
            file["images"] = images
            for form in (list(images), paths, file["images"]):
                found = compare_domains(
                    {"a": form, "b": other}, max_images=None, **QUICK
                )
                pd.testing.assert_frame_equal(found.features, expected.features)
                assert found.p_value == expected.p_value
                found.plot(n_images=2)

    def test_images_of_many_sizes_and_a_mask(self):
        sizes = [8, 9, 12] * 5
        images = [np.dstack([noise(1, size=s)[0], np.ones((s, s), int)]) for s in sizes]
        result = compare_domains({"a": images, "b": images[::-1]}, **QUICK)
        assert result.n_images == [15, 15]
        assert result.p_value > 0.05

    @pytest.mark.parametrize(
        ("domains", "error", "match"),
        [
            ({"a": noise()}, TypeError, "two sets.*got 1 of them"),
            (noise(), TypeError, "domains must be a dict of two sets"),
            ({"a": noise(), "b": noise(1)}, ValueError, "'b' has 1 image"),
            ({"a": noise(), "b": np.zeros((9, 5))}, TypeError, "'b' must hold images"),
            ({"a": noise(), "b": [1, 2, 3]}, TypeError, "'b' must hold images"),
            (
                {"a": noise(), "b": noise()[..., None] * [1, 1, 1]},
                ValueError,
                "'a' has images of 1 channel.*'b' of 3",
            ),
            (
                {"a": noise().astype(np.uint8), "b": noise() / 255},
                ValueError,
                "'a' is .*'b' is .*bring both to one type and scale",
            ),
            (
                {"a": noise(), "b": np.full((5, 4, 4), np.nan)},
                ValueError,
                "Domain 'b'.*NaN",
            ),
        ],
    )
    def test_errors_name_the_set(self, domains, error, match):
        with pytest.raises(error, match=match):
            compare_domains(domains, **QUICK)

    def test_groups_are_checked(self):
        domains = {"a": noise(), "b": noise(seed=1)}
        with pytest.raises(ValueError, match="groups names 'c'; the domains are"):
            compare_domains(domains, groups={"c": np.arange(40)}, **QUICK)
        with pytest.raises(ValueError, match="'b': groups has 3 entries for 40"):
            compare_domains(domains, groups={"b": [1, 2, 3]}, **QUICK)
        with pytest.raises(ValueError, match=r"'a' has 40 image\(s\) in 1 group"):
            compare_domains(domains, groups={"a": np.zeros(40)}, **QUICK)
        with pytest.raises(TypeError, match="groups must be a dict"):
            compare_domains(domains, groups=np.arange(40), **QUICK)

    def test_an_unknown_family_or_feature(self):
        domains = {"a": noise(), "b": noise(seed=1)}
        with pytest.raises(ValueError, match="no feature family"):
            compare_domains(domains, families=["shape"], n_permutations=19)
        with pytest.raises(ValueError, match=r"feature='mean' is not among .* more"):
            compare_domains(domains, **QUICK).feature_values("mean")


def test_notebooks_show_what_was_found():
    result = compare_domains({"<a>": noise(), "b": noise(seed=1, shift=9)}, **QUICK)
    html = result._repr_html_()
    assert html.count("<p>") == len(result.findings())
    for value in result.families["auc"]:
        assert f"<td>{value:.3f}</td>" in html
    assert "&lt;a&gt;" in html
    assert "<a>" not in html


def test_the_picture():
    result = compare_domains({"a": noise(), "b": noise(seed=1, shift=9)}, **QUICK)
    display = result.plot(n_features=2, n_images=3)
    assert isinstance(display, DomainComparisonDisplay)
    title = display.figure_.get_suptitle()
    assert title.startswith(f"a and b: AUC {result.auc:.2f} (95 %:")
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == ["a (40)", "b (40)"]
    assert len(display.feature_axes_) == 2
    assert [len(ax.images) for ax in display.image_axes_] == [3] * 4
    bars = display.family_ax_.patches
    assert bars[-1].get_width() + 0.5 == pytest.approx(result.families["auc"][0])
    assert result.plot(n_images=0, n_features=0).image_axes_ == []
    with pytest.raises(ValueError, match="n_images must not be negative; got -1"):
        result.plot(n_images=-1)


def grouped_set(rng, n_groups):
    """Images whose brightness, contrast and slope lie half between groups."""
    groups = np.repeat(np.arange(n_groups), rng.integers(2, 13, n_groups))
    traits = rng.normal(size=(n_groups, 3))[groups] + rng.normal(size=(len(groups), 3))
    level, contrast, slope = np.sqrt(0.5) * traits.T[..., np.newaxis, np.newaxis]
    images = rng.normal(size=(len(groups), 8, 8)) * np.exp(0.3 * contrast)
    return images + level + slope * np.linspace(-1, 1, 8), groups


@pytest.mark.slow
def test_level():
    """Of equal sets, about one comparison in twenty has p <= 0.05."""
    found = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        (one, groups_one), (two, groups_two) = (
            grouped_set(rng, 15),
            grouped_set(rng, 10),
        )
        result = compare_domains(
            {"one": one, "two": two},
            groups={"one": groups_one, "two": groups_two},
            families=["histogram", "moments"],
            n_permutations=99,
            random_state=seed,
        )
        found.append(
            [
                result.p_value <= 0.05,
                result.families["p_value"].min() <= 0.05,
                result.features["p_value"].min() <= 0.05,
                not result.auc_low <= 0.5 <= result.auc_high,
            ]
        )
    # 0.05 and three standard errors of 300 draws.
    assert (np.mean(found, axis=0) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)).all()
