"""SimpleRNN: the network as one object that can be trained, asked, saved and loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bptt import fused
from bptt.dims import Array
from bptt.errors import DimensionError, ValueRangeError, message
from bptt.initial import Initialisation, initial_parameters
from bptt.inputs import PARAMETERS, Reduction
from bptt.modelfile import FORMAT, checked_parameters, checked_vocabulary
from bptt.ops import ACTIVATIONS, Activation
from bptt.sampling import Choice, generate, prime_ids
from bptt.tensorfile import read_tensors, write_tensors
from bptt.training.assemble import assemble
from bptt.training.batches import Batch
from bptt.training.data import Data, array_data, check_arrays, text_data
from bptt.training.flat import FlatTensors
from bptt.training.loop import Loop, Record
from bptt.training.settings import Settings
from bptt.training.vocabulary import Vocabulary


class SimpleRNN:
    """The simple recurrent network a_t = tanh(W_ax x_t + W_aa a_prev + b_a), y_pred_t = softmax(W_ya a_t + b_y).

    Parameters
    ----------
    n_x, n_a, n_y : int
        Input, hidden and output size.
    activation : {"tanh", "relu"}
    initialisation : {"orthogonal", "identity", "glorot", "torch", "normal"}
        See :func:`bptt.initial.initial_parameters`.
    scale : float, optional
        Of the initialisation, where it has one.
    dtype : float32 or float64
    seed : int
        Of the model's own generator: equal seeds give bit-equal models and trainings.
    vocabulary : Vocabulary, optional
        What the ids stand for, if the model reads text.

    Attributes
    ----------
    parameters : dict
        W_aa (n_a, n_a), W_ax (n_a, n_x), W_ya (n_y, n_a), b_a (n_a, 1), b_y (n_y, 1).

    Examples
    --------
    >>> model = SimpleRNN(n_x=3, n_a=5, n_y=2)
    >>> model.predict_proba(np.ones((3, 7, 4), np.float32)).shape
    (2, 7, 4)
    """

    def __init__(
        self,
        n_x: int,
        n_a: int,
        n_y: int,
        *,
        activation: Activation = "tanh",
        initialisation: Initialisation = "orthogonal",
        scale: float | None = None,
        dtype: type[np.floating] | np.dtype[np.floating] = np.float32,
        seed: int = 0,
        vocabulary: Vocabulary | None = None,
    ) -> None:
        if activation not in ACTIVATIONS:
            raise ValueRangeError(message("SimpleRNN", f'activation is {activation!r}; "tanh" or "relu" is wanted.'))
        if not isinstance(seed, int | np.integer) or seed < 0:
            raise ValueRangeError(message("SimpleRNN", f"seed is {seed!r}; a whole number from 0 on is wanted."))
        self.activation: Activation = activation
        self.generator = np.random.default_rng(seed)
        self.vocabulary = vocabulary
        self.parameters: dict[str, Array] = initial_parameters(
            n_x, n_a, n_y, self.generator, initialisation, scale, dtype
        )

    @classmethod
    def for_text(cls, text: str, n_a: int = 128, **options: Any) -> SimpleRNN:
        """Return a model of a text's characters; options are those of the class.

        Examples
        --------
        >>> SimpleRNN.for_text("hello", n_a=8).parameters["W_ax"].shape
        (8, 4)
        """
        vocabulary = Vocabulary.of(text)
        return cls(len(vocabulary), n_a, len(vocabulary), vocabulary=vocabulary, **options)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type in which the model calculates."""
        return self.parameters["W_aa"].dtype

    # ------------------------------------------------------------------------------------- calculating

    def cost_and_gradients(
        self, X: Array, Y: Array, a0: Array | None = None, reduction: Reduction = "mean"
    ) -> tuple[float, dict[str, Array]]:
        """Return the cost in nats and the gradient of every parameter; see :func:`bptt.fused.step`."""
        return fused.step(self.parameters, X, Y, a0, reduction, self.activation)

    def predict_proba(self, X: Array, a0: Array | None = None) -> Array:
        """Return Y_pred (n_y, m, T_x), the probabilities of every step.

        Parameters
        ----------
        X : array (n_x, m, T_x), or ids (m, T_x)
        a0 : array (n_a, m), optional

        Raises
        ------
        DimensionError, DtypeError, ValueRangeError
            If the operands do not fit the model, or hold a NaN or an id out of range.
        """
        X = X if getattr(X, "ndim", 0) == 2 else self._typed(X)
        a0 = None if a0 is None else self._typed(a0)
        return fused.predict_proba(self.parameters, X, a0, self.activation)

    def _typed(self, array: Array) -> Array:
        """Return an array of numbers in the model's type, so that one call calculates in one type."""
        return array.astype(self.dtype) if getattr(array, "dtype", np.dtype("O")).kind in "fiu" else array

    def predict(self, X: Array, a0: Array | None = None) -> Array:
        """Return the most probable id of every step, (m, T_x)."""
        return np.asarray(self.predict_proba(X, a0).argmax(axis=0))

    def sample(
        self,
        length: int = 500,
        prime: str | Array = "",
        *,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        greedy: bool = False,
        seed: int | None = None,
    ) -> str | Array:
        """Return a sample: a text, or ids (length,) if the model has no vocabulary.

        Parameters
        ----------
        length : int
            Characters, or ids.
        prime : str or ids
            Read first, not returned.  Without one the model starts as after a line's end.
        temperature, top_k, top_p, greedy
            See :class:`bptt.sampling.Choice`.
        seed : int, optional
            Without one, chance comes from the model's generator.
        """
        choice = Choice(temperature, top_k, top_p, greedy)
        drawn = self.stream(length, prime, choice, seed)
        if self.vocabulary is None:
            return np.fromiter(drawn, np.int64, length)
        return self.vocabulary.decode(list(drawn))

    def stream(self, length: int, prime: str | Array, choice: Choice, seed: int | None = None) -> Iterator[int]:
        """Return an iterator over the ids of a sample, each drawn when it is asked for."""
        if length < 0:
            raise ValueRangeError(message("sample", f"length is {length}; 0 or more is wanted."))
        rng = self.generator if seed is None else np.random.default_rng(seed)
        n_x, n_y = self.parameters["W_ax"].shape[1], self.parameters["W_ya"].shape[0]
        if n_x != n_y:
            raise DimensionError(
                message("sample", f"the model reads n_x={n_x} and predicts n_y={n_y}: its output cannot be its input.")
            )
        ids = prime_ids(prime, n_x, self.vocabulary, rng)
        endless = generate(self.parameters, ids, choice, rng, self.activation)
        return (i for _, i in zip(range(length), endless, strict=False))

    # ---------------------------------------------------------------------------------------- training

    def fit(
        self,
        X: str | Array,
        Y: Array | None = None,
        a0: Array | None = None,
        *,
        settings: Settings | None = None,
        watch: Callable[[Record], None] | None = None,
        **options: Any,
    ) -> list[Record]:
        """Train, and keep the best parameters.

        Parameters
        ----------
        X : str, or array (n_x, examples, steps), or ids (examples, steps)
        Y : array (n_y, examples, steps), or ids (examples, steps)
            Not with a text: there the target is the next character.
        a0 : array (n_a, examples), optional
        settings : Settings, optional
            Or its fields as options: ``fit(text, epochs=3, rate=1e-3)``.
        watch : function, optional
            Called with the :class:`bptt.training.loop.Record` of each step.

        Returns
        -------
        list of Record
            One a step.
        """
        settings = settings or Settings(**options)
        loop = self.training_loop(self.data(X, Y, a0, settings), settings)
        records = []
        for record in loop:
            records.append(record)
            if watch is not None:
                watch(record)
        self.parameters = {name: view.copy() for name, view in loop.best.views.items()}
        return records

    def data(self, X: str | Array, Y: Array | None, a0: Array | None, settings: Settings) -> Data:
        """Return a text or arrays as :meth:`training_loop` takes them, split and in the model's types."""
        if isinstance(X, str):
            if self.vocabulary is None:
                raise ValueRangeError(
                    message("fit", "the model has no vocabulary.", hint="SimpleRNN.for_text(text) makes one that has.")
                )
            return text_data(self.vocabulary.encode(X, "fit"), settings)
        if Y is None:
            raise ValueRangeError(message("fit", "Y is missing; only a text is its own target."))
        check_arrays("fit", X, Y, a0)
        X, Y = (array if array.ndim == 2 else self._typed(array) for array in (X, Y))
        return array_data(X, Y, None if a0 is None else self._typed(a0), settings)

    def training_loop(self, data: Data, settings: Settings) -> Loop:
        """Return the loop that :meth:`fit` runs, for those who want to run it themselves."""
        flat = FlatTensors({name: self.parameters[name] for name in PARAMETERS})
        self.parameters = flat.views  # the loop changes them in place

        def step(batch: Batch, a0: Array | None) -> tuple[float, Mapping[str, Array], Array]:
            return fused.step_with_state(flat.views, batch.X, batch.Y, a0, "mean", self.activation)

        def cost(batch: Batch, a0: Array | None) -> tuple[float, Array]:
            return fused.cost_and_state(flat.views, batch.X, batch.Y, a0, "sum", self.activation)

        return assemble(flat, data, settings, step, cost, self.generator)

    # --------------------------------------------------------------------------------- saving, loading

    def about(self) -> dict[str, Any]:
        """Return what makes the parameters a model again, as a file keeps it."""
        about: dict[str, Any] = {"format": FORMAT, "activation": self.activation}
        if self.vocabulary is not None:
            about["vocabulary"] = self.vocabulary.characters
        return about

    def save(self, path: str | Path) -> None:
        """Write the model as safetensors, atomically."""
        write_tensors(Path(path), {name: self.parameters[name] for name in PARAMETERS}, self.about())

    @classmethod
    def load(cls, path: str | Path) -> SimpleRNN:
        """Read a model that :meth:`save` or ``bptt train`` wrote; a checkpoint is one, too.

        Raises
        ------
        FileError
            If the file is missing, damaged or hostile: nothing in it is trusted, and nothing of it is run.
        """
        return cls.from_tensors(*read_tensors(Path(path), "load"), str(path))

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Array], about: Mapping[str, Any], path: str) -> SimpleRNN:
        """Return a model from what :func:`bptt.tensorfile.read_tensors` found in the file ``path``."""
        parameters = checked_parameters(tensors, about, path)
        model = cls.__new__(cls)
        model.activation = "relu" if about["activation"] == "relu" else "tanh"
        model.generator = np.random.default_rng(0)
        model.vocabulary = checked_vocabulary(parameters, about, path)
        model.parameters = parameters
        return model
