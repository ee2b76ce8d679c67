"""The hub as it is: revisions, pickles and the pull requests that replace them, gates, tokens, and other hosts."""

import hashlib
import http.server
import json
import os
import pickle
import re
import threading

import numpy as np
import pytest
from tiny_encoder import CONFIGS, write_encoder, write_torch_zip

from sklearn_ser import EncoderFeatures
from sklearn_ser.datasets import FetchError
from sklearn_ser.pretrained._hub import find_model, local_model

COMMITS = {"main": "a" * 40, "refs/pr/3": "b" * 40, "v1": "c" * 40}
CLIPS = [np.sin(np.arange(2000, dtype=np.float32))]


class Hub:
    """Repositories at several revisions; `elsewhere` is a second host, to which large files are redirected."""

    def __init__(self, repositories, elsewhere=None, lead_away=()):
        self.repositories, self.elsewhere, self.lead_away = repositories, elsewhere, lead_away
        self.seen, self.private, self.gated, self.discussions = [], set(), set(), []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_HEAD(self):
                self.answer(False)

            def do_GET(self):
                self.answer(True)

            def reply(self, status, content=b"", **headers):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(content)

            def answer(self, body):
                path = self.path.partition("?")[0].replace("%2F", "/")
                outer.seen.append((self.command, self.path, self.headers.get("Authorization")))
                if path.startswith("/api/models/"):
                    return self.reply(200, json.dumps({"discussions": outer.discussions}).encode())
                if path.startswith("/blobs/"):
                    return self.reply(200, outer.repositories["blobs"][path[7:]])
                name, _, rest = path[1:].partition("/resolve/")
                if name == "old/name":
                    return self.reply(307, Location=self.path.replace("old/name", "some/model"))
                authorized = self.headers.get("Authorization") == "Bearer hf_secret"
                if name in outer.gated and not authorized:
                    return self.reply(403, X_Error_Code="GatedRepo", X_Error_Message="Access to it is restricted.")
                if name in outer.private and not authorized or name not in outer.repositories:
                    return self.reply(401, X_Error_Message="Invalid username or password.")
                revisions = outer.repositories[name]
                revision, _, file = rest.rpartition("/")
                revision = next((key for key, commit in COMMITS.items() if commit == revision), revision)
                content = revisions.get(revision, {}).get(file)
                if content is None:
                    return self.reply(404)
                if file in outer.lead_away and body:
                    return self.reply(302, Location=f"{outer.elsewhere}/blobs/{file}")
                if file.endswith((".safetensors", ".bin")):
                    sha = hashlib.sha256(content).hexdigest()
                    told = dict(X_Linked_Etag=f'"{sha}"', X_Linked_Size=str(len(content)))
                    if outer.elsewhere:
                        told["Location"] = f"{outer.elsewhere}/blobs/{sha}"
                    return self.reply(302 if outer.elsewhere else 200, content, X_Repo_Commit=COMMITS[revision], **told)
                blob = b"blob %d\0" % len(content) + content
                self.reply(200, content, ETag=f'"{hashlib.sha1(blob).hexdigest()}"', X_Repo_Commit=COMMITS[revision])

            def log_message(self, *args):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()


