"""Progress of an evaluation, and how much is left, in clips that are to be analyzed."""

from __future__ import annotations

from ..utils._progress import Progress


class FoldsProgress(Progress):
    """A bar over clips, once audio transformers say what they are asked for, or else over folds.

    In the first fold, a transformer is asked for as many clips and copies as the fold trains on; all folds together
    need as many more as there are more clips. Each altered clip that is predicted is analyzed once.

    Parameters
    ----------
    n_folds, n_clips : int
    n_trained : list of int
        Clips that each fold trains on.
    n_altered : int
        Altered clips that are predicted.
    verbose : int or None
    """

    def __init__(self, n_folds, n_clips, n_trained, n_altered, verbose):
        super().__init__("evaluate", n_folds, "fold", verbose)
        self.n_folds, self.n_altered, self.n_done = n_folds, n_altered, 0
        self.per_trained = n_clips / max(1, n_trained[0])
        self.expected: dict = {}  # clips by what analyzes them
        self.seen: set[tuple] = set()  # keys of results
        self.note = f"fold 1 of {n_folds}"

    def expect(self, kind, n_clips: int) -> None:
        """Learn that a transformer was asked for so many clips and copies."""
        if self.n_done or kind is None:
            return
        self.expected[kind] = max(self.expected.get(kind, 0), n_clips * self.per_trained + self.n_altered)
        if self.unit == "fold":
            self.unit, self.n = "clip", 0
        self.total = round(sum(self.expected.values()))

    def found(self, keys) -> None:
        """Count clips and copies by the keys of their results, each once, however many folds ask for it."""
        with self._lock:
            self.seen.update(keys)
            if self.unit == "clip":
                self.n = len(self.seen)

    def fold_done(self) -> None:
        """Count a fold."""
        self.n_done += 1
        self.note = f"fold {min(self.n_done + 1, self.n_folds)} of {self.n_folds}"
        if self.unit == "fold":
            self.update()
        elif self.n_done == self.n_folds:
            self.n = self.total
