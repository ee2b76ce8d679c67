"""Corpora downloaded file by file, over several connections, from a server on this machine that has its moods."""

import collections
import hashlib
import http.server
import os
import signal
import subprocess
import sys
import threading
import time
from email.utils import formatdate
from pathlib import Path

import pytest

from sklearn_ser.datasets import FetchError, _download, _github, fetch_cremad, fetch_nemo

INCOMPLETE = pytest.mark.filterwarnings("ignore:.* is incomplete:UserWarning")
NAMES = [f"10{actor:02d}_{text}_ANG_XX.wav" for actor in range(1, 5) for text in ("DFA", "IEO", "TIE")]
VOTES = b'"","A","D","F","H","N","S","fileName","numResponses"\n"100001",3,0,0,0,1,0,"1001_DFA_ANG_XX",4\n'
VOTES += b'"300007",0,0,2,0,0,0,"1002_IEO_ANG_XX",2\n"100002",1,1,0,0,0,0,"1099_IEO_ANG_XX",2\n'
ACTORS = b'"ActorID","Age","Sex"\n1001,51,"Male"\n1002,21,"Female"\n'


class Server:
    """Serves `files` on localhost; `busy` counts the answers 429 that are left, `sent` is what each request got."""

    def __init__(self):
        self.files, self.sent, self.busy, self.retry_after, self.delay = {}, [], 0, "0", 0.0
        self.at_once, self.most_at_once = 0, 0
        self.lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                with outer.lock:
                    outer.at_once += 1
                    outer.most_at_once = max(outer.most_at_once, outer.at_once)
                    busy, outer.busy = outer.busy > 0, outer.busy - 1
                try:
                    self.answer(busy)
                finally:
                    with outer.lock:
                        outer.at_once -= 1

            def answer(self, busy):
                time.sleep(outer.delay)
                content = outer.files.get(self.path)
                status = 429 if busy else 404 if content is None else 200
                outer.sent.append((self.path, status))
                self.send_response(status)
                if busy:
                    self.send_header("Retry-After", outer.retry_after)
                self.send_header("Content-Length", str(len(content) if status == 200 else 0))
                self.end_headers()
                if status == 200:
                    for begin in range(0, len(content), 4000):
                        self.wfile.write(content[begin : begin + 4000])
                        time.sleep(outer.delay)

            def log_message(self, *args):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def paths(self):
        return [path for path, status in self.sent if status == 200]


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = Server()
    monkeypatch.setattr(_github, "MEDIA", server.url + "/media/{path}")
    monkeypatch.setattr(_github, "RAW", server.url + "/raw/{path}")
    yield server
    server.http.shutdown()
    server.http.server_close()


def content(name):
    return b"RIFF" + name.encode() * 2000


@pytest.fixture
def cremad(server, monkeypatch):
    """CREMA-D in small: twelve clips, the votes and the actors."""
    files = {f"AudioWAV/{name}": content(name) for name in NAMES}
    files |= {"processedResults/tabulatedVotes.csv": VOTES, "VideoDemographics.csv": ACTORS}
    server.files = {f"/{'media' if path.endswith('wav') else 'raw'}/{path}": data for path, data in files.items()}
    sums = [(path, len(data), hashlib.sha256(data).hexdigest()) for path, data in files.items()]
    monkeypatch.setattr(_github, "_cremad_files", lambda: sums)
    return server


@INCOMPLETE
def test_cremad_is_downloaded_with_actors_and_votes_and_not_again(cremad, tmp_path):
    cremad.delay = 0.01
    corpus = fetch_cremad(tmp_path)
    assert [Path(path).name for path in corpus.data["path"]] == NAMES
    assert all(Path(path).read_bytes() == content(Path(path).name) for path in corpus.data["path"])
    columns = ["path", "speaker", "sex", "age", "text", "intensity", "clip"]
    assert corpus.data.columns.tolist() == columns
    assert corpus.data.iloc[0, 1:].tolist() == ["1001", "male", 51, "DFA", "", "1001_DFA_ANG_XX"]
    votes = corpus.ratings[corpus.ratings["votes"] > 0].to_numpy().tolist()
    assert votes == [
        ["1001_DFA_ANG_XX", "voice", "anger", 3],
        ["1001_DFA_ANG_XX", "voice", "neutral", 1],
        ["1002_IEO_ANG_XX", "both", "fear", 2],
    ]
    assert len(cremad.paths()) == 14 and cremad.most_at_once > 1
    left = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {*NAMES, "tabulatedVotes.csv", "VideoDemographics.csv"}
    fetch_cremad(tmp_path)
    assert len(cremad.paths()) == 14


