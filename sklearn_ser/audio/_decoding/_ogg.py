"""Ogg: whether all pages of a stream are there and whole."""

from __future__ import annotations

import struct
import zlib

from ._structure import Bytes, DamagedError, Structure

_CONTINUED, _BEGINS, _ENDS = 1, 2, 4  # a page's flags
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def examine_ogg(data: Bytes) -> Structure:
    """Walk through all pages, without decoding them.

    A decoder leaves out pages that are damaged, and takes what a torn file holds for all of it, because Ogg declares no
    length.
    """
    sequence: dict[int, int] = {}
    ended: set[int] = set()
    position, chained, first_granule = 0, False, None
    while position + 27 <= len(data):
        head = data.read(position, 27)
        magic, _, flags, granule, serial, number, checksum, n_segments = struct.unpack("<4sBBqIIIB", head)
        if magic != b"OggS":
            break
        lacing = data.read(position + 27, n_segments)
        length = 27 + n_segments + sum(lacing)
        page = data.read(position, length)
        if len(lacing) < n_segments or len(page) < length:
            raise DamagedError("the file is damaged: it breaks off in the middle of an Ogg page", about_length=True)
        if _checksum(page[:22] + bytes(4) + page[26:]) != checksum:
            raise DamagedError(f"the file is damaged: the checksum of the Ogg page at byte {position} is wrong")
        if flags & _BEGINS:
            chained = chained or bool(ended)
        elif sequence.get(serial, number) != number:
            raise DamagedError(f"the file is damaged: Ogg pages are missing before byte {position}", about_length=True)
        elif first_granule is None and granule > 0:
            first_granule = granule
        sequence[serial] = number + 1
        if flags & _ENDS:
            ended.add(serial)
        position += length
    if set(sequence) - ended:
        raise DamagedError(
            "the file is damaged: it breaks off, because no Ogg page is marked as its last one", about_length=True
        )
    if any(data.read(position, len(data) - position)[: 2**16]):
        raise DamagedError(f"the file is damaged: there is no Ogg page at byte {position}", about_length=True)
    if chained:
        return Structure(exact=False, chained=True)
    # A stream that was cut out of another counts from where it was cut, and libsndfile's length is not what decodes.
    return Structure(exact=first_granule is not None and first_granule < 10 * 48000)


def _checksum(page: bytes) -> int:
    """CRC-32 of Ogg, which is zlib's with all bits the other way round, and without complements."""
    value = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{value:032b}"[::-1], 2)
