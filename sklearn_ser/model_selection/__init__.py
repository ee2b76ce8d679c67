"""Speaker-independent splits, splits by sentence or corpus, and an audit of what any split lets through."""

from ._audit import SplitAudit, audit_split
from ._split import LeaveOneCorpusOut, SpeakerTextKFold, StratifiedSpeakerKFold

__all__ = ["LeaveOneCorpusOut", "SpeakerTextKFold", "SplitAudit", "StratifiedSpeakerKFold", "audit_split"]
