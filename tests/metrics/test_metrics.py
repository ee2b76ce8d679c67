"""UAR, the report of an evaluation and its intervals, the protocol that keeps speakers apart, and the paired test."""

import importlib.util
import pickle
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import t as student
from sklearn.metrics import balanced_accuracy_score, recall_score

from sklearn_ser.metrics import EvaluationReport, compare, uar_score, wa_score
from sklearn_ser.metrics import _bootstrap as bootstrap

EMOTIONS = np.array(["anger", "fear", "neutral"])


def make_report(seed=0, accuracy=0.6, n_speakers=6, **params):
    """Predictions that are right with some probability; of each speaker a different number of clips."""
    rng = np.random.default_rng(seed)
    speaker = np.repeat([f"s{s:02d}" for s in range(n_speakers)], np.arange(n_speakers) + 6)
    y = rng.choice(EMOTIONS, size=len(speaker))
    y_pred = np.where(rng.random(len(y)) < accuracy, y, rng.choice(EMOTIONS, size=len(y)))
    return EvaluationReport(y, y_pred, speaker=speaker, **params)


# ----------------------------------------------------------------------------------------------------------- two scores


@pytest.mark.parametrize("weighted", [False, True])
def test_uar_is_balanced_accuracy_and_wa_accuracy(weighted):
    report, rng = make_report(), np.random.default_rng(1)
    weight = rng.uniform(0.1, 3, size=len(report.y_true)) if weighted else None
    expected = balanced_accuracy_score(report.y_true, report.y_pred, sample_weight=weight)
    assert uar_score(report.y_true, report.y_pred, sample_weight=weight) == pytest.approx(expected)
    expected = np.average(report.y_true == report.y_pred, weights=weight)
    assert wa_score(report.y_true, report.y_pred, sample_weight=weight) == pytest.approx(expected)


def test_uar_counts_no_emotion_that_was_only_guessed():
    assert uar_score(["anger", "fear"], ["anger", "joy"]) == 0.5


# ----------------------------------------------------------------------------------------------------------- the report


def test_report_agrees_with_scikit_learn():
    report = make_report(sex=None)
    frame = report.to_frame()
    assert report.uar == pytest.approx(balanced_accuracy_score(report.y_true, report.y_pred))
    assert report.wa == pytest.approx(np.mean(report.y_true == report.y_pred))
    recalls = recall_score(report.y_true, report.y_pred, labels=EMOTIONS, average=None)
    np.testing.assert_allclose(frame.loc["recall", "value"], recalls)
    for speaker in report.speakers:
        own = report.speaker == speaker
        expected = balanced_accuracy_score(report.y_true[own], report.y_pred[own])
        assert frame.loc[("UAR by speaker", speaker), "value"] == pytest.approx(expected)
    assert frame.loc[("UAR", "all"), "chance"] == pytest.approx(1 / 3)
    assert frame.loc[("WA", "all"), "chance"] == pytest.approx(
        np.unique(report.y_true, return_counts=True)[1].max() / 51
    )
    assert frame.loc["UAR by speaker", "n_clips"].sum() == len(report.y_true) == 51
    np.testing.assert_array_equal(report.confusion.to_numpy().sum(axis=1), frame.loc["recall", "n_clips"])
    assert np.trace(report.confusion) == np.sum(report.y_true == report.y_pred)


def test_order_of_the_clips_and_names_of_the_speakers_do_not_matter():
    report = make_report()
    order = np.random.default_rng(0).permutation(len(report.y_true))
    renamed = np.char.add("x", report.speaker)  # in the same order
    again = EvaluationReport(report.y_true[order], report.y_pred[order], speaker=renamed[order])
    np.testing.assert_allclose(again.to_frame().to_numpy(), report.to_frame().to_numpy())


def test_a_speaker_without_an_emotion_does_not_distort_uar():
    """As speaker 08 of EMO-DB, who has no disgust: a mean of folds would weigh disgust less."""
    y = np.array(["anger", "fear", "anger", "anger"])
    y_pred = np.array(["anger", "anger", "anger", "anger"])
    report = EvaluationReport(y, y_pred, speaker=["a", "a", "b", "b"])
    assert report.uar == 0.5
    assert report.to_frame().loc["UAR by speaker", "value"].tolist() == [0.5, 1.0]  # their mean would be 0.75
    assert "b lacks fear" in str(report)