def test_a_file_that_is_not_there_is_named_after_all_others_have_come(cremad, tmp_path):
    lost = cremad.files.pop("/media/AudioWAV/1001_IEO_ANG_XX.wav")
    with pytest.raises(
        ConnectionError, match="404 .*1001_IEO_ANG_XX.wav; all other files are there.*next call resumes"
    ):
        fetch_cremad(tmp_path)
    assert len(cremad.paths()) == 13
    with pytest.warns(UserWarning, match="found 11 of 7442"):
        assert len(fetch_cremad(tmp_path, download_if_missing=False).data) == 11
    cremad.files["/media/AudioWAV/1001_IEO_ANG_XX.wav"] = lost
    with pytest.warns(UserWarning, match="found 12 of 7442"):
        assert len(fetch_cremad(tmp_path).data) == 12
    assert len(cremad.paths()) == 14


@INCOMPLETE
def test_a_file_with_another_hash_is_kept_aside_and_fetched_afresh(cremad, tmp_path):
    path = "/media/AudioWAV/1003_DFA_ANG_XX.wav"
    good, cremad.files[path] = cremad.files[path], cremad.files[path].replace(b"1003", b"1004")
    with pytest.raises(ValueError, match="1003_DFA_ANG_XX.wav from .* expected SHA256 .*1003_DFA_ANG_XX.wav.mismatch"):
        fetch_cremad(tmp_path)
    assert "1003_DFA_ANG_XX.wav" not in {path.name for path in tmp_path.rglob("*.wav")}
    cremad.files[path] = good
    assert len(fetch_cremad(tmp_path).data) == 12


@INCOMPLETE
@pytest.mark.parametrize("header", ["0", "date"])
def test_a_busy_server_is_waited_for_as_long_as_it_says(cremad, tmp_path, header):
    cremad.busy, cremad.retry_after = 20, header if header == "0" else formatdate(time.time() - 5, usegmt=True)
    assert len(fetch_cremad(tmp_path).data) == 12
    assert collections.Counter(status for _, status in cremad.sent) == {429: 20, 200: 14}


def test_a_busy_server_that_wants_hours_is_named(cremad, tmp_path):
    cremad.busy, cremad.retry_after = 10**6, "7200"
    with pytest.raises(ConnectionError, match="is busy, and asks for 7200 s of patience"):
        fetch_cremad(tmp_path)


def test_a_busy_server_that_says_nothing_more_is_an_error(cremad, tmp_path):
    cremad.busy, cremad.retry_after = 10**6, "soon"
    with pytest.raises(ConnectionError, match="429 Client Error"):
        fetch_cremad(tmp_path)


def test_a_disk_without_room_is_told_before_anything_is_downloaded(cremad, tmp_path, monkeypatch):
    usage = collections.namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage(10**9, 10**9, 1000))
    with pytest.raises(FetchError, match="The missing part of CREMA-D takes .* and the disk has 0 MiB left"):
        fetch_cremad(tmp_path)
    assert cremad.sent == []


@INCOMPLETE
def test_a_disk_that_fills_meanwhile_ends_it_at_once_and_the_next_call_resumes(cremad, tmp_path, monkeypatch):
    replaced, replace = [], os.replace

    def full(source, target):
        if len(replaced) == 5:
            raise OSError(28, "No space left on device", str(target))
        replaced.append(target)
        replace(source, target)

    monkeypatch.setattr(_download.os, "replace", full)
    with pytest.raises(FetchError, match="No space left on device.*Free some space"):
        fetch_cremad(tmp_path)
    monkeypatch.setattr(_download.os, "replace", replace)
    assert len(fetch_cremad(tmp_path).data) == 12
    assert len([path for path in cremad.paths() if path.rpartition("/")[2] in map(os.path.basename, replaced)]) == 5


