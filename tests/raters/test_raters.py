"""Raters who disagree: joined to labels, values and distributions, and how far they agree."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sklearn_ser import aggregate_ratings, rater_agreement

NAN = float("nan")
# The example of Krippendorff (2011), "Computing Krippendorff's alpha-reliability": four observers, twelve units.
PUBLISHED = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
        [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    ]
).T
LONG = pd.DataFrame(
    {
        "clip": ["a", "a", "a", "b", "b", "c"],
        "rater": ["x", "y", "z", "x", "y", "x"],
        "value": ["anger", "anger", "fear", "anger", "fear", "calm"],
    }
)


def cremad():
    """CREMA-D's votes on the voice alone."""
    path = Path(os.environ.get("SKLEARN_SER_DATA", "/nowhere"), "crema-d", "processedResults", "tabulatedVotes.csv")
    if not path.is_file() and not os.environ.get("CI"):
        pytest.skip("CREMA-D's votes are not there: set SKLEARN_SER_DATA to the folder that holds crema-d/")
    table = pd.read_csv(path, dtype={0: str})
    return table[table.iloc[:, 0].str[0] == "1"].set_index("fileName")


# --- Krippendorff's alpha ---


@pytest.mark.parametrize(("level", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_is_that_of_the_published_example(level, alpha):
    assert round(rater_agreement(PUBLISHED, level).alpha, 3) == alpha
    assert rater_agreement(PUBLISHED, level).n_clips == 11


# Computed by krippendorff 0.9.0 of what `random_ratings` makes.
@pytest.mark.parametrize(
    ("seed", "expected"),
    [
        (0, [0.15269042627533191, 0.3179404229847351, 0.32111903666206476]),
        (1, [0.04429485581318049, 0.037276557692103474, 0.034219404589775015]),
        (2, [0.08692676249144426, 0.070247353291234, 0.06550580431177433]),
    ],
)
def test_alpha_is_that_of_another_library(seed, expected):
    rng = np.random.default_rng(seed)
    wide = rng.integers(0, 5, (4, 30)).astype(float)
    wide[1] = np.clip(wide[0] + rng.integers(-1, 2, 30), 0, 4)
    wide[rng.uniform(size=wide.shape) < 0.2] = NAN
    alphas = [rater_agreement(wide.T, level).alpha for level in ("nominal", "ordinal", "interval")]
    np.testing.assert_allclose(alphas, expected, atol=1e-12)


def test_alpha_is_one_for_agreement_and_near_zero_for_chance():
    rng = np.random.default_rng(0)
    labels = rng.choice(["anger", "fear", "calm"], 2000)
    assert rater_agreement(np.stack([labels, labels], axis=1)).alpha == 1.0
    chance = rater_agreement(np.stack([labels, rng.permutation(labels)], axis=1))
    assert abs(chance.alpha) < 0.05 and chance.level == "nominal"


def test_labels_and_their_numbers_agree_alike_and_votes_equal_raters():
    letters = pd.DataFrame(PUBLISHED).map(lambda value: None if np.isnan(value) else "-abcde"[int(value)])
    assert rater_agreement(letters).alpha == pytest.approx(rater_agreement(PUBLISHED, "nominal").alpha, abs=1e-12)
    votes = pd.DataFrame({value: (PUBLISHED == value).sum(axis=1) for value in range(1, 6)})
    for level in ("nominal", "ordinal", "interval"):
        counted = rater_agreement(votes, level, layout="votes")
        assert counted.alpha == pytest.approx(rater_agreement(PUBLISHED, level).alpha, abs=1e-12)
        assert counted.raters is None


def test_alpha_of_ratings_that_are_all_the_same_is_undefined():
    with pytest.warns(UserWarning, match="alpha is not defined, because all ratings") as caught:
        assert np.isnan(rater_agreement([[1, 1], [1, 1]]).alpha)
    assert caught[0].filename == __file__


def test_each_rater_is_compared_with_the_others():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=200)
    wide = pd.DataFrame({"good": truth, "fair": truth + rng.normal(size=200), "bad": rng.normal(size=200)})
    raters = rater_agreement(wide).raters
    expected = np.corrcoef(wide["fair"], (wide["good"] + wide["bad"]) / 2)[0, 1]
    assert raters.loc["fair", "correlation"] == pytest.approx(expected, abs=1e-12)
    assert raters["correlation"].idxmin() == "bad" and raters["n_ratings"].tolist() == [200] * 3
    labels = rater_agreement(LONG).raters
    assert labels.loc["z"].tolist() == [1, 0.0] and labels.loc["x", "n_ratings"] == 3


def test_dimensions_are_measured_each_by_itself():
    clips, raters = np.arange(12).repeat(4), np.tile(list("ABCD"), 12)
    arousal = pd.DataFrame({"clip": clips, "rater": raters, "value": PUBLISHED.ravel(), "dimension": "arousal"})
    long = pd.concat([arousal, arousal.assign(dimension="valence", value=np.arange(48) % 5)])
    agreement = rater_agreement(long)
    assert agreement.alpha["arousal"] == pytest.approx(0.849, abs=1e-3)
    assert agreement.raters.loc[("arousal", "C"), "n_ratings"] == 10
    assert aggregate_ratings(long).columns.tolist() == ["arousal", "valence"]


# --- One label or value a clip ---


def test_votes_of_crema_d_give_the_agreement_distribution_and_label_of_its_own_table():
    table = cremad()
    votes = table[list("ADFHNS")]
    with pytest.warns(UserWarning, match="644 of 7442 clips have no label"):
        joined = aggregate_ratings(votes, "plurality", layout="votes")
    np.testing.assert_allclose(joined["agreement"], table["agreement"], atol=1e-12)
    np.testing.assert_array_equal(joined["n_ratings"], table["numResponses"])
    tied = joined["tied"] != ""
    assert (joined["label"][~tied] == table["emoVote"][~tied]).all() and joined["label"][tied].isna().all()
    assert (joined["tied"][tied] == table["emoVote"][tied]).all()
    shares = aggregate_ratings(votes, "distribution", layout="votes")
    np.testing.assert_allclose(shares, votes.to_numpy() / table[["numResponses"]].to_numpy(), atol=1e-12)
    np.testing.assert_allclose(shares.sum(axis=1), 1)


def test_majority_needs_more_than_half_and_plurality_more_than_any_other():
    votes = pd.DataFrame(
        {"anger": [3, 2, 2, 1, 0], "calm": [1, 2, 1, 1, 0], "fear": [0, 0, 1, 1, 0]}, index=list("abcde")
    )
    with pytest.warns(
        UserWarning, match="2 of 5 clips have no label.*`tied`. The first is 'b': anger and calm"
    ) as caught:
        joined = aggregate_ratings(votes, "plurality", layout="votes")
    assert caught[0].filename == __file__
    assert joined["label"].fillna("").tolist() == ["anger", "", "anger", "", ""]
    assert joined["tied"].tolist() == ["", "anger:calm", "", "anger:calm:fear", ""]
    assert joined["n_ratings"].tolist() == [4, 4, 4, 3, 0] and np.isnan(joined["agreement"]["e"])
    with pytest.warns(UserWarning, match="2 of 5"):
        majority = aggregate_ratings(votes, "majority", layout="votes")
    assert majority["label"].fillna("").tolist() == ["anger", "", "", "", ""]
    shares = aggregate_ratings(votes, "distribution", layout="votes")
    assert shares.loc["c"].tolist() == [0.5, 0.25, 0.25] and shares.loc["e"].isna().all()


def test_long_ratings_keep_the_order_of_their_clips():
    shares = aggregate_ratings(LONG.iloc[::-1], "distribution")
    assert shares.index.tolist() == ["c", "b", "a"] and shares.columns.tolist() == ["anger", "calm", "fear"]
    np.testing.assert_allclose(shares.loc["a"], [2 / 3, 0, 1 / 3])
    renamed = LONG.rename(columns={"value": "label"})
    pd.testing.assert_frame_equal(aggregate_ratings(renamed, "distribution"), aggregate_ratings(LONG, "distribution"))


def test_means_and_medians_skip_what_is_missing():
    wide = pd.DataFrame({"x": [1.0, NAN, NAN], "y": [2.0, 4.0, NAN], "z": [6.0, NAN, NAN]}, index=list("abc"))
    np.testing.assert_array_equal(aggregate_ratings(wide)["value"], [3.0, 4.0, NAN])
    np.testing.assert_array_equal(aggregate_ratings(wide, "median")["value"], [2.0, 4.0, NAN])
    votes = pd.DataFrame({1: [1, 0], 2: [0, 0], 5: [3, 2]})
    assert aggregate_ratings(votes, "mean", layout="votes")["value"].tolist() == [4.0, 5.0]
    assert aggregate_ratings(votes, "median", layout="votes")["value"].tolist() == [5.0, 5.0]


def test_the_weighted_estimator_hears_those_who_agree_with_the_others():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=300)
    noise = np.array([0.2, 0.4, 3.0])
    wide = pd.DataFrame(truth[:, np.newaxis] + noise * rng.normal(size=(300, 3)), columns=list("xyz"))
    weights = rater_agreement(wide).raters["correlation"].to_numpy()
    weighted = aggregate_ratings(wide, "ewe")["value"].to_numpy()
    np.testing.assert_allclose(weighted, wide.to_numpy() @ weights / weights.sum(), atol=1e-12)
    error = np.mean((weighted - truth) ** 2)
    assert error < 0.8 * np.mean((aggregate_ratings(wide)["value"].to_numpy() - truth) ** 2)


