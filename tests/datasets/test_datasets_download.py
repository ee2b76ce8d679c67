"""Downloading corpora from a server on this machine, which breaks off, lies, moves away and attacks."""

import collections
import errno
import hashlib
import http.server
import io
import json
import os
import pickle
import re
import signal
import subprocess
import sys
import threading
import time
import warnings
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from test_datasets import EMODB_NAMES, write

from sklearn_ser.datasets import FetchError, _emodb, _ravdess, _tess, fetch_emodb, fetch_ravdess, fetch_tess
from sklearn_ser.datasets._errors import UnusableFileError


class Server:
    """Serves `files` on localhost, breaks off after `cut` bytes, waits for `delay` seconds in between, and lies."""

    def __init__(self):
        self.files, self.requests, self.cut, self.ranges, self.delay = {}, [], None, True, 0
        self.length = self.status = self.stretch = None
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                path = self.path.split("?")[0]
                asked = self.headers.get("Range")
                outer.requests.append((path, asked))
                if outer.status or path not in outer.files:
                    return self.send_error(outer.status or 404)
                content, start = outer.files[path], 0
                if outer.stretch:
                    self.send_response(206)
                    self.send_header("Content-Range", outer.stretch)
                elif asked and outer.ranges:
                    start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1])
                    if start >= len(content):
                        self.send_response(416)
                        self.send_header("Content-Range", f"bytes */{len(content)}")
                        return self.end_headers()
                    self.send_response(206)
                    self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
                else:
                    self.send_response(200)
                self.send_header("Content-Length", outer.length or str(len(content) - start))
                self.end_headers()
                content = content[start : outer.cut]
                for begin in range(0, len(content), 100_000):
                    self.wfile.write(content[begin : begin + 100_000])
                    time.sleep(outer.delay)

            def log_message(self, *args):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def paths(self):
        return [path for path, _ in self.requests]


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = Server()
    yield server
    server.http.shutdown()
    server.http.server_close()


def clip_bytes(name):
    return name.encode() * 20_000  # large enough that a cut falls into it


