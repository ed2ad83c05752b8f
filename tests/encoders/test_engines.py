"""A tower gives the same vectors on every engine; one that cannot be used is skipped with a warning."""

import importlib.util
import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from densecli.encoders import engines, hardware, onnx_session
from densecli.encoders.engines import (
    EngineRequest,
    engines_for_many,
    open_passage_encoder,
    open_question_encoder,
)
from densecli.encoders.hardware import usable_cores
from densecli.encoders.onnx_session import session_options
from densecli.encoders.session import EngineError
from densecli.encoders.torch_retriever import PassageEncoder
from densecli.errors import ArtifactError, UsageError
from densecli.files.parallel import cores
from densecli.records import Passage
from encoder_families import FAMILIES
from heard import Heard

PASSAGES = [Passage(str(n), "king" if n % 2 else "", "the river " * (n % 40) + "and sea") for n in range(150)]
EVERY = ["openvino", "onnxruntime", "torch"]


def asked(engine: str) -> EngineRequest:
    return EngineRequest(engine, "cpu", "fp32")


@pytest.mark.parametrize("engine", EVERY)
@pytest.mark.parametrize("kind", ["compiled", "of Hugging Face"])
def test_every_engine_gives_the_same_vectors_as_torch(
    engine: str, kind: str, tiny_retriever: Path, tiny_base: Path
) -> None:
    folder = tiny_retriever if kind == "compiled" else tiny_base
    expected = PassageEncoder(folder, precision="fp32").encode(PASSAGES)
    encoder = open_passage_encoder(folder, asked(engine), 256)
    found = encoder.encode(PASSAGES)
    assert encoder.arithmetic.startswith(f"{engine} fp32")
    assert found.shape == expected.shape == (150, encoder.dimension)
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("threads", ["1", "3"])
def test_the_bytes_do_not_depend_on_the_number_of_threads(
    tiny_retriever: Path, threads: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = open_passage_encoder(tiny_retriever, asked("openvino"), 256).encode(PASSAGES)
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    again = open_passage_encoder(tiny_retriever, asked("openvino"), 256).encode(PASSAGES)
    assert usual.tobytes() == again.tobytes()


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are listed on Linux only")
@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_no_thread_is_pinned_to_a_core(
    tiny_retriever: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", str(cores()))
    encoder = open_passage_encoder(tiny_retriever, asked(engine), 64)
    seen = set()
    for _ in encoder.encode_windows([PASSAGES] * 3):  # while later batches are computed
        for task in Path("/proc/self/task").iterdir():
            with suppress(ProcessLookupError):  # it may have ended
                seen.add(frozenset(os.sched_getaffinity(int(task.name))))
    assert seen == {frozenset(os.sched_getaffinity(0))}


@pytest.mark.parametrize("engine", EVERY)
def test_windows_may_start_at_any_row(tiny_retriever: Path, engine: str) -> None:
    encoder = open_passage_encoder(tiny_retriever, asked(engine), 128)
    windows = [PASSAGES[:60], PASSAGES[60:70], PASSAGES[70:]]
    whole = list(encoder.encode_windows(windows))
    rest = list(encoder.encode_windows(windows[1:]))
    assert [part.window for part in whole] == sorted(part.window for part in whole)
    for part, same in zip([part for part in whole if part.window], rest, strict=True):
        assert (part.window - 1, part.tokens) == (same.window, same.tokens)
        assert part.rows.tolist() == same.rows.tolist()
        assert part.vectors.tobytes() == same.vectors.tobytes()


def test_an_engine_works_after_an_early_stop(tiny_retriever: Path) -> None:
    encoder = open_passage_encoder(tiny_retriever, asked("openvino"), 64)
    parts = encoder.encode_windows([PASSAGES])
    next(parts)
    parts.close()  # type: ignore[attr-defined]
    assert np.isfinite(encoder.encode(PASSAGES)).all()


@pytest.mark.parametrize(("bfloat16", "first"), [(True, "openvino"), (False, "onnxruntime")])
def test_the_fastest_engine_is_preferred_and_torch_is_the_fallback(
    bfloat16: bool, first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "has_gpu", lambda: False)
    monkeypatch.setattr(engines, "has_bfloat16", lambda: bfloat16)
    assert engines_for_many(EngineRequest()) == [first, "torch"]
    assert engines_for_many(EngineRequest(precision="fp32")) == ["onnxruntime", "torch"]
    assert engines_for_many(EngineRequest(precision="bf16")) == ["openvino", "torch"]
    assert engines_for_many(EngineRequest(precision="fp16")) == ["torch"]
    assert engines_for_many(EngineRequest(device="cuda:1")) == ["torch"]
    assert engines_for_many(EngineRequest("onnxruntime")) == ["onnxruntime"]
    monkeypatch.setattr(engines, "has_gpu", lambda: True)
    assert engines_for_many(EngineRequest()) == ["torch"]
    assert engines_for_many(EngineRequest(device="cpu")) == [first, "torch"]


def test_work_goes_on_in_its_engine_unless_another_device_is_asked_for() -> None:
    assert EngineRequest().for_resuming("openvino bf16") == EngineRequest("openvino", "auto", "bf16")
    assert EngineRequest("torch").for_resuming("openvino bf16") == EngineRequest("torch")
    on_gpu = EngineRequest(device="cuda")
    assert on_gpu.for_resuming("onnxruntime fp32") == on_gpu
    assert on_gpu.for_resuming("torch fp16") == EngineRequest("torch", "cuda", "fp16")


def test_a_missing_openvino_is_reported_in_one_line_where_it_would_help(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engines, "has_gpu", lambda: False)
    monkeypatch.setattr(engines, "find_spec", lambda name: None)
    heard = Heard()
    monkeypatch.setattr(engines, "has_bfloat16", lambda: False)
    assert engines_for_many(EngineRequest(), heard) == ["onnxruntime", "torch"]
    assert not heard.messages
    monkeypatch.setattr(engines, "has_bfloat16", lambda: True)
    assert engines_for_many(EngineRequest(), heard) == ["torch"]
    assert heard.messages == ["OpenVINO would be faster: `pip install openvino`"]


def test_a_device_file_without_a_gpu_that_torch_sees_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "GPU_FILES", ("null",))
    hardware.has_gpu.cache_clear()
    monkeypatch.setattr(hardware, "_torch_sees_gpu", lambda: False)
    assert not hardware.has_gpu()
    hardware.has_gpu.cache_clear()
    monkeypatch.setattr(hardware, "_torch_sees_gpu", lambda: True)
    assert hardware.has_gpu()
    hardware.has_gpu.cache_clear()


def break_library(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, session: str) -> None:
    """Let the import of an engine fail, as where a library of the system is missing."""
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text(f"raise OSError('lib{name}.so: no such file')")
    for loaded in [loaded for loaded in sys.modules if loaded.split(".")[0] == name]:
        monkeypatch.delitem(sys.modules, loaded)
    monkeypatch.delitem(sys.modules, session, raising=False)
    monkeypatch.syspath_prepend(folder)
    importlib.invalidate_caches()


def test_a_question_is_encoded_in_torch_when_onnxruntime_is_broken(
    tiny_retriever: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_library(monkeypatch, tmp_path, "onnxruntime", engines.ONNX)
    heard = Heard()
    encoder = open_question_encoder(
        tiny_retriever, EngineRequest(device="cpu", precision="fp32"), True, heard
    )
    assert encoder.arithmetic.startswith("torch")
    (line,) = heard.warnings
    assert "libonnxruntime.so: no such file" in line
    with pytest.raises(EngineError, match="--force-reinstall onnxruntime"):
        open_question_encoder(tiny_retriever, asked("onnxruntime"))


@pytest.mark.parametrize(
    ("said", "expected"), [("1", 1), ("1,4", 1), ("1000000", None), ("x", None), ("0", None)]
)
def test_threads_follow_omp_num_threads_up_to_the_cores(
    said: str, expected: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", said)
    assert usable_cores() == (expected or cores())
    assert session_options().intra_op_num_threads == usable_cores()


def test_no_thread_of_onnxruntime_spins() -> None:
    options = session_options()
    for kind in ("intra", "inter"):
        assert options.get_session_config_entry(f"session.{kind}_op.allow_spinning") == "0"


def test_a_broken_installation_is_reported_once_and_torch_replaces_it(
    tiny_retriever: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_library(monkeypatch, tmp_path, "openvino", engines.OPENVINO)
    heard = Heard()
    encoder = open_passage_encoder(tiny_retriever, EngineRequest(device="cpu", precision="bf16"), None, heard)
    assert encoder.arithmetic.startswith("torch")
    open_question_encoder(tiny_retriever, EngineRequest(device="cpu", precision="bf16"), False, heard)
    (line,) = heard.warnings
    assert "libopenvino.so: no such file" in line
    assert "torch" in line
    with pytest.raises(EngineError, match="libopenvino"):
        open_passage_encoder(tiny_retriever, asked("openvino"))


def test_an_encoder_unsupported_by_the_engine_runs_in_torch(tmp_path: Path) -> None:
    folder = FAMILIES["deberta-v2"].save(tmp_path / "base")
    heard = Heard()
    encoder = open_passage_encoder(folder, EngineRequest(device="cpu", precision="fp32"), None, heard)
    assert encoder.arithmetic.startswith("torch")
    assert len(heard.warnings) == 1
    with pytest.raises(EngineError, match="can't run an encoder"):
        open_passage_encoder(folder, asked("openvino"))


def test_a_damaged_graph_is_refused(tiny_retriever: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_retriever, tmp_path / "model")
    graph = folder / "passage" / "graph.onnx"
    graph.write_bytes(graph.read_bytes()[:100])
    with pytest.raises(ArtifactError, match=r"passage/graph\.onnx: damaged, or of another version"):
        open_passage_encoder(folder, EngineRequest(device="cpu", precision="fp32"), None, Heard())


def test_a_valid_graph_refused_by_an_engine_runs_in_torch(
    tiny_retriever: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as an old engine that does not know an operation."""

    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("no such operation")

    monkeypatch.setattr("densecli.encoders.onnx_session.onnxruntime.InferenceSession", refuse)
    heard = Heard()
    encoder = open_question_encoder(
        tiny_retriever, EngineRequest(device="cpu", precision="fp32"), True, heard
    )
    assert encoder.arithmetic.startswith("torch")
    assert "the engine refuses it (no such operation)" in heard.warnings[0]


@pytest.mark.parametrize("single", [True, False])
def test_an_engine_that_loads_a_graph_and_cannot_run_it_is_replaced_by_torch(
    tiny_retriever: Path, monkeypatch: pytest.MonkeyPatch, single: bool
) -> None:
    real = onnx_session.onnxruntime.InferenceSession

    class Failing(real):  # type: ignore[misc, valid-type]
        def run(self, *_: object, **__: object) -> None:
            raise RuntimeError("illegal primitive")

    monkeypatch.setattr(onnx_session.onnxruntime, "InferenceSession", Failing)
    heard = Heard()
    request = EngineRequest(device="cpu", precision="fp32")
    encoder = open_question_encoder(tiny_retriever, request, single, heard)
    assert encoder.arithmetic.startswith("torch")
    assert np.isfinite(encoder.encode(["who voiced meg"])).all()
    (line,) = heard.warnings
    assert "graph.onnx: the engine refuses it (illegal primitive)" in line
    assert line.endswith("torch is used instead")
    with pytest.raises(EngineError, match="illegal primitive"):
        open_question_encoder(tiny_retriever, asked("onnxruntime"))


@pytest.mark.parametrize(
    ("engine", "device", "precision"),
    [("openvino", "cuda", "auto"), ("onnxruntime", "auto", "bf16"), ("openvino", "cpu", "fp16")],
)
def test_contradicting_options_are_refused(engine: str, device: str, precision: str) -> None:
    with pytest.raises(UsageError, match=engine):
        EngineRequest(engine, device, precision)


@pytest.mark.parametrize("engine", ["onnxruntime", "torch"])
def test_texts_that_are_too_long_are_counted(tiny_retriever: Path, engine: str) -> None:
    questions = open_question_encoder(tiny_retriever, EngineRequest(engine=engine))
    questions.encode(["who " * 100, "who"])
    assert questions.cut == 1
    passages = open_passage_encoder(tiny_retriever, EngineRequest(engine=engine))
    windows = [
        [Passage("1", "", text) for text in texts] for texts in (["the " * 300] * 3, ["the"], ["a " * 999])
    ]
    cuts = [0, 0, 0]
    for part in passages.encode_windows(windows):
        cuts[part.window] += part.cut
    assert (cuts, passages.cut) == ([3, 0, 1], 4)
