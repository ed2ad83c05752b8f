"""Dense passage retrieval and open-domain question answering (DPR, Karpukhin et al., 2020).

The functions do what the commands of the same names do, and `list_datasets` does what `datasets` does.
docs/python.md is a tour. Importing this module loads nothing heavy: a name is imported when it is first used.

Example:
    >>> import densecli
    >>> collection = densecli.open_collection()
    >>> collection.search("who voiced Meg", k=1).ctxs[0].passage.title
    'Meg Griffin'
"""

import importlib
import os
import sys

from densecli.files.container import core_limit
from densecli.version import __version__ as __version__

# What the libraries below send to their makers is off, whatever the environment says. It is here because
# each of them decides at its import, and no module of densecli is imported before this one.
os.environ.update(
    {
        "DO_NOT_TRACK": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",  # huggingface_hub, transformers, datasets, hf_xet
        "HF_UPDATE_DOWNLOAD_COUNTS": "0",  # datasets
        "ORT_DISABLE_TELEMETRY": "1",  # onnxruntime from 1.29 on; disable_telemetry_events() comes too late
        "RAY_USAGE_STATS_ENABLED": "0",
    }
)
# `import openvino` alone sends an event. It has no switch for that, but does without this package.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

# More threads than cores help nobody, and libraries that start a hundred thousand of them crash. They read
# these when they are imported, and do not know what a container may use.
_limit = core_limit()
_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
_cores = min(_cores, _limit or _cores)
if _limit is not None:
    os.environ.setdefault("OMP_NUM_THREADS", str(_cores))
for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    if _name in os.environ:
        os.environ[_name] = ",".join(
            str(_cores) if one.isdecimal() and (len(one) > 9 or int(one) > _cores) else one
            for one in os.environ[_name].split(",")
        )

TYPE_CHECKING = False  # typing itself takes milliseconds at every start of the program
if TYPE_CHECKING:
    from densecli.artifacts.building import Artifact as Artifact
    from densecli.observer import Observer as Observer
    from densecli.records import Article as Article
    from densecli.records import Passage as Passage
    from densecli.records import Prediction as Prediction
    from densecli.records import Question as Question
    from densecli.records import RankedList as RankedList
    from densecli.records import ScoredPassage as ScoredPassage
    from densecli.records import TrainingExample as TrainingExample
    from densecli.workflows.collection import Collection as Collection
    from densecli.workflows.collection import open_collection as open_collection
    from densecli.workflows.convert import Conversion as Conversion
    from densecli.workflows.convert import convert as convert
    from densecli.workflows.embed import embed as embed
    from densecli.workflows.engines import CustomRetriever as CustomRetriever
    from densecli.workflows.evaluate import Evaluation as Evaluation
    from densecli.workflows.evaluate import evaluate as evaluate
    from densecli.workflows.evaluation_report import evaluation_report as evaluation_report
    from densecli.workflows.explain import compare_modes as compare_modes
    from densecli.workflows.explain import explain as explain
    from densecli.workflows.index import index as index
    from densecli.workflows.list_datasets import DatasetSplit as DatasetSplit
    from densecli.workflows.list_datasets import list_datasets as list_datasets
    from densecli.workflows.mine_negatives import mine_negatives as mine_negatives
    from densecli.workflows.preprocess import preprocess as preprocess
    from densecli.workflows.read import read as read
    from densecli.workflows.read import tune_reader as tune_reader
    from densecli.workflows.search import search as search
    from densecli.workflows.status import ArtifactStatus as ArtifactStatus
    from densecli.workflows.status import WorkspaceStatus as WorkspaceStatus
    from densecli.workflows.status import status as status
    from densecli.workflows.texts import Texts as Texts
    from densecli.workflows.train import train as train
    from densecli.workflows.train_reader import train_reader as train_reader
    from densecli.workflows.tune import tune_fusion_weight as tune_fusion_weight

_MODULES = {
    "Article": "records",
    "Artifact": "artifacts.building",
    "ArtifactStatus": "workflows.status",
    "Collection": "workflows.collection",
    "Conversion": "workflows.convert",
    "CustomRetriever": "workflows.engines",
    "DatasetSplit": "workflows.list_datasets",
    "Evaluation": "workflows.evaluate",
    "Observer": "observer",
    "Passage": "records",
    "Prediction": "records",
    "Question": "records",
    "RankedList": "records",
    "ScoredPassage": "records",
    "Texts": "workflows.texts",
    "TrainingExample": "records",
    "WorkspaceStatus": "workflows.status",
    "compare_modes": "workflows.explain",
    "convert": "workflows.convert",
    "embed": "workflows.embed",
    "evaluate": "workflows.evaluate",
    "evaluation_report": "workflows.evaluation_report",
    "explain": "workflows.explain",
    "index": "workflows.index",
    "list_datasets": "workflows.list_datasets",
    "mine_negatives": "workflows.mine_negatives",
    "open_collection": "workflows.collection",
    "preprocess": "workflows.preprocess",
    "read": "workflows.read",
    "search": "workflows.search",
    "status": "workflows.status",
    "train": "workflows.train",
    "train_reader": "workflows.train_reader",
    "tune_fusion_weight": "workflows.tune",
    "tune_reader": "workflows.read",
}
"""The public names, and the modules that define them."""

__all__ = sorted(_MODULES)


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module 'densecli' has no attribute {name!r}")
    value: object = getattr(importlib.import_module(f"densecli.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
