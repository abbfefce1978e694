"""Builds checkpoints/kokoro-voices-en.safetensors from the voices of the npm package kokoro-js.

npm pack kokoro-js@1.2.1 && tar xzf kokoro-js-1.2.1.tgz
python -m voice_actor.kokoro.voicepacks package/voices checkpoints/kokoro-voices-en.safetensors
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

ENGLISH = ("af_", "am_", "bf_", "bm_")
LONGEST, STYLE = 510, 256


def build(folder: Path, target: Path) -> None:
    """Packs each English voice, float32 [510, 1, 256], as float16 [510, 256]."""
    from safetensors.numpy import save_file

    packs = {}
    for file in sorted(folder.glob("*.bin")):
        if file.stem.startswith(ENGLISH):
            pack = np.fromfile(file, dtype="<f4").reshape(LONGEST, STYLE)
            packs[file.stem] = pack.astype(np.float16)
    save_file(packs, target)
    print(f"{len(packs)} voices, {target.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    build(Path(sys.argv[1]), Path(sys.argv[2]))