def test_a_server_that_is_not_there_ends_it_at_once(cremad, tmp_path, monkeypatch):
    monkeypatch.setattr(_github, "MEDIA", "http://127.0.0.1:9/{path}")
    with pytest.raises(ConnectionError, match="CREMA-D could not be downloaded"):
        fetch_cremad(tmp_path)


SCRIPT = """
import sys
from sklearn_ser.datasets import _github, fetch_cremad
_github.MEDIA, _github.RAW = sys.argv[1] + "/media/{path}", sys.argv[1] + "/raw/{path}"
files = [line.split() for line in sys.argv[3].splitlines()]
_github._cremad_files = lambda: [(path, int(size), sha256) for path, size, sha256 in files]
fetch_cremad(sys.argv[2])
"""


@INCOMPLETE
@pytest.mark.processes
def test_killed_at_any_moment_it_goes_on_and_takes_nothing_half_written_for_whole(cremad, tmp_path):
    cremad.delay = 0.02
    sums = "\n".join(f"{path} {size} {sha256}" for path, size, sha256 in _github._cremad_files())
    arguments = [sys.executable, "-c", SCRIPT, cremad.url, str(tmp_path), sums]
    for n_answers in (2, 8):
        before = len(cremad.sent)
        process = subprocess.Popen(arguments, stderr=subprocess.DEVNULL)
        deadline = time.time() + 60
        while len(cremad.sent) < before + min(n_answers, 14 - n_answers) and process.poll() is None:
            assert time.time() < deadline
            time.sleep(0.005)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        for path in tmp_path.rglob("*.wav"):
            assert path.read_bytes() == content(path.name)
    cremad.delay = 0.0
    assert len(fetch_cremad(tmp_path).data) == 12
    assert not list(tmp_path.rglob("*.part"))


# --- nEMO: a table names the clips ---


@INCOMPLETE
def test_nemo_is_downloaded_as_its_table_names_it(server, tmp_path):
    names = ["EB0_anger_1.wav", "KS0_surprised_10.wav"]
    table = "file_id\temotion\n" + "".join(f"{name}\tx\n" for name in [*names, "../../evil.wav"])
    server.files = {f"/raw/samples/{name}": content(name) for name in names} | {"/raw/data.tsv": table.encode()}
    corpus = fetch_nemo(tmp_path)
    assert corpus.target.tolist() == ["anger", "surprise"]
    assert corpus.data.iloc[:, 1:].to_numpy().tolist() == [["EB0", "female", 27, "1"], ["KS0", "male", 23, "10"]]
    assert not list(tmp_path.parent.rglob("evil*"))
    fetch_nemo(tmp_path)
    assert len(server.sent) == 3


@INCOMPLETE
def test_what_is_no_audio_is_not_taken_for_a_clip_of_nemo(server, tmp_path):
    server.files = {"/raw/data.tsv": b"file_id\nEB0_anger_1.wav\n", "/raw/samples/EB0_anger_1.wav": b"version https"}
    with pytest.raises(ValueError, match="EB0_anger_1.wav from .* is no WAV file"):
        fetch_nemo(tmp_path)
    server.files["/raw/samples/EB0_anger_1.wav"] = content("x")
    assert len(fetch_nemo(tmp_path).data) == 1


# --- The checksums that come with the package ---


def test_the_checksums_are_those_of_the_published_files():
    cremad = _download.published_files("crema-d")
    assert len(cremad) == 7442 + 2 and len(_download.published_files("emodb")) == 535
    first = next(file for file in cremad if file[0].endswith("1001_DFA_ANG_XX.wav"))
    assert first == ("AudioWAV/1001_DFA_ANG_XX.wav", 72862, first[2]) and first[2].startswith("c6f94b2592487c75")
    assert all(len(sha256) == 64 and size > 0 for _, size, sha256 in cremad)
