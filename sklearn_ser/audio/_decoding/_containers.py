"""Lengths that audio containers declare, checked for consistency before anything is decoded.

libsndfile believes what a header says, and estimates where it says nothing. Here the header is compared with what the
file holds, so that a clip is never shorter than its recording without notice.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from ._mpeg import examine_mpeg, is_mpeg
from ._ogg import examine_ogg
from ._structure import MISSING, Bytes, DamagedError, Structure, broken_off, little_missing

# From this length on, in bytes, a header means "not known yet": a recorder that writes into a pipe, or was killed.
_UNKNOWN = 0x7FFF0000
_BLOCKS = (0x02, 0x11, 0x31)  # ADPCM of Microsoft and IMA, GSM 6.10: codecs of blocks of samples
_USUAL_RATES = {8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000, 176400, 192000}
_PCM, _FLOAT, _ALAW, _ULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE


def examine(data: Bytes) -> Structure:
    """Read a recording's container; an unknown one gives an empty structure.

    Raises
    ------
    DamagedError
        If the file does not hold what it declares, or contradicts itself.
    """
    head = data.read(0, 64)
    if head[:4] in (b"RIFF", b"RIFX") and head[8:12] == b"WAVE":
        return _examine_wav(data, "<" if head[:4] == b"RIFF" else ">")
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return _examine_aiff(data)
    if head[:4] == b"fLaC":
        return _examine_flac(data)
    if head[:4] == b"OggS":
        return examine_ogg(data)
    if head[:8] == b"NIST_1A\n":
        return _examine_nist(data)
    return examine_mpeg(data) if is_mpeg(data) else Structure()


class Foreign(NamedTuple):
    """A container that libsndfile does not read: its name, and FFmpeg's name for it."""

    name: str
    format: str


def foreign_container(head: bytes) -> Foreign | None:
    """A container that libsndfile does not read, by its first bytes; None for all others."""
    for offset, magic, name, format in _FOREIGN:
        if head[offset : offset + len(magic)] == magic:
            return Foreign(name, format)
    if head[:4] == b"OggS" and b"Speex   " in head:
        return Foreign("Ogg Speex", "ogg")
    if len(head) > 3 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        return Foreign("AAC (ADTS)", "aac")
    if len(head) > 188 and head[0] == head[188] == 0x47:
        return Foreign("MPEG transport stream", "mpegts")
    return None


_FOREIGN = (
    (4, b"ftyp3g", "3GP", "mov"),
    (4, b"ftypM4A", "M4A", "mov"),
    (4, b"ftyp", "MP4/M4A", "mov"),
    (4, b"moov", "QuickTime", "mov"),
    (4, b"mdat", "QuickTime", "mov"),
    (4, b"wide", "QuickTime", "mov"),
    (0, b"\x1aE\xdf\xa3", "WebM/Matroska", "matroska"),
    (0, b"0&\xb2u\x8ef\xcf\x11", "WMA/ASF", "asf"),
    (0, b"#!AMR", "AMR", "amr"),
    (0, b"FLV", "FLV", "flv"),
    (8, b"AVI ", "AVI", "avi"),
    (0, b"wvpk", "WavPack", "wv"),
    (0, b"MAC ", "Monkey's Audio", "ape"),
    (0, b"TTA1", "True Audio", "tta"),
    (0, b"DSD ", "DSF", "dsf"),
    (0, b".RMF", "RealMedia", "rm"),
    (0, b"\x0bw", "AC-3", "ac3"),
    (0, b"\x00\x00\x01\xba", "MPEG program stream", "mpeg"),
)


# ------------------------------------------------------------------------------------------------------------ WAV, AIFF


class _Chunk(NamedTuple):
    name: bytes
    start: int  # of what it holds
    length: int


def _chunks(data: Bytes, order: str) -> Iterator[_Chunk]:
    """The chunks of a file after its first twelve bytes, while there are any."""
    position = 12
    while position + 8 <= len(data):
        name, length = struct.unpack(f"{order}4sI", data.read(position, 8))
        yield _Chunk(name, position + 8, length)
        position += 8 + length + length % 2


def _is_name(name: bytes) -> bool:
    return all(32 <= byte < 127 for byte in name)


def _are_chunks(data: Bytes, start: int, order: str) -> bool:
    """Return whether only chunks lie between `start` and the end of the file."""
    while start + 8 <= len(data):
        name, length = struct.unpack(f"{order}4sI", data.read(start, 8))
        if not _is_name(name):
            return False
        start += 8 + length + length % 2
    return start in (len(data), len(data) + 1)


