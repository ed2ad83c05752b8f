import socket
import time
from collections.abc import Iterator

import pytest
from huggingface_hub import constants

from densecli.files.network import reachable, why_offline


@pytest.fixture(autouse=True)
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def listening() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_a_listening_server_is_reachable(listening: str) -> None:
    assert reachable(listening)
    assert why_offline(f"{listening}/some/path") is None


def test_an_unreachable_server_is_detected_quickly() -> None:
    begun = time.monotonic()
    assert why_offline("http://127.0.0.1:9/x") == "127.0.0.1 is out of reach"
    assert time.monotonic() - begun < 3


def test_offline_mode_makes_no_request(listening: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert why_offline(listening) == "HF_HUB_OFFLINE is set"


def test_behind_a_proxy_the_proxy_is_contacted(listening: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", listening)
    assert reachable("http://nowhere.invalid/x")
    monkeypatch.setenv("no_proxy", "nowhere.invalid")
    assert not reachable("http://nowhere.invalid/x")


@pytest.mark.parametrize("variable", ["http_proxy", "ALL_PROXY"])
def test_a_proxy_may_be_named_without_a_scheme(
    variable: str, listening: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, listening.removeprefix("http://"))
    assert reachable("http://nowhere.invalid/x")


@pytest.mark.parametrize(
    ("variable", "hosts"),
    [
        ("no_proxy", "127.0.0.1"),
        ("NO_PROXY", "127.0.0.1"),
        ("NO_PROXY", "other.example, 127.0.0.1"),
        ("NO_PROXY", "*"),
    ],
)
def test_a_host_without_proxy_is_asked_itself(
    variable: str, hosts: str, listening: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("no_proxy")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert not reachable(listening)
    monkeypatch.setenv(variable, hosts)
    assert reachable(listening)


def test_a_host_is_not_taken_for_one_whose_name_ends_alike(
    listening: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", listening)
    monkeypatch.setenv("no_proxy", "here.invalid")
    assert reachable("http://nowhere.invalid/x")


@pytest.mark.parametrize("url", ["", "nonsense", "http://", "http://127.0.0.1:0"])
def test_an_invalid_address_is_not_reachable(url: str) -> None:
    assert not reachable(url)
