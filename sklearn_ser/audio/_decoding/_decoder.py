"""Decoders that read an open recording in blocks: libsndfile, and FFmpeg (PyAV) for what libsndfile does not read."""

from __future__ import annotations

import io
import os
import re
import stat
import struct
from collections.abc import Iterator

import numpy as np

from ...utils._clip_errors import AudioError, LengthError, MissingAudioError, remark
from ...utils._messages import short
from ._containers import Foreign, examine, foreign_container
from ._structure import MISSING, Bytes, DamagedError, PiecedFile, Structure, little_missing

BLOCK = 2**20  # values, of all channels together, that are decoded at once
RATES = (1000, 768_000)  # Hz, lowest and highest; nothing that records speech is outside
# libsndfile tells these by the extension of the name alone, because they have no header.
_HEADERLESS = {".al", ".au", ".gsm", ".snd", ".ul", ".vox"}
# What WAV may hold besides what libsndfile reads: MPEG, WMA, AAC, AC-3.
_FOREIGN_IN_WAV = {struct.pack("<H", tag) for tag in (0x50, 0x55, 0xFF, 0x160, 0x161, 0x162, 0x1600, 0x2000)}
_UNCOMPRESSED = {"PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"}
_SHORTER = re.compile(r"(?:Data Size|data|BODY|Riff size|riff)\s*:\s*(\d+) \(should be (\d+)\)|value from 'ds64' chunk")
_DECLARING = ("WebM/Matroska", "WMA/ASF")  # whose duration is no estimate of FFmpeg's
_TOLERANCE = 0.25  # seconds by which what FFmpeg decodes may differ from what a container declares: codecs pad


class Decoder:
    """Samples of a recording from a position on; the base of the two that follow.

    `n_frames` is its length in samples of each channel, and None where only decoding tells. `at_least` is what must
    decode.
    """

    rate: int
    n_channels: int
    n_frames: int | None = None
    at_least: int = 0
    can_seek = False
    completed = False

    def seek(self, frame: int) -> None:
        raise NotImplementedError

    def read(self, count: int) -> np.ndarray:
        """The next samples, (n_frames, n_channels) float32, at most `count`; none at the end."""
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def open_recording(file, where: str) -> Decoder:
    """Open a path, or the bytes of a file.

    Raises
    ------
    AudioError
        If there is no such file, it is no audio, or it does not hold what it declares.
    """
    opened = _open_bytes(file, where)
    try:
        return _decoder(opened, file, where)
    except BaseException as error:
        opened.close()
        if isinstance(error, DamagedError):
            raise (LengthError if error.about_length else AudioError)(f"{where}: {error}.") from None
        if isinstance(error, (struct.error, OverflowError)):
            raise AudioError(f"{where}: not readable as audio: its header makes no sense.") from None
        if isinstance(error, OSError) and not isinstance(error, AudioError):
            raise _unreadable(error, where) from None
        raise


def _open_bytes(file, where: str) -> io.IOBase:
    if isinstance(file, bytes):
        return io.BytesIO(file)
    try:
        mode = os.stat(file).st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # opening these can wait for ever
            raise AudioError(f"{where}: not a file, but a pipe, socket or device: read it, and pass the bytes.")
        return open(file, "rb", buffering=0)
    except AudioError:
        raise
    except (OSError, ValueError) as reason:  # a ValueError for a name that no file can have
        raise _unreadable(reason, where) from None


def _unreadable(reason: Exception, where: str) -> AudioError:
    if isinstance(reason, FileNotFoundError):
        return MissingAudioError(f"{where}: no such file (from the folder {short(os.getcwd())}).")
    return AudioError(f"{where}: cannot be read: {getattr(reason, 'strerror', None) or reason}.")


def _decoder(opened: io.IOBase, file, where: str) -> Decoder:
    size = opened.seek(0, io.SEEK_END)
    if not size:
        raise AudioError(f"{where}: the file is empty (0 bytes).")
    data = Bytes(opened, size)
    structure = examine(data)
    head = data.read(0, 256)
    opened.seek(0)
    foreign = foreign_container(head)
    if foreign is None and not structure.chained:
        import soundfile

        try:
            return SoundFileDecoder(opened, file, structure, where)
        except soundfile.LibsndfileError as error:
            if head[:4] == b"RIFF" and head[20:22] in _FOREIGN_IN_WAV:
                foreign = Foreign("WAV", "wav")
            else:
                is_name = isinstance(file, bytes) and len(file) < 1000 and all(31 < byte for byte in file)
                given = f" Got {short(file)}: a path must be a str." if is_name else ""
                raise AudioError(f"{where}: not readable as audio: {error.error_string}{given}") from None
    return AVDecoder(opened, foreign or Foreign("chained Ogg", "ogg"), where)


def _check_rate(rate: int, where: str) -> int:
    if not RATES[0] <= rate <= RATES[1]:
        raise AudioError(f"{where}: its rate must lie between {RATES[0]} and {RATES[1]} Hz. Got {rate} Hz.")
    return rate


