"""Speech emotion recognition with scikit-learn: audio files in, a fitted and saved Pipeline out.

Every public name is imported on first use, so that importing this package costs nothing that is not needed; the stub
beside this file is the one list of them.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
__version__ = "0.1.0"