def make_zip(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return buffer.getvalue()


@pytest.fixture
def emodb_server(server, monkeypatch):
    """An EMO-DB of four clips, published on localhost with its checksums."""
    members = {f"wav/{name}": clip_bytes(name) for name in EMODB_NAMES}
    sums = {name: hashlib.sha256(clip_bytes(name)).hexdigest() for name in EMODB_NAMES}
    server.files["/download.zip"] = make_zip({**members, "erkennung.txt": b"Nr.", "__MACOSX/wav/._03a01Wa.wav": b"x"})
    monkeypatch.setattr(_emodb, "URL", f"{server.url}/download.zip")
    monkeypatch.setattr(_emodb, "_N_CLIPS", len(EMODB_NAMES))
    monkeypatch.setattr(_emodb, "_published_sums", lambda: sums)
    return server


# --- EMO-DB: one archive, and a checksum for each clip ---


def test_a_missing_corpus_is_downloaded_checked_and_unpacked(emodb_server, tmp_path):
    corpus = fetch_emodb(tmp_path)
    assert [os.path.basename(path) for path in corpus.data["path"]] == EMODB_NAMES
    assert Path(corpus.data["path"][0]).read_bytes() == clip_bytes("03a01Wa.wav")
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert left == sorted([*(f"emodb/wav/{name}" for name in EMODB_NAMES), "emodb/erkennung.txt"])
    fetch_emodb(tmp_path)
    assert len(emodb_server.requests) == 1


@pytest.mark.parametrize("ranges", [True, False])
def test_a_download_that_broke_off_goes_on(emodb_server, tmp_path, ranges):
    emodb_server.cut, emodb_server.ranges = 262_144, ranges
    with pytest.raises(ConnectionError, match="EMO-DB could not be downloaded.*resumes from what has arrived"):
        fetch_emodb(tmp_path)
    assert (tmp_path / "emodb" / "emodb-download.zip.part").stat().st_size == 262_144
    emodb_server.cut = None
    assert len(fetch_emodb(tmp_path).data) == 4
    assert emodb_server.requests[-1] == ("/download.zip", "bytes=262144-")


def test_a_part_that_is_longer_than_the_file_is_discarded(emodb_server, tmp_path):
    write(tmp_path / "emodb", "emodb-download.zip.part", content=b"x" * 10_000_000)
    assert len(fetch_emodb(tmp_path).data) == 4


def test_unpacking_that_was_killed_goes_on_without_downloading_again(emodb_server, tmp_path, monkeypatch):
    replaced = []
    replace = os.replace

    def killed(source, target):
        if str(target).endswith("08b10Ta.wav"):
            raise KeyboardInterrupt
        replaced.append(Path(target).name)
        replace(source, target)

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        fetch_emodb(tmp_path)
    with pytest.warns(UserWarning, match="found 2 of 4 clips"):
        fetch_emodb(tmp_path, download_if_missing=False)
    replaced.clear()
    monkeypatch.setattr(
        os, "replace", lambda source, target: (replaced.append(Path(target).name), replace(source, target))
    )
    assert len(fetch_emodb(tmp_path).data) == 4
    assert replaced == ["08b10Ta.wav", "16b09Fb.wav", "erkennung.txt"]
    assert len(emodb_server.requests) == 1
    assert not list((tmp_path / "emodb").rglob("*.part")) and not list((tmp_path / "emodb").glob("*.zip"))


def test_a_clip_that_differs_from_its_sha256_is_named_and_kept_aside(emodb_server, tmp_path):
    members = {f"wav/{name}": clip_bytes(name) for name in EMODB_NAMES}
    members["wav/03a02Nc.wav"] = b"another recording"
    emodb_server.files["/download.zip"] = make_zip(members)
    got = hashlib.sha256(b"another recording").hexdigest()
    with pytest.raises(ValueError, match=f"1 clips differ from the published SHA-256.*03a02Nc.wav .expected .*{got}"):
        fetch_emodb(tmp_path)
    folder = tmp_path / "emodb"
    assert (folder / "wav" / "03a02Nc.wav.mismatch").read_bytes() == b"another recording"
    assert (folder / "emodb-download.zip.mismatch").exists()
    with pytest.warns(UserWarning, match="found 3 of 4"):
        assert len(fetch_emodb(tmp_path, download_if_missing=False).data) == 3


def test_something_that_is_no_archive_is_kept_aside(emodb_server, tmp_path):
    emodb_server.files["/download.zip"] = b"<html>moved</html>"
    with pytest.raises(ValueError, match="damaged or no ZIP archive.*kept as .*emodb-download.zip.mismatch"):
        fetch_emodb(tmp_path)
    assert (tmp_path / "emodb" / "emodb-download.zip.mismatch").read_bytes() == b"<html>moved</html>"


def test_a_damaged_member_is_no_clip(emodb_server, tmp_path):
    archive = bytearray(emodb_server.files["/download.zip"])
    archive[archive.index(clip_bytes("08b10Ta.wav")) + 50] ^= 1
    emodb_server.files["/download.zip"] = bytes(archive)
    with pytest.raises(ValueError, match="damaged.*Bad CRC-32"):
        fetch_emodb(tmp_path)
    assert not (tmp_path / "emodb" / "wav" / "08b10Ta.wav").exists()


@pytest.mark.parametrize(
    "name",
    ["../../evil.wav", "wav/../../evil.wav", "/tmp/evil.wav", "C:\\evil.wav", "..\\evil.wav", ".x/../../evil.wav"],
)
def test_an_archive_that_leads_out_of_its_folder_is_refused_before_anything_is_written(emodb_server, tmp_path, name):
    emodb_server.files["/download.zip"] = make_zip({"wav/03a01Wa.wav": b"good", name: b"evil"})
    with pytest.raises(ValueError, match="leads out of the corpus folder: .*evil.wav"):
        fetch_emodb(tmp_path)
    assert not list(tmp_path.rglob("*.wav")) and not list(tmp_path.parent.glob("*evil*"))


def test_an_archive_with_a_symbolic_link_is_refused(emodb_server, tmp_path):
    link = zipfile.ZipInfo("wav/link.wav")
    link.external_attr = 0o120777 << 16
    emodb_server.files["/download.zip"] = make_zip({"wav/03a01Wa.wav": b"good", link: b"/etc/passwd"})
    with pytest.raises(ValueError, match="holds a symbolic link: 'wav/link.wav'"):
        fetch_emodb(tmp_path)
    assert not list(tmp_path.rglob("*.wav"))


def test_an_address_that_is_gone_is_a_connection_error_that_says_what_to_do(emodb_server, tmp_path):
    emodb_server.files.clear()
    message = "could not be downloaded: 404 .*Nothing was found in .*emodb.*SKLEARN_SER_DATA.*Source: .*licence CC0"
    with pytest.raises(ConnectionError, match=message):
        fetch_emodb(tmp_path)


def test_without_a_network_the_error_says_so_and_leaves_nothing_behind(emodb_server, tmp_path, monkeypatch):
    monkeypatch.setattr(_emodb, "URL", "http://127.0.0.1:9/download.zip")
    with pytest.raises(ConnectionError, match="EMO-DB could not be downloaded.*Nothing was found in"):
        fetch_emodb(tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    write(tmp_path / "emodb", *EMODB_NAMES)  # a copy by hand is then no unfinished download
    assert len(fetch_emodb(tmp_path).data) == 4


def test_a_copy_put_beside_an_unfinished_download_completes_it(emodb_server, tmp_path):
    emodb_server.cut = 262_144
    with pytest.raises(ConnectionError):
        fetch_emodb(tmp_path)
    emodb_server.requests.clear()
    write(tmp_path / "emodb", *EMODB_NAMES)
    for _ in range(2):
        assert len(fetch_emodb(tmp_path).data) == 4
    assert emodb_server.requests == []


# --- RAVDESS: an archive for each channel, with size and MD5 ---


@pytest.fixture
def ravdess_server(server, monkeypatch):
    speech = make_zip({f"Actor_{i:02d}/03-01-06-01-02-01-{i:02d}.wav": b"speech%d" % i for i in range(1, 5)})
    song = make_zip({"Actor_02/03-02-05-02-01-02-02.wav": b"song"})
    parts = {}
    for name, n_clips, content in (("speech", 4, speech), ("song", 1, song)):
        server.files[f"/{name}.zip"] = content
        parts[name] = (n_clips, f"{name}.zip", len(content), hashlib.md5(content).hexdigest())
    monkeypatch.setattr(_ravdess, "URL", server.url + "/{name}?download=1")
    monkeypatch.setattr(_ravdess, "_PARTS", parts)
    return server


def test_ravdess_reads_what_the_file_name_says(ravdess_server, tmp_path):
    corpus = fetch_ravdess(tmp_path)
    assert list(corpus.data.columns) == ["path", "speaker", "sex", "text", "intensity", "repetition", "channel"]
    assert corpus.data.iloc[1, 1:].tolist() == ["02", "female", "dogs", "normal", 1, "speech"]
    assert corpus.target.tolist() == ["fear"] * 4
    assert corpus.speaker.tolist() == ["01", "02", "03", "04"]
    assert ravdess_server.paths() == ["/speech.zip"]


def test_ravdess_loads_song_beside_speech_and_downloads_only_what_is_missing(ravdess_server, tmp_path):
    fetch_ravdess(tmp_path)
    everything = fetch_ravdess(tmp_path, channel="all")
    assert everything.data["channel"].tolist() == ["speech"] * 4 + ["song"]
    assert ravdess_server.paths() == ["/speech.zip", "/song.zip"]
    song = fetch_ravdess(tmp_path, channel="song")
    assert song.data.iloc[0, 1:].tolist() == ["02", "female", "kids", "strong", 2, "song"]
    with pytest.raises(ValueError, match=r"RAVDESS \(song\) has no clips of disgust"):
        fetch_ravdess(tmp_path, channel="song", emotions=["disgust"])
    with pytest.raises(ValueError, match="channel must be 'speech', 'song' or 'all'. Got channel='video'"):
        fetch_ravdess(tmp_path, channel="video")


def test_an_archive_of_another_size_or_md5_is_kept_aside_and_fetched_afresh(ravdess_server, tmp_path):
    good = ravdess_server.files["/speech.zip"]
    bad = b"x" * len(good)
    ravdess_server.files["/speech.zip"] = bad
    expected, got = hashlib.md5(good).hexdigest(), hashlib.md5(bad).hexdigest()
    with pytest.raises(ValueError, match=f"speech.zip .*expected MD5 {expected}, got {got}.*speech.zip.mismatch"):
        fetch_ravdess(tmp_path)
    assert (tmp_path / "ravdess" / "speech.zip.mismatch").read_bytes() == bad
    ravdess_server.files["/speech.zip"] = good[:-1]
    with pytest.raises(ValueError, match=f"expected {len(good)} bytes, got {len(good) - 1}"):
        fetch_ravdess(tmp_path)
    ravdess_server.files["/speech.zip"] = good
    assert len(fetch_ravdess(tmp_path).data) == 4


# --- TESS: a list of files, each downloaded by itself ---


TESS_NAMES = ["OAF_back_angry.wav", "OA_bite_neutral.wav", "YAF_neat_fear.wav", "YAF_dog_ps.wav"]


@pytest.fixture
def tess_server(server, monkeypatch):
    entries = []
    for identifier, name in enumerate([*TESS_NAMES, "../../evil/OAF_evil_sad.wav", "readme.txt"]):
        server.files[f"/access/datafile/{identifier}"] = content = clip_bytes(name)
        file = {"id": identifier, "filename": name, "md5": hashlib.md5(content).hexdigest(), "filesize": len(content)}
        if identifier == 1:  # another shape of the same answer
            file = {"id": identifier, "checksum": {"type": "MD5", "value": file["md5"]}}
        entries.append({"label": name, "dataFile": file})
    server.listing = {"data": {"latestVersion": {"files": entries}}}
    server.files["/datasets/:persistentId/"] = json.dumps(server.listing).encode()
    monkeypatch.setattr(_tess, "API", server.url)
    monkeypatch.setattr(_tess, "_N_CLIPS", len(TESS_NAMES))
    return server


def test_tess_is_downloaded_clip_by_clip(tess_server, tmp_path):
    corpus = fetch_tess(tmp_path)
    assert list(corpus.data.columns) == ["path", "speaker", "sex", "age", "text"]
    assert corpus.target.tolist() == ["neutral", "anger", "surprise", "fear"]
    assert corpus.data["text"].tolist() == ["bite", "back", "dog", "neat"]
    assert corpus.speaker.tolist() == ["OAF", "OAF", "YAF", "YAF"]
    assert corpus.data["age"].tolist() == [64, 64, 26, 26]
    assert len(tess_server.requests) == 5 and not list(tmp_path.parent.rglob("*evil*"))


def test_a_tess_download_goes_on_with_what_is_missing_or_wrong(tess_server, tmp_path):
    third = tess_server.files.pop("/access/datafile/2")
    with pytest.raises(ConnectionError, match="TESS could not be downloaded: 404"):
        fetch_tess(tmp_path)
    tess_server.files["/access/datafile/2"] = third
    write(tmp_path / "tess", "OAF_back_angry.wav", content=b"spoilt")
    os.makedirs(tmp_path / "tess" / "OAF_neutral")
    os.replace(tmp_path / "tess" / "OA_bite_neutral.wav", tmp_path / "tess" / "OAF_neutral" / "OA_bite_neutral.wav")
    tess_server.requests.clear()
    assert len(fetch_tess(tmp_path).data) == 4
    assert tess_server.paths()[1:] == [f"/access/datafile/{i}" for i in (0, 2, 3)]
    assert (tmp_path / "tess" / "OAF_back_angry.wav.mismatch").read_bytes() == b"spoilt"


def test_a_tess_clip_with_another_md5_is_kept_aside(tess_server, tmp_path):
    tess_server.files["/access/datafile/0"] = clip_bytes("OAF_evil_angry.wav")
    with pytest.raises(ValueError, match="OAF_back_angry.wav from .* expected MD5 .*OAF_back_angry.wav.mismatch"):
        fetch_tess(tmp_path)


@pytest.mark.parametrize(
    ("listing", "message"),
    [(b"<html>", "cannot be read"), (b'{"data": {}}', "cannot be read"), (b'{"data": {"files": []}}', "names no clip")],
)
def test_a_list_of_files_that_makes_no_sense_is_an_error(tess_server, tmp_path, listing, message):
    tess_server.files["/datasets/:persistentId/"] = listing
    with pytest.raises(ValueError, match=f"list of files of TESS at .* {message}"):
        fetch_tess(tmp_path)


# --- What goes wrong: one kind of error, which says where, what and what to do; and never twice for the same reason ---


def names_all(error, server, remedy):
    """Whether a message names the address, a file and the remedy."""
    return server.url in str(error) and "emodb" in str(error) and re.search(remedy, str(error))


def long_name(packed):
    packed.writestr("wav/" + "a" * 300 + ".wav", b"x")


def file_for_folder(packed):
    packed.writestr("wav/03a01Wa.wav/x.wav", b"x")


def altered_header(**values):
    """Writes one more member, and then other values into its entry of the archive's directory."""

    def write(packed):
        packed.writestr("wav/03a04Fd.wav", b"x")
        for name, value in values.items():
            setattr(packed.infolist()[-1], name, value)

    return write


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (long_name, "a name in it is longer than 255 bytes"),
        (file_for_folder, "a file where it has a folder"),
        (altered_header(flag_bits=1), "a file in it is encrypted: 'wav/03a04Fd.wav'"),
        (altered_header(compress_type=97), r"compressed by an unknown method \(97\)"),
        (altered_header(file_size=10**12), "declares 100000.* bytes of content, more than any corpus"),
        (altered_header(CRC=7), "damaged"),
        (altered_header(header_offset=10**9), "damaged"),
        (altered_header(extra=b"\x01\x00\xff\xff"), "damaged"),
    ],
)
def test_an_archive_that_cannot_be_used_is_set_aside_and_asked_for_anew(emodb_server, tmp_path, spoil, reason):
    good = emodb_server.files["/download.zip"]
    buffer = io.BytesIO(good)
    with zipfile.ZipFile(buffer, "a") as packed:
        spoil(packed)
    emodb_server.files["/download.zip"] = buffer.getvalue()
    with pytest.raises(FetchError, match=reason) as caught:
        fetch_emodb(tmp_path)
    assert isinstance(caught.value, ValueError) and names_all(caught.value, emodb_server, "gets a fresh copy")
    assert (tmp_path / "emodb" / "emodb-download.zip.mismatch").exists()
    emodb_server.files["/download.zip"] = good
    assert len(fetch_emodb(tmp_path).data) == 4


