"""The vocabulary: which character an id stands for."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from bptt.dims import Array
from bptt.errors import ValueRangeError, message

UNICODE = 0x110000


class Vocabulary:
    """The different characters of a text, sorted; the id of one is its place.

    Parameters
    ----------
    characters : str
        Each once.

    Examples
    --------
    >>> vocabulary = Vocabulary.of("hello")
    >>> vocabulary.characters, vocabulary.encode("hole").tolist(), vocabulary.decode([1, 0])
    ('ehlo', [1, 3, 2, 0], 'he')
    """

    def __init__(self, characters: str) -> None:
        if len(set(characters)) != len(characters):
            raise ValueRangeError(message("Vocabulary", "a character is in it twice; each must be in it once."))
        self.characters = characters

    @classmethod
    def of(cls, text: str) -> Vocabulary:
        """Return the vocabulary of a text."""
        return cls("".join(sorted(set(text))))

    def __len__(self) -> int:
        """Return the number of characters: n_x and n_y of a model of it."""
        return len(self.characters)

    @cached_property
    def _ids(self) -> Array:
        ids = np.full(UNICODE, -1, np.int32)
        ids[[ord(character) for character in self.characters]] = np.arange(len(self))
        return ids

    def encode(self, text: str, where: str = "Vocabulary.encode") -> Array:
        """Return the ids of a text, int32 (n,).

        Raises
        ------
        ValueRangeError
            If a character is not in the vocabulary.
        """
        points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        ids = self._ids[points]
        if ids.size and int(ids.min()) < 0:
            place = int(np.argmin(ids))
            raise ValueRangeError(
                message(
                    where,
                    f"the character {text[place]!r} at {place} is not in the model's vocabulary.",
                    details=[f"It was trained on these {len(self)}: {self.characters!r}"[:400]],
                )
            )
        return ids

    def decode(self, ids: Array | list[int]) -> str:
        """Return the text of ids."""
        return "".join(self.characters[i] for i in ids)
