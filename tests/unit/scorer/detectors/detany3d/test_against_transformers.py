"""Parts that `transformers` has too, with other code: small random networks, the same weights, the same answer."""

from __future__ import annotations

import pytest
import torch
from transformers import Dinov2Config, Dinov2Model
from transformers.models.sam.configuration_sam import SamVisionConfig
from transformers.models.sam.modeling_sam import SamVisionLayer

from scorer.detectors.detany3d.config import Config
from scorer.detectors.detany3d.dinov2 import DinoV2
from scorer.detectors.detany3d.sam_vit import Block

SMALL = Config(
    sam_depth=4,
    sam_global=(3,),
    dino_depth=5,
    dino_taps=(1, 2, 3, 4),
    sam_width=32,
    sam_heads=4,
    sam_window=7,
    sam_table=10,
    dino_width=24,
    dino_heads=3,
)


def randomised(network):
    generator = torch.Generator().manual_seed(0)
    for one in network.parameters():
        one.data = torch.randn(one.shape, generator=generator) / max(1, one[0].numel()) ** 0.5
    return network.requires_grad_(False).eval()


def theirs_of_dino(ours: DinoV2) -> Dinov2Model:
    theirs = Dinov2Model(
        Dinov2Config(hidden_size=24, num_hidden_layers=5, num_attention_heads=3, image_size=37 * 14, patch_size=14)
    ).eval()
    found, width = {}, 24
    for key, value in ours.state_dict().items():
        if ".attn.qkv." in key:
            stem, kind = key.split(".attn.qkv.")
            for index, name in enumerate(("q_proj", "k_proj", "v_proj")):
                part = value[index * width : (index + 1) * width]
                found[f"{stem}.attention.{name}.{kind}"] = part
        else:
            found[key] = value
    renamed = {_their_name(key): value for key, value in found.items()}
    missing = theirs.load_state_dict(renamed, strict=False)
    assert not missing.unexpected_keys
    assert missing.missing_keys == ["embeddings.mask_token"]
    return theirs


def _their_name(key):
    for ours, theirs in (
        ("cls_token", "embeddings.cls_token"),
        ("pos_embed", "embeddings.position_embeddings"),
        ("patch_embed.proj", "embeddings.patch_embeddings.projection"),
        ("blocks.", "encoder.layer."),
        (".attn.proj.", ".attention.o_proj."),
        (".ls1.gamma", ".layer_scale1.lambda1"),
        (".ls2.gamma", ".layer_scale2.lambda1"),
    ):
        key = key.replace(ours, theirs)
    return key.replace("norm.", "layernorm.") if key.startswith("norm.") else key


@pytest.mark.parametrize("size", [(70, 112), (112, 70), (98, 98)])
def test_dinov2_agrees_at_sizes_that_its_position_table_was_not_made_for(size):
    ours = randomised(DinoV2(SMALL))
    images = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        taps = ours(images)
        states = theirs_of_dino(ours)(images, output_hidden_states=True).hidden_states
        for level, tap in enumerate(SMALL.dino_taps):
            wanted = ours.norm(states[tap + 1])
            torch.testing.assert_close(taps.classes[level], wanted[:, :1], rtol=1e-4, atol=1e-5)
            torch.testing.assert_close(taps.maps[level].flatten(1, 2), wanted[:, 1:], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("window", [7, None], ids=["windowed", "global, its table interpolated"])
def test_a_sam_block_agrees(window):
    ours = randomised(Block(SMALL, window=window))
    settings = SamVisionConfig(
        hidden_size=32, num_attention_heads=4, mlp_dim=128, image_size=160, patch_size=16, window_size=7
    )
    settings._attn_implementation = "eager"
    theirs = SamVisionLayer(settings, window_size=window or 0).eval()
    renamed = {
        key.replace("norm1", "layer_norm1").replace("norm2", "layer_norm2"): v for key, v in ours.state_dict().items()
    }
    theirs.load_state_dict(renamed)
    x = torch.randn(2, 14, 14, 32, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        wanted = theirs(x)
        torch.testing.assert_close(ours(x), wanted[0] if isinstance(wanted, tuple) else wanted, rtol=1e-4, atol=1e-5)
