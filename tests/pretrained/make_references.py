"""Write `references.npz`: what the `transformers` library makes of the tiny models of `tests/tiny_encoder.py`.

To be run in an environment of its own, never by the tests:

    python -m venv references && references/bin/pip install torch transformers numpy
    PYTHONPATH=tests references/bin/python tests/pretrained/make_references.py

It stores, for each model and each clip, some rows of all hidden states; and the logits of the models with heads.
"""

from pathlib import Path

import numpy as np
import torch
import transformers
from tiny_encoder import CONFIGS, HEADS, draw, waveforms

ROWS = np.array([0, 48, 500, 998])  # of those that a clip has


def fill(model, prefix=""):
    """Draw the weights, by their names in an encoder's file."""
    state = {}
    for name, tensor in model.state_dict().items():
        known = name.removeprefix(prefix)
        known = known.replace("parametrizations.weight.original0", "weight_g")
        known = known.replace("parametrizations.weight.original1", "weight_v")
        if name.endswith("embed_positions.weight") or "masked_spec_embed" in name:
            known = known.removeprefix("encoder.") if "embed_positions" in name else known
        state[name] = torch.from_numpy(draw(known, tuple(tensor.shape)))
    model.load_state_dict(state)
    return model.eval()


def config_of(content):
    content = dict(content)
    return transformers.AutoConfig.for_model(content.pop("model_type"), **content, attn_implementation="eager")


def normalized(waveform):
    return (waveform - waveform.mean()) / np.sqrt(waveform.var() + 1e-7)


@torch.inference_mode()
def main():
    found = {}
    for name, content in CONFIGS.items():
        model = fill(transformers.AutoModel.from_config(config_of(content)))
        for index, waveform in enumerate(waveforms()):
            states = model(torch.from_numpy(normalized(waveform))[None], output_hidden_states=True).hidden_states
            rows = ROWS[ROWS < states[0].shape[1]]
            found[f"{name}/{index}"] = np.stack([state[0].numpy()[rows] for state in states])
    for name, (content, _) in HEADS.items():
        model = head_model(content)
        found[f"head/{name}"] = np.stack([logits(model, content, clip) for clip in waveforms()[:3]])
    np.savez_compressed(Path(__file__).with_name("references.npz"), **found)


class Dimensional(transformers.Wav2Vec2PreTrainedModel):
    """The regression head that audEERING published beside its model of arousal, dominance and valence."""

    def __init__(self, config):
        super().__init__(config)
        self.wav2vec2 = transformers.Wav2Vec2Model(config)
        self.classifier = torch.nn.ModuleDict(
            {
                "dense": torch.nn.Linear(config.hidden_size, config.hidden_size),
                "out_proj": torch.nn.Linear(config.hidden_size, config.num_labels),
            }
        )

    def forward(self, values):
        pooled = self.wav2vec2(values).last_hidden_state.mean(dim=1)
        return self.classifier["out_proj"](torch.tanh(self.classifier["dense"](pooled)))


def head_model(content):
    config = config_of(content)
    if content["architectures"] == ["Wav2Vec2ForSpeechClassification"]:
        return fill(Dimensional(config), "wav2vec2.")
    model = getattr(transformers, content["architectures"][0])(config)
    return fill(model, "encoder." if content["model_type"] == "whisper" else f"{model.base_model_prefix}.")


def logits(model, content, waveform):
    if content["model_type"] == "whisper":
        extractor = transformers.WhisperFeatureExtractor(chunk_length=2)
        values = extractor(waveform, sampling_rate=16000, return_tensors="pt").input_features
    else:
        values = torch.from_numpy(normalized(waveform))[None]
    result = model(values)
    return (result if isinstance(result, torch.Tensor) else result.logits)[0].numpy()


if __name__ == "__main__":
    main()
