"""What tells one thing from another, by value: files and own code too.

A pickle names files, functions and classes. Here, what is behind the names counts: size
and time of files, the code of functions and classes that no installed package brings,
and of all that these call.
"""

import contextlib
import dis
import functools
import hashlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np
from joblib.hashing import NumpyHasher

__all__ = ["fingerprint"]

_OURS = __name__.partition(".")[0]
_INSTALLED = {"site-packages", "dist-packages"}
_LONGEST_PATH = 4096
_BYTES_AT_A_TIME = 2**25
# Of a class's attributes, what its source doesn't say.
_NOT_WRITTEN = {"__dict__", "__weakref__", "__module__", "__doc__", "_abc_impl"}
_NOT_WRITTEN |= {"__firstlineno__", "__static_attributes__", "__slotnames__"}
_CHANGING = {"append", "add", "clear", "discard", "extend", "insert", "pop", "popitem"}
_CHANGING |= {"remove", "reverse", "setdefault", "sort", "subtract", "update"}
_CHANGING |= {"appendleft", "extendleft", "popleft", "rotate", "increment"}
_STORING = {"STORE_GLOBAL", "DELETE_GLOBAL", "STORE_DEREF", "STORE_ATTR", "DELETE_ATTR"}
_STORING_WITHIN = {"STORE_SUBSCR", "DELETE_SUBSCR", "STORE_ATTR", "DELETE_ATTR"}
_LOADING = {"LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF", "LOAD_ATTR", "LOAD_METHOD"}


def fingerprint(
    thing: Any, *, files: dict[str, Any] | None = None, lambdas: bool = True
) -> str:
    """Return what tells `thing` from others, the same in every process.

    Parameters
    ----------
    thing : object
        Arrays and other data count by value; installed functions and classes by name
        and version of their package; paths by their text; one's own functions by their
        code, with that of all they call, and the values of the globals and attributes
        that they use. What own code changes itself, such as a counter, doesn't count.
        Arrays of zarr and h5py count by their files where these can't change unseen,
        else by value.
    files : dict, default=None
        If given, text that names a file counts by the file's size and time of last
        change. Holds what is known of files already, and is added to.
    lambdas : bool, default=True
        Whether to take lambdas and functions within functions, or to refuse them as
        pickle does.

    Returns
    -------
    str
        32 hexadecimal digits.

    Raises
    ------
    Exception
        Those of pickle, if it can't be pickled.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from emclassify._fingerprint import fingerprint
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "image.tif")
    ...     _ = path.write_text("an image")
    ...     before = fingerprint([path], files={})
    ...     _ = path.write_text("another image")
    ...     fingerprint([path], files={}) == before
    False
    """
    return _Hasher(files, lambdas).hash(thing)