def files_of(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Start a hub, with an empty data home and an empty cache."""
    monkeypatch.setenv("SKLEARN_SER_DATA", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hugging face"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH", "HF_HUB_CACHE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    hubs = []

    def begin(repositories, **params):
        hubs.append(Hub(repositories, **params))
        monkeypatch.setenv("HF_ENDPOINT", hubs[-1].url)
        return hubs[-1]

    yield begin
    for hub in hubs:
        hub.close()


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Files of one model: as safetensors, as a pickle of the same tensors, and without do_normalize."""
    root, config = tmp_path_factory.mktemp("published"), CONFIGS["hubert-large"]
    found = {
        "safe": write_encoder(root / "safe", config),
        "torch": write_encoder(root / "torch", config, suffix=".bin"),
        "raw": write_encoder(root / "raw", config, preprocessor={"do_normalize": False, "sampling_rate": 16000}),
    }
    (found["safe"] / "README.md").write_text("---\nlicense: apache-2.0\n---\n")
    return found


def test_revisions_are_kept_apart(start, models):
    hub = start({"some/model": {"main": files_of(models["safe"]), "v1": files_of(models["raw"])}})
    main = EncoderFeatures("some/model", 1).fit_transform(CLIPS)
    for revision in ("v1", COMMITS["v1"]):
        other = EncoderFeatures("some/model", 1, revision=revision).fit_transform(CLIPS)
        assert np.abs(main - other).max() > 1e-3
        np.testing.assert_array_equal(other, EncoderFeatures(models["raw"], 1).fit_transform(CLIPS))
    np.testing.assert_array_equal(main, EncoderFeatures(models["safe"], 1).fit_transform(CLIPS))
    assert (local_model("some/model") / "README.md").exists()
    n_requests = len(hub.seen)
    assert find_model("some/model", revision="v1").name == "model@v1" and len(hub.seen) == n_requests
    with pytest.raises(FetchError, match=r"There is no model 'some/model' on the hub \(revision 'v9'\)"):
        EncoderFeatures("some/model", 1, revision="v9").fit(CLIPS)


@pytest.mark.parametrize("revision", ["../main", "refs/../x", "/etc", "a b", ""])
def test_a_revision_is_a_name(revision, start):
    with pytest.raises(ValueError, match="revision must be a branch, tag, pull request"):
        find_model("some/model", revision=revision)


def test_a_revision_of_the_cache_is_found(start, models, tmp_path):
    cache = tmp_path / "hugging face" / "hub" / "models--some--model"
    for revision, name in (("main", "safe"), ("refs/pr/3", "raw")):
        snapshot = cache / "snapshots" / COMMITS[revision]
        snapshot.parent.mkdir(parents=True, exist_ok=True)
        os.symlink(models[name], snapshot)
        (cache / "refs" / revision).parent.mkdir(parents=True, exist_ok=True)
        (cache / "refs" / revision).write_text(COMMITS[revision])
    os.symlink("/nowhere", cache / "snapshots" / ("d" * 40))  # dangling
    assert find_model("some/model").name == COMMITS["main"]
    assert find_model("some/model", revision="refs/pr/3").name == COMMITS["refs/pr/3"]


def test_safetensors_of_the_converters_pull_request_go_before_a_pickle(start, models):
    pull = {"num": 3, "isPullRequest": True, "status": "open", "author": {"name": "SFconvertbot"}}
    hub = start({"some/model": {"main": files_of(models["torch"]), "refs/pr/3": files_of(models["safe"])}})
    hub.discussions = [{**pull, "num": 7, "author": {"name": "somebody"}}, pull, {**pull, "num": 2, "status": "closed"}]
    folder = find_model("some/model")
    assert (folder / "model.safetensors").exists() and not (folder / "pytorch_model.bin").exists()
    assert not any("refs/pr/7" in path or "refs%2Fpr%2F7" in path for _, path, _ in hub.seen)


def test_a_pickle_is_read_where_there_is_nothing_else(start, models):
    start({"some/model": {"main": files_of(models["torch"])}})
    found = EncoderFeatures("some/model", 2).fit_transform(CLIPS)
    assert (local_model("some/model") / "pytorch_model.bin").exists()
    np.testing.assert_array_equal(found, EncoderFeatures(models["safe"], 2).fit_transform(CLIPS))


def test_renamed_repositories_are_followed(start, models):
    start({"some/model": {"main": files_of(models["safe"])}})
    assert (find_model("old/name") / "model.safetensors").exists()


@pytest.mark.parametrize("stored", [False, True], ids=["HF_TOKEN", "the file"])
def test_a_token_goes_to_the_hub_and_to_no_other_host(stored, start, models, monkeypatch, tmp_path):
    files = files_of(models["safe"])
    blobs = {hashlib.sha256(content).hexdigest(): content for content in files.values()}
    elsewhere = start({"blobs": blobs})
    hub = start({"some/model": {"main": files}}, elsewhere=elsewhere.url)
    hub.private.add("some/model")
    with pytest.raises(FetchError, match=r"or it is private \(401 for config.json\).* set HF_TOKEN"):
        find_model("some/model")
    if stored:
        (tmp_path / "hugging face").mkdir(exist_ok=True)
        (tmp_path / "hugging face" / "token").write_text("hf_secret\n")
    else:
        monkeypatch.setenv("HF_TOKEN", "hf_secret")
    assert (find_model("some/model") / "model.safetensors").read_bytes() == files["model.safetensors"]
    assert elsewhere.seen and not any(token for *_, token in elsewhere.seen)
    assert any(token for *_, token in hub.seen)


def test_gated_models_and_bad_tokens_say_so_without_the_token(start, models, monkeypatch):
    hub = start({"some/model": {"main": files_of(models["safe"])}})
    hub.gated.add("some/model")
    with pytest.raises(FetchError, match="is gated.* Accept its terms at .*/some/model, and set HF_TOKEN"):
        find_model("some/model")
    hub.gated.clear()
    monkeypatch.setenv("HF_TOKEN", "hf_expired")  # a public model needs none
    assert find_model("some/model").exists()
    monkeypatch.setenv("HF_TOKEN", "hf_\nbroken")
    with pytest.raises(FetchError, match="is no token") as raised:
        find_model("some/other")
    assert "broken" not in str(raised.value)


def test_small_files_come_from_the_hub_itself(start, models):
    files = files_of(models["safe"])
    blobs = {hashlib.sha256(content).hexdigest(): content for content in files.values()}
    elsewhere = start({"blobs": {**files, **blobs}})
    start({"some/model": {"main": files_of(models["safe"])}}, elsewhere=elsewhere.url, lead_away=["config.json"])
    with pytest.raises(FetchError, match=r"config.json is redirected to another host, '127.0.0.1:\d+', and refused"):
        find_model("some/model")


def test_what_another_host_changes_is_refused(start, models):
    files = files_of(models["safe"])
    sha = hashlib.sha256(files["model.safetensors"]).hexdigest()
    elsewhere = start({"blobs": {sha: bytes(len(files["model.safetensors"]))}})
    start({"some/model": {"main": files}}, elsewhere=elsewhere.url)
    with pytest.raises(ValueError, match="model.safetensors from .* is not the file expected"):
        find_model("some/model")


def test_an_index_cannot_lead_out_of_the_folder(start, models, tmp_path):
    files = files_of(models["safe"])
    for path in ("../../evil.safetensors", "/tmp/evil.safetensors", "a\\b.safetensors", "config.json", 7):
        index = json.dumps({"weight_map": {"x": path}}).encode()
        small = {"config.json": files["config.json"], "model.safetensors.index.json": index}
        start({"some/model": {"main": small}})
        with pytest.raises(ValueError, match=r"index.json: weight_map must name a file of this folder"):
            find_model("some/model")
    assert not list(tmp_path.rglob("*evil*"))


# -------------------------------------------------------------------------------------------------- PyTorch's files


class Evil:
    def __reduce__(self):
        return os.mkdir, ("/tmp/sklearn_ser_was_run",)


def opcodes(name, arguments=b")"):
    return b"c" + name.replace(" ", "\n").encode() + b"\n" + arguments + b"R0"


@pytest.mark.parametrize(
    ("before", "what"),
    [
        (opcodes("os system", b"(X\x02\x00\x00\x00lst"), "the name 'os.system'"),
        (opcodes("builtins eval", b"(X\x01\x00\x00\x001t"), "the name 'builtins.eval'"),
        (opcodes("torch._utils _rebuild_tensor", b")"), "the name 'torch._utils._rebuild_tensor'"),
        (opcodes("collections OrderedDict.__init__", b")"), "the name 'collections.OrderedDict.__init__'"),
        (b"ctorch\nFloatStorage\n)R0", "a call of something else than a tensor"),
        (b"(ios\nsystem\n0", "the opcode INST"),
        (b"}(K\x01K\x02u0", "a dictionary whose keys are no names"),
        (pickle.dumps(Evil(), 2)[2:-1] + b"0", "the name 'posix.mkdir'"),
        (pickle.dumps(Evil(), 4)[2:-1] + b"0", "the name 'posix.mkdir'"),
    ],
)
def test_pickles_with_anything_but_tensors_are_refused(before, what, models, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_bytes((models["torch"] / "config.json").read_bytes())
    write_torch_zip(folder / "pytorch_model.bin", {"a": np.zeros(3, np.float32)}, before=before)
    with pytest.raises(ValueError, match=rf"pytorch_model\.bin is refused: it holds {re.escape(what)}.* Nothing of it"):
        EncoderFeatures(folder, 1).fit(CLIPS)
    assert not os.path.exists("/tmp/sklearn_ser_was_run")


def test_damaged_pickles_name_the_file(models, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_bytes((models["torch"] / "config.json").read_bytes())
    whole = (models["torch"] / "pytorch_model.bin").read_bytes()
    damaged = [b"", b"PK", whole[: len(whole) // 2], pickle.dumps({}), whole.replace(b"\x80\x02}(", b"\x80\x02}u", 1)]
    for content in damaged:
        (folder / "pytorch_model.bin").write_bytes(content)
        with pytest.raises(ValueError, match=r"pytorch_model\.bin is damaged, truncated or no file of tensors"):
            EncoderFeatures(folder, 1).fit(CLIPS)


def test_tensors_larger_than_what_is_stored_are_refused(models, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_bytes((models["torch"] / "config.json").read_bytes())
    path = folder / "pytorch_model.bin"
    write_torch_zip(path, {"a": np.zeros(3, np.float32)})
    import zipfile

    with zipfile.ZipFile(path) as archive:
        content = archive.read("pytorch_model/data.pkl")
    for wrong in (b"(J\x00\x00\x10\x00t", b"(J\xff\xff\xff\xfft"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("pytorch_model/data.pkl", content.replace(b"(J\x03\x00\x00\x00t", wrong, 1))
            archive.writestr("pytorch_model/data/0", bytes(12))
        with pytest.raises(ValueError, match=r"pytorch_model\.bin is damaged"):
            EncoderFeatures(folder, 1).fit(CLIPS)
