"""Emotions of your own voice: a page that records from the microphone, and says what it hears.

    pip install fastapi uvicorn
    python examples/microphone.py                  # then open http://127.0.0.1:8000
    python examples/microphone.py handcrafted      # without Whisper's weights

Recordings are sent to this machine only, as WAV files, and kept in memory only. Browsers allow the microphone on
127.0.0.1 and on https addresses. After ten recordings of several moods, "Adapt" tells the recognizer how your voice and
room sound.
"""

import sys
from typing import Annotated

from fastapi import Depends, HTTPException
from fastapi.responses import HTMLResponse
from serve_fastapi import MOST_SECONDS, answer, create_app, upload

from sklearn_ser import adapt, load_recognizer
from sklearn_ser.audio import load_waveform

ENOUGH, MOST = 10, 100  # recordings to adapt by

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Emotions in your voice</title>
<style>
body { font: 1.1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 2rem auto; padding: 0 1rem }
button { font: inherit; padding: .6rem 1.2rem } meter { width: 100% }
</style>
<h1>Emotions in your voice</h1>
<p>Speak for two to five seconds. Trained on ten actors: a start, not a measuring instrument.</p>
<p><button id="record">Record</button> <button id="adapt" disabled>Adapt</button></p>
<p id="said" role="status"></p><div id="bars"></div>
<script>
const record = document.getElementById("record"), adapting = document.getElementById("adapt");
const said = document.getElementById("said"), bars = document.getElementById("bars");
let recorder = null;

function wav(samples, rate) {  // 16 bits, mono
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const write = (at, text) => [...text].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
  write(0, "RIFF"); view.setUint32(4, 36 + 2 * samples.length, true); write(8, "WAVEfmt ");
  view.setUint32(16, 16, true); view.setUint16(20, 1, true); view.setUint16(22, 1, true);
  view.setUint32(24, rate, true); view.setUint32(28, 2 * rate, true);
  view.setUint16(32, 2, true); view.setUint16(34, 16, true);
  write(36, "data"); view.setUint32(40, 2 * samples.length, true);
  samples.forEach((x, i) => view.setInt16(44 + 2 * i, 32767 * Math.max(-1, Math.min(1, x)), true));
  return view.buffer;
}

async function send(address, body) {
  const response = await fetch(address, {method: "POST", body}), found = await response.json();
  if (!response.ok) throw new Error(found.detail);
  return found;
}

async function recognize(blob) {
  const context = new AudioContext();
  const audio = await context.decodeAudioData(await blob.arrayBuffer());
  context.close();
  const found = await send("recordings", wav(audio.getChannelData(0), audio.sampleRate));
  said.textContent = `${found.emotion} (recording ${found.n_recordings})`;
  adapting.disabled = found.n_recordings < found.enough;
  bars.replaceChildren(...Object.entries(found.probabilities).map(([name, value]) => {
    const line = document.createElement("div"), meter = document.createElement("meter");
    meter.value = value; line.append(`${name} ${value.toFixed(2)}`, meter); return line;
  }));
}

record.onclick = async () => {
  if (recorder) { recorder.stop(); return; }
  try {
    const stream = await navigator.mediaDevices.getUserMedia({audio: true}), parts = [];
    recorder = new MediaRecorder(stream);
    recorder.ondataavailable = event => parts.push(event.data);
    recorder.onstop = async () => {
      stream.getTracks().forEach(track => track.stop());
      recorder = null; record.textContent = "Record"; said.textContent = "...";
      try { await recognize(new Blob(parts)); } catch (error) { said.textContent = error.message; }
    };
    recorder.start(); record.textContent = "Stop"; said.textContent = "Listening";
  } catch (error) { said.textContent = "No microphone: " + error.message; }
};
adapting.onclick = async () => {
  try { said.textContent = `Adapted by ${(await send("adapt")).n_clips} recordings.`; }
  catch (error) { said.textContent = error.message; }
};
</script></html>
"""


def create_page(recognizer):
    """Make the service of `serve_fastapi` around a fitted recognizer, with the page and what it asks for."""
    app = create_app(recognizer)
    state = {"recognizer": recognizer, "recordings": []}

    @app.get("/", response_class=HTMLResponse)
    def page() -> str:
        """Show the page."""
        return PAGE

    @app.post("/recordings")
    def recordings(audio: Annotated[bytes, Depends(upload)]) -> dict:
        """Recognize a recording, and remember its waveform as long as the service runs, to adapt by."""
        waveform = load_waveform(audio, max_duration=MOST_SECONDS, row=0)
        state["recordings"] = [*state["recordings"], waveform][-MOST:]
        return {**answer(state["recognizer"], audio), "n_recordings": len(state["recordings"]), "enough": ENOUGH}

    @app.post("/adapt")
    def adapting() -> dict:
        """Adapt the recognizer by the recordings so far."""
        clips = state["recordings"]
        if len(clips) < ENOUGH:
            raise HTTPException(409, f"Record {ENOUGH} clips at least, in several moods. There are {len(clips)}.")
        state["recognizer"] = adapt(recognizer, clips)
        return {"n_clips": len(clips)}

    return app


if __name__ == "__main__":
    import uvicorn

    uvicorn.run(create_page(load_recognizer(*sys.argv[1:2])), host="127.0.0.1", port=8000)
