"""Old names of parameters, which warn with the new one until they are removed."""

from __future__ import annotations

import warnings
from typing import Any

DEPRECATED = "deprecated"  # the default of a parameter under its old name, as in scikit-learn: nothing was passed


def renamed_parameter(value: Any, old_value: Any, *, new: str, old: str, owner: str) -> Any:
    """The value of a renamed parameter, whichever name it was passed under; a FutureWarning if under the old one.

    Parameters
    ----------
    value, old_value : object
        What the parameter holds under its new and under its old name; `DEPRECATED` if not passed under the old one.
    new, old, owner : str
        The two names, and the class or function whose parameter it is.

    Returns
    -------
    object
        `old_value` if one was passed, else `value`.
    """
    if isinstance(old_value, str) and old_value == DEPRECATED:
        return value
    warnings.warn(
        f"The parameter {old!r} of {owner} was renamed {new!r} and the old name will be removed in version 0.3. "
        f"Pass {new}={old_value!r} instead.",
        FutureWarning,
        stacklevel=3,
    )
    return old_value
