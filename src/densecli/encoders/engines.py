"""Which engine runs an encoder over many texts: OpenVINO, onnxruntime or torch.

docs/engines.md has the measurements behind the order. Where the CPU computes in bfloat16, OpenVINO is the
fastest, and torch where OpenVINO is not installed. In float32 onnxruntime is as fast, and always installed.
A GPU belongs to torch.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from densecli.encoders.encoding import Encoder
from densecli.encoders.hardware import has_bfloat16, has_gpu
from densecli.encoders.session import EngineError, OpenSession
from densecli.encoders.side import Side, compiled_encoder
from densecli.errors import UsageError
from densecli.models.folder import RetrieverConfig, is_compiled, is_model_folder, read_model_config
from densecli.observer import SILENT, Observer
from densecli.records import Passage

if TYPE_CHECKING:
    from densecli.configs.asking import ReadConfig
    from densecli.configs.corpus import EmbedConfig

ONNX = "densecli.encoders.onnx_session"
T = TypeVar("T")
OPENVINO = "densecli.encoders.openvino_session"
FOREIGN = "densecli.encoders.foreign_sides"
TORCH = "densecli.encoders.torch_retriever"
BATCH_TOKENS = {"openvino": 1024, "onnxruntime": 512}
"""The padded word pieces of a batch that each compiled engine computes fastest."""


@dataclass(frozen=True)
class EngineRequest:
    """The engine, device and precision that a user asks for; `auto` leaves the choice to the program.

    Attributes:
        engine: `openvino`, `onnxruntime` or `torch`.
        device: `cpu`, `cuda` or `cuda:N`.
        precision: `fp32`, `bf16` or `fp16`.
    """

    engine: str = "auto"
    device: str = "auto"
    precision: str = "auto"

    @classmethod
    def of(cls, config: "ReadConfig | EmbedConfig") -> "EngineRequest":
        """Return what a config asks for."""
        return cls(config.engine, config.device, config.precision)

    def __post_init__(self) -> None:
        if self.engine in ("openvino", "onnxruntime"):
            if self.device not in ("auto", "cpu"):
                raise UsageError(f"`device` {self.device} needs `engine=torch`; {self.engine} uses the CPU")
            if self.precision == "fp16" or (self.engine, self.precision) == ("onnxruntime", "bf16"):
                raise UsageError(f"`engine` {self.engine} does not compute in {self.precision}")

    def for_resuming(self, arithmetic: str) -> "EngineRequest":
        """Return what continues work of an encoder's `arithmetic`, unless something else is asked for."""
        engine, precision = arithmetic.split()[:2]
        if self.engine not in ("auto", engine) or self.precision not in ("auto", precision):
            return self
        if engine != "torch" and self.device not in ("auto", "cpu"):
            return self
        return EngineRequest(engine, self.device, precision)


ANY = EngineRequest()


def engines_for_one(request: EngineRequest) -> list[str]:
    """Return the engines that may encode a single text, the one that starts fastest first."""
    if request.engine != "auto":
        return [request.engine]
    if request.device not in ("auto", "cpu") or request.precision not in ("auto", "fp32"):
        return ["torch"]
    return ["onnxruntime", "torch"]


def engines_for_many(request: EngineRequest, observer: Observer = SILENT) -> list[str]:
    """Return the engines that may encode many texts, the fastest first; or only the named one."""
    if request.engine != "auto":
        return [request.engine]
    on_gpu = request.device.startswith("cuda") or (request.device == "auto" and has_gpu())
    if on_gpu or request.precision == "fp16":
        return ["torch"]
    in_bfloat16 = request.precision == "bf16" or (request.precision == "auto" and has_bfloat16())
    # which multiplies in float32 only
    if not in_bfloat16:
        return ["onnxruntime", "torch"]
    if find_spec("openvino") is not None:
        return ["openvino", "torch"]
    observer.message("OpenVINO would be faster: `pip install openvino`")
    return ["torch"]


_WARNED: WeakKeyDictionary[Observer, set[str]] = WeakKeyDictionary()


def _warn_once(observer: Observer, text: str) -> None:
    """Warn once: a question is encoded and its passages are read, and each opens an engine."""
    try:
        said = _WARNED.setdefault(observer, set())
    except TypeError:  # a class of the user's whose objects cannot be keys
        said = set()
    if text not in said:
        said.add(text)
        observer.warning(text)


def first_that_works(
    request: EngineRequest, single: bool, open_in: Callable[[str], T], observer: Observer = SILENT
) -> T:
    """Return what `open_in` opens in the first engine that works; say once which one did not.

    Raises:
        EngineError: none works, or the one that is asked for does not.
    """
    engines = engines_for_one(request) if single else engines_for_many(request, observer)
    # "" after the last one: there is no other engine to fall back to
    for engine, other in pairwise([*engines, ""]):
        try:
            return open_in(engine)
        except EngineError as error:
            if not other:
                raise
            _warn_once(observer, f"{error}; {other} is used instead")
    raise AssertionError("no engine")


