from . import audio as audio
from . import datasets as datasets
from . import features as features
from . import neural as neural
from .audio import AudioError as AudioError
from .audio import WaveformChunker as WaveformChunker
from .audio import WaveformLoader as WaveformLoader
from .audio import load_waveform as load_waveform
from .datasets import fetch_emodb as fetch_emodb
from .datasets import fetch_ravdess as fetch_ravdess
from .datasets import fetch_tess as fetch_tess
from .datasets import load_casia as load_casia
from .datasets import load_iemocap as load_iemocap
from .datasets import make_emotional_speech as make_emotional_speech
from .features import FlattenFrames as FlattenFrames
from .features import FrameWise as FrameWise
from .features import HandcraftedFeatures as HandcraftedFeatures
from .features import MelSpectrogramTransformer as MelSpectrogramTransformer
from .neural import CNNLSTMClassifier as CNNLSTMClassifier

__version__: str
