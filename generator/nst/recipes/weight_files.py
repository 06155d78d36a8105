"""Weight files by their content, without PyTorch: of what kind a file is, and which VGG it holds.

A file's name says nothing for certain: browsers, mirrors and people rename.
"""

from __future__ import annotations

import io
import json
import pickletools
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import IO

from generator.nst.recipes import keras_files
from generator.nst.recipes.errors import WeightsError
from generator.nst.recipes.layers import ARCHITECTURES, normalised

# What each kind of file is called in messages.
TORCH, KERAS, HDF5, SAFETENSORS, MATLAB = "PyTorch", "Keras", "HDF5", "safetensors", "MATLAB"
NUMPY = "NumPy"
KERAS_WEIGHTS = "model.weights.h5"
_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_MAX_HEADER_BYTES = 100_000_000
_LOOK = 512
_OTHERS = {
    b"version https://git-lfs": "a Git LFS pointer; fetch the file itself with `git lfs pull`",
    b"\x93NUMPY": "a NumPy array; save the layers with numpy.savez, as conv1_1_W and conv1_1_b",
    b"\x1f\x8b": "a gzip archive; unpack it",
    b"%PDF": "a PDF document",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"7z\xbc\xaf": "a 7z archive; unpack it",
    b"Rar!": "a RAR archive; unpack it",
    b"GGUF": "a GGUF file of a language model",
}
# Modules whose globals stand in a state dict, which holds tensors alone.
_HARMLESS = (
    "torch",
    "torch._utils",
    "torch.storage",
    "torch._tensor",
    "torch.serialization",
    "collections",
    "argparse",
)
_HARMLESS_NUMPY = ("numpy", "numpy.core.multiarray", "numpy._core.multiarray", "numpy.dtypes")
# Simonyan and Zisserman 2015, table 1, columns A and B.
_OTHER_VGGS = {"VGG-13": (2, 2, 2, 2, 2), "VGG-11": (1, 1, 2, 2, 2)}
_SLICED = re.compile(r"(.*\.)?slice\d+\.")
_NUMBERED = re.compile(r"(.*\.)?(\d+)")


def kind_of(path: Path, role: str = "weights") -> str:
    """Return TORCH, KERAS, HDF5, SAFETENSORS, MATLAB or NUMPY. Raises WeightsError saying what else the file is.

    role: what it should be, for the message.
    """
    try:
        return _kind_of(path)
    except WeightsError as error:
        raise WeightsError(f"cannot be read as {role}: {error}") from None


def _kind_of(path: Path) -> str:
    if path.is_dir():
        raise WeightsError("it is a folder; give the weight file in it")
    with path.open("rb") as file:
        head = file.read(_LOOK)
    if not head:
        raise WeightsError("it is an empty file")
    if head.startswith(_HDF5_SIGNATURE):
        return HDF5
    if head.startswith(b"MATLAB 7.3"):
        raise WeightsError("it is a MATLAB 7.3 file; save it with -v7")
    if head.startswith(b"MATLAB"):
        return MATLAB
    if head.startswith(b"PK\x03\x04"):
        return _kind_of_archive(path)
    if head[:1] == b"\x80" and head[1:2] in b"\x02\x03\x04\x05":
        _check_pickles(path)
        return TORCH
    if _is_safetensors(head, path.stat().st_size):
        return SAFETENSORS
    if re.search(r"\.(index|meta|data-\d+-of-\d+)$", path.name):
        raise WeightsError(
            "it is a part of a TensorFlow checkpoint; save the weights with Keras as .weights.h5"
        )
    raise WeightsError(_described(head))


