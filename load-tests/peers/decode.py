"""Decodes dumped log-probabilities with other projects' decoders; started by peers.ts.

    python decode.py FOLDER LM.arpa BEAM

FOLDER holds samples.f32 (natural log-probabilities, float32, all samples' rows behind one another), samples.json
(pieces; of each sample its frames, entities and distractors) and jobs.json (see jobs.ts); results.json is written there.
One thread; processor time. Taking in a list is timed apart, by decoding a single frame with it.
"""

import json
import os
import pathlib
import sys
import time

for variable in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"]:
    os.environ[variable] = "1"

import ctc_beam_decoder
import fast_ctc_decode
import numpy as np
import pyctcdecode


class Hotwords:
    """pyctcdecode, and ctc-beam-decoder, which has its interface."""

    def __init__(self, library, pieces, arpa, weights, beam):
        self.beam, self.weights = beam, weights
        self.decoder = library.build_ctcdecoder(
            pieces,
            kenlm_model_path=str(arpa),
            alpha=weights["alpha"],
            beta=weights["beta"],
            unk_score_offset=weights["unlisted"],
        )

    def decode(self, rows, hotwords):
        return self.decoder.decode(
            rows,
            beam_width=self.beam,
            beam_prune_logp=2 * self.weights["tokens"],
            token_min_logp=self.weights["tokens"],
            hotwords=hotwords,
            hotword_weight=self.weights["entry"],
        )


class Plain:
    """fast-ctc-decode: neither language model nor list; probabilities, the blank first."""

    def __init__(self, pieces, beam):
        self.alphabet, self.beam = ["", *pieces], beam

    def decode(self, rows, hotwords):
        probabilities = np.ascontiguousarray(np.roll(np.exp(rows), 1, axis=1))
        text, _ = fast_ctc_decode.beam_search(probabilities, self.alphabet, self.beam, 1e-4)
        return text.replace("▁", " ").strip()


def decoder_of(job, pieces, arpa, beam):
    if job["decoder"] == "fast-ctc-decode":
        return Plain(pieces, beam)
    library = {"pyctcdecode": pyctcdecode, "ctc-beam-decoder": ctc_beam_decoder}[job["decoder"]]
    return Hotwords(library, pieces, arpa, job["weights"], beam)


def run(job, decoder, samples):
    texts, listing, decoding = [], 0.0, 0.0
    for index in job["samples"]:
        sample = samples[index]
        hotwords = None if job["n"] is None else sample["entities"] + sample["distractors"][: job["n"]]
        begun = time.process_time()
        if hotwords is not None:
            decoder.decode(sample["rows"][:1], hotwords)
        listed = time.process_time()
        texts.append(decoder.decode(sample["rows"], hotwords))
        done = time.process_time()
        listing += listed - begun
        decoding += done - listed - (listed - begun)
        if done - begun + listing + decoding > job["seconds"]:
            break
    return {"texts": texts, "listSeconds": listing, "decodeSeconds": decoding}


def main():
    folder, arpa, beam = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3])
    described = json.loads((folder / "samples.json").read_text())
    rows = np.fromfile(folder / "samples.f32", dtype="<f4").reshape(-1, len(described["pieces"]) + 1)
    at = 0
    for sample in described["samples"]:
        sample["rows"] = rows[at : at + sample["frames"]]
        at += sample["frames"]
    results, built = [], (None, None)
    for job in json.loads((folder / "jobs.json").read_text()):
        key = (job["decoder"], json.dumps(job["weights"]))
        if built[0] != key:
            built = (key, decoder_of(job, described["pieces"], arpa, beam))
        results.append(run(job, built[1], described["samples"]))
        (folder / "results.json").write_text(json.dumps(results))


main()
