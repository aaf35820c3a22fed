"""Whisper as people stream it today: faster-whisper over a growing buffer, words kept by local agreement.

    python whisper_server.py MODEL [--threads 2] [--step 1.0]

Binary frames of 32-bit floats at 16 kHz come in; after each STEP seconds of new audio the whole buffer is transcribed
again, as soon as a thread is free. Words on which two transcriptions in a row agree are committed (LocalAgreement-2: Liu
et al., "Low-latency sequence-to-sequence speech recognition", Interspeech 2020; Machacek et al., "Turning Whisper into a
real-time transcription system", 2023) and the buffer is cut behind them once it is long. Each transcription is told:
{"text", "end", "final"}, the words that are not committed included; "Done" ends, as with sherpa-onnx's server.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from faster_whisper import WhisperModel
from websockets.asyncio.server import ServerConnection, serve

RATE = 16_000
LONGEST = 15.0
"""Seconds of buffer behind which what is committed is cut off; whisper_streaming's default."""


class Word(NamedTuple):
    text: str
    """As Whisper writes it, its leading space included."""
    end: float
    """Seconds from the begin of the stream."""


def agreed(before: list[Word], now: list[Word]) -> int:
    """How many leading words are the same, but for case and punctuation."""
    count = 0
    for one, other in zip(before, now):
        if bare(one.text) != bare(other.text):
            break
        count += 1
    return count


def bare(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())


class Stream:
    """One connection's buffer and words."""

    def __init__(self) -> None:
        self.samples = np.zeros(0, np.float32)
        self.begin = 0.0
        self.committed: list[Word] = []
        self.last: list[Word] = []
        self.heard = 0.0

    @property
    def end(self) -> float:
        return self.begin + len(self.samples) / RATE

    def take(self, samples: np.ndarray) -> None:
        self.samples = np.concatenate([self.samples, samples])

    def transcribe(self, model: WhisperModel) -> list[Word]:
        """The words behind those that are committed."""
        prompt = "".join(word.text for word in self.committed if word.end <= self.begin)[-200:]
        self.heard = self.end
        segments, _ = model.transcribe(
            self.samples, language="en", beam_size=1, word_timestamps=True,
            condition_on_previous_text=False, initial_prompt=prompt or None,
        )  # fmt: skip
        words = [Word(w.word, self.begin + w.end) for segment in segments for w in segment.words or ()]
        done = self.committed[-1].end if self.committed else 0.0
        return [word for word in words if word.end > done + 0.1]

    def settle(self, words: list[Word], last: bool) -> None:
        count = len(words) if last else agreed(self.last, words)
        self.committed += words[:count]
        self.last = words[count:]
        if self.end - self.begin > LONGEST and self.committed:
            cut = min(self.committed[-1].end, self.end)
            self.samples = self.samples[max(0, int((cut - self.begin) * RATE)) :]
            self.begin = max(self.begin, cut)

    def message(self, final: bool) -> str:
        words = self.committed + self.last
        text = "".join(word.text for word in words).strip()
        return json.dumps({"text": text, "end": words[-1].end if words else 0, "final": final})


async def converse(socket: ServerConnection, model: WhisperModel, threads: ThreadPoolExecutor, step: float) -> None:
    stream, loop = Stream(), asyncio.get_running_loop()
    ended, news = False, asyncio.Event()

    async def listen() -> None:
        nonlocal ended
        async for frame in socket:
            if isinstance(frame, str):
                break
            stream.take(np.frombuffer(frame, np.float32))
            news.set()
        ended = True
        news.set()

    listening = asyncio.create_task(listen())
    while not ended:
        await news.wait()
        news.clear()
        if stream.end - stream.heard < step or ended:
            continue
        stream.settle(await loop.run_in_executor(threads, stream.transcribe, model), last=False)
        await socket.send(stream.message(final=False))
    await listening
    stream.settle(await loop.run_in_executor(threads, stream.transcribe, model), last=True)
    await socket.send(stream.message(final=True))
    await socket.send("Done!")


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--step", type=float, default=1.0)
    args = parser.parse_args()
    model = WhisperModel(args.model, device="cpu", compute_type="int8", cpu_threads=1, num_workers=args.threads)
    threads = ThreadPoolExecutor(args.threads)

    async def connected(socket: ServerConnection) -> None:
        await converse(socket, model, threads, args.step)

    async with serve(connected, "127.0.0.1", 0, max_size=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        print(f"listens on ws://127.0.0.1:{port}", flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
