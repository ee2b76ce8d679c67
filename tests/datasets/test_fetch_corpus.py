"""fetch_corpus: corpora by name, from Zenodo as a server on this machine stands for it."""

import hashlib
import http.server
import io
import json
import threading
import zipfile
from pathlib import Path

import pytest

from sklearn_ser import FetchError, fetch_corpus, list_corpora
from sklearn_ser.datasets import _fetch

INCOMPLETE = pytest.mark.filterwarnings("ignore:.* is incomplete:UserWarning")
NAME = "SUBESCO/F_02_MONIKA_S_2_{}_3].wav"  # so one of the published names ends


def packed(members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


@pytest.fixture
def zenodo(monkeypatch):
    """A server of `files` by path, which counts what it is asked for, and sends `cut` bytes at most."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            server.asked.append(self.path)
            content = server.files.get(self.path)
            self.send_response(200 if content is not None else 404)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write((content or b"")[: server.cut])

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.files, server.asked, server.cut = {}, [], None
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(_fetch, "RECORD", url + "/api/{number}")
    monkeypatch.setattr(_fetch, "FILE", url + "/{number}/{name}")
    yield server
    server.shutdown()
    server.server_close()


def publish(server, number, name, content, **changes):
    server.files[f"/{number}/{name}"] = content
    stated = {"key": name, "size": len(content), "checksum": f"md5:{hashlib.md5(content).hexdigest()}", **changes}
    server.files[f"/api/{number}"] = json.dumps({"files": [{"key": "README.md", "size": 1}, stated]}).encode()


@pytest.fixture
def subesco(zenodo):
    publish(zenodo, 4526477, "SUBESCO.zip", packed({NAME.format("SURPRISE"): b"RIFFx", NAME.format("SAD"): b"RIFFy"}))
    return zenodo


@INCOMPLETE
def test_a_corpus_is_fetched_once_and_returned_as_load_corpus_does(subesco, tmp_path):
    corpus = fetch_corpus("subesco", tmp_path)
    assert corpus.target.tolist() == ["sadness", "surprise"] and corpus.unmatched == []
    assert corpus.data.columns.tolist()[:5] == ["path", "corpus", "language", "speaker", "sex"]
    assert corpus.data.iloc[0, 1:5].tolist() == ["SUBESCO", "Bangla", "F_02", "female"]
    assert not (tmp_path / "subesco" / "SUBESCO.zip").exists()
    X, y = fetch_corpus("SUBESCO", tmp_path, emotions=["sadness"], return_X_y=True)
    assert len(X) == 1 and y.tolist() == ["sadness"]
    assert subesco.asked == ["/api/4526477", "/4526477/SUBESCO.zip"]


@INCOMPLETE
def test_a_corpus_with_a_table_is_fetched_too(zenodo, tmp_path):
    members = {
        "samples.csv": "file_name,emotion_expressed,actor\na.wav,joy,u1\n",
        "users.csv": "username,gender,age\nu1,female,30\n",
        "audio/a.wav": b"RIFF",
    }
    publish(zenodo, 6569824, "emozionalmente_dataset.zip", packed(members))
    corpus = fetch_corpus("Emozionalmente", tmp_path)
    assert corpus.target.tolist() == ["happiness"] and corpus.speaker.tolist() == ["u1"]


@INCOMPLETE
def test_a_download_that_breaks_off_or_differs_is_no_corpus_and_asked_for_again(subesco, tmp_path):
    subesco.cut = 100
    with pytest.raises(ConnectionError, match="SUBESCO could not be downloaded"):
        fetch_corpus("SUBESCO", tmp_path)
    subesco.cut = None
    good = subesco.files["/4526477/SUBESCO.zip"]
    subesco.files["/4526477/SUBESCO.zip"] = good[:-1] + b"x"
    for part in Path(tmp_path).rglob("*.part"):
        part.unlink()
    with pytest.raises(FetchError, match="SUBESCO.zip .* is not the file expected: expected MD5"):
        fetch_corpus("SUBESCO", tmp_path)
    assert not list(tmp_path.rglob("*.wav"))
    subesco.files["/4526477/SUBESCO.zip"] = good
    assert len(fetch_corpus("SUBESCO", tmp_path).data) == 2


@pytest.mark.parametrize(
    "changes", [{"checksum": "sha1:00"}, {"checksum": "md5:../x"}, {"size": "1"}, {"key": "x.zip"}]
)
def test_a_record_without_size_and_sum_is_refused_before_anything_is_downloaded(subesco, tmp_path, changes):
    publish(subesco, 4526477, "SUBESCO.zip", b"", **changes)
    with pytest.raises(FetchError, match="The record of SUBESCO at .* does not state the size and MD5 of SUBESCO.zip"):
        fetch_corpus("SUBESCO", tmp_path)
    assert subesco.asked == ["/api/4526477"]


def test_what_must_be_asked_for_is_not_fetched(tmp_path):
    with pytest.raises(ValueError, match=r"DEMoS cannot be fetched. Its licence is: on request .*load_corpus\('DEMoS'"):
        fetch_corpus("demos", tmp_path)
    with pytest.raises(ValueError, match="name must be one of"):
        fetch_corpus("nothing", tmp_path)
    with pytest.raises(FileNotFoundError, match="SUBESCO: no clip found"):
        fetch_corpus("SUBESCO", tmp_path, download_if_missing=False)


@INCOMPLETE
def test_corpora_with_a_function_of_their_own_have_the_same_columns(tmp_path):
    folder = tmp_path / "emodb"
    folder.mkdir()
    (folder / "03a01Wa.wav").write_bytes(b"RIFF")
    corpus = fetch_corpus("EMO-DB", tmp_path, download_if_missing=False)
    assert corpus.data.iloc[0, 1:4].tolist() == ["EMO-DB", "German", "03"] and corpus.target.tolist() == ["anger"]


def test_the_list_says_what_fetches_each_corpus():
    fetch = list_corpora()["fetch"]
    assert fetch["SUBESCO"] == fetch["CaFE"] == "fetch_corpus" and fetch["EMO-DB"] == "fetch_emodb"
    assert fetch["IEMOCAP"] == fetch["DEMoS"] == ""
