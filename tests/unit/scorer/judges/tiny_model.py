"""A vision-language model small enough to be made and taught within seconds: it says 9 of a red picture, 2 of a blue.

A real model of `transformers` (LLaVA's architecture, 0.1 million random weights) with a processor built here. It is
taught, by a few steps of gradient descent on exactly the judge's conversation, to answer in the judge's form.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
)
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from scorer.detectors.port import Image
from scorer.judges import rubric
from scorer.judges.cases import Case
from scorer.judges.language import Hearing
from scorer.judges.local import messages

RED, BLUE = (200, 30, 30), (30, 30, 200)
ANSWERS = {RED: '{"reasoning": "itself", "score": 9}', BLUE: '{"reasoning": "repainted", "score": 2}'}
INSTRUCTION = "Move the red block 10 centimeters to the left"
SIDE = 28
SPECIAL = ["<pad>", "<s>", "</s>", "<image>"]
TEMPLATE = (
    "{% for message in messages %}<s>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}{% endfor %}{% endif %}</s>\n"
    "{% endfor %}{% if add_generation_prompt %}<s>assistant\n{% endif %}"
)


def plain(colour: tuple[int, int, int]) -> Image:
    """A picture of one colour, (28, 28, 3)."""
    return np.full((SIDE, SIDE, 3), colour, dtype=np.uint8)


def case(key: str = "one", *, edited: tuple[int, int, int] = RED) -> Case:
    """A case that the model was taught."""
    return Case(
        key=key,
        original=plain(RED),
        edited=plain(edited),
        operation="move",
        instruction=INSTRUCTION,
        target="red block",
    )


def make(folder: Path, *, taught: bool = True) -> None:
    """Save a model and its processor for `from_pretrained`."""
    torch.set_num_threads(1)  # more only wait for each other at this size
    torch.manual_seed(0)
    processor = _processor()
    model = _model(processor)
    if taught:
        _teach(model, processor)
    processor.save_pretrained(folder)
    model.save_pretrained(folder)


def _processor() -> Any:
    words = Tokenizer(models.BPE())
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=1500,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    words.train_from_iterator([rubric.SYSTEM, rubric.question_text(case()), *ANSWERS.values()] * 2, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        extra_special_tokens={"image_token": "<image>"},
    )
    return LlavaProcessor(
        image_processor=CLIPImageProcessorPil(size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE}),
        tokenizer=tokenizer,
        chat_template=TEMPLATE,
        patch_size=14,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
    )


def _model(processor: Any) -> Any:
    small = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
    seeing = CLIPVisionConfig(**small, num_attention_heads=2, image_size=SIDE, patch_size=14, projection_dim=32)
    speaking = LlamaConfig(
        **{**small, "hidden_size": 64},
        vocab_size=len(processor.tokenizer),
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=4096,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
    )
    image = processor.tokenizer.convert_tokens_to_ids("<image>")
    return LlavaForConditionalGeneration(
        LlavaConfig(vision_config=seeing, text_config=speaking, image_token_index=image, vision_feature_layer=-1)
    )


def _teach(model: Any, processor: Any) -> None:
    asked = [messages(Hearing(case=case(edited=colour), digest="", tries=1)) for colour in ANSWERS]
    inputs = processor.apply_chat_template(
        asked, add_generation_prompt=True, tokenize=True, return_dict=True, processor_kwargs={"return_tensors": "pt"}
    )
    said = processor.tokenizer([f"{answer}</s>" for answer in ANSWERS.values()], padding=True, return_tensors="pt")
    labels = said["input_ids"].masked_fill(said["attention_mask"] == 0, -100)
    length = inputs["input_ids"].shape[1]
    batch = {
        "input_ids": torch.cat([inputs["input_ids"], said["input_ids"]], dim=1),
        "attention_mask": torch.cat([inputs["attention_mask"], said["attention_mask"]], dim=1),
        "pixel_values": inputs["pixel_values"],
        "labels": torch.cat([torch.full((len(asked), length), -100), labels], dim=1),
    }
    optimiser = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=0.0)
    model.train()
    for _ in range(400):
        loss = model(**batch).loss
        if loss.item() < 0.02:
            break
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    model.eval()
