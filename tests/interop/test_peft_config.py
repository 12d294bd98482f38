"""Which configs of peft are read, and that patterns mean what they mean to peft."""

import pytest

from peft_demo.contracts.errors import BadAdapter
from peft_demo.interop.peft_config import check_config, rank_at, scale_at

PATTERNS = (
    "qkv",
    "attn.qkv",
    "blocks.1.attn.qkv",
    "^blocks.1.attn.qkv",
    r"^blocks\.1\..*",
    r"blocks\.\d+\.mlp\.fc\d",
    "(qkv|fc1)",
    "kv",
    "blocks.1",
    "^attn.qkv",
    ".attn.qkv",
    "[a-f]c1",
)
PATHS = ("blocks.1.attn.qkv", "blocks.11.mlp.fc1", "blocks.0.mlp.fc2", "patch_embed.proj")


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("path", PATHS)
def test_a_pattern_matches_what_it_matches_in_peft(pattern, path):
    other = pytest.importorskip("peft.utils.other")
    config = {"peft_type": "LORA", "r": 2, "rank_pattern": {pattern: 5}}
    check_config(config)
    matches = other.get_pattern_key([pattern], path) == pattern
    assert rank_at(config, path) == (5 if matches else 2)


def test_the_first_pattern_counts():
    config = {"r": 2, "rank_pattern": {"nothing": 3, "qkv": 5, "attn.qkv": 7}}
    assert rank_at(config, "blocks.0.attn.qkv") == 5


def test_the_scale_is_alpha_by_rank_or_its_root():
    config = {"lora_alpha": 8, "alpha_pattern": {"fc1": 2}}
    assert scale_at(config, "blocks.0.attn.qkv", 4) == 2
    assert scale_at(config, "blocks.0.mlp.fc1", 4) == 0.5
    assert scale_at({**config, "use_rslora": True}, "blocks.0.mlp.fc1", 4) == 1


@pytest.mark.parametrize(
    "pattern", ["(a+)+b", "a*a*a*b", "(.|.)(.|.)b", "a?a?b", "a{9}{9}", "[", "a" * 201]
)
def test_a_pattern_that_could_take_for_ever_is_refused(pattern):
    with pytest.raises(BadAdapter, match="rank_pattern"):
        check_config({"peft_type": "LORA", "rank_pattern": {pattern: 2}})