class _Hasher(NumpyHasher):
    """joblib's hasher, with descriptions for what it knows by name only."""

    def __init__(self, files, lambdas):
        super().__init__(hash_name="md5")
        self._files = files
        self._lambdas = lambdas
        self._seen = {}
        self._inside = 0

    def save(self, obj):
        told = self._tell(obj)
        if told is obj:
            super().save(obj)
            return
        self._inside += 1
        super().save(told)
        self._inside -= 1

    def _tell(self, obj):
        """Return a description, or the object itself where pickle does well."""
        if isinstance(obj, FunctionType | type):
            return self._tell_code(obj)
        if isinstance(obj, str | os.PathLike):
            return self._tell_file(obj)
        if isinstance(obj, frozenset):
            return "frozenset", set(obj)
        if isinstance(obj, np.ndarray):
            return self._tell_paths(obj)
        package = str(type(obj).__module__).partition(".")[0]
        if package in ("zarr", "h5py") and hasattr(obj, "shape"):
            return package, *_tell_stored(obj, package)
        if package == "pandas" and hasattr(obj, "to_numpy"):
            return self._tell_frame(obj)
        if package == "functools" and hasattr(obj, "__wrapped__"):
            return package, obj.__wrapped__
        if package == "numba" and hasattr(obj, "py_func"):
            return package, obj.py_func
        return obj

    # Files ----------------------------------------------------------------------------

    def _tell_file(self, path):
        # A path and its text are one thing.
        path = name = os.fspath(path)
        if self._files is None:
            return path
        if not isinstance(name, str) or not 0 < len(name) < _LONGEST_PATH:
            return path
        if name not in self._files:
            self._files[name] = _file_state(name)
        state = self._files[name]
        return path if state is None else ("file", os.fsencode(name), *state)

    def _tell_paths(self, array):
        if self._files is None or array.dtype.kind != "U":
            return array
        # In a list, not to come here again.
        return array.shape, array.ravel().tolist()

    def _tell_frame(self, data):
        """Tell pandas' text by its words, not by where it keeps them."""
        if self._files is None:
            return data
        index = getattr(data, "index", None)
        if data.ndim == 1:
            if data.dtype.kind != "O":
                return data
            return "column", str(data.dtype), index, data.to_numpy(dtype=object)
        columns = [data.iloc[:, column] for column in range(data.shape[1])]
        return "frame", list(data.columns), index, columns

    # Code -----------------------------------------------------------------------------

    def _tell_code(self, obj):
        module, name = obj.__module__, obj.__qualname__
        version = _installed(module)
        if version is not None:
            return "installed", module, name, version
        if not (self._lambdas or self._inside) and "<" in name:
            return obj
        if id(obj) in self._seen:
            return "seen", self._seen[id(obj)][0]
        self._seen[id(obj)] = len(self._seen), obj
        if isinstance(obj, type):
            return "class", module, name, obj.__bases__, self._attributes(obj)
        return (
            "function",
            module,
            name,
            _written(obj.__code__),
            self._value(obj.__defaults__),
            self._value(obj.__kwdefaults__),
            self._used(obj),
        )

    def _attributes(self, cls):
        changed = _changed_by(sys.modules.get(cls.__module__), cls)
        found = {}
        for name, value in sorted(vars(cls).items()):
            if name in _NOT_WRITTEN:
                continue
            parts = list(_functions_of(value))
            if parts:
                found[name] = type(value).__name__, parts
            elif name not in changed:
                found[name] = self._value(value)
        return found

    def _used(self, function):
        """Return what a function finds outside itself, {name: description}."""
        codes = list(_codes(function.__code__))
        names = {name for code in codes for name in code.co_names}
        changed = _changed_by(sys.modules.get(function.__module__), function)
        found = {}
        for name in sorted(names.intersection(function.__globals__)):
            value = function.__globals__[name]
            if isinstance(value, ModuleType):
                found[name] = self._module(value, names)
            elif name not in changed or isinstance(value, FunctionType | type):
                found[name] = self._value(value)
        cells = zip(
            function.__code__.co_freevars, function.__closure__ or (), strict=True
        )
        for name, cell in cells:
            # A cell may be empty still.
            with contextlib.suppress(ValueError):
                value = cell.cell_contents
                if name not in changed or isinstance(value, FunctionType | type):
                    found[f"cell {name}"] = self._value(value)
        for name in sorted(
            {name for code in codes for name in _imported(code)}.difference(found)
        ):
            found[f"import {name}"] = _module_file(name)
        return found

    def _module(self, module, names):
        """Tell what is used of a module: of what has one of these names."""
        version = _installed(module.__name__)
        if version is not None:
            return "installed", module.__name__, version
        if id(module) in self._seen:
            return "seen", self._seen[id(module)][0]
        self._seen[id(module)] = len(self._seen), module
        changed = _changed_by(module)
        found = {}
        for name in sorted(names.intersection(vars(module))):
            value = vars(module)[name]
            if isinstance(value, ModuleType):
                found[name] = self._module(value, names)
            elif name not in changed or isinstance(value, FunctionType | type):
                found[name] = self._value(value)
        return "module", module.__name__, found

    def _value(self, value):
        """Return a digest of a value; its type, if it can't be pickled."""
        if isinstance(value, FunctionType | type):
            return value
        within = _Hasher(self._files, lambdas=True)
        within._seen, within._inside = self._seen, 1
        try:
            return within.hash(value)
        except Exception:
            return type(value)


def _installed(module: str | None) -> str | None:
    """Return the version of what a module was installed with; None if it's one's own.

    Python's own modules have Python's version.
    """
    top = (module if isinstance(module, str) else "builtins").partition(".")[0]
    if top in sys.stdlib_module_names:
        return sys.version
    found = sys.modules.get(top)
    if top != _OURS:
        file = getattr(found, "__file__", None)
        folders = [file] if file else list(getattr(found, "__path__", []))
        if not any(_INSTALLED.intersection(Path(folder).parts) for folder in folders):
            return None
    return str(getattr(found, "__version__", ""))


def _file_state(name: str) -> tuple[int, int] | None:
    """Return size and time of last change of a file, or None if it is none."""
    try:
        state = os.stat(name)
    except (OSError, ValueError):
        return None
    is_file = os.path.isfile(name)
    return (state.st_size, state.st_mtime_ns) if is_file else None