def test_labels_that_no_clip_has_are_mistakes_in_columns_of_their_own():
    report = EvaluationReport(["anger", "fear"] * 3, ["anger", "unknown"] * 3, speaker=list("aabbcc"))
    assert list(report.confusion.columns) == ["anger", "fear", "unknown"]
    assert report.confusion.loc["fear"].tolist() == [0, 0, 3]
    assert report.uar == 0.5 and "unknown (100%)" in str(report)


def test_sexes_are_scored_apart_and_their_gap_is_the_difference():
    report = make_report()
    sex = np.where(np.isin(report.speaker, ["s00", "s02", "s04"]), "female", "male")
    frame = make_report(sex=sex).to_frame()
    scores = [balanced_accuracy_score(report.y_true[sex == s], report.y_pred[sex == s]) for s in ("female", "male")]
    np.testing.assert_allclose(frame.loc["UAR by sex", "value"], scores)
    assert frame.loc[("gap by sex", "female - male"), "value"] == pytest.approx(scores[0] - scores[1])
    low, high = frame.loc[("gap by sex", "female - male"), ["low", "high"]]
    assert low < scores[0] - scores[1] < high


def test_speakers_of_unknown_sex_are_left_out_of_the_gap():
    report = make_report()
    sex = np.where(report.speaker == "s00", None, np.where(report.speaker < "s03", "female", "male"))
    frame = make_report(sex=sex).to_frame()
    assert list(frame.loc["UAR by sex"].index) == ["female", "male"]
    assert frame.loc[("gap by sex", "female - male"), "n_speakers"] == 5
    assert "UAR by sex" not in make_report(sex=[np.nan] * 51).to_frame().index


def test_listeners_are_averaged_over_clips_and_over_emotions():
    y, recognised = ["anger", "anger", "anger", "fear"], [1.0, 0.5, 0.75, 0.25]
    report = EvaluationReport(y, y, speaker=list("abab"), recognised=recognised)
    listeners = report.to_frame()["listeners"]
    assert listeners["WA", "all"] == pytest.approx(2.5 / 4)
    assert listeners["UAR", "all"] == pytest.approx((0.75 + 0.25) / 2)
    assert listeners["recall", "anger"] == 0.75
    assert "listeners" in str(report) and "left out of the corpus" not in " ".join(str(report).split())
    high = EvaluationReport(y, y, speaker=list("abab"), recognised=[0.8, 0.9, 1.0, 1.0])
    assert "at least 80% of them: probably the others were left out of the corpus" in " ".join(str(high).split())
    assert "Each of these clips was recognized by at least 80%" in " ".join(str(high).split())
    assert "listeners" not in str(EvaluationReport(y, y, speaker=list("abab"), recognised=[np.nan] * 4)).lower()


def test_listeners_are_compared_where_they_heard_all_clips():
    y = ["anger", "anger", "fear", "fear"]
    report = EvaluationReport(y, y, speaker=list("abab"), recognised=[0.8, 0.9, np.nan, 1.0])
    listeners = report.to_frame()["listeners"]
    assert listeners[["WA", "UAR"]].isna().all()
    assert listeners["recall", "anger"] == pytest.approx(0.85) and np.isnan(listeners["recall", "fear"])
    assert "Each clip that they heard was recognized by at least 80%" in " ".join(str(report).split())


def test_leakage_gap_is_random_split_less_unknown_speakers():
    report = make_report()
    frame = make_report(y_pred_random=report.y_true).to_frame()
    assert frame.loc[("UAR, random split", "all"), "value"] == 1
    assert frame.loc[("leakage gap", "all"), "value"] == pytest.approx(1 - report.uar)


def test_one_speaker_has_no_interval():
    report = EvaluationReport(["anger", "fear"], ["anger", "anger"], speaker=["a", "a"])
    assert report.uar == 0.5 and np.isnan(report.uar_interval).all() and np.isnan(report.wa_interval).all()
    assert "from one speaker nothing can be said" in str(report)


