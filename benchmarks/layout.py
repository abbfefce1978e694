"""Why the generator keeps a moment's channels side by side: ratios against plain convolutions.

    python benchmarks/layout.py

For the generator's own shapes, one thread: processor time of `ChannelsLastConv1d` on such memory,
divided by that of `nn.Conv1d` on the usual layout; and of `mean_and_variance` by torch.var_mean.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import torch
from torch import nn

from voice_actor.kokoro.layers import ChannelsLastConv1d, mean_and_variance

# channels, kernel, dilation, samples of four seconds of speech
SHAPES = (
    (256, 3, 1, 3_200),
    (256, 7, 3, 3_200),
    (256, 11, 5, 3_200),
    (128, 3, 1, 19_201),
    (128, 7, 3, 19_201),
    (128, 11, 5, 19_201),
)
ROUNDS = 5


def seconds(run: Callable[[], object]) -> float:
    begun = time.process_time()
    run()
    return time.process_time() - begun


@torch.inference_mode()
def main() -> None:
    torch.set_num_threads(1)
    for channels, kernel, dilation, samples in SHAPES:
        padding = dilation * (kernel - 1) // 2
        plain = nn.Conv1d(channels, channels, kernel, padding=padding, dilation=dilation)
        beside = ChannelsLastConv1d(channels, channels, kernel, padding=padding, dilation=dilation)
        beside.load_state_dict(plain.state_dict())
        usual = torch.randn(1, channels, samples)
        turned = usual.transpose(1, 2).contiguous().transpose(1, 2)
        assert torch.allclose(plain(usual), beside(turned), atol=1e-3)
        convolution, statistics = [], []
        for _ in range(ROUNDS):  # in turns, so that what else runs here weighs on both
            convolution.append(seconds(partial(beside, turned)) / seconds(partial(plain, usual)))
            statistics.append(
                seconds(partial(mean_and_variance, turned))
                / seconds(partial(torch.var_mean, usual, dim=2, correction=0))
            )
        print(
            f"{channels} channels, kernel {kernel:2}, dilation {dilation}: "
            f"convolution {sorted(convolution)[ROUNDS // 2]:.2f}, "
            f"statistics {sorted(statistics)[ROUNDS // 2]:.2f}"
        )


if __name__ == "__main__":
    main()