@pytest.mark.parametrize("length", [0, 1, 100, 200_000])
def test_any_beginning_of_an_archive_is_set_aside(emodb_server, tmp_path, length):
    emodb_server.files["/download.zip"] = emodb_server.files["/download.zip"][:length]
    with pytest.raises(FetchError, match="damaged or no ZIP archive"):
        fetch_emodb(tmp_path)


def test_every_damaged_byte_of_the_archives_directory_is_an_error_of_fetching_or_harmless(emodb_server, tmp_path):
    good = emodb_server.files["/download.zip"]
    for at in range(good.index(b"PK\x01\x02"), len(good), 3):
        emodb_server.files["/download.zip"] = good[:at] + bytes([good[at] ^ 0x41]) + good[at + 1 :]
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                fetch_emodb(tmp_path / str(at))
        except FetchError:
            pass


def test_the_list_of_listeners_is_checked_too(emodb_server, tmp_path):
    members = {f"wav/{name}": clip_bytes(name) for name in EMODB_NAMES}
    members["erkennung.txt"] = b"Nr.\tSatz\terkannt\tnatuerlich\n1\t03a01Wa.wav\t65,00\tsix\n"
    emodb_server.files["/download.zip"] = make_zip(members)
    with pytest.raises(
        FetchError, match="erkennung.txt is damaged: the line of '03a01Wa.wav' holds no two percentages"
    ):
        fetch_emodb(tmp_path)
    assert (tmp_path / "emodb" / "erkennung.txt.mismatch").exists()


