"""How good speech still is when it arrives: PESQ (ITU-T P.862) of what was heard against what was said."""

import json
import os
import shutil
import struct
import subprocess
import sys
import wave

from .browser import ROOT
from .process import Failed
from .sound import samples

# Built from source by pip, with a C compiler and Python's headers.
NEEDS = ("pesq==0.0.4", "numpy==2.2.6")
SENTENCES = ("The small boat was tied to the quay before the storm came in.", "Nine old clocks told nine different times that morning.")
SECONDS = 8
# Before, between and after the sentences.
SILENCE = 0.4
TRIES = 3
# As long as it takes for one repetition to be whole, wherever the recording begins.
RECORDING = 2 * SECONDS + 1


def library():
    """A folder that has them for this Python, beside what is built; made once."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = os.path.join(os.environ.get("CARGO_TARGET_DIR") or os.path.join(ROOT, "target"), f"interop-pesq-{version}")
    done = os.path.join(folder, "installed")
    if os.path.exists(done):
        with open(done) as file:
            if file.read() == " ".join(NEEDS):
                return folder
    shutil.rmtree(folder, ignore_errors=True)
    argv = [sys.executable, "-m", "pip", "install", "--quiet", "--target", folder, *NEEDS]
    ran = subprocess.run(argv, capture_output=True, text=True, timeout=400, stdin=subprocess.DEVNULL)
    if ran.returncode != 0:
        raise Failed(f"{' '.join(argv)}: {(ran.stderr or ran.stdout).strip()[-300:]}")
    with open(done, "w") as file:
        file.write(" ".join(NEEDS))
    return folder


def run(*words):
    argv = [sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "pesq_score.py"), *words]
    ran = subprocess.run(argv, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL,
                         env={**os.environ, "PYTHONPATH": library()})
    if ran.returncode != 0:
        raise Failed(f"{' '.join(argv[1:])}: {ran.stderr.strip()[-300:]}")
    return ran.stdout


def sox(*words):
    subprocess.run(["sox", *words], check=True, capture_output=True)


def sample(folder):
    """Eight seconds of sentences with silence between them, at an active level of -26 dBov: once at 8 kHz, as it is judged;
    again and again at 8 kHz, as a phone says it; the same at 48 kHz, as a browser's microphone takes it."""
    once, loop, wide = [os.path.join(folder, f"said-{name}.wav") for name in ("once", "loop", "48k")]
    if os.path.exists(wide):
        return once, loop, wide
    parts = []
    for number, text in enumerate(SENTENCES):
        raw, part = os.path.join(folder, f"said-{number}-raw.wav"), os.path.join(folder, f"said-{number}.wav")
        subprocess.run(["espeak-ng", "-s", "165", "-w", raw, text], check=True, capture_output=True)
        # What a telephone carries, so that no codec is blamed for what no telephone has.
        sox(raw, "-r", "8000", "-c", "1", "-b", "16", part, "sinc", "200-3500", "silence", "1", "0.01", "0.5%", "reverse",
            "silence", "1", "0.01", "0.5%", "reverse", "pad", str(SILENCE), str(SILENCE), "norm", "-6")
        parts.append(part)
    joined = os.path.join(folder, "said-joined.wav")
    sox(*parts, joined, "pad", "0", str(SECONDS), "trim", "0", str(SECONDS))
    run("level", joined, once)
    sox(once, loop, "repeat", "20")
    sox(loop, "-r", "48000", wide)
    return once, loop, wide


def score(folder, recording):
    """PESQ of every repetition that is whole in the recording, best first."""
    narrow = os.path.join(folder, f"judged-{os.path.basename(recording)}")
    with open(recording, "rb") as file:
        rate = struct.unpack("<I", file.read(28)[24:])[0]
    if rate == 8000:
        # A phone that still records has not said in its file how long it is.
        with wave.open(narrow, "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            values = samples(recording)[-3 * SECONDS * 8000:]
            file.writeframes(struct.pack(f"<{len(values)}h", *values))
    else:
        sox(recording, "-r", "8000", "-c", "1", "-b", "16", narrow)
    return sorted(json.loads(run("score", sample(folder)[0], narrow))["scores"], reverse=True)


def best(folder, record, least):
    """The best of up to three recordings of each end, by name; what the machine was busy with is not the server's fault. `record`
    makes one recording of each."""
    found = {}
    for _ in range(TRIES):
        for name, recording in record().items():
            found[name] = max([found.get(name, 0.0), *score(folder, recording)[:1]])
        if all(value >= least for value in found.values()):
            break
    return found
