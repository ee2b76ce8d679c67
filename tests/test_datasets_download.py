"""Downloading corpora from a server on this machine, which breaks off, lies, moves away and attacks."""

import hashlib
import http.server
import io
import json
import os
import re
import threading
import zipfile
from pathlib import Path

import pytest

from sklearn_ser.datasets import _emodb, _ravdess, _tess, fetch_emodb, fetch_ravdess, fetch_tess

EMODB_NAMES = ["03a01Wa.wav", "03a02Nc.wav", "08b10Ta.wav", "16b09Fb.wav"]


class Server:
    """Serves `files` on localhost, and breaks off after `cut` bytes."""

    def __init__(self):
        self.files, self.requests, self.cut, self.ranges = {}, [], None, True
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                path = self.path.split("?")[0]
                asked = self.headers.get("Range")
                outer.requests.append((path, asked))
                if path not in outer.files:
                    return self.send_error(404)
                content, start = outer.files[path], 0
                if asked and outer.ranges:
                    start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1])
                    if start >= len(content):
                        return self.send_error(416)
                    self.send_response(206)
                    self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
                else:
                    self.send_response(200)
                self.send_header("Content-Length", str(len(content) - start))
                self.end_headers()
                self.wfile.write(content[start : outer.cut])

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


def write(folder, *names, content=b"RIFF"):
    for name in names:
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


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
    with pytest.raises(ConnectionError, match="EMO-DB could not be downloaded.*goes on from what has arrived"):
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