@pytest.mark.parametrize(
    ("code", "message", "remedy"),
    [
        (errno.ENOSPC, "No space left on device", "Free some space"),
        (errno.EROFS, "Read-only file system", "folder that can be written"),
        (errno.EISDIR, "Is a directory", "move it away"),
    ],
)
@pytest.mark.parametrize("when", ["downloading", "unpacking"])
def test_what_the_disk_refuses_is_an_error_with_a_remedy_and_the_next_call_goes_on(
    emodb_server, tmp_path, monkeypatch, code, message, remedy, when
):
    replace, target = os.replace, {"downloading": "emodb-download.zip", "unpacking": "08b10Ta.wav"}[when]

    def refuse(source, destination):
        if str(destination).endswith(target):
            raise OSError(code, message, str(destination))
        replace(source, destination)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", refuse)
        with pytest.raises(FetchError, match=message) as caught:
            fetch_emodb(tmp_path)
    assert names_all(caught.value, emodb_server, remedy)
    assert not list((tmp_path / "emodb").glob("*.mismatch"))
    assert len(fetch_emodb(tmp_path).data) == 4
    assert [asked for _, asked in emodb_server.requests if asked is None] == [None]  # the archive was sent once


def test_room_on_the_disk_is_checked_before_anything_is_sent_or_unpacked(emodb_server, tmp_path, monkeypatch):
    usage = collections.namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage(10**9, 10**9, 1000))
    with pytest.raises(
        FetchError, match="The rest of emodb-download.zip takes .* and the disk has 0 MiB left"
    ) as caught:
        fetch_emodb(tmp_path)
    assert names_all(caught.value, emodb_server, "Free some space")
    assert not list((tmp_path / "emodb").glob("*.part"))
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage(10**9, 0, 10**6))
    emodb_server.files["/download.zip"] = zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("wav/03a01Wa.wav", bytes(2_000_000))
    emodb_server.files["/download.zip"] = zipped.getvalue()
    with pytest.raises(FetchError, match="What emodb-download.zip holds takes 2 MiB"):
        fetch_emodb(tmp_path)
    assert not list(tmp_path.rglob("*.wav"))


