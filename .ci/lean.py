"""Try an environment without Keras and TensorFlow: train, evaluate, save, load, predict, as the page *Install* says."""

import importlib.util
import warnings

import joblib

from sklearn_ser import evaluate, make_emotional_speech, make_recognizer

warnings.simplefilter("error")
for name in ("keras", "tensorflow", "scikeras"):
    assert importlib.util.find_spec(name) is None, f"{name} is installed: this environment is not lean"

corpus = make_emotional_speech(48, n_speakers=4, random_state=0)
recognizer = make_recognizer("handcrafted", robust=False)
report = evaluate(recognizer, corpus)
print(report)
assert report.uar > 0.3, report.uar
joblib.dump(recognizer.fit(corpus.data, corpus.target), "lean.joblib")
print(joblib.load("lean.joblib").predict(corpus.data[:3]))

try:
    from sklearn_ser import CNNLSTMClassifier, MelSpectrogramTransformer

    CNNLSTMClassifier().fit(MelSpectrogramTransformer().fit_transform(corpus.data), corpus.target)
except ImportError as error:
    assert "pip install" in str(error), error
    print(f"A network says: {error}")
else:
    raise AssertionError("a network was trained without Keras")
