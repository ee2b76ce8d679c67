"""MP3: how many frames a file holds, which libsndfile takes from a header that may be missing or wrong."""

from __future__ import annotations

import struct
from typing import NamedTuple

from ._structure import Bytes, DamagedError, Structure, broken_off

_KBPS = {  # by whether it is version 1, and by layer
    (True, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_TAG = 156  # bytes of an encoder's tag, from its name "Xing" or "Info" on
_TRIMMED = 4 * 1152  # samples at the ends that a decoder may leave out


class _Frame(NamedTuple):
    length: int  # bytes
    n_times: int
    rate: int
    kind: tuple  # version, layer, rate: the same in all frames of a stream
    layer: int
    side: int  # bytes between header and data, of layer III


def _frame(head: bytes) -> _Frame | None:
    """The frame that begins with these four bytes, if one does. A free bitrate tells no length, and is none here."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer, bitrate, rate = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3), head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or layer == 4 or bitrate in (0, 15) or rate == 3:
        return None
    first, hertz, padding = version == 3, _RATES[version][rate], head[2] >> 1 & 1
    bits = 1000 * _KBPS[first, layer][bitrate]
    n_times = 384 if layer == 1 else 1152 if layer == 2 or first else 576
    length = 4 * (12 * bits // hertz + padding) if layer == 1 else n_times // 8 * bits // hertz + padding
    mono = head[3] >> 6 == 3
    side = (17 if mono else 32) if first else (9 if mono else 17)
    return _Frame(length, n_times, hertz, (version, layer, hertz), layer, side)


def is_mpeg(data: Bytes) -> bool:
    """Return whether a stream of MPEG frames begins here, or behind tags."""
    return _begin(data) is not None


def _after_tags(data: Bytes) -> int:
    """Return the position at which ID3 tags at the beginning end."""
    position = 0
    while (size := _id3_length(data.read(position, 10))) is not None:
        position += size
    return position


def _begin(data: Bytes) -> int | None:
    """Return the position of the first frame, behind ID3 tags and the rest of a frame that was cut off."""
    position = _after_tags(data)
    limit = position + (2**16 if position else 2**11)
    while position < min(limit, len(data)):
        window = data.read(position, 4096)
        offset = window.find(b"\xff")
        if offset < 0:
            position += len(window) or 4096
            continue
        position += offset
        frame = _frame(data.read(position, 4))
        if frame:
            following = _frame(data.read(position + frame.length, 4))
            if following and following.kind == frame.kind or position + frame.length == len(data):
                return position
        position += 1
    return None


def _id3_length(head: bytes) -> int | None:
    if head[:3] != b"ID3" or len(head) < 10:
        return None
    return 10 + (head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]) + (10 if head[5] & 16 else 0)


def examine_mpeg(data: Bytes) -> Structure:
    """Count the frames, and give the decoder a header that says how many there are."""
    start, after_tags = _begin(data), _after_tags(data)
    if start > after_tags and _frame(data.read(after_tags, 4)):
        raise DamagedError("the file is damaged: its first MPEG frame is not followed by another", about_length=True)
    first = _frame(data.read(start, 4))
    head = data.read(start, first.length)
    tag = start + 4 + first.side
    declared, from_frames = None, start
    if first.layer == 3 and head[4 + first.side : 8 + first.side] in (b"Xing", b"Info"):
        from_frames = start + first.length
        if head[11 + first.side] & 1:
            declared = int.from_bytes(head[12 + first.side : 16 + first.side], "big")
    elif head[36:40] == b"VBRI":
        from_frames, declared = start + first.length, int.from_bytes(head[50:54], "big")
        tag = None
    n_frames, end, is_whole = _walk(data, from_frames, first.kind)
    seconds = first.n_times / first.rate
    if declared is not None and declared > n_frames + (tag is None):
        raise broken_off(declared * seconds, n_frames * seconds)
    if not is_whole:
        raise DamagedError(
            f"the file is damaged: it breaks off, or is no MPEG audio, at byte {end}, after {n_frames * seconds:.3f} s",
            about_length=True,
        )
    if not n_frames:
        raise DamagedError("the file holds no MPEG frame")
    at_least = max(0, n_frames * first.n_times - _TRIMMED)
    if first.layer != 3:
        return Structure(exact=False, at_least=at_least)
    if declared is not None and tag is not None:
        head = _corrected(head, 4 + first.side, n_frames, end - start)
        if head == data.read(start, first.length) and start == after_tags and len(data) - end < 0.005 * len(data):
            return Structure(at_least=at_least)
    else:
        head = _information(data.read(start, 4), n_frames)
    pieces = [head, (from_frames, end - from_frames)]
    return Structure(pieces=pieces, at_least=at_least, completed=declared is None)


def _walk(data: Bytes, position: int, kind: tuple) -> tuple[int, int, bool]:
    """Number of frames, where they end, and whether nothing but tags follows."""
    n_frames = 0
    while position + 4 <= len(data):
        head = data.read(position, 4)
        frame = _frame(head)
        if frame is not None and frame.kind == kind:
            if position + frame.length > len(data):
                return n_frames, position, False
            n_frames += 1
            position += frame.length
        elif head[:3] == b"ID3":
            position += _id3_length(data.read(position, 10)) or 10
        elif head in (b"APET", b"LYRI", b"TAG+") or head[:3] == b"TAG":  # at the end
            return n_frames, position, True
        else:  # or nothing but zeros
            return n_frames, position, not any(data.read(position, len(data) - position))
    return n_frames, position, True


def _corrected(head: bytes, tag: int, n_frames: int, n_bytes: int) -> bytes:
    """The frame of information with the true number of frames; without a delay to trim, if its checksum is wrong."""
    corrected = bytearray(head)
    corrected[4:tag] = bytes(tag - 4)  # or libsndfile's decoder would not look further
    corrected[tag + 8 : tag + 12] = n_frames.to_bytes(4, "big")
    flags = head[tag + 7]
    # Fields that the flags announce lie before the encoder's own part.
    behind = tag + 8 + 4 * bool(flags & 1) + 4 * bool(flags & 2) + 100 * bool(flags & 4) + 4 * bool(flags & 8)
    if len(head) >= behind + 36 and any(head[behind : behind + 9]):
        stored = int.from_bytes(head[behind + 34 : behind + 36], "big")
        if stored not in (_crc16(head[: behind + 34]), _crc16(bytes(corrected[: behind + 34]))):
            corrected[behind + 21 : behind + 24] = bytes(3)
    if flags & 3 == 3 and abs(int.from_bytes(head[tag + 12 : tag + 16], "big") / n_bytes - 1) > 0.01:
        corrected[tag + 12 : tag + 16] = n_bytes.to_bytes(4, "big")  # or the decoder complains on the process's stderr
    return bytes(corrected)


def _crc16(data: bytes) -> int:
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return value


def _information(head: bytes, n_frames: int) -> bytes:
    """A frame of information, as encoders write one before all others, that says how many frames there are."""
    for bitrate in range(1, 15):
        made = bytes([0xFF, head[1] | 1, bitrate << 4 | head[2] & 0x0C, head[3]])
        frame = _frame(made)
        if frame is not None and frame.length >= 4 + frame.side + 16:
            break
    return (made + bytes(frame.side) + b"Info" + struct.pack(">II", 1, n_frames)).ljust(frame.length, b"\0")
