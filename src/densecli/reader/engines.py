"""Opening a reader in the engine that is the fastest for the work."""

from importlib import import_module
from pathlib import Path
from typing import Any

from densecli.encoders.engines import ANY, BATCH_TOKENS, EngineRequest, first_that_works, session_opener
from densecli.encoders.session import EngineError
from densecli.models.folder import is_compiled
from densecli.models.reader_heads import ENCODER
from densecli.observer import SILENT, Observer
from densecli.reader.runtime import Reader

TORCH = "densecli.reader.torch_folder"


def open_reader(
    folder: Path,
    request: EngineRequest = ANY,
    single: bool = True,
    batch_tokens: int | None = None,
    observer: Observer = SILENT,
) -> Reader:
    """Open a reader in the fastest engine, or in the one that is asked for.

    Args:
        folder: the folder of a reader.
        request: engine, device and precision.
        single: one question is read, so that an engine that starts fast is the fastest.
        batch_tokens: padded word pieces of a batch; None takes what suits the engine.
        observer: receives a message where the fastest engine can't be used.

    Raises:
        ArtifactError: it is missing, damaged, or no reader; or the engine asked for can't run it.
        UsageError: the choices contradict each other.
        ResourceError: there is no such device.
    """

    def open_in(engine: str) -> Reader:
        if engine == "torch":
            return _open_in_torch(folder, request, batch_tokens)
        if folder.is_dir() and not is_compiled(folder, ENCODER):
            raise EngineError(f"{folder}: has no graph for {engine}")
        size = batch_tokens or BATCH_TOKENS[engine]
        return Reader.open(folder, session_opener(engine, request.precision), size)

    return first_that_works(request, single, open_in, observer)


def _open_in_torch(folder: Path, request: EngineRequest, batch_tokens: int | None) -> Reader:
    hardware: Any = import_module("densecli.encoders.torch_hardware")
    device = hardware.pick_device(request.device)
    reader = import_module(TORCH).open_reader(folder)
    reader.model.to(device)
    opened: Reader = reader.reading(hardware.pick_precision(request.precision, device), batch_tokens)
    return opened