def _examine_wav(data: Bytes, order: str) -> Structure:
    format_chunk, sound = None, None
    for chunk in _chunks(data, order):
        if chunk.name == b"fmt ":
            format_chunk = chunk
        elif chunk.name == b"data":
            sound = chunk
            break
    if format_chunk is None or sound is None or format_chunk.length < 16:
        return Structure()  # libsndfile says what is wrong with that
    code, n_channels, rate, byte_rate, frame_bytes, bits = struct.unpack(
        f"{order}HHIIHH", data.read(format_chunk.start, 16)
    )
    if code == _EXTENSIBLE and format_chunk.length >= 26:
        (code,) = struct.unpack(f"{order}H", data.read(format_chunk.start + 24, 2))
    remark = ""
    if code in (_PCM, _FLOAT, _ALAW, _ULAW):
        is_off = byte_rate not in (0, rate * frame_bytes)
        if (
            frame_bytes != n_channels * ((bits + 7) // 8)
            or is_off
            and not _is_slip(byte_rate, rate, n_channels, frame_bytes)
        ):
            raise DamagedError(
                f"its header contradicts itself: {n_channels} channel(s) of {bits} bits at {rate} Hz do not make "
                f"frames of {frame_bytes} bytes and {byte_rate} bytes a second"
            )
        if is_off:
            remark = (
                f"its header says {byte_rate} bytes a second, where {rate} Hz make {rate * frame_bytes}. It is read at "
                f"{rate} Hz."
            )
    elif code in _BLOCKS and format_chunk.length >= 20 and byte_rate >= 500:
        (per_block,) = struct.unpack(f"{order}H", data.read(format_chunk.start + 18, 2))
        if per_block and abs(rate * frame_bytes / per_block / byte_rate - 1) > 0.05:
            raise DamagedError(
                f"its header contradicts itself: {rate} Hz in blocks of {per_block} samples and {frame_bytes} bytes do "
                f"not make {byte_rate} bytes a second"
            )
    per_second = rate * frame_bytes if code in (_PCM, _FLOAT, _ALAW, _ULAW) else max(byte_rate, 500)
    found = _length_of_sound(data, sound, order, frame_bytes, per_second)
    missing = _remark_of(found, sound, per_second)
    if found is not None:
        head = bytearray(data.read(0, sound.start))
        head[4:8] = struct.pack(f"{order}I", sound.start - 8 + found)
        head[sound.start - 4 : sound.start] = struct.pack(f"{order}I", found)
        pieces = [bytes(head), (sound.start, found)]
        return Structure(pieces=pieces, completed=not missing, remark=missing or remark)
    return Structure(remark=remark)


def _is_slip(byte_rate: int, rate: int, n_channels: int, frame_bytes: int) -> bool:
    """Return whether a wrong byte rate is a slip of the recorder, rather than the sign of a wrong sampling rate."""
    slips = {rate, rate * n_channels, rate * frame_bytes // max(1, n_channels), 8 * rate * frame_bytes}
    return rate in _USUAL_RATES and (byte_rate in slips or byte_rate / max(1, frame_bytes) not in _USUAL_RATES)


def _remark_of(found: int | None, sound: _Chunk, per_second: int) -> str:
    """Return the warning for a little less sound than declared, or an empty string."""
    if found is None or not 0 < (sound.length - found) / max(1, per_second) <= MISSING:
        return ""
    return little_missing(sound.length / max(1, per_second), found / max(1, per_second))


def _length_of_sound(data: Bytes, sound: _Chunk, order: str, frame_bytes: int, per_second: int) -> int | None:
    """Bytes of a chunk of samples whose header does not say how many there are, or says a few too many; else None."""
    there = len(data) - sound.start
    is_unset = sound.length == 0 and not _are_chunks(data, sound.start, order)
    if is_unset or sound.length >= _UNKNOWN and there < sound.length:
        return there - there % max(1, frame_bytes)
    if there // max(1, frame_bytes) < sound.length // max(1, frame_bytes):
        if there >= max(1, frame_bytes) and sound.length - there <= MISSING * per_second:
            return there - there % max(1, frame_bytes)
        raise broken_off(sound.length / max(1, per_second), there / max(1, per_second))
    (whole,) = struct.unpack(f"{order}I", data.read(4, 4))
    after = sound.start + sound.length + sound.length % 2
    if whole + 8 > after and after + 8 <= len(data) and not _is_name(data.read(after, 4)):
        raise DamagedError(
            f"its header declares {sound.length / max(1, per_second):.3f} s of sound, but more follows that is no chunk"
        )
    return None


def _examine_aiff(data: Bytes) -> Structure:
    chunks = {}
    for chunk in _chunks(data, ">"):
        chunks[chunk.name] = chunk
        if chunk.name == b"SSND" and b"COMM" in chunks:
            break
    if not {b"COMM", b"SSND"} <= set(chunks) or chunks[b"COMM"].length < 18:
        return Structure()
    common, sound = chunks[b"COMM"], chunks[b"SSND"]
    n_channels, n_frames, bits = struct.unpack(">HIH", data.read(common.start, 8))
    coding = data.read(common.start + 18, 4) if common.length >= 22 and data.read(8, 4) == b"AIFC" else b"NONE"
    width = {b"NONE": (bits + 7) // 8, b"twos": (bits + 7) // 8, b"sowt": (bits + 7) // 8, b"raw ": 1}
    width |= {b"fl32": 4, b"FL32": 4, b"fl64": 8, b"FL64": 8, b"alaw": 1, b"ALAW": 1, b"ulaw": 1, b"ULAW": 1}
    frame_bytes = n_channels * width.get(coding, 0)
    if not frame_bytes:
        return Structure()
    rate = _extended(data.read(common.start + 8, 10))
    offset = struct.unpack(">I", data.read(sound.start, 4))[0]
    if offset > min(sound.length, len(data)):
        raise DamagedError("its header contradicts itself: the samples begin past the end of their chunk")
    samples = _Chunk(b"SSND", sound.start + 8 + offset, max(0, sound.length - 8 - offset))
    per_second = max(1, round(rate * frame_bytes))
    found = _length_of_sound(data, samples, ">", frame_bytes, per_second)
    missing = _remark_of(found, samples, per_second)
    if found is None and samples.length // frame_bytes == n_frames:
        return Structure()
    if found is None and not (n_frames == 0 or n_frames >= _UNKNOWN // frame_bytes):
        raise DamagedError(
            f"its header declares {n_frames / max(1, rate):.3f} s, and its sound "
            f"{samples.length / max(1, rate * frame_bytes):.3f} s"
        )
    found = samples.length if found is None else found
    head = bytearray(data.read(0, samples.start))
    head[4:8] = struct.pack(">I", samples.start - 8 + found)
    head[common.start + 2 : common.start + 6] = struct.pack(">I", found // frame_bytes)
    head[sound.start - 4 : sound.start] = struct.pack(">I", found + 8 + offset)
    return Structure(pieces=[bytes(head), (samples.start, found)], completed=not missing, remark=missing)


def _extended(number: bytes) -> float:
    """An 80-bit floating-point number, as AIFF has its rate."""
    exponent, mantissa = struct.unpack(">HQ", number)
    return mantissa * 2.0 ** ((exponent & 0x7FFF) - 16446) if exponent & 0x7FFF < 17000 else 0.0


# --------------------------------------------------------------------------------------------------------- FLAC, SPHERE

_FLAC_RATES = (0, 88200, 176400, 192000, 8000, 16000, 22050, 24000, 32000, 44100, 48000, 96000)
_LAST_FRAME = 2**16  # bytes from the end within which a FLAC file's last frame begins, mostly


def _examine_flac(data: Bytes) -> Structure:
    """Compare the number of samples in the header with that of the last frame."""
    info = data.read(8, 34)
    if data.read(4, 1)[:1] not in (b"\x00", b"\x80") or len(info) < 34:
        return Structure()
    block_size, rate = struct.unpack(">H", info[:2])[0], int.from_bytes(info[10:13], "big") >> 4
    n_frames = int.from_bytes(info[13:18], "big") & 0xFFFFFFFFF
    start = max(42, len(data) - _LAST_FRAME)
    tail = data.read(start, len(data) - start)
    end = len(tail)
    unconfirmed = None
    while (end := max(tail.rfind(b"\xff\xf8", 0, end), tail.rfind(b"\xff\xf9", 0, end))) >= 0:
        frame = _flac_frame(tail[end : end + 16], block_size)
        if frame is not None and (not n_frames or _is_last_frame(frame, tail[end:], n_frames, rate)):
            return _flac_structure(frame, n_frames, rate)
        unconfirmed = unconfirmed or frame
    return Structure(exact=False) if unconfirmed is None else _flac_structure(unconfirmed, n_frames, rate)


def _flac_structure(last: _FlacFrame, n_frames: int, rate: int) -> Structure:
    if last.rate and last.rate != rate:
        raise DamagedError(f"its header says {rate} Hz, and its frames {last.rate} Hz")
    if n_frames and last.end < n_frames:
        raise broken_off(n_frames / max(1, rate), last.end / max(1, rate))
    if n_frames and last.end > n_frames:
        raise DamagedError(
            f"its header declares {n_frames / max(1, rate):.3f} s, and its last frame ends at "
            f"{last.end / max(1, rate):.3f} s"
        )
    return Structure(n_frames=n_frames or None, exact=bool(n_frames), at_least=last.end)


def _is_last_frame(frame: _FlacFrame, content: bytes, n_frames: int, rate: int) -> bool:
    """Return whether bytes that pass for a header are one: by the values expected, or by its frame's checksum."""
    if frame.end == n_frames and frame.rate in (0, rate):
        return True
    return any(_crc16(content[:stop]) == int.from_bytes(content[stop : stop + 2], "big") for stop in _ends(content))


def _ends(content: bytes) -> Iterator[int]:
    """Yield positions at which a frame may end: before the next header, or at the end of the file."""
    position = 14
    while (
        position := min(
            (i for i in (content.find(b"\xff\xf8", position), content.find(b"\xff\xf9", position)) if i >= 0),
            default=-1,
        )
    ) >= 0:
        yield position - 2
        position += 2
    yield len(content) - 2


class _FlacFrame(NamedTuple):
    end: int  # samples of the stream up to its end
    rate: int  # 0 if it is that of the stream


def _flac_frame(head: bytes, stream_block: int) -> _FlacFrame | None:
    """A frame's header, if that is what these bytes are: its checksum says so."""
    if len(head) < 6 or head[3] & 1 or not head[2] >> 4 or head[2] & 15 == 15 or head[3] >> 4 > 10:
        return None
    n_more = max(0, 8 - (~head[4] & 0xFF).bit_length() - 1) if head[4] & 0x80 else 0
    number = head[4] & (0x7F if not n_more else (1 << max(0, 6 - n_more)) - 1)
    position = 5 + n_more
    if len(head) < position + 5 or any(byte >> 6 != 2 for byte in head[5:position]):
        return None
    for byte in head[5:position]:
        number = number << 6 | byte & 63
    size, rate = head[2] >> 4, head[2] & 15
    if size in (6, 7):
        length = int.from_bytes(head[position : position + size - 5], "big") + 1
        position += size - 5
    else:
        length = 192 if size == 1 else 576 << size - 2 if size < 6 else 256 << size - 8
    hertz = _FLAC_RATES[rate] if rate < 12 else 0
    if rate >= 12:
        width = 1 if rate == 12 else 2
        value = int.from_bytes(head[position : position + width], "big")
        hertz, position = value * {12: 1000, 13: 1, 14: 10}[rate], position + width
    if _crc8(head[:position]) != head[position]:
        return None
    return _FlacFrame((number if head[1] & 1 else number * stream_block) + length, hertz)


def _crc16(data: bytes) -> int:
    """CRC-16 of a FLAC frame, up to its last two bytes."""
    value = 0
    for byte in data:
        value = (value << 8 & 0xFFFF) ^ _CRC16[value >> 8 ^ byte]
    return value


def _table16() -> list[int]:
    table = []
    for byte in range(256):
        value = byte << 8
        for _ in range(8):
            value = value << 1 ^ (0x18005 if value & 0x8000 else 0)
        table.append(value)
    return table


_CRC16 = _table16()


def _crc8(data: bytes) -> int:
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value << 1 ^ (0x107 if value & 0x80 else 0)
    return value


def _examine_nist(data: Bytes) -> Structure:
    """SPHERE, in which much read speech is distributed: its header is text."""
    fields: dict[str, str] = {}
    begin = data.read(8, 8).strip()
    n_header = int(begin) if begin.isdigit() else 1024
    for line in data.read(0, min(n_header, 2**16)).decode("latin-1").split("end_head")[0].splitlines():
        name, *value = line.split(maxsplit=2)[:3] or [""]
        if len(value) == 2:
            fields[name] = value[1].strip()
    coding = fields.get("sample_coding", "pcm").lower().split(",")
    packed = next((each for each in coding[1:] if "embedded" in each), None)
    if packed is not None:
        name = packed.removeprefix("embedded-")
        raise DamagedError(f"its sound is compressed ({name}), which is not read: unpack it by sph2pipe or SoX")

    def number(name: str, default: int) -> int:
        return int(fields[name]) if fields.get(name, "").isdigit() else default

    width = 1 if coding[0] in ("ulaw", "mu-law", "alaw") else number("sample_n_bytes", 2)
    size, rate = number("channel_count", 1) * width, number("sample_rate", 0)
    declared, there = number("sample_count", 0), (len(data) - n_header) // max(1, size)
    if rate and declared > there:
        if there and declared - there <= MISSING * rate:
            return Structure(remark=little_missing(declared / rate, there / rate))
        raise broken_off(declared / rate, there / rate)
    return Structure()