def _kind_of_archive(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile:
        raise WeightsError("it is cut short; fetch it again") from None
    if KERAS_WEIGHTS in names:
        return KERAS
    if any(name.endswith("/constants.pkl") for name in names):
        raise WeightsError("it is a TorchScript program; save its state_dict()")
    if any(name.endswith("/data.pkl") or name == "data.pkl" for name in names):
        _check_pickles(path)
        return TORCH
    if names and all(name.endswith(".npy") for name in names):
        return NUMPY
    raise WeightsError("it is a ZIP archive; unpack it")


def _is_safetensors(head: bytes, size: int) -> bool:
    length = int.from_bytes(head[:8], "little")
    if head[8:9] != b"{" or not 2 <= length <= _MAX_HEADER_BYTES:
        return False
    if length + 8 > size:
        raise WeightsError("it is cut short; fetch it again")
    return True


def _protobuf(head: bytes) -> str:
    """Return what a file is that begins as programs write Protocol Buffers, "" for none.

    ONNX begins with the version (field 1) and the program's name (field 2), Caffe with the network's name (field 1),
    a graph of TensorFlow with a node in whose first field its name stands, and a saved model with version 1 and a
    graph.
    """
    if head[:1] == b"\x08" and head[2:3] == b"\x12":
        if _is_name(head[4:11]):
            return "an ONNX model; save the state_dict() of the model that it was made from"
        return "a saved model of TensorFlow or Core ML; save the weights with Keras as .weights.h5"
    if head[:1] == b"\n" and head[1:2] and _is_name(head[2 : 2 + min(head[1], 12)]):
        return "a Caffe model; convert it, or take the same network as a PyTorch file"
    if head[:1] == b"\n" and (b"\x12\x0bPlaceholder" in head or b"\x12\x05Const" in head):
        return "a graph of TensorFlow; save the weights with Keras as .weights.h5"
    return ""


def _is_name(part: bytes) -> bool:
    return len(part) > 1 and all(byte < 127 and (chr(byte).isalnum() or byte in b"_-. ") for byte in part)


def _described(head: bytes) -> str:
    for beginning, words in _OTHERS.items():
        if head.startswith(beginning):
            return f"it is {words}"
    if not head.strip(b"\0"):
        return "it holds nothing but zero bytes; fetch it again"
    if head[4:8] == b"TFL3":
        return "it is a TensorFlow Lite model; save the weights with Keras as .weights.h5"
    if head[257:262] == b"ustar":
        return "it is a tar archive; unpack it"
    if head[:4] == b"\4\0\0\0" and b"\0\0\0nn." in head:
        return "it is a file of Lua Torch; take the same network as a PyTorch file"
    if what := _protobuf(head):
        return f"it is {what}"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<script")) or b"<html" in text:
        return "it is an HTML page; fetch the file itself"
    if text.startswith(b"<?xml"):
        return "it is an XML page, as servers send with an error; fetch the file itself"
    if text.startswith((b"{", b"[")):
        return "it is a JSON text, not the weights beside it"
    if all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in head):
        return "it is a text file"
    return "it is of no kind that is known here (PyTorch, safetensors, Keras, MATLAB)"


def _check_pickles(path: Path) -> None:
    """Refuse a pickle that holds more than tensors: only running its code would tell what it is."""
    if _is_plain_pickle(path):
        raise WeightsError(
            "it is a pickle that PyTorch did not write; where it was made, save the tensors with torch.save"
        )
    try:
        found = {word for word, is_global in _pickled(path) if is_global}
    except (ValueError, EOFError, IndexError, zipfile.BadZipFile):
        raise WeightsError("it is a pickle cut short; fetch it again") from None
    foreign = sorted(
        name for name in found if name.rpartition(" ")[0] not in (*_HARMLESS, *_HARMLESS_NUMPY, "_codecs")
    )
    if not foreign:
        return
    marks = ("model", "vgg", "nn.modules")
    name = next((each for each in foreign if any(mark in each.lower() for mark in marks)), foreign[0])
    dotted = name.replace(" ", ".")
    what = (
        "a whole pickled model"
        if any(part in dotted.lower() for part in ("model", "nn.modules", "vgg", "__main__"))
        else "a pickle of more than tensors"
    )
    raise WeightsError(
        f"it is {what} ({dotted}), whose code would have to run; where it was made, "
        f"save only the tensors: torch.save(model.state_dict(), FILE)"
    )


def _is_plain_pickle(path: Path) -> bool:
    """Return whether a file is one whole pickle and no more. PyTorch writes several, or an archive."""
    with path.open("rb") as file:
        if file.read(2) == b"PK":
            return False
        file.seek(0)
        try:
            for _ in pickletools.genops(file):
                pass
        except (ValueError, EOFError, IndexError):
            return False
        return not file.read(1)


def _pickled(path: Path) -> Iterator[tuple[str, bool]]:
    """Yield each text of the pickles in a PyTorch file, and each global as "module name" with True."""
    for stream in _pickle_streams(path):
        texts = ["", ""]
        for opcode, argument, _ in pickletools.genops(stream):
            if opcode.name in ("GLOBAL", "INST"):
                yield str(argument), True
            elif opcode.name == "STACK_GLOBAL":
                yield " ".join(texts), True
            elif "UNICODE" in opcode.name or "STRING" in opcode.name:
                text = argument.decode("latin-1") if isinstance(argument, bytes) else str(argument)
                texts = [texts[1], text]
                yield text, False


def _pickle_streams(path: Path) -> Iterator[IO[bytes]]:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.rpartition("/")[2] == "data.pkl":
                    yield io.BytesIO(archive.read(name))
        return
    with path.open("rb") as file:
        # The old format: a magic number, a version, the machine, the object, the storages' keys.
        for _ in range(4):
            yield file