def test_text_and_html_say_what_a_stranger_needs():
    sex = np.where(make_report().speaker < "s03", "female", "male")
    report = make_report(sex=sex, y_pred_random=make_report().y_true, title="<my> model", protocol="6 folds")
    text, html = str(report), report._repr_html_()
    for part in [
        "51 clips of 6 speakers in 3 emotions; 6 folds.",
        "95 % interval",
        "Intervals (confidence level 95 %)",
        "chance",
        "Leakage",
        "gap: female - male",
    ]:
        assert part in text and part in html
    assert f"{report.uar:.3f}" in text and f"{report.uar:.3f}" in html
    assert "<my>" in text and "&lt;my&gt;" in html and "<my>" not in html
    assert max(map(len, text.splitlines())) <= 100
    assert repr(report) == text


def test_of_many_speakers_the_worst_and_the_best_are_shown():
    report = make_report(n_speakers=30)
    rows = str(report).split("UAR of each speaker, worst first")[1].split("\n\n")[0].splitlines()[2:]
    assert len(rows) == 13 and rows[6].startswith("... 18 more")
    assert rows[0].split()[0] == report.to_frame().loc["UAR by speaker", "value"].idxmin()


def test_report_pickles():
    report = make_report()
    assert str(pickle.loads(pickle.dumps(report))) == str(report)


def test_same_random_state_same_intervals():
    one, two, other = (make_report(random_state=seed, n_boot=50).uar_interval for seed in (0, 0, 1))
    assert one == two != other


@pytest.mark.parametrize(
    "params, message",
    [
        (dict(n_boot=1), "n_boot == 1, must be >= 2"),
        (dict(confidence_level=95.0), "confidence_level == 95.0, must be < 1"),
        (dict(sex=["female"] * 3), "inconsistent numbers of samples"),
        (dict(sex=["female", "male"] * 25 + ["male"]), r"same in all clips of a speaker.*\['female', 'male'\].*'s00'"),
        (dict(recognised=[90.0] * 51), "fractions of listeners.*from 0 to 1. Got values from 90.0 to 90.0"),
    ],
)
def test_wrong_parameters_of_a_report_are_named(params, message):
    with pytest.raises(ValueError, match=message):
        make_report(**params)


def test_a_report_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one clip"):
        EvaluationReport([], [], speaker=[])


# -------------------------------------------------------------------------------------------------------- the intervals


def counts(n_speakers=8, n_classes=3, seed=0):
    rng = np.random.default_rng(seed)
    count = rng.integers(0, 9, size=(n_speakers, n_classes)).astype(float)
    return rng.binomial(count.astype(int), rng.uniform(0.1, 0.9, size=(n_speakers, 1))).astype(float), count


def test_bootstrap_variance_of_equal_speakers_is_that_of_a_mean():
    """Of one class and equally many clips, pooled recall is the mean of the speakers' recalls."""
    correct = np.array([[2.0], [5.0], [9.0], [4.0], [7.0]])
    measured = bootstrap.measure(correct, np.full((5, 1), 10.0), n_boot=200_000, rng=np.random.default_rng(0))
    assert measured.value == 0.54 and measured.df == 4
    assert measured.variance == pytest.approx(np.var(correct / 10, ddof=1) / 5, rel=0.02)


def test_bootstrap_resamples_speakers_with_all_their_clips():
    """Against resampling written out, one resample after the other."""
    correct, count = counts()
    rng, uar = np.random.default_rng(1), []
    for _ in range(4000):
        drawn = rng.integers(8, size=8)
        total = count[drawn].sum(axis=0)
        uar.append(np.mean(correct[drawn].sum(axis=0)[total > 0] / total[total > 0]))
    measured = bootstrap.measure(correct, count, n_boot=4000, rng=np.random.default_rng(0))
    assert measured.variance == pytest.approx(np.var(uar) * 8 / 7, rel=0.1)


