"""Networks: functions from frames to what the last layer of a Keras model reads; they know nothing of training.

All have one form, `network(frames, mask, n_outputs, **params)`, which is that of your own networks, too: see
`NetworkClassifier`. They get frames, float32 (n_clips, n_frames, n_features), with zeros for padding, and the mask of
the real frames; their output for a clip does not depend on how much padding follows it. `build` makes a Keras model of
such a function. Keras is imported when a network is built.

Parts for networks of your own are `mask_padding`, `masked_mean`, `masked_std`, `masked_quantiles`, `attention_weights`,
`attention_pooling` and `statistics_pooling`.
"""

from __future__ import annotations

from ._build import build
from ._convolutional import attention_cnn, cnn, cnn_lstm
from ._dense import dense
from ._encoders import combine_layers, encoder_attention, encoder_layers
from ._masking import attention_pooling, attention_weights, mask_padding, masked_mean, masked_quantiles, masked_std
from ._recurrent import attention_blstm, stacked_lstm
from ._statistics import statistics_network, statistics_pooling
from ._wav2vec2 import wav2vec2
from ._whisper import whisper, whisper_attention, whisper_encoder

__all__ = [
    "attention_blstm",
    "attention_cnn",
    "attention_pooling",
    "attention_weights",
    "build",
    "cnn",
    "cnn_lstm",
    "combine_layers",
    "dense",
    "encoder_attention",
    "encoder_layers",
    "mask_padding",
    "masked_mean",
    "masked_quantiles",
    "masked_std",
    "stacked_lstm",
    "statistics_network",
    "statistics_pooling",
    "wav2vec2",
    "whisper",
    "whisper_attention",
    "whisper_encoder",
]
