"""
How many errors are spared by saying "I don't know"?
====================================================

A recognizer that may stay silent errs less. How much less, and at what price, is the risk-coverage curve.
`SelectiveClassifier` learns from unseen speakers how sure it must be, to answer as many clips as asked.

Run it with ``python examples/plot_rejection.py``.
"""

# %%
# Nine emotions, so that there is something to be unsure of
# ---------------------------------------------------------
# Two thirds of the synthetic speakers are trained on; the others are tested.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.pipeline import make_pipeline

from sklearn_ser import (
    BoundedScaler,
    CalibratedDiscriminant,
    HandcraftedFeatures,
    RiskCoverageDisplay,
    SelectiveClassifier,
    make_emotional_speech,
)

corpus = make_emotional_speech(324, n_speakers=12, emotions=None, random_state=0)
X = HandcraftedFeatures(n_jobs=2).fit_transform(corpus.data)  # once for all folds; nothing is learned here
test = corpus.speaker > "s08"
train = ~test

# %%
# Answer four clips in five
# -------------------------

classifier = SelectiveClassifier(make_pipeline(BoundedScaler(), CalibratedDiscriminant()), coverage=0.8)
classifier.fit(X[train], corpus.target[train], groups=corpus.speaker[train])
predicted = classifier.predict(X[test])

# %%
# Risk against coverage
# ---------------------
# The band is of draws of speakers; the dot is where the classifier works.

display = RiskCoverageDisplay.from_estimator(
    classifier, X[test], corpus.target[test], groups=corpus.speaker[test], name="recommended classifier"
)
display.ax_.set_title("Synthetic speech, nine emotions, unseen speakers")
plt.show()

# %%
# In short: the clips it refuses are those it would have got wrong most often.

right = classifier.estimator_.predict(X[test]) == corpus.target[test]
answered = predicted != "unknown"
print(
    f"It answers {answered.mean():.0%} of the clips, {np.mean(~right[answered]):.0%} of them wrongly; had it answered "
    f"the others, {np.mean(~right[~answered]):.0%} of those would have been wrong."
)