def test_interval_is_students_on_the_logit_scale():
    low, high = bootstrap.recall_interval(bootstrap.Uncertain(0.8, 0.0016, 9), 0.9)
    half = student.ppf(0.95, 9) * 0.04 / (0.8 * 0.2)
    logits = np.log([low / (1 - low), high / (1 - high)])
    np.testing.assert_allclose(logits, np.log(4) + np.array([-half, half]))


def test_interval_within_bounds_and_wider_with_fewer_speakers_and_more_confidence():
    widths = {}
    for n, level in product([2, 5, 20], [0.8, 0.95]):
        measured = bootstrap.measure(*counts(n), n_boot=500, rng=np.random.default_rng(0))
        low, high = bootstrap.recall_interval(measured, level)
        assert 0 <= low <= measured.value <= high <= 1
        widths[n, level] = high - low
    assert widths[2, 0.95] > widths[5, 0.95] > widths[20, 0.95]
    assert all(widths[n, 0.95] > widths[n, 0.8] for n in (2, 5, 20))


@pytest.mark.parametrize("value, expected", [(1.0, (0.025 ** (1 / 10), 1.0)), (0.0, (0.0, 1 - 0.025 ** (1 / 10)))])
def test_ten_speakers_without_an_error_do_not_prove_that_there_are_none(value, expected):
    count = np.full((10, 2), 5.0)
    measured = bootstrap.measure(value * count, count, n_boot=100, rng=np.random.default_rng(0))
    assert bootstrap.recall_interval(measured, 0.95) == pytest.approx(expected)


def test_speakers_that_agree_by_chance_do_not_make_an_interval_of_no_width():
    """The variance is at least that of independent clips."""
    measured = bootstrap.measure(np.full((4, 1), 5.0), np.full((4, 1), 10.0), n_boot=100, rng=np.random.default_rng(0))
    assert measured.variance == pytest.approx(0.25 / 40)


def test_speakers_who_do_not_have_an_emotion_do_not_count_for_it():
    report = EvaluationReport(["fear", "fear", "anger"] * 2, ["fear"] * 6, speaker=list("abcdbc"))
    assert report.to_frame().loc["recall", "n_speakers"].tolist() == [1, 3]
    assert np.isnan(report.to_frame().loc[("recall", "anger"), "low"])


def test_paired_differences_vary_less_than_unpaired_ones():
    a, b = make_report(accuracy=0.5), make_report(accuracy=0.55)
    paired = compare(a, b).to_frame().loc["UAR"]
    apart = [r.uar_interval[1] - r.uar_interval[0] for r in (a, b)]
    assert paired["difference"] == pytest.approx(a.uar - b.uar)
    assert paired["high"] - paired["low"] < np.hypot(*apart)


