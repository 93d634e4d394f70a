"""Exports the model once for every peer runtime: ONNX (plain, fused, int8), OpenVINO (f32, int8), CTranslate2.

    python export.py MODEL GUIDES EXPORTS

A file that exists is left alone; delete the folder to export anew. Every graph ends in mean pooling and normalization,
so that a runtime answers with unit vectors; CTranslate2 stops at the token states, its converter knows no more.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from workload import FIXED_TEXTS, MAX_TOKENS, NATURAL_TEXTS, build_workload

# Added to the attention scores of padding: enough for a weight of zero, and a value graph optimizers recognize.
BLOCKED = -10000.0

# One scale per tensor is the default; `reduce_range` keeps weights to 7 bits, against saturation where VNNI is missing.
INT8_VARIANTS = {
    "onnxruntime-int8": {"per_channel": False, "reduce_range": False},
    "onnxruntime-int8-reduced": {"per_channel": False, "reduce_range": True},
    "onnxruntime-int8-channel": {"per_channel": True, "reduce_range": False},
    "onnxruntime-int8-channel-reduced": {"per_channel": True, "reduce_range": True},
}

# The last texts of the last block: those of `vectors`, on which int8 is judged, come from the front.
CALIBRATION_NATURAL = 100
CALIBRATION_FIXED = 16


class SelfAttention(nn.Module):
    """Heads spelled out as matrix products, the form that the ONNX Runtime optimizer recognizes as attention.

    With `fused` the same values come from the single attention operator, the form that OpenVINO prefers.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.heads = heads
        self.fused = False

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        query, key, value = (self.split(layer(states)) for layer in (self.query, self.key, self.value))
        if self.fused:
            context = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        else:
            scores = torch.matmul(query, key.transpose(-1, -2)) / math.sqrt(query.shape[-1])
            context = torch.matmul(torch.softmax(scores + mask, dim=-1), value)
        return context.permute(0, 2, 1, 3).contiguous().view(states.shape)

    def split(self, states: Tensor) -> Tensor:
        batch, length, width = states.shape
        return states.view(batch, length, self.heads, width // self.heads).permute(0, 2, 1, 3)


class EncoderLayer(nn.Module):
    """One transformer layer; attribute names are those of the checkpoint."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        width, inner = config["hidden_size"], config["intermediate_size"]
        attention = SelfAttention(width, config["num_attention_heads"])
        self.attention = nn.ModuleDict({"self": attention, "output": residual_output(width, width, config)})
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(width, inner)})
        self.output = residual_output(inner, width, config)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        attended = self.attention["self"](states, mask)
        states = add_and_normalize(self.attention["output"], attended, states)
        inner = nn.functional.gelu(self.intermediate["dense"](states))
        return add_and_normalize(self.output, inner, states)


class SentenceEncoder(nn.Module):
    """BERT without pooler, then the mean over real tokens, then unit length."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        width, positions = config["hidden_size"], config["max_position_embeddings"]
        self.embeddings = nn.ModuleDict(
            {
                "word_embeddings": nn.Embedding(config["vocab_size"], width),
                "position_embeddings": nn.Embedding(positions, width),
                "token_type_embeddings": nn.Embedding(config["type_vocab_size"], width),
                "LayerNorm": nn.LayerNorm(width, config["layer_norm_eps"]),
            }
        )
        layers = nn.ModuleList(EncoderLayer(config) for _ in range(config["num_hidden_layers"]))
        self.encoder = nn.ModuleDict({"layer": layers})
        self.register_buffer("positions", torch.arange(positions).expand(1, -1), persistent=False)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        states = self.embed(input_ids)
        blocked = (1.0 - attention_mask[:, None, None, :].to(states.dtype)) * BLOCKED
        for layer in self.encoder["layer"]:
            states = layer(states, blocked)
        kept = attention_mask.unsqueeze(-1).to(states.dtype)
        mean = (states * kept).sum(1) / kept.sum(1)
        return mean / mean.norm(dim=1, keepdim=True)

    def embed(self, input_ids: Tensor) -> Tensor:
        words = self.embeddings["word_embeddings"](input_ids)
        types = self.embeddings["token_type_embeddings"](torch.zeros_like(input_ids))
        places = self.embeddings["position_embeddings"](self.positions[:, : input_ids.shape[1]])
        return self.embeddings["LayerNorm"](words + types + places)


def residual_output(inputs: int, width: int, config: dict[str, Any]) -> nn.ModuleDict:
    """A projection and the normalization after its residual sum."""
    return nn.ModuleDict(
        {"dense": nn.Linear(inputs, width), "LayerNorm": nn.LayerNorm(width, config["layer_norm_eps"])}
    )


def add_and_normalize(output: nn.ModuleDict, states: Tensor, residual: Tensor) -> Tensor:
    """Projection, residual sum, normalization."""
    return output["LayerNorm"](output["dense"](states) + residual)


def load_encoder(model: Path) -> SentenceEncoder:
    """The encoder with the checkpoint's weights; only the unused pooler may be left over."""
    encoder = SentenceEncoder(json.loads((model / "config.json").read_text(encoding="utf-8")))
    keys = encoder.load_state_dict(load_file(model / "model.safetensors"), strict=False)
    left_over = [key for key in keys.unexpected_keys if not key.startswith("pooler.") and "position_ids" not in key]
    if keys.missing_keys or left_over:
        raise SystemExit(f"`{model}` does not fit: missing {keys.missing_keys}, left over {left_over}")
    return encoder.eval()


def example_inputs() -> dict[str, Tensor]:
    """Two rows of different length, so that tracing sees padding."""
    mask = torch.ones(2, 16, dtype=torch.int64)
    mask[1, 9:] = 0
    return {"input_ids": torch.arange(1000, 1032).reshape(2, 16), "attention_mask": mask}


def export_onnx(encoder: SentenceEncoder, path: Path) -> None:
    """The plain graph; the tracing exporter, because the newer one writes attention in a form no fusion matches."""
    inputs = example_inputs()
    batch_and_length = {0: "batch", 1: "length"}
    torch.onnx.export(
        encoder,
        tuple(inputs.values()),
        str(path),
        input_names=list(inputs),
        output_names=["vector"],
        dynamic_axes={**dict.fromkeys(inputs, batch_and_length), "vector": {0: "batch"}},
        opset_version=17,
        dynamo=False,
    )


def export_fused_onnx(plain: Path, config: dict[str, Any], path: Path) -> None:
    """The graph after BERT fusion; a fusion that no longer matches is an error, not a slower benchmark."""
    from onnxruntime.transformers import optimizer

    optimized = optimizer.optimize_model(
        str(plain), "bert", config["num_attention_heads"], config["hidden_size"], opt_level=0
    )
    fused = optimized.get_fused_operator_statistics()
    layers = config["num_hidden_layers"]
    if (fused["Attention"], fused["SkipLayerNormalization"]) != (layers, 2 * layers):
        raise SystemExit(f"BERT fusion is incomplete: {fused}")
    optimized.save_model_to_file(str(path))


def export_int8_onnx(plain: Path, options: dict[str, bool], path: Path) -> None:
    """Dynamic quantization of the plain graph, which runs faster than that of the fused one."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(plain, path, weight_type=QuantType.QInt8, **options)


def export_openvino(encoder: SentenceEncoder, path: Path) -> None:
    """Straight from PyTorch, which keeps attention as one operator."""
    import openvino

    set_fused_attention(encoder, True)
    model = openvino.convert_model(encoder, example_input=example_inputs())
    set_fused_attention(encoder, False)
    openvino.save_model(model, path, compress_to_fp16=False)


def set_fused_attention(encoder: SentenceEncoder, fused: bool) -> None:
    """Choose the form of attention for the next export."""
    for layer in encoder.encoder["layer"]:
        layer.attention["self"].fused = fused


def export_openvino_weights(plain: Path, path: Path) -> None:
    """Weights as int8; the runtime quantizes activations by itself as it goes."""
    import nncf
    import openvino

    model = openvino.Core().read_model(plain)
    openvino.save_model(nncf.compress_weights(model, mode=nncf.CompressWeightsMode.INT8_ASYM), path)


def export_openvino_static(plain: Path, model: Path, guides: Path, path: Path) -> None:
    """Weights and activations as int8, with ranges calibrated on shipped guides."""
    import nncf
    import openvino

    samples = calibration_inputs(model, guides)
    quantized = nncf.quantize(
        openvino.Core().read_model(plain),
        nncf.Dataset(samples),
        model_type=nncf.ModelType.TRANSFORMER,
        subset_size=len(samples),
    )
    openvino.save_model(quantized, path)


def calibration_inputs(model: Path, guides: Path) -> list[dict[str, np.ndarray]]:
    """Token ids of texts that no int8 vector is judged on."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.no_padding()
    workload = build_workload(model, guides, None)
    texts = workload.natural[-1][NATURAL_TEXTS - CALIBRATION_NATURAL :]
    texts += workload.fixed[-1][FIXED_TEXTS - CALIBRATION_FIXED :]
    rows = [np.array([tokenizer.encode(text).ids], dtype=np.int64) for text in texts]
    return [{"input_ids": row, "attention_mask": np.ones_like(row)} for row in rows]


def export_ctranslate2(model: Path, path: Path, quantization: str | None) -> None:
    """Its own converter, from the checkpoint."""
    import ctranslate2

    ctranslate2.converters.TransformersConverter(str(model)).convert(str(path), quantization=quantization, force=True)


def unless_present(path: Path, export: Callable[[Path], None]) -> Path:
    """Run an export whose result is not there yet."""
    if not path.exists():
        print(f"exporting {path.name}", flush=True)
        export(path)
    return path


def export_all(model: Path, guides: Path, exports: Path) -> None:
    """Every file that serve.py loads, named after its runtime."""
    exports.mkdir(parents=True, exist_ok=True)
    encoder = load_encoder(model)
    config = json.loads((model / "config.json").read_text(encoding="utf-8"))
    with torch.no_grad():
        onnx = unless_present(exports / "onnxruntime.onnx", lambda path: export_onnx(encoder, path))
        openvino = unless_present(exports / "openvino.xml", lambda path: export_openvino(encoder, path))
    unless_present(exports / "onnxruntime-fused.onnx", lambda path: export_fused_onnx(onnx, config, path))
    for name, options in INT8_VARIANTS.items():
        unless_present(exports / f"{name}.onnx", partial(export_int8_onnx, onnx, options))
    unless_present(exports / "openvino-int8-weights.xml", lambda path: export_openvino_weights(openvino, path))
    unless_present(exports / "openvino-int8.xml", lambda path: export_openvino_static(openvino, model, guides, path))
    unless_present(exports / "ctranslate2", lambda path: export_ctranslate2(model, path, None))
    unless_present(exports / "ctranslate2-int8", lambda path: export_ctranslate2(model, path, "int8"))


def main() -> None:
    """Export what is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("guides", type=Path)
    parser.add_argument("exports", type=Path)
    arguments = parser.parse_args()
    export_all(arguments.model, arguments.guides, arguments.exports)


if __name__ == "__main__":
    main()