def test_a_rater_who_says_the_opposite_counts_for_nothing_and_clips_of_nobody_else_get_the_mean():
    wide = pd.DataFrame({"x": [1, 2, 3, NAN], "y": [1, 2, 3, NAN], "odd": [3, 2, 1, 7.0]}, index=list("abcd"))
    wide["z"] = wide["w"] = wide["x"]
    with pytest.warns(UserWarning, match="1 of 4 clips were rated only by people whose .* The first is 'd'"):
        values = aggregate_ratings(wide, "ewe")["value"]
    assert values["d"] == 7.0 and values["a"] == 1.0


def test_clips_may_be_segments_as_audformat_has_them():
    index = pd.MultiIndex.from_tuples([("a.wav", 0, 1), ("a.wav", 1, 2)], names=["file", "start", "end"])
    wide = pd.DataFrame({"rater1": [0.1, 0.5], "rater2": [0.3, NAN]}, index=index)
    joined = aggregate_ratings(wide)
    assert joined.index.equals(index) and joined["value"].tolist() == [0.2, 0.5]


# --- What is refused ---


@pytest.mark.parametrize(
    ("ratings", "options", "message"),
    [
        (LONG, {"method": "mode"}, "method must be one of mean, .*distribution. Got method='mode'"),
        (LONG, {"layout": "tall"}, "layout must be 'long', 'wide' or 'votes'. Got layout='tall'"),
        (LONG, {}, "method='mean' needs numbers. The ratings are labels, such as 'anger': take 'plurality'"),
        (LONG.drop(columns="value"), {}, r"need columns 'clip' and 'value' .*Got columns \['clip', 'rater'\]"),
        (
            pd.concat([LONG, LONG[:1]]),
            {"method": "plurality"},
            "Rater 'x' rated the clip 'a' twice, the second .*'anger'",
        ),
        (LONG.assign(clip=[None, *"aabbc"]), {"method": "plurality"}, "needs a clip. That of row 0 is missing"),
        (LONG.assign(rater=["x", None, *"zxyx"]), {"method": "plurality"}, "needs a rater. That of row 1 is missing"),
        (
            pd.DataFrame({"anger": [1.5]}),
            {"method": "plurality", "layout": "votes"},
            "whole numbers .* Got (np.float64.)?1.5",
        ),
        (pd.DataFrame({"anger": [-1]}), {"method": "plurality", "layout": "votes"}, "from 0. Got .*-1"),
        (pd.DataFrame({"x": [1.0, 2.0]}, index=["a", "a"]), {}, "clip 'a' has several; is the layout 'long'"),
        (pd.DataFrame({"x": [np.inf]}), {}, "Ratings must be finite"),
        (pd.DataFrame({"x": [NAN]}), {}, "at least one rating"),
        (pd.DataFrame({1: [2]}), {"method": "ewe", "layout": "votes"}, "needs a column 'rater', or the layout 'wide'"),
        (LONG.assign(dimension=list("ababab")), {"method": "plurality"}, r"have the dimensions \['a', 'b'\]"),
    ],
)
def test_ratings_that_cannot_be_joined_are_refused(ratings, options, message):
    with pytest.raises(ValueError, match=message):
        aggregate_ratings(ratings, **options)


def test_levels_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="level must be 'nominal', 'ordinal' or 'interval'. Got level='ratio'"):
        rater_agreement(PUBLISHED, "ratio")
    with pytest.raises(ValueError, match="level='interval' needs numbers. The ratings are labels, such as 'anger'"):
        rater_agreement(LONG, "interval")