def test_a_file_where_the_folder_should_be_is_named(emodb_server, tmp_path):
    (tmp_path / "emodb").write_text("a file")
    with pytest.raises(FetchError, match="emodb. A file is where a folder should be: move it away"):
        fetch_emodb(tmp_path)
    with pytest.raises(FetchError, match="emodb.* A file is where a folder should be"):
        fetch_emodb(tmp_path / "emodb" / "below")
    (tmp_path / "emodb").unlink()
    write(tmp_path, "emodb/wav")  # a file, where the archive has a folder
    with pytest.raises(FetchError, match="A file is where a folder should be: move it away"):
        fetch_emodb(tmp_path)
    (tmp_path / "emodb" / "wav").unlink()
    assert len(fetch_emodb(tmp_path).data) == 4
    assert len(emodb_server.requests) == 1


@pytest.mark.parametrize("length", ["nonsense", "-5", "1e3", "", "0x10", "5, 5"])
def test_a_nonsensical_length_is_none(emodb_server, tmp_path, length):
    emodb_server.length = length
    try:
        assert len(fetch_emodb(tmp_path).data) == 4
    except FetchError as error:  # the client may refuse the whole answer
        assert isinstance(error, ConnectionError)


@pytest.mark.parametrize("length", [str(10**15), "9" * 5000])
def test_a_length_beyond_all_corpora_is_refused_before_anything_is_kept(emodb_server, tmp_path, length):
    emodb_server.length = length
    with pytest.raises(FetchError, match="bytes, more than the|EMO-DB could not be downloaded"):
        fetch_emodb(tmp_path)
    assert not list(tmp_path.rglob("*.zip*"))


