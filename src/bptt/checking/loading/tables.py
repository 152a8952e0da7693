"""What stands in for pandas and scikit-learn: tables of made-up numbers, scalers, and the split of a data set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bptt.checking.loading.made_up import Files

READERS = ("read_csv", "read_table", "read_excel", "read_json", "read_pickle", "read_parquet", "DataReader", "download")


class Frame(np.ndarray):
    """A table of numbers that answers as a data frame does, as far as programs that cut sequences out of one need it.

    A name is a column, whatever it is; what sorts, fills or drops gives the table back.
    """

    heads: tuple[str, ...] = ()

    def __array_finalize__(self, other: Any) -> None:
        """Hand the names on."""
        self.heads = getattr(other, "heads", ())

    def __getitem__(self, key: Any) -> Any:
        """Return a column by its name, several by their names, or what NumPy gives."""
        if isinstance(key, str):
            return self._column(key)
        if isinstance(key, list) and key and all(isinstance(k, str) for k in key):
            return np.stack([self._column(k) for k in key], axis=1).view(Frame)
        if isinstance(key, tuple) and any(isinstance(k, str) for k in key):
            return self[key[-1]][key[0]]
        return super().__getitem__(key)

    def __setitem__(self, key: Any, value: Any) -> None:
        """Put numbers in place; a column of other things is left as it is."""
        if not isinstance(key, str):
            super().__setitem__(key, value)

    def _column(self, name: str) -> Any:
        place = self.heads.index(name) if name in self.heads else sum(map(ord, name))
        return (self[:, place % self.shape[1]] if self.ndim > 1 else self).view(Frame)

    def __getattr__(self, name: str) -> Any:
        """Return a column that is asked for as an attribute, or a method that gives the table back."""
        if name.startswith("_"):
            raise AttributeError(name)
        if name in self.heads or name[:1].isupper():
            return self._column(name)
        return lambda *a, **k: self

    @property
    def values(self) -> Any:
        """The numbers."""
        return np.array(self)

    def to_numpy(self, *args: Any, **kwargs: Any) -> Any:
        """Return the numbers."""
        return np.array(self)

    @property
    def iloc(self) -> Any:
        """The table by places."""
        return self

    loc = iloc

    @property
    def columns(self) -> list[str]:
        """The names of its columns."""
        count = self.shape[1] if self.ndim > 1 else 1
        return [*self.heads, *(f"x{i}" for i in range(count))][:count]

    @property
    def index(self) -> Any:
        """The numbers of its rows."""
        return np.arange(len(self))

    def fillna(self, *args: Any, **kwargs: Any) -> Any:
        """Return the table: nothing is missing."""
        return self

    def sort(self, *args: Any, **kwargs: Any) -> None:
        """Leave the rows in their order."""


class Scaler:
    """Scales the columns of a table as asked: to a range, or to mean 0 and deviation 1."""

    def __init__(self, range_: tuple[float, float] | None) -> None:
        self.range_ = range_

    def fit(self, x: Any, *args: Any) -> Any:
        """Take the bounds from the data."""
        x = np.asarray(x, dtype=float)
        low, high = np.min(x, axis=0), np.max(x, axis=0)
        self.shift, self.scale = (x.mean(axis=0), x.std(axis=0)) if self.range_ is None else (low, high - low)
        self.scale = np.where(self.scale == 0, 1.0, self.scale)
        return self

    def transform(self, x: Any) -> Any:
        """Return the scaled data."""
        low, high = self.range_ or (0.0, 1.0)
        return (np.asarray(x, dtype=float) - self.shift) / self.scale * (high - low) + low

    def fit_transform(self, x: Any, *args: Any) -> Any:
        """Return the scaled data, by their own bounds."""
        return self.fit(x).transform(x)

    def inverse_transform(self, x: Any) -> Any:
        """Return what was scaled."""
        low, high = self.range_ or (0.0, 1.0)
        return (np.asarray(x, dtype=float) - low) / (high - low) * self.scale + self.shift


def split(*arrays: Any, test_size: float = 0.25, train_size: float | None = None, **kwargs: Any) -> list[Any]:
    """Return the first rows of each array and the rest, as ``train_test_split`` without shuffling."""
    count = len(arrays[0])
    kept = train_size if train_size is not None else 1 - test_size if test_size < 1 else count - test_size
    place = min(max(int(kept * count if kept < 1 else kept), 1), count - 1)
    return [part for a in arrays for part in (a[:place], a[place:])]


def stand_in_for(name: str, files: Callable[[], Files]) -> Any:
    """Return what stands in for a name of pandas or scikit-learn; None for any other name."""

    def read(*args: Any, **kwargs: Any) -> Frame:
        held = files()
        table = np.array(held.table(), dtype=float).view(Frame)
        table.heads = held.heads
        chosen = kwargs.get("usecols")
        if isinstance(chosen, list | tuple) and chosen:
            places = [(c if isinstance(c, int) else i) % table.shape[1] for i, c in enumerate(chosen)]
            table = np.array(table)[:, places].view(Frame)
        return table

    def frame(data: Any = None, *args: Any, **kwargs: Any) -> Any:
        columns = list(data.values()) if isinstance(data, dict) else data
        made = np.array(columns, dtype=float)
        return (made.T if isinstance(data, dict) else made).view(Frame)

    found: dict[str, Any] = dict.fromkeys(READERS, read)
    found |= {"DataFrame": frame, "Series": frame, "train_test_split": split}
    found["MinMaxScaler"] = lambda feature_range=(0, 1), **k: Scaler(tuple(feature_range))
    found["StandardScaler"] = lambda **k: Scaler(None)
    return found.get(name)
