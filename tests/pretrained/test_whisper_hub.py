"""A model by its name: from the data home, the Hugging Face cache, or a hub on this machine that lies."""

import hashlib
import http.server
import re
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from tiny_whisper import write_whisper

from sklearn_ser import WhisperFeatures
from sklearn_ser.datasets import FetchError
from sklearn_ser.pretrained._hub import find_model

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub:
    """Files of one model at one commit; large ones are redirected to another address, as the hub does it."""

    def __init__(self, folder):
        self.files = {file.name: file.read_bytes() for file in folder.iterdir()}
        self.requests, self.cut, self.tags, self.lie = [], None, True, {}
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_HEAD(self):
                self.answer(head=True)

            def do_GET(self):
                self.answer(head=False)

            def answer(self, head):
                outer.requests.append((self.command, self.path, self.headers.get("Range")))
                pattern = r"/(?:someone/tiny|openai/whisper-tiny)/resolve/([^/]+)/(.+)|/blobs/(.+)"
                match = re.fullmatch(pattern, self.path)
                name = match and (match[2] or match[3])
                if name not in outer.files or match[1] not in (None, "main", COMMIT):
                    return self.send_error(404)
                content, large = outer.files[name], name.endswith(".safetensors")
                content = outer.lie.get(name, content)
                blob = b"blob %d\0" % len(outer.files[name]) + outer.files[name]
                tag = hashlib.sha256(outer.files[name]).hexdigest() if large else hashlib.sha1(blob).hexdigest()
                start = 0
                if large and not match[3]:
                    self.send_response(302)
                    self.send_header("Location", f"/blobs/{name}")
                    self.send_header("X-Linked-Size", str(len(outer.files[name])))
                    content = b""
                elif self.headers.get("Range"):
                    start = int(re.fullmatch(r"bytes=(\d+)-", self.headers["Range"])[1])
                    self.send_response(206)
                    self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
                else:
                    self.send_response(200)
                if outer.tags and not match[3]:
                    self.send_header("X-Linked-Etag" if large else "ETag", f'"{tag}"')
                    self.send_header("X-Repo-Commit", COMMIT)
                self.send_header("Content-Length", str(len(content) - start))
                self.end_headers()
                if not head:
                    self.wfile.write(content[start : outer.cut])

            def log_message(self, *args):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def asked(self, method="GET"):
        return [path for command, path, _ in self.requests if command == method]


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty data home, and an empty Hugging Face cache beside it."""
    monkeypatch.setenv("SKLEARN_SER_DATA", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hugging face"))
    for variable in ("HF_HUB_CACHE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path / "home"


@pytest.fixture(params=[0, 2], ids=["one file", "two files"])
def hub(request, tmp_path, monkeypatch, home):
    hub = Hub(write_whisper(tmp_path / "published", shards=request.param, width=120))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{hub.http.server_port}")
    yield hub
    hub.http.shutdown()
    hub.http.server_close()


@pytest.fixture
def single(hub):
    if "model.safetensors" not in hub.files:
        pytest.skip("one file is enough")
    return hub


def test_a_name_is_found_in_the_data_home_and_then_in_the_hugging_face_cache(home, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    snapshots = tmp_path / "hugging face" / "hub" / "models--openai--whisper-tiny" / "snapshots"
    for commit in ("b" * 40, "a" * 40, "c" * 40):
        write_whisper(snapshots / commit)
    (snapshots.parent / "refs").mkdir()
    (snapshots.parent / "refs" / "main").write_text("b" * 40)
    assert find_model("openai/whisper-tiny") == snapshots / ("b" * 40)
    (snapshots / ("b" * 40) / "config.json").unlink()
    assert find_model("openai/whisper-tiny").parent == snapshots
    assert find_model("openai/whisper-tiny", write_whisper(tmp_path / "x" / "whisper-tiny").parent).parent.name == "x"
    assert find_model("openai/whisper-tiny", home) != home
    write_whisper(home / "whisper-tiny")
    assert find_model("openai/whisper-tiny") == home / "whisper-tiny"
    write_whisper(home / "someone" / "whisper-tiny")
    assert find_model("someone/whisper-tiny") == home / "someone" / "whisper-tiny"


def test_a_missing_model_is_downloaded_once_at_one_commit(hub, home, tones, tmp_path):
    expected = WhisperFeatures(tmp_path / "published", 1).fit_transform(tones)
    for _ in range(2):
        np.testing.assert_array_equal(WhisperFeatures("openai/whisper-tiny", 1).fit_transform(tones), expected)
    assert sorted(file.name for file in (home / "whisper-tiny").iterdir()) == sorted(hub.files)
    assert len(hub.asked()) == len([path for path in hub.asked() if "/blobs/" in path]) + len(hub.files)
    assert all(f"/{COMMIT}/" in path or "/blobs/" in path for path in hub.asked())


def test_a_download_that_breaks_off_resumes(single, home, capsys):
    size, single.cut = len(single.files["model.safetensors"]), 100_000
    with pytest.raises(ConnectionError, match=r"'someone/tiny' could not be downloaded: .* The next call resumes"):
        find_model("someone/tiny")
    single.cut = None
    folder = find_model("someone/tiny")
    assert (folder / "model.safetensors").stat().st_size == size
    assert ("GET", "/blobs/model.safetensors", f"bytes={1 << 16}-") in single.requests
    assert "model.safetensors" in capsys.readouterr().err  # the progress bar


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_what_the_hub_did_not_publish_is_refused(name, single):
    single.lie[name] = bytes(len(single.files[name]))
    with pytest.raises(ValueError, match=name) as raised:
        find_model("someone/tiny")
    assert isinstance(raised.value, FetchError)
    single.lie.clear()
    assert (find_model("someone/tiny") / name).read_bytes() == single.files[name]


def test_a_server_without_hashes_is_refused(single):
    single.tags = False
    with pytest.raises(ConnectionError, match="tells no hash of the file"):
        find_model("someone/tiny")


def test_threads_download_a_model_once(hub, home):
    with ThreadPoolExecutor(5) as pool:
        assert set(pool.map(find_model, ["openai/whisper-tiny"] * 5)) == {home / "whisper-tiny"}
    assert len(hub.asked()) == len(set(hub.asked()))


@pytest.mark.parametrize("offline", [True, False])
def test_offline_and_missing_says_where_it_looked_and_how_to_get_the_file(offline, home, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    if offline:
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(OSError, match="could not be downloaded|HF_HUB_OFFLINE forbids") as raised:
        WhisperFeatures().fit([np.zeros(9000)])
    places = str(home / "whisper-base"), str(tmp_path / "hugging face")
    for words in (*places, "SKLEARN_SER_DATA", "hf download openai/whisper-base"):
        assert words in str(raised.value)


def test_an_unknown_model_says_so(single):
    with pytest.raises(FetchError, match="There is no Whisper model 'someone/else' on the hub"):
        find_model("someone/else")


@pytest.mark.parametrize("model", ["whisper-base", "/no/where", "a/b/c", "../x/y"])
def test_what_is_neither_a_folder_nor_a_name_says_so(model, home):
    with pytest.raises(FileNotFoundError, match="model must be a folder .* or a name such as 'openai/whisper-base'"):
        find_model(model)


def test_a_read_only_data_home_says_so(single, home, tmp_path):
    home.write_text("a file, and no folder")
    with pytest.raises(FetchError, match="move it away"):
        find_model("someone/tiny")
    home.unlink()
    shutil.copytree(tmp_path / "published", home / "someone" / "tiny")
    assert find_model("someone/tiny") == home / "someone" / "tiny"
