"""A GroundingDINO of a few thousand random weights, in a folder as ``transformers`` keeps the published one."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import (
    BertConfig,
    BertTokenizer,
    GroundingDinoConfig,
    GroundingDinoForObjectDetection,
    SwinConfig,
)

WORDS = ("red", "blue", "cup", "chair", "block", "the")


def write(folder: Path, *, seed: int = 0, queries: int = 6, bias: float = 0.0) -> Path:
    """The folder, written. ``bias`` is added to every answer's width and height before their sigmoid."""
    folder.mkdir(parents=True, exist_ok=True)
    # Special tokens stand where the published vocabulary has them: the network looks for 101, 102, 1012 and 1029.
    vocabulary = [f"[unused{i}]" for i in range(1030)]
    vocabulary[0], vocabulary[100] = "[PAD]", "[UNK]"
    vocabulary[101], vocabulary[102], vocabulary[103] = "[CLS]", "[SEP]", "[MASK]"
    vocabulary[1012], vocabulary[1029] = ".", "?"
    for i, word in enumerate(WORDS):
        vocabulary[200 + i] = word
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    BertTokenizer(vocab={word: i for i, word in enumerate(vocabulary)}, do_lower_case=True).save_pretrained(folder)
    torch.manual_seed(seed)
    model = GroundingDinoForObjectDetection(_config(queries))
    with torch.no_grad():
        for embed in model.model.decoder.bbox_embed:
            embed.layers[-1].bias[2:] += bias
    model.save_pretrained(folder)
    return folder


def _config(queries: int) -> GroundingDinoConfig:
    return GroundingDinoConfig(
        backbone_config=SwinConfig(
            patch_size=16,  # the published one has 4, and sixteen times the work
            embed_dim=8,
            depths=[1, 1, 1, 1],
            num_heads=[1, 1, 2, 2],
            window_size=7,
            out_indices=[2, 3, 4],
        ),
        text_config=BertConfig(
            vocab_size=1030, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
        ),
        d_model=32,
        encoder_layers=1,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        num_queries=queries,
    )
