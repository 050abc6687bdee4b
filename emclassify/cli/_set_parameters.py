"""What ``--set MODEL.PARAMETER=VALUE`` does to a model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Setting", "set_parameters"]


@dataclass(frozen=True)
class Setting:
    """One --set: the model, its parameter and the value."""

    model: str
    parameter: str
    value: object

    def __str__(self) -> str:
        return f"--set {self.model}.{self.parameter}"


def set_parameters(model: Any, name: str, settings: Sequence[Setting]) -> None:
    """Set what --set gives a model, in place.

    A parameter may be written in full, as ``svc__C``, or by its last part: the
    shallowest one is taken, in a pipeline the one of its last step.

    Parameters
    ----------
    model : Pipeline or classifier
    name : str
        Of the model on the command line.
    settings : list of Setting
        Those of other models are left alone.
    """
    for given in settings:
        if given.model != name:
            continue
        # Set one by one: the first may bring steps that the second is about.
        model.set_params(**{_full_name(model, given): given.value})
        _check(model, given)


def _full_name(model: Any, given: Setting) -> str:
    parameters = [
        path for path, value in model.get_params().items() if not hasattr(value, "fit")
    ]
    hidden = {"steps", "transform_input", "memory"}
    fitting = [
        path
        for path in parameters
        if path == given.parameter or path.endswith(f"__{given.parameter}")
    ]
    if given.parameter in fitting:
        return given.parameter
    if not fitting:
        short = sorted({path.rpartition("__")[2] for path in parameters} - hidden)
        known = ", ".join(short)
        raise ValueError(f"{given}: there is no such parameter, but {known}.")
    steps = list(getattr(model, "named_steps", {}))
    depth = {path: path.count("__") for path in fitting}
    shallow = [path for path in fitting if depth[path] == min(depth.values())]
    return max(
        shallow,
        key=lambda path: steps.index(path.partition("__")[0]) if steps else 0,
    )


def _check(model: Any, given: Setting) -> None:
    """Let each step say what is wrong with its parameters."""
    parts = [value for value in model.get_params().values() if hasattr(value, "fit")]
    for part in [model, *parts]:
        if hasattr(part, "_validate_params"):
            try:
                part._validate_params()
            except ValueError as error:
                raise ValueError(f"{given}: {error}") from None