def _tell_stored(array, package):
    """Return what tells an array of zarr or h5py from others."""
    what = tuple(array.shape), np.dtype(array.dtype)
    if package == "h5py":
        path = array.file.filename
        by_itself = not (array.is_virtual or array.external)
        if array.file.mode == "r" and by_itself and os.path.isfile(path):
            return *what, os.fsencode(path), array.name, _file_state(path)
    else:
        root = getattr(array.store, "root", None)
        folder = None if root is None else Path(root) / array.path
        if isinstance(root, Path) and folder.is_dir():
            found = os.walk(folder, onerror=_raise)
            files = [Path(root) / name for root, _, names in found for name in names]
            files = sorted(file for file in files if file.is_file())
            states = [
                (os.fsencode(file.relative_to(folder)), _file_state(str(file)))
                for file in files
            ]
            return *what, os.fsencode(folder), states
    return *what, _digest(array)


def _raise(error):
    raise error


def _digest(array):
    """Return a digest of the content, read a few rows at a time."""
    digest = hashlib.blake2b(digest_size=16)
    if not array.shape:
        return hashlib.blake2b(np.asarray(array[()]).tobytes()).hexdigest()
    row = int(np.prod(array.shape[1:])) * array.dtype.itemsize
    step = max(1, _BYTES_AT_A_TIME // max(row, 1))
    for start in range(0, array.shape[0], step):
        digest.update(np.ascontiguousarray(array[start : start + step]).tobytes())
    return digest.hexdigest()


def _codes(code: CodeType) -> Iterator[CodeType]:
    """Yield a code object and those within."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _written(code: CodeType) -> tuple:
    """Return what a code object says, without where it stands."""
    constants = [
        _written(constant) if isinstance(constant, CodeType) else constant
        for constant in code.co_consts
    ]
    sizes = code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount
    names = code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars
    return code.co_code, constants, names, sizes, code.co_flags


def _functions_of(value: Any) -> Iterator[Any]:
    """Yield the functions and classes that an attribute of a class is made of."""
    if isinstance(value, FunctionType | type):
        yield value
    elif isinstance(value, staticmethod | classmethod):
        yield value.__func__
    elif isinstance(value, property):
        yield from (part for part in (value.fget, value.fset, value.fdel) if part)
    elif isinstance(value, functools.cached_property):
        yield value.func


def _changed_by(module: ModuleType | None, *others: Any) -> set[str]:
    """Return the names of globals and attributes that a module's code changes."""
    within = {} if module is None else vars(module)
    own = [
        value
        for value in within.values()
        if isinstance(value, FunctionType | type)
        and value.__module__ == module.__name__
    ]
    changed = set()
    for code in {code for thing in [*own, *others] for code in _codes_of(thing)}:
        changed |= _changed_in(code)
    return changed


def _codes_of(thing: Any) -> Iterator[CodeType]:
    if isinstance(thing, FunctionType):
        yield from _codes(thing.__code__)
    elif isinstance(thing, type):
        for value in vars(thing).values():
            for part in _functions_of(value):
                if isinstance(part, FunctionType):
                    yield from _codes(part.__code__)


@functools.lru_cache(maxsize=4096)
def _changed_in(code: CodeType) -> frozenset[str]:
    """Return the names that code stores to, or changes what is in.

    An expression such as ``counts["fits"] += 1`` or ``calls.append(1)`` starts where
    the name stands that it changes.
    """
    changed, loaded, starts = set(), {}, set()
    if "setattr" in code.co_names:
        changed.update(text for text in code.co_consts if isinstance(text, str))
    for step in dis.get_instructions(code):
        where = step.positions
        start = (where.lineno, where.col_offset) if where else (None, None)
        if step.opname in _STORING:
            changed.add(step.argval)
        if step.opname in _LOADING:
            loaded.setdefault(start, set()).add(step.argval)
        if step.opname in _STORING_WITHIN or (
            step.opname in ("LOAD_ATTR", "LOAD_METHOD") and step.argval in _CHANGING
        ):
            starts.add(start)
    for start in starts - {(None, None)}:
        changed |= loaded.get(start, set())
    return frozenset(changed - _CHANGING)


def _imported(code: CodeType) -> Iterator[str]:
    """Yield the names of modules that code imports when it runs."""
    for step in dis.get_instructions(code):
        if step.opname == "IMPORT_NAME":
            yield step.argval


def _module_file(name: str) -> str | None:
    """Return a digest of the file of one's own module, or None."""
    top = name.partition(".")[0]
    if top in (_OURS, "") or top in sys.stdlib_module_names:
        return None
    try:
        spec = importlib.util.find_spec(top)
        if spec is not None and _INSTALLED.isdisjoint(Path(spec.origin or "").parts):
            spec = importlib.util.find_spec(name)
            return hashlib.blake2b(Path(spec.origin).read_bytes()).hexdigest()
    except (ImportError, ValueError, AttributeError, TypeError, OSError):
        pass  # which the code itself will say
    return None