def layers_of(names: Iterable[str]) -> dict[str, str]:
    """Return the convolutions of a VGG among tensors' names, each with the name that it has there without its end.

    names: of weights and biases, such as `module.features.0.weight` or `conv1_1.bias`; numbers are told apart into
    blocks by their gaps, as a pooling takes a number. Where several networks are there, the most complete one counts.
    """
    stems = dict.fromkeys(name.rpartition(".")[0] for name in names if name.endswith(".weight"))
    candidates = [_called(stems)]
    numbered: dict[str, list[tuple[int, str]]] = {}
    for stem in stems:
        if match := _NUMBERED.fullmatch(_SLICED.sub(lambda found: found[1] or "", stem)):
            numbered.setdefault(match[1] or "", []).append((int(match[2]), stem))
    for listed in numbered.values():
        ordered = sorted(listed)
        # The first may be a 1 x 1 convolution that does the pre-processing.
        candidates += [_in_blocks(ordered), _in_blocks(ordered[1:])]
    return max(candidates, key=lambda found: (bool(architecture(found)), len(found)))


def _called(stems: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for stem in stems:
        layer = normalised(re.split(r"[./]", stem)[-1])
        if re.fullmatch(r"conv\d_\d", layer):
            found.setdefault(layer, stem)
    return found


def _in_blocks(listed: list[tuple[int, str]]) -> dict[str, str]:
    """Name numbered layers; a gap that is wider than the narrowest holds a pooling."""
    if not listed:
        return {}
    step = min((after[0] - before[0] for before, after in pairwise(listed)), default=1)
    found: dict[str, str] = {}
    block, position, previous = 1, 0, listed[0][0]
    for number, stem in listed:
        if number - previous > step:
            block, position = block + 1, 0
        position, previous = position + 1, number
        found[f"conv{block}_{position}"] = stem
    return found


def architecture(layers: Iterable[str]) -> str:
    """Return "vgg16" or "vgg19" by the convolutions in each block, "" for neither; the last block may be in part."""
    return _fitting(layers, ARCHITECTURES)


def other_architecture(layers: Iterable[str]) -> str:
    """Return "VGG-11" or "VGG-13" if the convolutions are those of one, else ""."""
    return _fitting(layers, _OTHER_VGGS)


def _fitting(layers: Iterable[str], known: Mapping[str, tuple[int, ...]]) -> str:
    counts: dict[int, int] = {}
    for layer in layers:
        counts[int(layer[4])] = counts.get(int(layer[4]), 0) + 1
    blocks = [counts[block] for block in sorted(counts)]
    if not blocks or sorted(counts) != list(range(1, len(blocks) + 1)) or len(blocks) > 5:
        return ""
    for name, whole in known.items():
        if tuple(blocks[:-1]) == whole[: len(blocks) - 1] and blocks[-1] <= whole[len(blocks) - 1]:
            return name
    return ""


def architecture_in(path: Path) -> str:
    """Return "vgg16" or "vgg19" for a weight file, "" where it cannot be told without reading it whole."""
    try:
        known = path.stat()
        return _architecture_in(path, known.st_mtime_ns, known.st_size)
    except OSError:
        return ""


@lru_cache(maxsize=64)
def _architecture_in(path: Path, changed: int, size: int) -> str:
    try:
        return architecture(layers_of(_names_in(path)))
    except Exception:  # whatever is wrong with the file is said when it is loaded
        return ""


def _names_in(path: Path) -> list[str]:
    kind = kind_of(path)
    if kind == SAFETENSORS:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            return list(json.loads(file.read(length)))
    if kind == TORCH:
        return [word for word, is_global in _pickled(path) if not is_global]
    if kind == NUMPY:
        with zipfile.ZipFile(path) as archive:
            return [torch_name(name.removesuffix(".npy")) for name in archive.namelist()]
    if kind == MATLAB:
        from scipy.io import loadmat

        content = loadmat(path, squeeze_me=True, struct_as_record=False)
        listed = content.get("layers", getattr(content.get("net"), "layers", ()))
        return [f"{getattr(layer, 'name', '')}.weight" for layer in listed]
    import h5py

    with h5py.File(hdf5_of(path, kind), "r") as file:
        return list(keras_files.datasets(file))


def torch_name(name: str) -> str:
    """Return a name as in PyTorch: archives of NumPy arrays write conv1_1_W and conv1_1_b."""
    ends = {"_W": ".weight", "_b": ".bias"}
    return name[:-2] + ends[name[-2:]] if name[-2:] in ends else name


def hdf5_of(path: Path, kind: str) -> IO[bytes]:
    """Return the HDF5 file that Keras wrote: the file itself, or the one inside a `.keras` archive."""
    if kind == KERAS:
        with zipfile.ZipFile(path) as archive:
            return io.BytesIO(archive.read(KERAS_WEIGHTS))
    return path.open("rb")