class SoundFileDecoder(Decoder):
    """Decoder of libsndfile: WAV, AIFF, FLAC, Ogg, MP3 and many more."""

    def __init__(self, opened: io.IOBase, file, structure: Structure, where: str):
        import soundfile

        self._where, self._file = where, opened
        if structure.pieces is not None:
            source = PiecedFile(opened, structure.pieces)
        elif isinstance(file, bytes):
            source = opened
        elif os.path.splitext(file)[1].lower() in _HEADERLESS:
            source = os.fspath(file)
        else:  # the number of the open file, because a name may be no UTF-8, or say another format than the content
            source = opened.fileno() if os.name == "posix" else opened
        self._sound = soundfile.SoundFile(source, closefd=False)
        self.rate, self.n_channels = _check_rate(self._sound.samplerate, where), self._sound.channels
        self.at_least, self.completed = structure.at_least, structure.completed
        uncompressed = self._sound.subtype in _UNCOMPRESSED
        if structure.exact and (uncompressed or self._sound.format in ("MP3", "OGG")):
            self.n_frames = self._sound.frames
        exact = self._sound.format not in ("MP3", "OGG") and self.n_frames is not None
        self.can_seek = exact and self._sound.seekable()
        if not self.can_seek:
            # soundfile seeks after each block, where it can, and MP3 and Ogg do not go on from there as before.
            vars(self._sound)["seekable"] = lambda: False
        if self.n_frames is not None and self.n_frames < structure.at_least:
            raise DamagedError(
                f"the file is damaged: it holds {structure.at_least / self.rate:.3f} s at least, of which only "
                f"{self.n_frames / self.rate:.3f} s decode",
                about_length=True,
            )
        if structure.n_frames is not None and structure.n_frames != self._sound.frames:
            raise DamagedError("its header contradicts itself about the length", about_length=True)
        shorter = uncompressed and self._sound.format != "WAV" and _SHORTER.search(self._sound.extra_info)
        if shorter and self._sound.format not in ("WAVEX", "AIFF", "FLAC"):
            declared, there = (shorter[1], shorter[2]) if shorter[1] else ("more", "less")
            frames = self._sound.frames * int(declared) / max(1, int(there)) if shorter[1] else float("inf")
            if not 0 < frames - self._sound.frames <= MISSING * self.rate:
                raise DamagedError(
                    f"the file is damaged: its header declares {declared} bytes, and it holds {there}",
                    about_length=True,
                )
            structure.remark = little_missing(frames / self.rate, self._sound.frames / self.rate)
        if structure.remark:
            remark("length", where, structure.remark)

    def seek(self, frame):
        self._sound.seek(frame)

    def read(self, count):
        import soundfile

        try:
            return self._sound.read(count, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            reason = error.error_string or f"libsndfile's error {error.code}"
            raise AudioError(f"{self._where}: the file is damaged: {reason}") from None

    def close(self):
        self._sound.close()
        self._file.close()


class AVDecoder(Decoder):
    """Decoder of FFmpeg, through PyAV, from the beginning of the file on."""

    def __init__(self, opened: io.IOBase, container: Foreign, where: str):
        name = container.name
        try:
            import av
        except ImportError:
            raise AudioError(
                f"{where}: {name} is not among the formats of libsndfile. Install PyAV, pip install "
                '"sklearn-ser[formats]", which brings FFmpeg\'s decoders; or convert it: ffmpeg -i IN OUT.wav.'
            ) from None
        self._where, self._file, self._name = where, opened, name
        self._errors = (av.error.FFmpegError, ValueError, OverflowError)
        try:
            # By its name, because among FFmpeg's formats are some that name other files.
            self._container = av.open(opened, format=container.format, metadata_errors="ignore")
            if not self._container.streams.audio:
                raise AudioError(f"{where}: the {name} file holds no audio.")
            self._stream = self._container.streams.audio[0]
            self._frames = self._container.decode(self._stream)
            first = next(self._frames, None)
        except self._errors as error:
            if isinstance(error, AudioError):
                raise
            raise self._damaged(error) from None
        if first is None:
            raise AudioError(f"{where}: the clip is empty: no sound decodes of the {name} file.")
        # Not the stream's: what doubles the rate of AAC is found in the frames.
        self.rate, self.n_channels = _check_rate(first.sample_rate, where), len(first.layout.channels)
        self._resampler = av.AudioResampler(format="fltp", layout=first.layout, rate=first.sample_rate)
        self._blocks, self._rest = self._decoded(first), np.empty((0, self.n_channels), np.float32)
        self._n_read = 0

    def _damaged(self, error: Exception) -> AudioError:
        return AudioError(f"{self._where}: the {self._name} file is damaged: {getattr(error, 'strerror', error)}.")

    def _decoded(self, first) -> Iterator[np.ndarray]:
        """Blocks of samples; at the end, whether all that was declared came."""
        frame = first
        while frame is not None:
            yield from (part.to_ndarray().T for part in self._resampler.resample(frame))
            frame = next(self._frames, None)
        yield from (part.to_ndarray().T for part in self._resampler.resample(None))

    def read(self, count):
        blocks, n_frames = [self._rest], len(self._rest)
        try:
            while n_frames < count:
                block = next(self._blocks, None)
                if block is None:
                    break
                blocks.append(block)
                n_frames += len(block)
        except self._errors as error:
            raise self._damaged(error) from None
        block = blocks[0] if len(blocks) == 1 else np.concatenate(blocks)
        self._rest = block[count:]
        self._n_read += min(len(block), count)
        if len(block) < count:
            self._check_length()
        return block[:count]

    def _check_length(self) -> None:
        declared, there = 0.0, self._n_read / self.rate
        if self._stream.duration:
            declared = float(self._stream.duration * self._stream.time_base)
        elif self._name in _DECLARING and len(self._container.streams) == 1:
            declared = (self._container.duration or 0) / 1e6
        if there < declared - max(_TOLERANCE, 0.005 * declared):
            raise LengthError(
                f"{self._where}: the {self._name} file is damaged: it declares {declared:.3f} s of sound, and "
                f"breaks off after {there:.3f} s."
            )

    def close(self):
        self._container.close()
        self._file.close()