def test_a_server_that_answers_416_to_everything_is_an_error(emodb_server, tmp_path):
    emodb_server.status = 416
    with pytest.raises(FetchError, match="EMO-DB could not be downloaded: 416"):
        fetch_emodb(tmp_path)
    write(tmp_path / "emodb", "emodb-download.zip.part", content=b"x" * 100)
    with pytest.raises(FetchError, match="EMO-DB could not be downloaded: 416"):
        fetch_emodb(tmp_path)


def test_416_of_a_whole_file_is_success(emodb_server, tmp_path):
    """Killed between the last byte and the new name."""
    write(tmp_path / "emodb", "emodb-download.zip.part", content=emodb_server.files["/download.zip"])
    assert len(fetch_emodb(tmp_path).data) == 4
    assert [asked is not None for _, asked in emodb_server.requests] == [True]


def test_a_part_that_was_not_asked_for_is_no_beginning(emodb_server, tmp_path):
    emodb_server.stretch = "bytes 17-99/100"
    with pytest.raises(FetchError, match="sent a part that was not asked for: 'bytes 17-99/100'"):
        fetch_emodb(tmp_path)
    write(tmp_path / "emodb", "emodb-download.zip.part", content=b"x" * 100)
    with pytest.raises(FetchError, match="not asked for"):
        fetch_emodb(tmp_path)


