"""Reading checkpoints of ours: tensors, and what the file says of itself."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from .errors import WeightsError

if TYPE_CHECKING:
    from torch import Tensor, nn


def read_checkpoint(
    path: str | os.PathLike, kind: str, needed: Collection[str] = ()
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors of a safetensors file in single precision, and its description.

    Args:
        kind: what the file has to hold; its description stands under this name in the metadata.
        needed: keys that the description has to have.

    Raises:
        WeightsError: another file, or a damaged one.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            described = json.loads((file.metadata() or {})[kind])
            state = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
        if missing := set(needed) - set(described):
            raise KeyError(*missing)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        raise WeightsError(f"{path} holds no {kind}; install Voice Actor again.") from None
    return state, described


def check_made_for(path: str | os.PathLike, described: dict[str, Any], **here: Any) -> None:
    """Raises WeightsError where the description differs from what this version has."""
    for name, value in here.items():
        if described.get(name) != value:
            raise WeightsError(
                f"{path} was made for other {name} ({described.get(name)}, here {value}); use the "
                "checkpoint of this version."
            )


def fill(
    network: nn.Module, state: dict[str, Tensor], path: str | os.PathLike, assign: bool = False
) -> None:
    """Loads the tensors, every one of them. Raises WeightsError where they do not fit.

    Args:
        assign: they take the places of the network's own, which may be on the meta device.
    """
    try:
        network.load_state_dict(state, strict=True, assign=assign)
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise WeightsError(f"{path} does not fit its own description: {reason}") from None
