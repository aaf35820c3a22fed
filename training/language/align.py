"""Many-to-many alignment of letters with phones: every letter gets a chunk of 0 to 3 phones, found by expectation
maximisation over P(chunk | letter) (Jiampojamarn et al. 2007, with chunks on the phone side only)."""

import numpy as np

MOST = 3
PRIOR = [0.25, 0.6, 0.12, 0.03]  # of chunk lengths, before anything is learnt


class Aligner:
    """Words and phones are arrays of small integers from 1; words of one pair of lengths are aligned together."""

    def __init__(self, letters: int, phones: int) -> None:
        self.phones = phones + 1
        self.table = np.full((letters + 1, self.phones**MOST), 0.0)
        sizes = np.where(
            np.arange(self.phones**MOST) == 0,
            0,
            1 + (np.arange(self.phones**MOST) >= self.phones) + (np.arange(self.phones**MOST) >= self.phones**2),
        )
        self.table[:] = np.array([PRIOR[k] / phones**k for k in range(MOST + 1)])[sizes]

    def _chunk(self, spoken: np.ndarray, j: int, k: int) -> np.ndarray:
        """Ids of the chunks of the k phones that end before position j."""
        out = np.zeros(len(spoken), np.int64)
        for column in range(j - k, j):
            out = out * self.phones + spoken[:, column]
        return out

    def _sweep(self, words: np.ndarray, spoken: np.ndarray, best: bool) -> np.ndarray:
        """Forward scores (length + 1, phones + 1, words): sums, or maxima where `best`."""
        (n, length), count = words.shape, spoken.shape[1]
        alpha = np.zeros((length + 1, count + 1, n))
        alpha[0, 0] = 1
        for i in range(length):
            for j in range(count + 1):
                for k in range(min(MOST, j) + 1):
                    arrived = alpha[i, j - k] * self.table[words[:, i], self._chunk(spoken, j, k)]
                    alpha[i + 1, j] = np.maximum(alpha[i + 1, j], arrived) if best else alpha[i + 1, j] + arrived
        return alpha

    def step(self, groups: list[tuple[np.ndarray, np.ndarray]]) -> float:
        """One round of expectation maximisation; returns the mean log-likelihood of a word."""
        counts, total, seen = np.zeros_like(self.table), 0.0, 0
        for words, spoken in groups:
            (n, length), count = words.shape, spoken.shape[1]
            alpha = self._sweep(words, spoken, best=False)
            whole = np.maximum(alpha[-1, -1], 1e-300)
            beta = np.zeros_like(alpha)
            beta[-1, -1] = 1
            for i in reversed(range(length)):
                for j in range(count + 1):
                    for k in range(min(MOST, j) + 1):
                        chunk = self._chunk(spoken, j, k)
                        left = self.table[words[:, i], chunk] * beta[i + 1, j]
                        beta[i, j - k] += left
                        np.add.at(counts, (words[:, i], chunk), alpha[i, j - k] * left / whole)
            total, seen = total + np.log(whole).sum(), seen + n
        self.table = (counts + 1e-9) / (counts + 1e-9).sum(1, keepdims=True)
        return total / seen

    def chunks(self, words: np.ndarray, spoken: np.ndarray) -> np.ndarray:
        """Likeliest number of phones of each letter, (words, length)."""
        (n, length), j = words.shape, np.full(len(words), spoken.shape[1])
        alpha, sizes, every = (
            self._sweep(words, spoken, best=True),
            np.zeros(words.shape, np.int64),
            np.arange(len(words)),
        )
        ids = np.stack(
            [
                [self._chunk(spoken, e, k) if k <= e else np.zeros(n, np.int64) for e in range(spoken.shape[1] + 1)]
                for k in range(MOST + 1)
            ]
        )
        for i in reversed(range(length)):
            scores = np.stack(
                [
                    np.where(
                        j >= k, alpha[i, np.maximum(j - k, 0), every] * self.table[words[:, i], ids[k, j, every]], -1
                    )
                    for k in range(MOST + 1)
                ]
            )
            sizes[:, i] = scores.argmax(0)
            j = j - sizes[:, i]
        return sizes