def test_https_comes_first_and_http_only_where_the_content_is_checked(monkeypatch, tmp_path):
    import requests

    asked = []

    def get(url, **kwargs):
        asked.append(url)
        raise requests.exceptions.SSLError("no certificate")

    monkeypatch.setattr(requests, "get", get)
    with pytest.raises(FetchError, match="could not be downloaded: no certificate"):
        fetch_emodb(tmp_path)
    with pytest.raises(FetchError, match="could not be downloaded: no certificate"):
        fetch_ravdess(tmp_path)
    assert [url.split(":")[0] for url in asked] == ["https", "http", "https"]


def test_an_error_of_fetching_survives_pickling():
    error = UnusableFileError("The archive is damaged.", "http://x/y", "a.zip", "Ask again.")
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), copy.url, copy.path) == (type(error), str(error), error.url, error.path)


RACE = """
import sys, warnings
from sklearn_ser.datasets import _emodb, fetch_emodb
warnings.simplefilter("error")
_emodb.URL, _emodb._N_CLIPS = sys.argv[1], 4
_emodb._published_sums = lambda: dict(line.split() for line in sys.argv[3].splitlines())
print(len(fetch_emodb(sys.argv[2]).data))
"""


def race(server, folder, n, **kwargs):
    sums = "\n".join(f"{name} {hashlib.sha256(clip_bytes(name)).hexdigest()}" for name in EMODB_NAMES)
    command = [sys.executable, "-c", RACE, f"{server.url}/download.zip", str(folder), sums]
    return [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(n)]


def test_processes_that_fetch_for_the_first_time_at_once_download_once(emodb_server, tmp_path):
    emodb_server.delay = 0.2
    runs = [process.communicate(timeout=100) for process in race(emodb_server, tmp_path, 3)]
    assert [out for out, _ in runs] == ["4\n"] * 3, runs
    assert len(emodb_server.requests) == 1
    assert not list((tmp_path / "emodb").glob(".*"))


def test_threads_that_fetch_at_once_download_once(emodb_server, tmp_path):
    emodb_server.delay = 0.05
    with ThreadPoolExecutor(8) as threads:
        assert [len(corpus.data) for corpus in threads.map(fetch_emodb, [tmp_path] * 8)] == [4] * 8
    assert len(emodb_server.requests) == 1


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="processes end otherwise here")
def test_one_that_waits_goes_on_where_one_that_is_killed_has_stopped(emodb_server, tmp_path):
    emodb_server.delay = 0.3
    first, second = race(emodb_server, tmp_path, 2)
    part = tmp_path / "emodb" / "emodb-download.zip.part"
    for _ in range(600):
        if part.exists() and part.stat().st_size:
            break
        time.sleep(0.05)
    first.kill()  # whichever of them downloads
    first.communicate(timeout=60)
    emodb_server.delay = 0
    assert second.communicate(timeout=60)[0] == "4\n"
    assert len(fetch_emodb(tmp_path).data) == 4