def session_opener(engine: str, precision: str) -> OpenSession:
    """Return what loads graphs in a compiled engine.

    Args:
        engine: `openvino` or `onnxruntime`.
        precision: `auto` is bf16 where engine and CPU have it.

    Raises:
        EngineError: the engine is not installed or broken, or does not compute so on this CPU.
    """
    # Engines are loaded late: each takes from a tenth of a second to seconds, and one is an optional extra.
    if engine == "onnxruntime":
        try:
            onnx: OpenSession = import_module(ONNX).OnnxSession
        except Exception as error:  # a broken installation fails in many classes
            raise EngineError(
                f"onnxruntime can't be loaded ({error}); run `pip install --force-reinstall onnxruntime`, or"
                " use `engine=torch`"
            ) from None
        return onnx
    try:
        openvino: Any = import_module(OPENVINO)
        fast = openvino.has_bfloat16()
    except Exception as error:  # a broken installation fails in many classes
        problem = "is not installed" if find_spec("openvino") is None else f"can't be loaded ({error})"
        raise EngineError(f"OpenVINO {problem}; run `pip install openvino`, or use `engine=torch`") from None
    if precision == "bf16" and not fast:
        raise EngineError("OpenVINO has no bf16 on this CPU; use `precision=fp32`, or `engine=torch`")
    chosen = precision if precision != "auto" else "bf16" if fast else "fp32"
    opener: OpenSession = partial(openvino.OpenVinoSession, precision=chosen)
    return opener


def open_passage_encoder(
    folder: Path, request: EngineRequest, batch_tokens: int | None = None, observer: Observer = SILENT
) -> Encoder[Passage]:
    """Open the passage tower of any model in the fastest engine, or in the one that is asked for.

    Args:
        folder: the folder of a model of densecli, Hugging Face or sentence-transformers.
        request: engine, device and precision.
        batch_tokens: padded word pieces of a batch; None takes what suits the engine.
        observer: receives a message where the fastest engine can't be used.

    Raises:
        ArtifactError: the model is incomplete or not supported; or the engine asked for can't run it.
        UsageError: the choices contradict each other.
        ResourceError: there is no such device.
    """

    def open_in(engine: str) -> Encoder[Passage]:
        if engine == "torch":
            encoder: Encoder[Passage] = import_module(TORCH).PassageEncoder(
                folder, request.device, request.precision, batch_tokens
            )
            return encoder
        opener = session_opener(engine, request.precision)
        side = _side(folder, "passage", engine)
        size = batch_tokens or BATCH_TOKENS[engine]
        return compiled_encoder(side, side.tokens.passages, opener, engine, size)

    return first_that_works(request, False, open_in, observer)


def open_question_encoder(
    folder: Path, request: EngineRequest = ANY, single: bool = True, observer: Observer = SILENT
) -> Encoder[str]:
    """Open the question tower of any model.

    Args:
        folder: the folder of a model of densecli, Hugging Face or sentence-transformers.
        request: engine, device and precision.
        single: questions come one at a time, or are few: an engine that starts fast is the fastest.
        observer: receives a message where the fastest engine can't be used.

    Raises:
        ArtifactError: as `open_passage_encoder`.
        UsageError: likewise.
        ResourceError: likewise.
    """

    def open_in(engine: str) -> Encoder[str]:
        if engine == "torch":
            encoder: Encoder[str] = import_module(TORCH).TorchQuestionEncoder(
                folder, request.device, request.precision
            )
            return encoder
        opener = session_opener(engine, request.precision)
        side = _side(folder, "question", engine)
        return compiled_encoder(side, side.tokens.questions, opener, engine, BATCH_TOKENS[engine])

    return first_that_works(request, single or not _worth_loading(request), open_in, observer)


def _worth_loading(request: EngineRequest) -> bool:
    """Whether many questions gain by another engine than the one that starts fastest: by bfloat16 alone."""
    return request.precision == "bf16" or (has_bfloat16() and find_spec("openvino") is not None)


def _side(folder: Path, name: str, engine: str) -> Side:
    """Read one tower for a compiled engine.

    Raises:
        EngineError: compiled engines can't run its encoder.
    """
    if is_model_folder(folder) and is_compiled(
        folder, read_model_config(folder, RetrieverConfig).tower(name)
    ):
        return Side.open(folder, name)
    side: Side | None = None
    if not is_model_folder(folder):
        side = import_module(FOREIGN).read_side(folder, name)
    if side is None:
        torch: Any = import_module(TORCH)
        side = torch.compiled_side(torch.open_retriever(str(folder)), name)
    if side is None:
        raise EngineError(f"{folder}: {engine} can't run an encoder of this type")
    return side