def coverage_script():
    path = Path(__file__).parents[2] / "examples" / "benchmarks" / "bootstrap_coverage.py"
    spec = importlib.util.spec_from_file_location("bootstrap_coverage", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_truth_of_simulated_corpora_is_what_many_speakers_come_to():
    emotion, predicted, *_, recalls = coverage_script().simulate(
        np.random.default_rng(0), n_speakers=20_000, n_emotions=3
    )
    np.testing.assert_allclose(recall_score(emotion, predicted, average=None), recalls, atol=0.01)


@pytest.mark.processes
def test_intervals_cover_in_a_hundred_corpora():
    """Quick: 5 in 100 would miss; 13 or more do in one of a thousand times."""
    script = coverage_script()
    covered = script.coverage(script.SETTINGS["10 speakers, 7 emotions"], 100, seed=0, n_boot=200, plain=False)
    assert covered["UAR"] > 0.87


@pytest.mark.slow
@pytest.mark.parametrize("setting", ["10 speakers, 7 emotions", "24 speakers, 8 emotions"])
def test_intervals_cover_as_often_as_they_say(setting):
    """In 500 simulated corpora with speaker effects: pytest -m slow."""
    script = coverage_script()
    covered = script.coverage(script.SETTINGS[setting], 500, seed=1)
    assert 0.90 <= covered["UAR"] <= 0.98 and 0.90 <= covered["gap by sex"] <= 0.98
    assert covered["UAR, percentiles"] < covered["UAR"]


# ------------------------------------------------------------------------------------------------------ the paired test


def test_sign_flips_are_all_tried():
    """Against the definition, flip by flip."""
    values = np.array([0.3, -0.1, 0.2, 0.25, 0.0, -0.05])
    sums = [abs(np.dot(signs, values)) for signs in product([-1, 1], repeat=6)]
    expected = np.mean(np.array(sums) >= 0.6 - 1e-12)
    assert bootstrap.sign_flip_p_value(values, n_permutations=1, rng=None) == pytest.approx(expected)


def test_random_sign_flips_approach_all_of_them():
    values = np.random.default_rng(0).normal(0.25, 1, size=bootstrap.MAX_ENUMERATED + 1)
    signs = 1 - 2 * (np.arange(2**15)[:, np.newaxis] >> np.arange(15) & 1)
    exact = np.mean(np.abs(signs @ values) >= abs(values.sum()) - 1e-12)
    p = bootstrap.sign_flip_p_value(values, n_permutations=20_000, rng=np.random.default_rng(0))
    assert p == pytest.approx(exact, abs=0.01)


def test_no_random_p_value_is_zero():
    p = bootstrap.sign_flip_p_value(np.ones(40), n_permutations=99, rng=np.random.default_rng(0))
    assert p == 1 / 100


def test_contributions_sum_to_the_difference():
    a, b = make_report(0), make_report(0, accuracy=0.9)
    parts = bootstrap.contributions(a._correct, b._correct, a._count)
    assert parts.sum() == pytest.approx(a.uar - b.uar)


def test_paired_test_keeps_its_level_and_finds_what_is_there():
    def p_value(seed, better):
        rng = np.random.default_rng(seed)
        skill = 0.5 + 0.2 * rng.normal(size=(2, 10, 1)) + [[[better]], [[0]]]  # each model has speakers that suit it
        correct = rng.binomial(4, np.clip(skill, 0, 1), size=(2, 10, 3))
        parts = bootstrap.contributions(*correct, np.full((10, 3), 4))
        return bootstrap.sign_flip_p_value(parts, n_permutations=1, rng=None)

    assert 0.03 <= np.mean([p_value(seed, 0.0) <= 0.05 for seed in range(1000)]) <= 0.07
    assert np.mean([p_value(seed, 0.4) <= 0.05 for seed in range(100)]) > 0.8


def test_comparison_says_which_is_better_or_that_it_may_be_chance():
    a, b = make_report(accuracy=0.2, title="weak"), make_report(accuracy=1.0, title="strong")
    worse = compare(a, b)
    assert worse.to_frame()["difference"].lt(0).all()
    assert worse.by_speaker.shape == (6, 3)
    for text in (str(worse), worse._repr_html_()):
        assert "B is better" in text and "strong" in text
    same = compare(a, a)
    assert same.to_frame()["p_value"].tolist() == [1, 1] and "may be chance" in str(same)
    few = [make_report(accuracy=x, n_speakers=4) for x in (0.1, 1.0)]
    assert "With 4 speakers no difference could be shown: p is at least 0.12" in " ".join(str(compare(*few)).split())


def test_html_of_a_comparison_has_the_speakers_and_says_how_to_read_it():
    a, b = make_report(accuracy=0.9, title="<a>"), make_report(accuracy=0.3, title="b & c")
    comparison = compare(a, b)
    html = comparison._repr_html_()
    assert "&lt;a&gt;" in html and "<a>" not in html and "b &amp; c" in html
    rows = html.split("<caption>UAR of each speaker</caption>")[1].split("<tbody>")[1].split("</tbody>")[0]
    ordered = comparison.by_speaker["difference"].sort_values(ascending=False, kind="stable")
    assert [row.split("</td>")[0].removeprefix("<td>") for row in rows.split("<tr>")[1:]] == ordered.index.tolist()
    for difference in ordered:
        assert f">{difference:+.2f}</td>" in rows
    assert "Interval (confidence level 95 %)" in html and "the 6 speakers are the units" in html
    assert "style>" in html and "http" not in html  # needs nothing from elsewhere
    many = [make_report(accuracy=x, n_speakers=30) for x in (0.4, 0.5)]
    assert "... 18 more" in compare(*many)._repr_html_()


def test_html_of_one_speaker_compared_has_no_intervals():
    reports = [EvaluationReport(["a", "b"], y_pred, speaker=["s", "s"]) for y_pred in (["a", "a"], ["a", "b"])]
    html = compare(*reports)._repr_html_()
    assert "Interval (" not in html and "% interval" not in html and "-0.50" in html


def test_reports_of_other_clips_are_not_compared():
    with pytest.raises(ValueError, match="same clips in the same order.*51 clips of 6 speakers and 63 clips of 7"):
        compare(make_report(), make_report(n_speakers=7))
    with pytest.raises(TypeError, match="report_b must be an EvaluationReport.*Got float"):
        compare(make_report(), 0.5)


# --------------------------------------------------------------------------------------------------------- for a paper


def paragraphs(report, **params):
    return dict(text.split(". ", 1) for text in report.summary_text(width=None, **params).split("\n\n"))


def test_summary_states_data_protocol_and_results():
    sex = np.where(make_report().speaker < "s03", "female", "male")
    report = make_report(sex=sex, title="SVC(C=10)", protocol="6 folds of one speaker", n_boot=500)
    stated = paragraphs(report, corpus="Ours, version 2", selection="C was not tuned", seeds="One training.")
    low, high = report.uar_interval
    counts = ", ".join(f"{emotion} {np.sum(report.y_true == emotion)}" for emotion in EMOTIONS)
    assert stated["Data"] == (f"Ours, version 2: 51 clips of 3 emotions ({counts}) by 6 speakers (3 female, 3 male).")
    for part in ("Model: SVC(C=10). Split: 6 folds of one speaker. C was not tuned. One training.", "500 resamples"):
        assert part in stated["Protocol"]
    assert f"UAR {report.uar:.3f} [{low:.3f}, {high:.3f}] (chance 0.333), WA {report.wa:.3f}" in stated["Results"]
    gap = report.to_frame().loc[("gap by sex", "female - male"), "value"]
    assert f"the difference (female - male) is {gap:+.3f} [" in stated["Subgroups"]
    for name, version in report.versions.items():
        assert f"{name} {version}" in stated["Software"]
    assert {"sklearn_ser", "scikit-learn", "Python"} <= set(report.versions)
    assert "not measured" in stated["Conditions"]


def test_summary_leaves_gaps_for_what_a_report_cannot_know():
    stated = paragraphs(make_report())
    assert stated["Data"].startswith("[corpus and version]: 51 clips") and "male" not in stated["Data"]
    for gap in ("[the model]", "[which clips were trained on", "[Which hyperparameters", "[How many trainings"):
        assert gap in stated["Protocol"]


def test_summary_states_corpora_conditions_listeners_and_leakage():
    report = make_report()
    corpus = np.where(report.speaker < "s03", "ours", "theirs")
    full = make_report(
        corpus=corpus,
        recognised=np.full(51, 0.8),
        y_pred_random=report.y_true,
        y_pred_conditions={"telephone": np.full(51, "fear")},
    )
    stated = paragraphs(full)
    assert stated["Data"].startswith("ours, theirs [versions]: 51 clips")
    assert "listeners reached a UAR of 0.800" in stated["Results"]
    assert f"a difference of {1 - full.uar:+.3f}" in stated["Results"]
    assert "on ours, " in stated["Subgroups"] and "on theirs" in stated["Subgroups"]
    assert "telephone 0.333" in stated["Conditions"] and f"loss {full.uar - 1 / 3:.3f}" in stated["Conditions"]


def test_summary_of_one_speaker_has_no_intervals_and_lines_keep_their_width():
    report = EvaluationReport(["anger", "fear"], ["anger", "anger"], speaker=["a", "a"])
    assert "no confidence intervals, because there is one speaker" in paragraphs(report)["Protocol"]
    assert "Subgroups" not in paragraphs(report) and "UAR 0.500 (chance" in paragraphs(report)["Results"]
    assert max(map(len, report.summary_text(width=60).splitlines())) <= 60


def test_name_of_a_report_is_its_title_unless_given():
    assert make_report(title="SVC()").name == "SVC()"
    assert make_report(title="SVC()", name="").name == ""
